/* [mart].[prc_load_fact_call_Upsert]  (m.weber) */
CREATE PROCEDURE [mart].[prc_load_fact_call_Upsert]
AS
BEGIN
    SET NOCOUNT, XACT_ABORT On;
    SELECT t.CallId, d.subscriber_sk, CAST(CONVERT(char(8), t.CallStart, 112) AS INT) AS DateKey, t.DurationSec, t.ChargedAmount, t.CallType
    INTO #incoming
    FROM landing.CallRecord t
    INNER JOIN mart.dim_subscriber d ON d.Msisdn = t.Msisdn AND d.IsCurrent = 1;

    CREATE UNIQUE CLUSTERED INDEX ix_incoming ON #incoming (CallId);
    -- TODO: check with business

    Update f
    SET f.DurationSec = i.DurationSec, f.ChargedAmount = i.ChargedAmount, f.CallType = i.CallType, f.LoadedAt = Getdate()
    FROM mart.fact_call As f
    JOIN #incoming as i ON i.CallId = f.CallId
    Where EXISTS (SELECT f.DurationSec, f.ChargedAmount, f.CallType EXCEPT SELECT i.DurationSec, i.ChargedAmount, i.CallType);

    INSERT into mart.fact_call (CallId, subscriber_sk, DateKey, DurationSec, ChargedAmount, CallType)
    Select i.CallId, i.subscriber_sk, i.DateKey, i.DurationSec, i.ChargedAmount, i.CallType
    from #incoming i
    WHERE NOT EXISTS (SELECT * From mart.fact_call f WHERE f.CallId = i.CallId);
    --SELECT TOP 100 * FROM landing.Subscriber

    DROP table #incoming;
End
