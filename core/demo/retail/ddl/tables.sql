USE [RetailDW]
GO
SET ANSI_NULLS ON
GO
SET QUOTED_IDENTIFIER ON
GO

CREATE SCHEMA [bronze]
GO
CREATE SCHEMA [etl]
GO
CREATE SCHEMA [silver]
GO
CREATE SCHEMA [gold]
GO

/* ------------------------------------------------------------------ bronze: landed as delivered */

CREATE TABLE [bronze].[Country](
	[CountryCode] [char](2) NOT NULL,
	[CountryName] [nvarchar](60) NOT NULL,
	[RegionName] [nvarchar](40) NULL,
 CONSTRAINT [PK_Country] PRIMARY KEY CLUSTERED
(
	[CountryCode] ASC
)WITH (PAD_INDEX = OFF, STATISTICS_NORECOMPUTE = OFF, IGNORE_DUP_KEY = OFF) ON [PRIMARY]
) ON [PRIMARY]
GO

CREATE TABLE [bronze].[Customer](
	[CustomerID] [int] NOT NULL,
	[FirstName] [nvarchar](50) NULL,
	[LastName] [nvarchar](50) NOT NULL,
	[EmailAddress] [nvarchar](120) NULL,
	[Phone] [varchar](25) NULL,
	[City] [nvarchar](60) NULL,
	[CountryCode] [char](2) NULL,
	[LoyaltyPoints] [int] NULL,
	[IsTestAccount] [bit] NOT NULL CONSTRAINT [DF_Customer_IsTest] DEFAULT ((0)),
	[ModifiedDate] [datetime2](3) NOT NULL,
 CONSTRAINT [PK_Customer] PRIMARY KEY CLUSTERED ([CustomerID] ASC)
) ON [PRIMARY]
GO

CREATE TABLE [bronze].[ProductCategory](
	[CategoryCode] [varchar](10) NOT NULL,
	[CategoryName] [nvarchar](50) NOT NULL,
	[SortOrder] [int] NULL,
 CONSTRAINT [PK_ProductCategory] PRIMARY KEY CLUSTERED ([CategoryCode] ASC)
) ON [PRIMARY]
GO

CREATE TABLE [bronze].[Product](
	[ProductID] [int] NOT NULL,
	[ProductCode] [varchar](20) NOT NULL,
	[ProductName] [nvarchar](100) NOT NULL,
	[CategoryCode] [varchar](10) NULL,
	[ListPrice] [money] NULL,
	[UnitCost] [decimal](10, 4) NOT NULL,
	[IsDiscontinued] [bit] NOT NULL,
 CONSTRAINT [PK_Product] PRIMARY KEY CLUSTERED ([ProductID] ASC)
) ON [PRIMARY]
GO

create table bronze.Store
(
    StoreID       int           not null primary key,
    StoreName     nvarchar(80)  not null,
    City          nvarchar(60)  null,
    CountryCode   char(2)       null,
    SquareMeters  int           null,
    OpenedOn      date          not null,
    ClosedOn      date          null
)
GO

CREATE TABLE [bronze].[SalesOrder](
	[OrderID] [int] NOT NULL,
	[CustomerID] [int] NULL,
	[StoreID] [int] NOT NULL,
	[OrderDate] [datetime] NOT NULL,
	[StatusCode] [char](1) NOT NULL,
	[ChannelCode] [varchar](10) NULL,
	[PaymentCode] [varchar](10) NULL,
	[PaidDate] [datetime] NULL,
	[ShippedDate] [datetime] NULL,
	[DeliveredDate] [datetime] NULL,
 CONSTRAINT [PK_SalesOrder] PRIMARY KEY CLUSTERED ([OrderID] ASC)
) ON [PRIMARY]
GO

