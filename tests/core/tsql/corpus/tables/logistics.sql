-- LogiDW: tables the logistics procedures read and write.
CREATE TABLE raw.Carrier (
    CarrierCode varchar(10) NOT NULL,
    CarrierName nvarchar(100) NULL,
    ServiceLevel varchar(20) NULL,
    HomeDepot nvarchar(50) NULL,
    MaxWeight decimal(18, 2) NULL,
    ModifiedAt datetime NOT NULL DEFAULT (getdate()),
    CONSTRAINT PK_raw_Carrier PRIMARY KEY CLUSTERED (CarrierCode ASC)
);
GO
CREATE TABLE raw.Shipment (
    ShipmentNo int NOT NULL PRIMARY KEY,
    CarrierCode varchar(10) NOT NULL,
    PickupDate datetime NOT NULL,
    Parcels int NULL,
    FreightCost decimal(18, 2) NULL,
    ShipStatus varchar(20) NULL,
    ModifiedAt datetime NOT NULL DEFAULT (getdate())
);
GO
CREATE TABLE edw.DimCarrier (
    CarrierID int IDENTITY(1, 1) NOT NULL,
    CarrierCode varchar(10) NOT NULL,
    CarrierName nvarchar(100) NULL,
    ServiceLevel varchar(20) NULL,
    HomeDepot nvarchar(50) NULL,
    MaxWeight decimal(18, 2) NULL,
    ValidFrom datetime NOT NULL DEFAULT ('1900-01-01'),
    ValidTo datetime NULL,
    IsCurrent bit NOT NULL DEFAULT ((1)),
    CONSTRAINT PK_DimCarrier PRIMARY KEY CLUSTERED (CarrierID ASC)
);
GO
CREATE TABLE edw.FactShipment (
    ShipmentNo int NOT NULL,
    CarrierID int NOT NULL,
    DateKey int NOT NULL,
    Parcels int NULL,
    FreightCost decimal(18, 2) NULL,
    ShipStatus varchar(20) NULL,
    UnitAmount AS (FreightCost / NULLIF(Parcels, 0)),
    LoadedAt datetime NOT NULL CONSTRAINT DF_FactShipment_LoadedAt DEFAULT (getdate()),
    CONSTRAINT PK_FactShipment PRIMARY KEY (ShipmentNo)
);
GO
CREATE TABLE edw.CarrierPerformance (
    YearMonth char(6) NOT NULL,
    ServiceLevel varchar(20) NOT NULL,
    HomeDepot nvarchar(50) NOT NULL,
    TotalParcels int NULL,
    TotalFreightCost decimal(38, 2) NULL,
    EntityCount int NULL,
    CONSTRAINT PK_CarrierPerformance PRIMARY KEY (YearMonth, ServiceLevel, HomeDepot)
);
GO
CREATE TABLE edw.ServiceLevels (
    LevelCode varchar(20) NOT NULL PRIMARY KEY,
    LevelName nvarchar(100) NULL
);
GO
CREATE TABLE edw.ShipmentArchive (
    ShipmentNo int NOT NULL,
    CarrierCode varchar(10) NOT NULL,
    PickupDate datetime NOT NULL,
    Parcels int NULL,
    FreightCost decimal(18, 2) NULL,
    ShipStatus varchar(20) NULL,
    ArchivedAt datetime NOT NULL DEFAULT (getdate())
);
GO
CREATE TABLE meta.ProcessLog (
    LogId int IDENTITY(1, 1) NOT NULL PRIMARY KEY,
    Process sysname NOT NULL,
    Started datetime NOT NULL DEFAULT (getdate()),
    Ended datetime NULL,
    RowCnt int NULL,
    Result varchar(20) NULL,
    Detail nvarchar(4000) NULL
);
GO
CREATE TABLE meta.ProcessState (
    Process varchar(128) NOT NULL PRIMARY KEY,
    LastRun datetime NULL
);
GO
