-- InsDWH: tables the insurance procedures read and write.
CREATE TABLE staging.Policy (
    PolicyNumber nvarchar(30) NOT NULL,
    PolicyHolder nvarchar(100) NULL,
    ProductLine varchar(20) NULL,
    Branch nvarchar(50) NULL,
    SumInsured decimal(18, 2) NULL,
    ModifiedAt datetime NOT NULL DEFAULT (getdate()),
    CONSTRAINT PK_staging_Policy PRIMARY KEY CLUSTERED (PolicyNumber ASC)
);
GO
CREATE TABLE staging.Claim (
    ClaimId int NOT NULL PRIMARY KEY,
    PolicyNumber nvarchar(30) NOT NULL,
    LossDate datetime NOT NULL,
    ClaimCount int NULL,
    PaidAmount decimal(18, 2) NULL,
    ClaimStatus varchar(20) NULL,
    ModifiedAt datetime NOT NULL DEFAULT (getdate())
);
GO
CREATE TABLE dwh.DIM_POLICY (
    POLICY_SK int IDENTITY(1, 1) NOT NULL,
    PolicyNumber nvarchar(30) NOT NULL,
    PolicyHolder nvarchar(100) NULL,
    ProductLine varchar(20) NULL,
    Branch nvarchar(50) NULL,
    SumInsured decimal(18, 2) NULL,
    ValidFrom datetime NOT NULL DEFAULT ('1900-01-01'),
    ValidTo datetime NULL,
    IsCurrent bit NOT NULL DEFAULT ((1)),
    CONSTRAINT PK_DIM_POLICY PRIMARY KEY CLUSTERED (POLICY_SK ASC)
);
GO
CREATE TABLE dwh.FACT_CLAIM (
    ClaimId int NOT NULL,
    POLICY_SK int NOT NULL,
    DateKey int NOT NULL,
    ClaimCount int NULL,
    PaidAmount decimal(18, 2) NULL,
    ClaimStatus varchar(20) NULL,
    UnitAmount AS (PaidAmount / NULLIF(ClaimCount, 0)),
    LoadedAt datetime NOT NULL CONSTRAINT DF_FACT_CLAIM_LoadedAt DEFAULT (getdate()),
    CONSTRAINT PK_FACT_CLAIM PRIMARY KEY (ClaimId)
);
GO
CREATE TABLE dwh.CLAIM_MONTHLY (
    YearMonth char(6) NOT NULL,
    ProductLine varchar(20) NOT NULL,
    Branch nvarchar(50) NOT NULL,
    TotalClaimCount int NULL,
    TotalPaidAmount decimal(38, 2) NULL,
    EntityCount int NULL,
    CONSTRAINT PK_CLAIM_MONTHLY PRIMARY KEY (YearMonth, ProductLine, Branch)
);
GO
CREATE TABLE dwh.ProductLineRef (
    LineCode varchar(20) NOT NULL PRIMARY KEY,
    LineDescription nvarchar(100) NULL
);
GO
CREATE TABLE dwh.ClaimArchive (
    ClaimId int NOT NULL,
    PolicyNumber nvarchar(30) NOT NULL,
    LossDate datetime NOT NULL,
    ClaimCount int NULL,
    PaidAmount decimal(18, 2) NULL,
    ClaimStatus varchar(20) NULL,
    ArchivedAt datetime NOT NULL DEFAULT (getdate())
);
GO
CREATE TABLE admin.AuditLog (
    LogId int IDENTITY(1, 1) NOT NULL PRIMARY KEY,
    proc_name sysname NOT NULL,
    started_at datetime NOT NULL DEFAULT (getdate()),
    finished_at datetime NULL,
    row_cnt int NULL,
    run_status varchar(20) NULL,
    msg nvarchar(4000) NULL
);
GO
CREATE TABLE admin.LoadControl (
    object_name varchar(128) NOT NULL PRIMARY KEY,
    last_value datetime NULL
);
GO
