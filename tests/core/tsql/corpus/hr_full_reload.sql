create procedure hr.HR_LoadDimEmployee_Full
as
begin
    set nocount on
    truncate table hr.DimEmployee
    insert into hr.DimEmployee (EmployeeNumber, EmployeeName, JobGrade, Department, BaseSalary)
    select s.EmployeeNumber,
           LTRIM(RTRIM(s.EmployeeName)),
           isnull(s.JobGrade, 'UNK'),
           COALESCE(NULLIF(s.Department, ''), 'n/a'),
           s.BaseSalary
    from hrstg.Employee as s
    where s.EmployeeNumber is not null
    -- TODO: check with business
end
GO
