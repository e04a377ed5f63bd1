CREATE PROCEDURE hr.HR_LoadAbsenceByMonth_Rank @top int = 10
AS
DECLARE @best TABLE (cls varchar(20), place nvarchar(50), amt decimal(38, 2), rnk int, share decimal(9, 4));
DECLARE @total decimal(38, 2) = 0;
SELECT @total = SUM(CostAmount) FROM hrstg.Absence;
INSERT INTO @best (cls, place, amt, rnk)
SELECT x.JobGrade, x.Department, x.amt, x.rnk
FROM (
    SELECT e.JobGrade, e.Department, SUM(t.CostAmount) AS amt,
           RANK() OVER (PARTITION BY e.JobGrade ORDER BY SUM(t.CostAmount) DESC) AS rnk
    FROM hrstg.Employee e
    JOIN hrstg.Absence t ON t.EmployeeNumber = e.EmployeeNumber
    GROUP BY e.JobGrade, e.Department
) AS x
WHERE x.rnk <= @top;
UPDATE @best SET share = CASE WHEN @total = 0 THEN NULL ELSE 100.0 * amt / @total END;
DELETE FROM @best WHERE share < 0.01;
/* nested /* comment */ stays out */
SELECT b.cls, r.GradeTitle, b.place, b.amt, b.rnk, b.share
FROM @best b
LEFT JOIN hr.JobGrades r ON r.GradeCode = b.cls
ORDER BY b.cls, b.rnk;
