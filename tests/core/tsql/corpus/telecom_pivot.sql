/* mart.prc_load_call_monthly_Subtotals  (m.weber) */
CREATE PROCEDURE mart.prc_load_call_monthly_Subtotals
AS
BEGIN
    SET NOCOUNT ON;
    WITH monthly AS (
        SELECT CONVERT(char(6), t.CallStart, 112) AS ym, e.TariffPlan, e.Region, SUM(t.ChargedAmount) AS amt
        FROM landing.CallRecord t
        JOIN landing.Subscriber e ON e.Msisdn = t.Msisdn
        GROUP BY CONVERT(char(6), t.CallStart, 112), e.TariffPlan, e.Region WITH ROLLUP
    ), named AS (
        SELECT ISNULL(ym, 'TOTAL') AS ym, ISNULL(TariffPlan, 'ALL') AS cls, ISNULL(Region, 'ALL') AS place, amt
        FROM monthly
    )
    SELECT n.ym, n.cls, n.place, n.amt,
           amt_prev = LAG(n.amt) OVER (PARTITION BY n.cls, n.place ORDER BY n.ym),
           running = SUM(n.amt) OVER (PARTITION BY n.cls, n.place ORDER BY n.ym ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)
    FROM named n
    ORDER BY n.ym, n.cls, n.place;
    --SELECT TOP 100 * FROM landing.Subscriber
END
