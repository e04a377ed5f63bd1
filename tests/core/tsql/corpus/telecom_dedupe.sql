USE [TelcoMart]
GO
CREATE PROCEDURE landing.prc_load_Subscriber_Dedupe
AS
BEGIN
    ;WITH ranked AS (
        SELECT *, ROW_NUMBER() OVER (PARTITION BY SubscriberName, Region ORDER BY ModifiedAt DESC, Msisdn) AS rn
        FROM landing.Subscriber
    )
    DELETE FROM ranked WHERE rn > 1;
    --SELECT TOP 100 * FROM landing.Subscriber

    WITH t AS (SELECT TariffPlan FROM landing.Subscriber WHERE TariffPlan = '')
    UPDATE t SET TariffPlan = NULL
    /* nested /* comment */ stays out */
END
