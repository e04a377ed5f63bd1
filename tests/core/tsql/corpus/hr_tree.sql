CREATE PROCEDURE hr.HR_LoadGradeTree @root int = 1, @maxDepth int = 10
AS
IF OBJECT_ID('tempdb.dbo.#org') IS NOT NULL DROP TABLE #org
SELECT EmployeeNumber, EmployeeName, Department, ManagerNumber = TRY_CAST(RIGHT(JobGrade, 4) AS int)
INTO #org FROM hrstg.Employee
;WITH tree (EmployeeNumber, EmployeeName, lvl, path_) AS
(
    SELECT EmployeeNumber, EmployeeName, 0, CAST('/' + CAST(EmployeeNumber AS varchar(10)) AS varchar(900))
    FROM #org WHERE EmployeeNumber = @root
    UNION ALL
    SELECT o.EmployeeNumber, o.EmployeeName, t.lvl + 1, CAST(t.path_ + '/' + CAST(o.EmployeeNumber AS varchar(10)) AS varchar(900))
    FROM #org o INNER JOIN tree t ON o.ManagerNumber = t.EmployeeNumber
    WHERE t.lvl < @maxDepth AND t.path_ NOT LIKE '%/' + CAST(o.EmployeeNumber AS varchar(10)) + '/%'
)
SELECT t.*, REPLICATE(N'  ', t.lvl) + t.EmployeeName AS indented, COALESCE(d.EmployeeSK, -1) sk
FROM tree t LEFT JOIN hr.DimEmployee d ON d.EmployeeNumber = t.EmployeeNumber AND d.IsCurrent = 'true'
ORDER BY t.path_
