-- RetailDW: tables the retail procedures read and write.
CREATE TABLE stg.Customer (
    CustomerNo varchar(20) NOT NULL,
    CustomerName nvarchar(100) NULL,
    Segment varchar(20) NULL,
    City nvarchar(50) NULL,
    CreditLimit decimal(18, 2) NULL,
    ModifiedAt datetime NOT NULL DEFAULT (getdate()),
    CONSTRAINT PK_stg_Customer PRIMARY KEY CLUSTERED (CustomerNo ASC)
);
GO
CREATE TABLE stg.SalesOrder (
    OrderId int NOT NULL PRIMARY KEY,
    CustomerNo varchar(20) NOT NULL,
    OrderDate datetime NOT NULL,
    Quantity int NULL,
    LineAmount decimal(18, 2) NULL,
    OrderStatus varchar(20) NULL,
    ModifiedAt datetime NOT NULL DEFAULT (getdate())
);
GO
CREATE TABLE dbo.DimCustomer (
    CustomerKey int IDENTITY(1, 1) NOT NULL,
    CustomerNo varchar(20) NOT NULL,
    CustomerName nvarchar(100) NULL,
    Segment varchar(20) NULL,
    City nvarchar(50) NULL,
    CreditLimit decimal(18, 2) NULL,
    ValidFrom datetime NOT NULL DEFAULT ('1900-01-01'),
    ValidTo datetime NULL,
    IsCurrent bit NOT NULL DEFAULT ((1)),
    CONSTRAINT PK_DimCustomer PRIMARY KEY CLUSTERED (CustomerKey ASC)
);
GO
CREATE TABLE dbo.FactSales (
    OrderId int NOT NULL,
    CustomerKey int NOT NULL,
    DateKey int NOT NULL,
    Quantity int NULL,
    LineAmount decimal(18, 2) NULL,
    OrderStatus varchar(20) NULL,
    UnitAmount AS (LineAmount / NULLIF(Quantity, 0)),
    LoadedAt datetime NOT NULL CONSTRAINT DF_FactSales_LoadedAt DEFAULT (getdate()),
    CONSTRAINT PK_FactSales PRIMARY KEY (OrderId)
);
GO
CREATE TABLE dbo.SalesMonthly (
    YearMonth char(6) NOT NULL,
    Segment varchar(20) NOT NULL,
    City nvarchar(50) NOT NULL,
    TotalQuantity int NULL,
    TotalLineAmount decimal(38, 2) NULL,
    EntityCount int NULL,
    CONSTRAINT PK_SalesMonthly PRIMARY KEY (YearMonth, Segment, City)
);
GO
CREATE TABLE dbo.SegmentCode (
    SegmentCode varchar(20) NOT NULL PRIMARY KEY,
    SegmentName nvarchar(100) NULL
);
GO
CREATE TABLE dbo.SalesOrderArchive (
    OrderId int NOT NULL,
    CustomerNo varchar(20) NOT NULL,
    OrderDate datetime NOT NULL,
    Quantity int NULL,
    LineAmount decimal(18, 2) NULL,
    OrderStatus varchar(20) NULL,
    ArchivedAt datetime NOT NULL DEFAULT (getdate())
);
GO
CREATE TABLE etl.LoadLog (
    LogId int IDENTITY(1, 1) NOT NULL PRIMARY KEY,
    ProcedureName sysname NOT NULL,
    StartTime datetime NOT NULL DEFAULT (getdate()),
    EndTime datetime NULL,
    RowsAffected int NULL,
    Status varchar(20) NULL,
    Message nvarchar(4000) NULL
);
GO
CREATE TABLE etl.Watermark (
    TableName varchar(128) NOT NULL PRIMARY KEY,
    LastLoaded datetime NULL
);
GO
