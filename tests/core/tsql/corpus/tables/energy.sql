-- GridDW: tables the energy procedures read and write.
CREATE TABLE stage.Meter (
    MeterSerial varchar(24) NOT NULL,
    SiteName nvarchar(100) NULL,
    MeterType varchar(20) NULL,
    GridZone nvarchar(50) NULL,
    Capacity decimal(18, 2) NULL,
    ModifiedAt datetime NOT NULL DEFAULT (getdate()),
    CONSTRAINT PK_stage_Meter PRIMARY KEY CLUSTERED (MeterSerial ASC)
);
GO
CREATE TABLE stage.Reading (
    ReadingId int NOT NULL PRIMARY KEY,
    MeterSerial varchar(24) NOT NULL,
    ReadingDate datetime NOT NULL,
    Kwh int NULL,
    EnergyCost decimal(18, 2) NULL,
    ReadingStatus varchar(20) NULL,
    ModifiedAt datetime NOT NULL DEFAULT (getdate())
);
GO
CREATE TABLE dm.dim_meter (
    meter_key int IDENTITY(1, 1) NOT NULL,
    MeterSerial varchar(24) NOT NULL,
    SiteName nvarchar(100) NULL,
    MeterType varchar(20) NULL,
    GridZone nvarchar(50) NULL,
    Capacity decimal(18, 2) NULL,
    ValidFrom datetime NOT NULL DEFAULT ('1900-01-01'),
    ValidTo datetime NULL,
    IsCurrent bit NOT NULL DEFAULT ((1)),
    CONSTRAINT PK_dim_meter PRIMARY KEY CLUSTERED (meter_key ASC)
);
GO
CREATE TABLE dm.fact_reading (
    ReadingId int NOT NULL,
    meter_key int NOT NULL,
    DateKey int NOT NULL,
    Kwh int NULL,
    EnergyCost decimal(18, 2) NULL,
    ReadingStatus varchar(20) NULL,
    UnitAmount AS (EnergyCost / NULLIF(Kwh, 0)),
    LoadedAt datetime NOT NULL CONSTRAINT DF_fact_reading_LoadedAt DEFAULT (getdate()),
    CONSTRAINT PK_fact_reading PRIMARY KEY (ReadingId)
);
GO
CREATE TABLE dm.zone_monthly (
    YearMonth char(6) NOT NULL,
    MeterType varchar(20) NOT NULL,
    GridZone nvarchar(50) NOT NULL,
    TotalKwh int NULL,
    TotalEnergyCost decimal(38, 2) NULL,
    EntityCount int NULL,
    CONSTRAINT PK_zone_monthly PRIMARY KEY (YearMonth, MeterType, GridZone)
);
GO
CREATE TABLE dm.meter_type (
    type_code varchar(20) NOT NULL PRIMARY KEY,
    type_name nvarchar(100) NULL
);
GO
CREATE TABLE dm.ReadingArchive (
    ReadingId int NOT NULL,
    MeterSerial varchar(24) NOT NULL,
    ReadingDate datetime NOT NULL,
    Kwh int NULL,
    EnergyCost decimal(18, 2) NULL,
    ReadingStatus varchar(20) NULL,
    ArchivedAt datetime NOT NULL DEFAULT (getdate())
);
GO
CREATE TABLE utl.refresh_log (
    LogId int IDENTITY(1, 1) NOT NULL PRIMARY KEY,
    refresh_name sysname NOT NULL,
    refresh_start datetime NOT NULL DEFAULT (getdate()),
    refresh_end datetime NULL,
    refresh_rows int NULL,
    refresh_status varchar(20) NULL,
    refresh_note nvarchar(4000) NULL
);
GO
CREATE TABLE utl.refresh_mark (
    refresh_name varchar(128) NOT NULL PRIMARY KEY,
    marked_at datetime NULL
);
GO