CREATE TABLE [bronze].[SalesOrderLine](
	[OrderID] [int] NOT NULL,
	[LineNumber] [smallint] NOT NULL,
	[ProductID] [int] NOT NULL,
	[Quantity] [int] NOT NULL,
	[UnitPrice] [decimal](10, 2) NOT NULL,
	[DiscountPct] [decimal](5, 2) NULL,
 CONSTRAINT [PK_SalesOrderLine] PRIMARY KEY CLUSTERED ([OrderID] ASC, [LineNumber] ASC)
) ON [PRIMARY]
GO

ALTER TABLE [bronze].[SalesOrderLine] WITH CHECK ADD CONSTRAINT [FK_SalesOrderLine_SalesOrder] FOREIGN KEY([OrderID])
REFERENCES [bronze].[SalesOrder] ([OrderID])
GO

CREATE TABLE [bronze].[SalesReturn](
	[ReturnID] [int] NOT NULL,
	[OrderID] [int] NOT NULL,
	[LineNumber] [smallint] NOT NULL,
	[ReturnedOn] [date] NOT NULL,
	[Quantity] [int] NOT NULL,
	[RefundAmount] [decimal](10, 2) NULL,
	[ReasonText] [nvarchar](200) NULL,
 CONSTRAINT [PK_SalesReturn] PRIMARY KEY CLUSTERED ([ReturnID] ASC)
) ON [PRIMARY]
GO

CREATE TABLE [bronze].[InventoryCount](
	[CountID] [int] NOT NULL,
	[StoreID] [int] NOT NULL,
	[ProductID] [int] NOT NULL,
	[CountedAt] [datetime2](0) NOT NULL,
	[OnHandQty] [int] NULL,
	[MinimumQty] [int] NULL,
 CONSTRAINT [PK_InventoryCount] PRIMARY KEY CLUSTERED ([CountID] ASC)
) ON [PRIMARY]
GO

CREATE TABLE [bronze].[WebSignup](
	[SignupID] [bigint] NOT NULL,
	[EmailAddress] [nvarchar](120) NULL,
	[FullName] [nvarchar](100) NULL,
	[Phone] [varchar](25) NULL,
	[ConsentFlag] [bit] NULL,
	[SignedUpAt] [datetime] NOT NULL,
 CONSTRAINT [PK_WebSignup] PRIMARY KEY CLUSTERED ([SignupID] ASC)
) ON [PRIMARY]
GO

CREATE TABLE [bronze].[Promotion](
	[PromotionID] [int] NOT NULL,
	[PromotionName] [nvarchar](80) NOT NULL,
	[DiscountPct] [decimal](5, 2) NOT NULL,
	[StartsOn] [date] NOT NULL,
	[EndsOn] [date] NULL,
 CONSTRAINT [PK_Promotion] PRIMARY KEY CLUSTERED ([PromotionID] ASC)
) ON [PRIMARY]
GO

/* ------------------------------------------------------------------ etl: control and log */

CREATE TABLE [etl].[LoadLog](
	[LoadLogID] [int] IDENTITY(1,1) NOT NULL,
	[ProcedureName] [nvarchar](128) NOT NULL,
	[EventTime] [datetime] NOT NULL CONSTRAINT [DF_LoadLog_EventTime] DEFAULT (getdate()),
	[RowsAffected] [int] NULL,
	[Message] [nvarchar](2048) NULL,
 CONSTRAINT [PK_LoadLog] PRIMARY KEY CLUSTERED ([LoadLogID] ASC)
) ON [PRIMARY]
GO

CREATE TABLE [etl].[PartnerRule](
	[PartnerCode] [varchar](10) NOT NULL,
	[PriceExpression] [nvarchar](200) NOT NULL,
	[FilterClause] [nvarchar](400) NULL,
	[IsActive] [bit] NOT NULL,
 CONSTRAINT [PK_PartnerRule] PRIMARY KEY CLUSTERED ([PartnerCode] ASC)
) ON [PRIMARY]
GO

/* ------------------------------------------------------------------ silver */

