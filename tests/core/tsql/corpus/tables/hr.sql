-- PeopleDW: tables the hr procedures read and write.
CREATE TABLE hrstg.Employee (
    EmployeeNumber int NOT NULL,
    EmployeeName nvarchar(100) NULL,
    JobGrade varchar(20) NULL,
    Department nvarchar(50) NULL,
    BaseSalary decimal(18, 2) NULL,
    ModifiedAt datetime NOT NULL DEFAULT (getdate()),
    CONSTRAINT PK_hrstg_Employee PRIMARY KEY CLUSTERED (EmployeeNumber ASC)
);
GO
CREATE TABLE hrstg.Absence (
    AbsenceId int NOT NULL PRIMARY KEY,
    EmployeeNumber int NOT NULL,
    AbsenceDate datetime NOT NULL,
    Days int NULL,
    CostAmount decimal(18, 2) NULL,
    AbsenceStatus varchar(20) NULL,
    ModifiedAt datetime NOT NULL DEFAULT (getdate())
);
GO
CREATE TABLE hr.DimEmployee (
    EmployeeSK int IDENTITY(1, 1) NOT NULL,
    EmployeeNumber int NOT NULL,
    EmployeeName nvarchar(100) NULL,
    JobGrade varchar(20) NULL,
    Department nvarchar(50) NULL,
    BaseSalary decimal(18, 2) NULL,
    ValidFrom datetime NOT NULL DEFAULT ('1900-01-01'),
    ValidTo datetime NULL,
    IsCurrent bit NOT NULL DEFAULT ((1)),
    CONSTRAINT PK_DimEmployee PRIMARY KEY CLUSTERED (EmployeeSK ASC)
);
GO
CREATE TABLE hr.FactAbsence (
    AbsenceId int NOT NULL,
    EmployeeSK int NOT NULL,
    DateKey int NOT NULL,
    Days int NULL,
    CostAmount decimal(18, 2) NULL,
    AbsenceStatus varchar(20) NULL,
    UnitAmount AS (CostAmount / NULLIF(Days, 0)),
    LoadedAt datetime NOT NULL CONSTRAINT DF_FactAbsence_LoadedAt DEFAULT (getdate()),
    CONSTRAINT PK_FactAbsence PRIMARY KEY (AbsenceId)
);
GO
CREATE TABLE hr.AbsenceByMonth (
    YearMonth char(6) NOT NULL,
    JobGrade varchar(20) NOT NULL,
    Department nvarchar(50) NOT NULL,
    TotalDays int NULL,
    TotalCostAmount decimal(38, 2) NULL,
    EntityCount int NULL,
    CONSTRAINT PK_AbsenceByMonth PRIMARY KEY (YearMonth, JobGrade, Department)
);
GO
CREATE TABLE hr.JobGrades (
    GradeCode varchar(20) NOT NULL PRIMARY KEY,
    GradeTitle nvarchar(100) NULL
);
GO
CREATE TABLE hr.AbsenceArchive (
    AbsenceId int NOT NULL,
    EmployeeNumber int NOT NULL,
    AbsenceDate datetime NOT NULL,
    Days int NULL,
    CostAmount decimal(18, 2) NULL,
    AbsenceStatus varchar(20) NULL,
    ArchivedAt datetime NOT NULL DEFAULT (getdate())
);
GO
CREATE TABLE hrlog.RunLog (
    LogId int IDENTITY(1, 1) NOT NULL PRIMARY KEY,
    RunName sysname NOT NULL,
    RunStart datetime NOT NULL DEFAULT (getdate()),
    RunEnd datetime NULL,
    RunRows int NULL,
    RunState varchar(20) NULL,
    RunMessage nvarchar(4000) NULL
);
GO
CREATE TABLE hrlog.RunMark (
    RunName varchar(128) NOT NULL PRIMARY KEY,
    RunMarkDate datetime NULL
);
GO
