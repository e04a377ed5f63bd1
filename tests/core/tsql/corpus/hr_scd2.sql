CREATE PROCEDURE [hr].[HR_LoadDimEmployee_History]
AS
BEGIN
    SET NOCOUNT ON
    DECLARE @now datetime = GETDATE()

    -- close the versions that changed
    UPDATE d
    SET d.ValidTo = @now,
        d.IsCurrent = 0
    FROM hr.DimEmployee d
    INNER JOIN hrstg.Employee s ON s.EmployeeNumber = d.EmployeeNumber
    WHERE d.IsCurrent = 1
      AND (d.JobGrade <> s.JobGrade OR d.Department <> s.Department OR ISNULL(d.BaseSalary, -1) <> ISNULL(s.BaseSalary, -1))
      -- TODO: check with business

    -- new versions and new keys
    INSERT INTO hr.DimEmployee (EmployeeNumber, EmployeeName, JobGrade, Department, BaseSalary, ValidFrom, ValidTo, IsCurrent)
    SELECT s.EmployeeNumber, s.EmployeeName, s.JobGrade, s.Department, s.BaseSalary, @now, NULL, 1
    FROM hrstg.Employee s
    LEFT OUTER JOIN hr.DimEmployee d ON d.EmployeeNumber = s.EmployeeNumber AND d.IsCurrent = 1
    WHERE d.EmployeeSK IS NULL
    --PRINT 'debug'
END
