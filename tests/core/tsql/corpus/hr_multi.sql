/* hr.HR_LoadEmployee_Everything  (lpark) */
CREATE PROCEDURE hr.HR_LoadEmployee_Everything
AS
BEGIN
  BEGIN Try
    Declare @rc1 INT, @rc2 INT, @rc3 int;
    insert INTO hr.JobGrades (GradeCode, GradeTitle)
    select DISTINCT JobGrade, JobGrade From hrstg.Employee
    EXCEPT
    SELECT GradeCode, GradeCode FROM hr.JobGrades;
    SET @rc1 = @@ROWCOUNT;

    INSERT into hr.DimEmployee (EmployeeNumber, EmployeeName, JobGrade, Department, BaseSalary)
    SELECT e.EmployeeNumber, Max(e.EmployeeName), MAX(e.JobGrade), MAX(e.Department), AVG(e.BaseSalary)
    FROM hrstg.Employee e
    WHERE not exists (SELECT 1 From hr.DimEmployee d WHERE d.EmployeeNumber = e.EmployeeNumber)
    GROUP BY e.EmployeeNumber;
    SET @rc2 = @@ROWCOUNT;

    Insert INTO hr.AbsenceArchive (AbsenceId, EmployeeNumber, AbsenceDate, Days, CostAmount, AbsenceStatus)
    SELECT AbsenceId, EmployeeNumber, AbsenceDate, Days, CostAmount, AbsenceStatus
    From hrstg.Absence WHERE AbsenceStatus IN ('APPROVED') AND DATEDIFF(month, AbsenceDate, getdate()) >= 24
    Union All
    SELECT AbsenceId, EmployeeNumber, AbsenceDate, 0, 0, 'VOID' FROM hrstg.Absence Where Days IS NULL;
    set @rc3 = @@ROWCOUNT;
    Print 'ref ' + STR(@rc1) + ' dim ' + STR(@rc2) + ' arc ' + STR(@rc3);
  END TRY
  BEGIN CATCH
    print ERROR_MESSAGE();
  end CATCH
END
