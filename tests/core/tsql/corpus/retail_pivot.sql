CREATE PROCEDURE dbo.usp_LoadSalesMonthly_Subtotals
AS
BEGIN
    SET Nocount On;
    With monthly As (
        Select Convert(Char(6), t.OrderDate, 112) as ym, e.Segment, e.City, SUM(t.LineAmount) AS amt
        FROM stg.SalesOrder t
        JOIN stg.Customer e on e.CustomerNo = t.CustomerNo
        GROUP by CONVERT(char(6), t.OrderDate, 112), e.Segment, e.City with ROLLUP
    ), named As (
        Select ISNULL(ym, 'TOTAL') as ym, ISNULL(Segment, 'ALL') AS cls, ISNULL(City, 'ALL') AS place, amt
        From monthly
    )
    select n.ym, n.cls, n.place, n.amt,
           amt_prev = LAG(n.amt) OVER (PARTITION By n.cls, n.place ORDER By n.ym),
           running = SUM(n.amt) OVER (partition BY n.cls, n.place ORDER By n.ym ROWS Between UNBOUNDED PRECEDING and CURRENT ROW)
    FROM named n
    ORDER BY n.ym, n.cls, n.place;
END
