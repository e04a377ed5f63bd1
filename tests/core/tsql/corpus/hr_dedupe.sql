USE [PeopleDW]
GO
CREATE PROCEDURE hrstg.HR_LoadEmployee_Dedupe
AS
BEGIN
    ;WITH ranked AS (
        SELECT *, ROW_NUMBER() OVER (PARTITION BY EmployeeName, Department ORDER BY ModifiedAt DESC, EmployeeNumber) AS rn
        FROM hrstg.Employee
    )
    DELETE FROM ranked WHERE rn > 1;

    WITH t AS (SELECT JobGrade FROM hrstg.Employee WHERE JobGrade = '')
    UPDATE t SET JobGrade = NULL
END
