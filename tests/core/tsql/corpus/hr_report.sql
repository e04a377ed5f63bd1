CREATE PROCEDURE hr.HR_LoadEmployee_Names @class varchar(20) = NULL
AS
SELECT e.Department,
       names = STUFF((SELECT ', ' + x.EmployeeName FROM hrstg.Employee x WHERE x.Department = e.Department ORDER BY x.EmployeeName FOR XML PATH('')), 1, 2, ''),
       COUNT(*) cnt,
       'last change' = MAX(e.ModifiedAt)
FROM hrstg.Employee AS e
WHERE @class IS NULL OR e.JobGrade LIKE @class + '%'
GROUP BY e.Department
HAVING COUNT(*) > 1
--PRINT 'debug'
