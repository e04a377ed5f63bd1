CREATE PROCEDURE mart.prc_load_usage_lines
AS
BEGIN
    WITH per_type AS (
        SELECT Msisdn,
               SUM(CASE WHEN CallType = 'VOICE' THEN ChargedAmount ELSE 0 END) AS voice,
               SUM(CASE WHEN CallType = 'ROAMING' THEN ChargedAmount ELSE 0 END) AS roaming,
               SUM(IIF(CallType NOT IN ('VOICE', 'ROAMING'), ChargedAmount, 0)) AS other
        FROM landing.CallRecord
        GROUP BY Msisdn
    ), lines AS (
        SELECT u.Msisdn, u.kind, u.amount
        FROM per_type
        UNPIVOT (amount FOR kind IN (voice, roaming, other)) AS u
        WHERE u.amount > 0
    )
    INSERT INTO mart.call_monthly (YearMonth, TariffPlan, Region, TotalDurationSec, TotalChargedAmount, EntityCount)
    SELECT CONVERT(char(6), GETDATE(), 112), l.kind, ISNULL(s.Region, 'n/a'), 0, SUM(l.amount), COUNT(DISTINCT l.Msisdn)
    FROM lines l
    LEFT JOIN landing.Subscriber s ON s.Msisdn = l.Msisdn
    GROUP BY l.kind, ISNULL(s.Region, 'n/a');
END
