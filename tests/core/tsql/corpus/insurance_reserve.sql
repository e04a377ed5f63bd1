CREATE PROCEDURE dwh.sp_reserve_by_age @valuation date = NULL
AS
BEGIN
SET NOCOUNT ON
SELECT @valuation = ISNULL(@valuation, EOMONTH(GETDATE(), -1))
DECLARE @bands TABLE (lo int, hi int, factor decimal(5, 4), label varchar(10))
INSERT INTO @bands VALUES (0, 90, 0.15, '0-3m'), (91, 365, .4, '3-12m'), (366, 99999, 1, '>12m')

SELECT b.label, COUNT(*) AS claims, SUM(c.PaidAmount) AS paid, SUM(c.PaidAmount * b.factor) AS reserve
INTO #res
FROM staging.Claim c
CROSS JOIN @bands b
WHERE DATEDIFF(day, c.LossDate, @valuation) BETWEEN b.lo AND b.hi
  AND c.ClaimStatus = 'REPORTED'
GROUP BY b.label

UPDATE #res SET reserve = ROUND(reserve, 0) WHERE reserve % 1 <> 0
DECLARE @total money = (SELECT SUM(reserve) FROM #res)
IF @total > $1000000.00 OR @total IS NULL
    EXEC admin.WriteLog @name = N'reserve', @message = 'check the reserve'
SELECT label, claims, paid, reserve, pct = CONVERT(decimal(9, 2), 100 * reserve / NULLIF(@total, 0)) FROM #res ORDER BY label
DROP TABLE #res
END
