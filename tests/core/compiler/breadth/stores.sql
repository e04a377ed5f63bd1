CREATE TABLE [staging].[Product] ([ProductCode] [varchar](20) NOT NULL, [ProductName] [nvarchar](200) NULL, [Category] nvarchar(50) NULL, [Price] decimal(10,2) NULL, [Cost] decimal(10,2) NULL, [Active] char(1) NULL)
CREATE TABLE [dim].[Product] ([ProductKey] INT IDENTITY(1,1) NOT NULL CONSTRAINT PK_P PRIMARY KEY CLUSTERED, [ProductCode] varchar(20) NOT NULL, [ProductName] nvarchar(200) NULL, [Category] nvarchar(50) NULL, [Price] decimal(10,2) NULL, [Cost] decimal(10,2) NULL, [Margin] AS ([Price]-[Cost]), [RowChecksum] int NULL, [IsActive] bit NOT NULL DEFAULT 1, [StartDate] date NOT NULL, [EndDate] date NULL)
CREATE TABLE [staging].[Sale] (SaleId int NOT NULL, SaleDate datetime NULL, ProductCode varchar(20) NULL, StoreCode varchar(10) NULL, Qty int NULL, Amount decimal(12,2) NULL, Promo varchar(50) NULL)
CREATE TABLE [fact].[Sale] (SaleKey bigint IDENTITY(1,1) NOT NULL, SaleId int NOT NULL, DateKey int NOT NULL, ProductKey int NOT NULL, StoreKey int NOT NULL, Qty int NOT NULL, Amount decimal(12,2) NOT NULL, UnitPrice decimal(19,6) NULL, PromoFlag bit NULL, BatchNo int NULL)
CREATE TABLE dim.Store (StoreKey int NOT NULL PRIMARY KEY, StoreCode varchar(10) NOT NULL, City varchar(40) NULL)
CREATE TABLE etl.BatchControl (BatchNo int NOT NULL, TableName varchar(50) NOT NULL, LastRun datetime NULL, Status varchar(10) NULL)
CREATE TABLE fact.SaleBridge (SaleId int NOT NULL, PromoCode varchar(50) NOT NULL, Weight decimal(9,6) NULL)
CREATE TABLE fact.TopProduct (Category nvarchar(50) NULL, ProductCode varchar(20) NULL, Revenue decimal(38,2) NULL, Rnk int NULL, ShareOfCat decimal(9,4) NULL)
GO
CREATE VIEW dim.vCurrentProduct AS SELECT ProductKey, ProductCode, ProductName, Category FROM dim.Product WHERE EndDate IS NULL
GO
CREATE VIEW fact.vSaleEnriched AS
SELECT s.SaleId, s.DateKey, p.Category, p.ProductCode, s.Qty, s.Amount FROM fact.Sale s JOIN dim.vCurrentProduct p ON p.ProductKey = s.ProductKey
GO
CREATE PROCEDURE etl.Load_DimProduct_SCD2
	@RunDate date
AS
BEGIN
SET NOCOUNT ON;
IF OBJECT_ID(N'tempdb..#Stage') IS NOT NULL DROP TABLE #Stage
SELECT ProductCode, ProductName, Category, Price, Cost, CHECKSUM(ProductName, Category, Price, Cost) AS RowChecksum, CASE Active WHEN 'Y' THEN 1 ELSE 0 END AS IsActive
INTO #Stage FROM staging.Product WITH(NOLOCK)

CREATE CLUSTERED INDEX ix ON #Stage(ProductCode)

UPDATE P SET EndDate = @RunDate
FROM dim.Product P JOIN #Stage S ON S.ProductCode = P.ProductCode AND P.EndDate IS NULL
WHERE P.RowChecksum <> S.RowChecksum OR P.RowChecksum IS NULL