CREATE TABLE [silver].[DimCategory](
	[CategoryCode] [varchar](10) NOT NULL,
	[CategoryName] [nvarchar](50) NOT NULL,
	[SortOrder] [int] NOT NULL,
 CONSTRAINT [PK_DimCategory] PRIMARY KEY CLUSTERED ([CategoryCode] ASC)
) ON [PRIMARY]
GO

CREATE TABLE [silver].[DimStore](
	[StoreID] [int] NOT NULL,
	[StoreName] [nvarchar](80) NOT NULL,
	[City] [nvarchar](60) NULL,
	[RegionName] [nvarchar](40) NOT NULL,
	[SizeBand] [varchar](3) NOT NULL,
	[OpenedOn] [date] NOT NULL,
 CONSTRAINT [PK_DimStore] PRIMARY KEY CLUSTERED ([StoreID] ASC)
) ON [PRIMARY]
GO

CREATE TABLE [silver].[DimCustomer](
	[CustomerKey] [int] IDENTITY(1,1) NOT NULL,
	[CustomerID] [int] NOT NULL,
	[FullName] [nvarchar](101) NOT NULL,
	[EmailAddress] [nvarchar](120) NULL,
	[City] [nvarchar](60) NULL,
	[CountryName] [nvarchar](60) NOT NULL,
	[LoyaltyTier] [varchar](10) NOT NULL,
	[CreatedAt] [datetime] NOT NULL,
	[UpdatedAt] [datetime] NOT NULL,
 CONSTRAINT [PK_DimCustomer] PRIMARY KEY CLUSTERED ([CustomerKey] ASC)
) ON [PRIMARY]
GO

CREATE UNIQUE NONCLUSTERED INDEX [UX_DimCustomer_CustomerID] ON [silver].[DimCustomer] ([CustomerID] ASC)
GO

CREATE TABLE [silver].[DimProduct](
	[ProductKey] [int] IDENTITY(1,1) NOT NULL,
	[ProductID] [int] NOT NULL,
	[ProductCode] [varchar](20) NOT NULL,
	[ProductName] [nvarchar](100) NOT NULL,
	[CategoryName] [nvarchar](50) NOT NULL,
	[ListPrice] [decimal](19, 4) NULL,
	[ValidFrom] [datetime] NOT NULL,
	[ValidTo] [datetime] NULL,
	[IsCurrent] [bit] NOT NULL,
 CONSTRAINT [PK_DimProduct] PRIMARY KEY CLUSTERED ([ProductKey] ASC)
) ON [PRIMARY]
GO

CREATE TABLE [silver].[DimOrderProfile](
	[OrderProfileKey] [int] IDENTITY(1,1) NOT NULL,
	[ChannelCode] [varchar](10) NOT NULL,
	[PaymentCode] [varchar](10) NOT NULL,
	[IsGift] [bit] NOT NULL,
	[ProfileLabel] [varchar](40) NOT NULL,
 CONSTRAINT [PK_DimOrderProfile] PRIMARY KEY CLUSTERED ([OrderProfileKey] ASC)
) ON [PRIMARY]
GO

CREATE TABLE [silver].[DimPromotion](
	[PromotionID] [int] NOT NULL,
	[PromotionName] [nvarchar](80) NOT NULL,
	[DiscountPct] [decimal](5, 2) NOT NULL,
	[StartsOn] [date] NOT NULL,
	[EndsOn] [date] NOT NULL,
 CONSTRAINT [PK_DimPromotion] PRIMARY KEY CLUSTERED ([PromotionID] ASC)
) ON [PRIMARY]
GO

CREATE TABLE [silver].[CustomerContact](
	[EmailAddress] [nvarchar](120) NOT NULL,
	[FullName] [nvarchar](100) NULL,
	[Phone] [varchar](25) NULL,
	[ConsentFlag] [bit] NOT NULL,
	[FirstSignupDate] [date] NOT NULL,
	[LastSignupDate] [date] NOT NULL,
	[SignupCount] [int] NOT NULL,
	[CustomerID] [int] NULL,
 CONSTRAINT [PK_CustomerContact] PRIMARY KEY CLUSTERED ([EmailAddress] ASC)
) ON [PRIMARY]
GO

