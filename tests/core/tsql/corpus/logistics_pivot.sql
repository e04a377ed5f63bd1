USE [LogiDW]
GO
create PROCEDURE edw.Load_CarrierPerformance_Subtotals
AS
BEGIN
    set NOCOUNT on;
    WITH monthly AS (
        SELECT CONVERT(CHAR(6), t.PickupDate, 112) AS ym, e.ServiceLevel, e.HomeDepot, sum(t.FreightCost) AS amt
        FROM raw.Shipment t
        Join raw.Carrier e ON e.CarrierCode = t.CarrierCode
        GROUP BY CONVERT(char(6), t.PickupDate, 112), e.ServiceLevel, e.HomeDepot WITH ROLLUP
    ), named AS (
        SELECT ISNULL(ym, 'TOTAL') AS ym, ISNULL(ServiceLevel, 'ALL') AS cls, isnull(HomeDepot, 'ALL') As place, amt
        from monthly
    )
    SELECT n.ym, n.cls, n.place, n.amt,
           amt_prev = LAG(n.amt) over (PARTITION by n.cls, n.place ORDER BY n.ym),
           running = sum(n.amt) OVER (PARTITION BY n.cls, n.place ORDER by n.ym ROWS Between UNBOUNDED PRECEDING AND CURRENT ROW)
    from named n
    ORDER BY n.ym, n.cls, n.place;
    -- TODO: check with business
END
