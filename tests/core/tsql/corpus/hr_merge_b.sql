/****** Object:  StoredProcedure hr.HR_LoadDimEmployee_Merge    Script Date: 3/2/2019 10:22:41 AM ******/
SET ANSI_NULLS ON
GO
SET QUOTED_IDENTIFIER ON
GO
CREATE PROCEDURE hr.HR_LoadDimEmployee_Merge
AS
BEGIN
    SET NOCOUNT ON;
    SET XACT_ABORT ON;
    Merge hr.DimEmployee As tgt
    USING (SELECT EmployeeNumber, EmployeeName, JobGrade, Department, BaseSalary FROM PeopleDW.hrstg.Employee WHERE EmployeeNumber is NOT NULL) AS src
        ON tgt.EmployeeNumber = src.EmployeeNumber
    WHEN Matched and (ISNULL(tgt.EmployeeName, '') <> Isnull(src.EmployeeName, '') OR ISNULL(tgt.BaseSalary, 0) <> ISNULL(src.BaseSalary, 0)) THEN
        Update SET tgt.EmployeeName = src.EmployeeName,
                   tgt.JobGrade = src.JobGrade,
                   tgt.Department = src.Department,
                   tgt.BaseSalary = src.BaseSalary
    When NOT MATCHED BY TARGET THEN
        INSERT (EmployeeNumber, EmployeeName, JobGrade, Department, BaseSalary)
        values (src.EmployeeNumber, src.EmployeeName, src.JobGrade, src.Department, src.BaseSalary);
        --PRINT 'debug'
    print 'rows merged: ' + Cast(@@ROWCOUNT AS varchar(20));
    --PRINT 'debug'
END