-- heap, no constraints: appended nightly, indexed as columnstore by the maintenance job
create table silver.FactSales
(
    OrderID         int            not null,
    LineNumber      smallint       not null,
    OrderDateKey    int            not null,
    OrderDate       datetime       not null,
    CustomerKey     int            not null,
    ProductKey      int            not null,
    StoreID         int            not null,
    Quantity        int            not null,
    UnitPrice       decimal(10,2)  not null,
    DiscountAmount  decimal(19,4)  not null,
    NetAmount       decimal(19,4)  not null,
    LoadedAt        datetime       not null
)
GO

CREATE TABLE [silver].[FactReturn](
	[ReturnKey] [bigint] IDENTITY(1,1) NOT NULL,
	[ReturnID] [int] NOT NULL,
	[OrderID] [int] NOT NULL,
	[ProductID] [int] NULL,
	[ReturnDateKey] [int] NOT NULL,
	[Quantity] [int] NOT NULL,
	[RefundAmount] [decimal](19, 4) NOT NULL,
	[ReasonGroup] [varchar](20) NOT NULL,
	[LoadedAt] [datetime] NOT NULL,
 CONSTRAINT [PK_FactReturn] PRIMARY KEY CLUSTERED ([ReturnKey] ASC)
) ON [PRIMARY]
GO

CREATE TABLE [silver].[FactInventorySnapshot](
	[SnapshotDate] [date] NOT NULL,
	[StoreID] [int] NOT NULL,
	[ProductID] [int] NOT NULL,
	[OnHandQty] [int] NOT NULL,
	[StockValue] [decimal](19, 4) NOT NULL,
	[CoverFactor] [int] NULL,
	[IsBelowMinimum] [bit] NOT NULL,
 CONSTRAINT [PK_FactInventorySnapshot] PRIMARY KEY CLUSTERED ([SnapshotDate] ASC, [StoreID] ASC, [ProductID] ASC)
) ON [PRIMARY]
GO

CREATE TABLE [silver].[FactOrderFulfilment](
	[OrderID] [int] NOT NULL,
	[CustomerID] [int] NULL,
	[OrderDate] [datetime] NOT NULL,
	[PaidDate] [datetime] NULL,
	[ShippedDate] [datetime] NULL,
	[DeliveredDate] [datetime] NULL,
	[DaysToShip] [int] NULL,
	[DaysToDeliver] [int] NULL,
	[LineCount] [int] NOT NULL,
	[OrderAmount] [decimal](19, 2) NOT NULL,
	[FulfilmentStage] [varchar](12) NOT NULL,
	[UpdatedAt] [datetime] NOT NULL,
 CONSTRAINT [PK_FactOrderFulfilment] PRIMARY KEY CLUSTERED ([OrderID] ASC)
) ON [PRIMARY]
GO

/* ------------------------------------------------------------------ gold */

CREATE TABLE [gold].[StoreSalesDaily](
	[SalesDate] [date] NOT NULL,
	[StoreID] [int] NOT NULL,
	[RegionName] [nvarchar](40) NOT NULL,
	[OrderCount] [int] NOT NULL,
	[UnitsSold] [int] NOT NULL,
	[NetAmount] [decimal](19, 4) NOT NULL,
	[AvgBasket] [decimal](19, 4) NOT NULL,
 CONSTRAINT [PK_StoreSalesDaily] PRIMARY KEY CLUSTERED ([SalesDate] ASC, [StoreID] ASC)
) ON [PRIMARY]
GO

CREATE TABLE [gold].[PartnerFeed](
	[PartnerCode] [varchar](10) NOT NULL,
	[ProductCode] [varchar](20) NOT NULL,
	[ProductName] [nvarchar](100) NOT NULL,
	[OfferPrice] [decimal](19, 4) NULL
) ON [PRIMARY]
GO
