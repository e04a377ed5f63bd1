USE [PeopleDW]
GO
CREATE PROCEDURE hr.HR_LoadAbsenceByMonth_Subtotals
AS
BEGIN
    SET NOCOUNT ON;
    WITH monthly AS (
        SELECT CONVERT(char(6), t.AbsenceDate, 112) AS ym, e.JobGrade, e.Department, SUM(t.CostAmount) AS amt
        FROM hrstg.Absence t
        JOIN hrstg.Employee e ON e.EmployeeNumber = t.EmployeeNumber
        GROUP BY CONVERT(char(6), t.AbsenceDate, 112), e.JobGrade, e.Department WITH ROLLUP
    ), named AS (
        SELECT ISNULL(ym, 'TOTAL') AS ym, ISNULL(JobGrade, 'ALL') AS cls, ISNULL(Department, 'ALL') AS place, amt
        FROM monthly
    )
    SELECT n.ym, n.cls, n.place, n.amt,
           amt_prev = LAG(n.amt) OVER (PARTITION BY n.cls, n.place ORDER BY n.ym),
           running = SUM(n.amt) OVER (PARTITION BY n.cls, n.place ORDER BY n.ym ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)
    FROM named n
    ORDER BY n.ym, n.cls, n.place;
END
