CREATE TABLE HR.src_Employee(EmpNo int NOT NULL, Name nvarchar(100) NULL, DeptCode varchar(10) NULL, ManagerNo int NULL, Salary decimal(12,2) NULL, HireDate date NULL, TermDate date NULL, Gender char(1) NULL, BirthDate date null)
CREATE TABLE HR.src_Dept(DeptCode varchar(10) NOT NULL primary key, DeptName nvarchar(80) NULL, CostCenter varchar(12) NULL)
CREATE TABLE HR.DimEmployee(EmployeeSK int IDENTITY(1,1) NOT NULL, EmpNo int NOT NULL, Name nvarchar(100) NULL, Dept nvarchar(80) NULL, PrevDept nvarchar(80) NULL, Salary decimal(12,2) NULL, HireDate date NULL, AgeBand varchar(10) NULL, TenureYears int NULL, DeptChangedOn date NULL, CreatedBy nvarchar(128) NULL, CreatedOn datetime NULL, ModifiedOn datetime NULL, Checksum_ int NULL)
CREATE TABLE HR.OrgTree(EmpNo int NOT NULL, ManagerNo int NULL, Lvl int NOT NULL, Path varchar(900) NULL, TopManager int NULL)
CREATE TABLE HR.HeadcountSnapshot(SnapshotDate date NOT NULL, DeptCode varchar(10) NOT NULL, Headcount int NOT NULL, Leavers int NULL, AvgSalary decimal(12,2) NULL, PctOfTotal decimal(9,4) NULL, RankBySize int NULL)
GO
CREATE PROCEDURE HR.LoadDimEmployee
AS
BEGIN
  SET NOCOUNT ON
  DECLARE @now datetime = GETDATE(), @user nvarchar(128) = SUSER_SNAME()
  MERGE HR.DimEmployee AS T
  USING (
     SELECT e.EmpNo, e.Name, COALESCE(d.DeptName, N'(none)') Dept, e.Salary, e.HireDate,
       CASE WHEN DATEDIFF(YEAR, e.BirthDate, @now) < 30 THEN '<30' WHEN DATEDIFF(YEAR, e.BirthDate, @now) BETWEEN 30 AND 50 THEN '30-50' WHEN e.BirthDate IS NULL THEN 'n/a' ELSE '>50' END AgeBand,
       DATEDIFF(month, e.HireDate, ISNULL(e.TermDate, @now)) / 12 TenureYears
     FROM HR.src_Employee e LEFT JOIN HR.src_Dept d ON d.DeptCode = e.DeptCode
     WHERE e.EmpNo > 0
  ) AS S ON T.EmpNo = S.EmpNo
  WHEN MATCHED AND (ISNULL(T.Dept,'') <> ISNULL(S.Dept,'') OR ISNULL(T.Salary,0) <> ISNULL(S.Salary,0) OR ISNULL(T.Name,'') <> ISNULL(S.Name,'')) THEN
    UPDATE SET PrevDept = CASE WHEN T.Dept <> S.Dept THEN T.Dept ELSE T.PrevDept END,
      DeptChangedOn = IIF(T.Dept <> S.Dept, CAST(@now AS date), T.DeptChangedOn),
      Dept = S.Dept, Name = S.Name, Salary = S.Salary, AgeBand = S.AgeBand, TenureYears = S.TenureYears, ModifiedOn = @now
  WHEN NOT MATCHED BY TARGET THEN
    INSERT (EmpNo, Name, Dept, Salary, HireDate, AgeBand, TenureYears, CreatedBy, CreatedOn)
    VALUES (S.EmpNo, S.Name, S.Dept, S.Salary, S.HireDate, S.AgeBand, S.TenureYears, @user, @now);
END
GO
CREATE PROCEDURE [HR].[BuildOrgTree]
AS
BEGIN
  TRUNCATE TABLE HR.OrgTree;
  WITH tree AS (
    SELECT EmpNo, ManagerNo, 0 AS Lvl, CAST('/' + CAST(EmpNo AS varchar(12)) AS varchar(900)) AS Path, EmpNo AS TopManager
    FROM HR.src_Employee WHERE ManagerNo IS NULL
    UNION ALL
    SELECT e.EmpNo, e.ManagerNo, t.Lvl + 1, CAST(t.Path + '/' + CAST(e.EmpNo AS varchar(12)) AS varchar(900)), t.TopManager
    FROM HR.src_Employee e INNER JOIN tree t ON t.EmpNo = e.ManagerNo
    WHERE t.Lvl < 10
  )
  INSERT INTO HR.OrgTree SELECT EmpNo, ManagerNo, Lvl, Path, TopManager FROM tree OPTION (MAXRECURSION 100)
END
GO
CREATE PROCEDURE HR.LoadHeadcountSnapshot @SnapshotDate date = NULL AS
BEGIN
  SET NOCOUNT ON;
  SET @SnapshotDate = ISNULL(@SnapshotDate, EOMONTH(GETDATE(), -1));
  DELETE FROM HR.HeadcountSnapshot WHERE SnapshotDate = @SnapshotDate;
  INSERT INTO HR.HeadcountSnapshot (SnapshotDate, DeptCode, Headcount, Leavers, AvgSalary, PctOfTotal, RankBySize)
  SELECT @SnapshotDate, x.DeptCode, x.hc, x.leavers, x.avgsal,
     CAST(x.hc AS decimal(18,4)) / NULLIF(SUM(x.hc) OVER (), 0),
     DENSE_RANK() OVER (ORDER BY x.hc DESC)
  FROM (
    SELECT ISNULL(DeptCode,'?') AS DeptCode,
      SUM(CASE WHEN TermDate IS NULL OR TermDate > @SnapshotDate THEN 1 ELSE 0 END) AS hc,
      SUM(CASE WHEN TermDate BETWEEN DATEFROMPARTS(YEAR(@SnapshotDate), MONTH(@SnapshotDate), 1) AND @SnapshotDate THEN 1 ELSE 0 END) AS leavers,
      AVG(Salary) AS avgsal
    FROM HR.src_Employee
    WHERE HireDate <= @SnapshotDate
    GROUP BY ISNULL(DeptCode,'?')
  ) x
END
GO
