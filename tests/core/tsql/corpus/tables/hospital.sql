-- ClinicalDW: tables the hospital procedures read and write.
CREATE TABLE src.Patient (
    PatientId int NOT NULL,
    FullName nvarchar(100) NULL,
    InsuranceClass varchar(20) NULL,
    Ward nvarchar(50) NULL,
    DepositAmt decimal(18, 2) NULL,
    ModifiedAt datetime NOT NULL DEFAULT (getdate()),
    CONSTRAINT PK_src_Patient PRIMARY KEY CLUSTERED (PatientId ASC)
);
GO
CREATE TABLE src.Encounter (
    EncounterId int NOT NULL PRIMARY KEY,
    PatientId int NOT NULL,
    AdmitDate datetime NOT NULL,
    LengthOfStay int NULL,
    TotalCharge decimal(18, 2) NULL,
    EncounterStatus varchar(20) NULL,
    ModifiedAt datetime NOT NULL DEFAULT (getdate())
);
GO
CREATE TABLE rpt.DimPatient (
    PatientKey int IDENTITY(1, 1) NOT NULL,
    PatientId int NOT NULL,
    FullName nvarchar(100) NULL,
    InsuranceClass varchar(20) NULL,
    Ward nvarchar(50) NULL,
    DepositAmt decimal(18, 2) NULL,
    ValidFrom datetime NOT NULL DEFAULT ('1900-01-01'),
    ValidTo datetime NULL,
    IsCurrent bit NOT NULL DEFAULT ((1)),
    CONSTRAINT PK_DimPatient PRIMARY KEY CLUSTERED (PatientKey ASC)
);
GO
CREATE TABLE rpt.FactEncounter (
    EncounterId int NOT NULL,
    PatientKey int NOT NULL,
    DateKey int NOT NULL,
    LengthOfStay int NULL,
    TotalCharge decimal(18, 2) NULL,
    EncounterStatus varchar(20) NULL,
    UnitAmount AS (TotalCharge / NULLIF(LengthOfStay, 0)),
    LoadedAt datetime NOT NULL CONSTRAINT DF_FactEncounter_LoadedAt DEFAULT (getdate()),
    CONSTRAINT PK_FactEncounter PRIMARY KEY (EncounterId)
);
GO
CREATE TABLE rpt.EncounterSummary (
    YearMonth char(6) NOT NULL,
    InsuranceClass varchar(20) NOT NULL,
    Ward nvarchar(50) NOT NULL,
    TotalLengthOfStay int NULL,
    TotalTotalCharge decimal(38, 2) NULL,
    EntityCount int NULL,
    CONSTRAINT PK_EncounterSummary PRIMARY KEY (YearMonth, InsuranceClass, Ward)
);
GO
CREATE TABLE rpt.InsuranceClassLkp (
    ClassCode varchar(20) NOT NULL PRIMARY KEY,
    ClassText nvarchar(100) NULL
);
GO
CREATE TABLE rpt.EncounterArchive (
    EncounterId int NOT NULL,
    PatientId int NOT NULL,
    AdmitDate datetime NOT NULL,
    LengthOfStay int NULL,
    TotalCharge decimal(18, 2) NULL,
    EncounterStatus varchar(20) NULL,
    ArchivedAt datetime NOT NULL DEFAULT (getdate())
);
GO
CREATE TABLE log.EtlRun (
    LogId int IDENTITY(1, 1) NOT NULL PRIMARY KEY,
    ProcName sysname NOT NULL,
    BeginDts datetime NOT NULL DEFAULT (getdate()),
    EndDts datetime NULL,
    RecordCount int NULL,
    RunStatus varchar(20) NULL,
    ErrorText nvarchar(4000) NULL
);
GO
CREATE TABLE log.EtlCheckpoint (
    EntityName varchar(128) NOT NULL PRIMARY KEY,
    LastDts datetime NULL
);
GO
