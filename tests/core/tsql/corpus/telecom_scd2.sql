CREATE PROCEDURE [mart].[prc_load_dim_subscriber_History]
AS
BEGIN
    SET NOCOUNT ON
    DECLARE @now datetime = GETDATE()

    -- close the versions that changed
    UPDATE d
    SET d.ValidTo = @now,
        d.IsCurrent = 0
    FROM mart.dim_subscriber d
    INNER JOIN TelcoMart.landing.Subscriber s ON s.Msisdn = d.Msisdn
    WHERE d.IsCurrent = 1
      AND (d.TariffPlan <> s.TariffPlan OR d.Region <> s.Region OR ISNULL(d.MonthlyFee, -1) <> ISNULL(s.MonthlyFee, -1))
      -- TODO: check with business

    -- new versions and new keys
    INSERT INTO mart.dim_subscriber (Msisdn, SubscriberName, TariffPlan, Region, MonthlyFee, ValidFrom, ValidTo, IsCurrent)
    SELECT s.Msisdn, s.SubscriberName, s.TariffPlan, s.Region, s.MonthlyFee, @now, NULL, 1
    FROM TelcoMart.landing.Subscriber s
    LEFT OUTER JOIN mart.dim_subscriber d ON d.Msisdn = s.Msisdn AND d.IsCurrent = 1
    WHERE d.subscriber_sk IS NULL
    /* nested /* comment */ stays out */
END
