-- TelcoMart: tables the telecom procedures read and write.
CREATE TABLE landing.Subscriber (
    Msisdn varchar(15) NOT NULL,
    SubscriberName nvarchar(100) NULL,
    TariffPlan varchar(20) NULL,
    Region nvarchar(50) NULL,
    MonthlyFee decimal(18, 2) NULL,
    ModifiedAt datetime NOT NULL DEFAULT (getdate()),
    CONSTRAINT PK_landing_Subscriber PRIMARY KEY CLUSTERED (Msisdn ASC)
);
GO
CREATE TABLE landing.CallRecord (
    CallId int NOT NULL PRIMARY KEY,
    Msisdn varchar(15) NOT NULL,
    CallStart datetime NOT NULL,
    DurationSec int NULL,
    ChargedAmount decimal(18, 2) NULL,
    CallType varchar(20) NULL,
    ModifiedAt datetime NOT NULL DEFAULT (getdate())
);
GO
CREATE TABLE mart.dim_subscriber (
    subscriber_sk int IDENTITY(1, 1) NOT NULL,
    Msisdn varchar(15) NOT NULL,
    SubscriberName nvarchar(100) NULL,
    TariffPlan varchar(20) NULL,
    Region nvarchar(50) NULL,
    MonthlyFee decimal(18, 2) NULL,
    ValidFrom datetime NOT NULL DEFAULT ('1900-01-01'),
    ValidTo datetime NULL,
    IsCurrent bit NOT NULL DEFAULT ((1)),
    CONSTRAINT PK_dim_subscriber PRIMARY KEY CLUSTERED (subscriber_sk ASC)
);
GO
CREATE TABLE mart.fact_call (
    CallId int NOT NULL,
    subscriber_sk int NOT NULL,
    DateKey int NOT NULL,
    DurationSec int NULL,
    ChargedAmount decimal(18, 2) NULL,
    CallType varchar(20) NULL,
    UnitAmount AS (ChargedAmount / NULLIF(DurationSec, 0)),
    LoadedAt datetime NOT NULL CONSTRAINT DF_fact_call_LoadedAt DEFAULT (getdate()),
    CONSTRAINT PK_fact_call PRIMARY KEY (CallId)
);
GO
CREATE TABLE mart.call_monthly (
    YearMonth char(6) NOT NULL,
    TariffPlan varchar(20) NOT NULL,
    Region nvarchar(50) NOT NULL,
    TotalDurationSec int NULL,
    TotalChargedAmount decimal(38, 2) NULL,
    EntityCount int NULL,
    CONSTRAINT PK_call_monthly PRIMARY KEY (YearMonth, TariffPlan, Region)
);
GO
CREATE TABLE mart.tariff_plan (
    plan_code varchar(20) NOT NULL PRIMARY KEY,
    plan_name nvarchar(100) NULL
);
GO
CREATE TABLE mart.CallRecordArchive (
    CallId int NOT NULL,
    Msisdn varchar(15) NOT NULL,
    CallStart datetime NOT NULL,
    DurationSec int NULL,
    ChargedAmount decimal(18, 2) NULL,
    CallType varchar(20) NULL,
    ArchivedAt datetime NOT NULL DEFAULT (getdate())
);
GO
CREATE TABLE ops.job_log (
    LogId int IDENTITY(1, 1) NOT NULL PRIMARY KEY,
    job_name sysname NOT NULL,
    job_start datetime NOT NULL DEFAULT (getdate()),
    job_end datetime NULL,
    rows_loaded int NULL,
    job_status varchar(20) NULL,
    job_message nvarchar(4000) NULL
);
GO
CREATE TABLE ops.job_watermark (
    job_table varchar(128) NOT NULL PRIMARY KEY,
    high_water datetime NULL
);
GO