INSERT dim.Product (ProductCode, ProductName, Category, Price, Cost, RowChecksum, IsActive, StartDate)
SELECT S.ProductCode, S.ProductName, S.Category, S.Price, S.Cost, S.RowChecksum, S.IsActive, @RunDate
FROM #Stage S
WHERE NOT EXISTS (SELECT 1 FROM dim.Product P WHERE P.ProductCode = S.ProductCode AND P.EndDate IS NULL)

UPDATE dim.Product SET IsActive = 0 WHERE EndDate IS NULL AND ProductCode NOT IN (SELECT ProductCode FROM #Stage)
END
GO
CREATE PROCEDURE etl.Load_FactSale @BatchNo int AS
BEGIN
SET NOCOUNT ON
DECLARE @last datetime, @cnt int
SELECT TOP 1 @last = LastRun FROM etl.BatchControl WHERE TableName = 'fact.Sale' AND Status = 'OK' ORDER BY BatchNo DESC
BEGIN TRY
INSERT INTO fact.Sale (SaleId, DateKey, ProductKey, StoreKey, Qty, Amount, UnitPrice, PromoFlag, BatchNo)
SELECT s.SaleId, CAST(CONVERT(varchar(8), ISNULL(s.SaleDate,'19000101'), 112) AS int), COALESCE(p.ProductKey, -1), COALESCE(st.StoreKey, -1), ISNULL(s.Qty, 0), ISNULL(s.Amount, 0),
  s.Amount / NULLIF(s.Qty, 0), CASE WHEN LEN(ISNULL(s.Promo, '')) > 0 THEN 1 ELSE 0 END, @BatchNo
FROM staging.Sale s
LEFT JOIN dim.vCurrentProduct p ON p.ProductCode = s.ProductCode
LEFT JOIN dim.Store st ON st.StoreCode = s.StoreCode
WHERE (@last IS NULL OR s.SaleDate > @last)
AND NOT EXISTS (SELECT * FROM fact.Sale f WHERE f.SaleId = s.SaleId)
SET @cnt = @@ROWCOUNT
INSERT etl.BatchControl (BatchNo, TableName, LastRun, Status) VALUES (@BatchNo, 'fact.Sale', GETDATE(), 'OK')
PRINT 'rows: ' + CAST(@cnt AS varchar(10))
END TRY
BEGIN CATCH
 DECLARE @m nvarchar(2048) = ERROR_MESSAGE(), @s int = ERROR_SEVERITY(), @st int = ERROR_STATE()
 RAISERROR(@m, @s, @st)
 RETURN -1
END CATCH
RETURN 0
END
GO
CREATE PROCEDURE etl.Load_SaleBridge AS
BEGIN
 TRUNCATE TABLE fact.SaleBridge
 ;WITH x AS (SELECT s.SaleId, LTRIM(RTRIM(v.value)) AS PromoCode FROM staging.Sale s CROSS APPLY STRING_SPLIT(s.Promo, ';') v WHERE s.Promo LIKE '%_%')
 INSERT fact.SaleBridge
 SELECT SaleId, PromoCode, CAST(1.0 AS decimal(9,6)) / COUNT(*) OVER (PARTITION BY SaleId) FROM x WHERE PromoCode <> ''
END
GO
CREATE PROCEDURE etl.Load_TopProduct @Top int = 10 AS
BEGIN
 IF EXISTS (SELECT * FROM sys.objects WHERE object_id = OBJECT_ID(N'[fact].[TopProduct]') AND type in (N'U')) TRUNCATE TABLE fact.TopProduct
 INSERT INTO fact.TopProduct
 SELECT q.Category, q.ProductCode, q.Revenue, q.rnk, q.Revenue / NULLIF(q.cat, 0)
 FROM (SELECT v.Category, v.ProductCode, SUM(v.Amount) Revenue, RANK() OVER (PARTITION BY v.Category ORDER BY SUM(v.Amount) DESC) rnk, SUM(SUM(v.Amount)) OVER (PARTITION BY v.Category) cat
       FROM fact.vSaleEnriched v GROUP BY v.Category, v.ProductCode) q
 WHERE q.rnk <= @Top
END
GO
