-- BankMart: tables the banking procedures read and write.
CREATE TABLE lnd.Account (
    AccountNo char(16) NOT NULL,
    HolderName nvarchar(100) NULL,
    ProductCode varchar(20) NULL,
    BranchCode nvarchar(50) NULL,
    OverdraftLimit decimal(18, 2) NULL,
    ModifiedAt datetime NOT NULL DEFAULT (getdate()),
    CONSTRAINT PK_lnd_Account PRIMARY KEY CLUSTERED (AccountNo ASC)
);
GO
CREATE TABLE lnd.Posting (
    PostingId int NOT NULL PRIMARY KEY,
    AccountNo char(16) NOT NULL,
    BookingDate datetime NOT NULL,
    EntryCount int NULL,
    PostingAmount decimal(18, 2) NULL,
    PostingType varchar(20) NULL,
    ModifiedAt datetime NOT NULL DEFAULT (getdate())
);
GO
CREATE TABLE core.D_ACCOUNT (
    ACCOUNT_ID int IDENTITY(1, 1) NOT NULL,
    AccountNo char(16) NOT NULL,
    HolderName nvarchar(100) NULL,
    ProductCode varchar(20) NULL,
    BranchCode nvarchar(50) NULL,
    OverdraftLimit decimal(18, 2) NULL,
    ValidFrom datetime NOT NULL DEFAULT ('1900-01-01'),
    ValidTo datetime NULL,
    IsCurrent bit NOT NULL DEFAULT ((1)),
    CONSTRAINT PK_D_ACCOUNT PRIMARY KEY CLUSTERED (ACCOUNT_ID ASC)
);
GO
CREATE TABLE core.F_POSTING (
    PostingId int NOT NULL,
    ACCOUNT_ID int NOT NULL,
    DateKey int NOT NULL,
    EntryCount int NULL,
    PostingAmount decimal(18, 2) NULL,
    PostingType varchar(20) NULL,
    UnitAmount AS (PostingAmount / NULLIF(EntryCount, 0)),
    LoadedAt datetime NOT NULL CONSTRAINT DF_F_POSTING_LoadedAt DEFAULT (getdate()),
    CONSTRAINT PK_F_POSTING PRIMARY KEY (PostingId)
);
GO
CREATE TABLE core.POSTING_MONTH (
    YearMonth char(6) NOT NULL,
    ProductCode varchar(20) NOT NULL,
    BranchCode nvarchar(50) NOT NULL,
    TotalEntryCount int NULL,
    TotalPostingAmount decimal(38, 2) NULL,
    EntityCount int NULL,
    CONSTRAINT PK_POSTING_MONTH PRIMARY KEY (YearMonth, ProductCode, BranchCode)
);
GO
CREATE TABLE core.PRODUCT_REF (
    PRODUCT_CODE varchar(20) NOT NULL PRIMARY KEY,
    PRODUCT_TEXT nvarchar(100) NULL
);
GO
CREATE TABLE core.PostingArchive (
    PostingId int NOT NULL,
    AccountNo char(16) NOT NULL,
    BookingDate datetime NOT NULL,
    EntryCount int NULL,
    PostingAmount decimal(18, 2) NULL,
    PostingType varchar(20) NULL,
    ArchivedAt datetime NOT NULL DEFAULT (getdate())
);
GO
CREATE TABLE ctl.BATCH_LOG (
    LogId int IDENTITY(1, 1) NOT NULL PRIMARY KEY,
    BATCH_NAME sysname NOT NULL,
    START_TS datetime NOT NULL DEFAULT (getdate()),
    END_TS datetime NULL,
    ROWS_OUT int NULL,
    STATE varchar(20) NULL,
    INFO nvarchar(4000) NULL
);
GO
CREATE TABLE ctl.BATCH_CTRL (
    BATCH_NAME varchar(128) NOT NULL PRIMARY KEY,
    LAST_TS datetime NULL
);
GO
