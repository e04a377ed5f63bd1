CREATE PROCEDURE hr.HR_ListActive
    @Department nvarchar(50) = NULL
AS
SET NOCOUNT ON
SELECT e.EmployeeNumber, e.EmployeeName, e.JobGrade, e.BaseSalary
FROM hrstg.Employee e
WHERE (@Department IS NULL OR e.Department = @Department)
ORDER BY e.EmployeeNumber
GO
CREATE PROCEDURE hr.HR_LoadJobGrades_FromList
AS
BEGIN
SET NOCOUNT ON
IF OBJECT_ID('tempdb..#active') IS NOT NULL DROP TABLE #active
CREATE TABLE #active (EmployeeNumber int NOT NULL, EmployeeName nvarchar(100), JobGrade varchar(20), Salary decimal(18, 2))

INSERT INTO #active (EmployeeNumber, EmployeeName, JobGrade, Salary)
EXEC hr.HR_ListActive

IF @@ROWCOUNT = 0
    RETURN

UPDATE g SET GradeTitle = 'Grade ' + g.GradeCode + ', ' + CAST(x.n AS varchar(10)) + ' people'
FROM hr.JobGrades g
JOIN (SELECT JobGrade, COUNT(*) AS n FROM #active WHERE JobGrade IS NOT NULL GROUP BY JobGrade) x ON x.JobGrade = g.GradeCode

INSERT INTO hr.JobGrades (GradeCode, GradeTitle)
SELECT DISTINCT a.JobGrade, N'new'
FROM #active a
WHERE a.JobGrade IS NOT NULL AND NOT EXISTS (SELECT * FROM hr.JobGrades g WHERE g.GradeCode = a.JobGrade)

DROP TABLE #active
END
