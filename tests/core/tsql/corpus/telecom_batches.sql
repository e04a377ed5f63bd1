/* mart.prc_load_fact_call_Days  (lpark) */
CREATE PROCEDURE mart.prc_load_fact_call_Days (@start Date, @end Date)
AS
BEGIN
    DECLARE @d Date = @start;
    while @d <= @end
    BEGIN
        IF Not EXISTS (SELECT 1 FROM landing.CallRecord WHERE Cast(CallStart As date) = @d)
        BEGIN
            SET @d = DATEADD(day, 1, @d);
            /* old logic
            DELETE FROM mart.fact_call
            WHERE 1 = 0
            */
            CONTINUE;
        END
        DELETE FROM mart.fact_call WHERE DateKey = Convert(int, CONVERT(varchar(8), @d, 112));
        INSERT INTO mart.fact_call (CallId, subscriber_sk, DateKey, DurationSec, ChargedAmount, CallType)
        SELECT t.CallId, d.subscriber_sk, CONVERT(INT, CONVERT(varchar(8), @d, 112)), t.DurationSec, t.ChargedAmount, t.CallType
        From landing.CallRecord t
        CROSS APPLY (Select top 1 x.subscriber_sk FROM mart.dim_subscriber x where x.Msisdn = t.Msisdn Order BY x.ValidFrom Desc) d
        WHERE CAST(t.CallStart as date) = @d;
        SET @d = DATEADD(day, 1, @d);
        -- changed 12.04.2018
    end
END
