/****** Object:  StoredProcedure hr.HR_LoadDimEmployee_Mode    Script Date: 3/5/2019 10:25:41 AM ******/
SET ANSI_NULLS ON
GO
SET QUOTED_IDENTIFIER ON
GO
CREATE PROCEDURE hr.HR_LoadDimEmployee_Mode
    @Mode varchar(12) = 'DELTA',
    @Debug bit = 0
AS
SET NOCOUNT ON
IF @Mode NOT IN ('FULL', 'DELTA')
BEGIN
    RAISERROR('unknown mode %s', 16, 1, @Mode)
    RETURN 1
END
IF @Mode = 'FULL'
BEGIN
    TRUNCATE TABLE hr.DimEmployee
    SET IDENTITY_INSERT hr.DimEmployee ON
    INSERT INTO hr.DimEmployee (EmployeeSK, EmployeeNumber, EmployeeName, JobGrade, Department, BaseSalary) VALUES (-1, '0', 'Unknown', 'UNK', 'n/a', 0)
    SET IDENTITY_INSERT hr.DimEmployee OFF
    -- changed 12.04.2018
END
INSERT INTO hr.DimEmployee (EmployeeNumber, EmployeeName, JobGrade, Department, BaseSalary)
SELECT e.EmployeeNumber, e.EmployeeName, r.GradeTitle, e.Department, e.BaseSalary
FROM hrstg.Employee e
LEFT JOIN hr.JobGrades r ON r.GradeCode = e.JobGrade
WHERE (@Mode = 'FULL' OR e.ModifiedAt >= DATEADD(day, -1, CAST(GETDATE() AS date)))
  AND NOT EXISTS (SELECT 1 FROM hr.DimEmployee d WHERE d.EmployeeNumber = e.EmployeeNumber)
  --SELECT TOP 100 * FROM hrstg.Employee
IF @Debug = 1
    SELECT COUNT(*) AS n, MIN(ValidFrom) AS first_version FROM hr.DimEmployee
