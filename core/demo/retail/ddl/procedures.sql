USE [RetailDW]
GO
SET ANSI_NULLS ON
GO
SET QUOTED_IDENTIFIER ON
GO

CREATE PROCEDURE [silver].[usp_Load_DimCategory]
AS
BEGIN
	SET NOCOUNT ON

	DELETE FROM silver.DimCategory

	INSERT INTO silver.DimCategory
	SELECT CategoryCode, CategoryName, ISNULL(SortOrder, 999)
	FROM bronze.ProductCategory
END
GO

-- =============================================
-- Author:      m.brandt
-- Create date: 2016-03-02
-- Description: Stores. Small table, so just reload it
-- =============================================
CREATE PROCEDURE [silver].[usp_Load_DimStore]
AS
BEGIN
	SET NOCOUNT ON;

	TRUNCATE TABLE [silver].[DimStore];

	INSERT INTO [silver].[DimStore] (StoreID, StoreName, City, RegionName, SizeBand, OpenedOn)
	SELECT	s.StoreID,
			LTRIM(RTRIM(s.StoreName)),
			s.City,
			ISNULL(c.RegionName, 'Unknown'),
			CASE WHEN s.SquareMeters IS NULL THEN 'n/a'
				 WHEN s.SquareMeters < 200 THEN 'S'
				 WHEN s.SquareMeters < 1000 THEN 'M'
				 ELSE 'L'
			END,
			s.OpenedOn
	FROM	bronze.Store s
	LEFT JOIN bronze.Country c ON c.CountryCode = s.CountryCode
	WHERE	s.ClosedOn IS NULL		-- closed stores leave the dimension
END
GO

/*
  Name    : silver.usp_Load_DimCustomer
  Purpose : Type 1 customer dimension from the CRM extract

  Date        Who         Change
  ----------  ----------  ---------------------------------------------------
  2016-03-14  m.brandt    created
  2017-11-02  m.brandt    e-mail lower case, blanks to NULL (ticket 418)
  2019-06-21  k.osei      test accounts excluded
  2021-02-09  k.osei      only update when something changed, log row counts
*/
CREATE PROCEDURE [silver].[usp_Load_DimCustomer]
AS
BEGIN
    SET NOCOUNT ON;
    SET XACT_ABORT ON;

    DECLARE @RowsAffected INT,
            @ErrorMessage NVARCHAR(2048),
            @ErrorSeverity INT,
            @ErrorState INT

    BEGIN TRY
        BEGIN TRANSACTION

        MERGE [RetailDW].[silver].[DimCustomer] AS tgt
        USING (
            SELECT  c.CustomerID,
                    LTRIM(RTRIM(ISNULL(c.FirstName + ' ', '') + c.LastName)) AS FullName,
                    LOWER(NULLIF(LTRIM(RTRIM(c.EmailAddress)), '')) AS EmailAddress,
                    c.City,
                    ISNULL(co.CountryName, 'Unknown') AS CountryName,
                    CASE WHEN ISNULL(c.LoyaltyPoints, 0) >= 5000 THEN 'Gold'
                         WHEN ISNULL(c.LoyaltyPoints, 0) >= 1000 THEN 'Silver'
                         ELSE 'Basic' END AS LoyaltyTier
            FROM    [RetailDW].[bronze].[Customer] c WITH (NOLOCK)
            LEFT JOIN [RetailDW].[bronze].[Country] co WITH (NOLOCK)
                   ON co.CountryCode = c.CountryCode
            WHERE   c.IsTestAccount = 0
        ) AS src
           ON tgt.CustomerID = src.CustomerID
        WHEN MATCHED AND (   tgt.FullName <> src.FullName
                          OR ISNULL(tgt.EmailAddress, '') <> ISNULL(src.EmailAddress, '')
                          OR ISNULL(tgt.City, '') <> ISNULL(src.City, '')
                          OR tgt.CountryName <> src.CountryName
                          OR tgt.LoyaltyTier <> src.LoyaltyTier )
        THEN UPDATE SET
                tgt.FullName     = src.FullName,
                tgt.EmailAddress = src.EmailAddress,
                tgt.City         = src.City,
                tgt.CountryName  = src.CountryName,
                tgt.LoyaltyTier  = src.LoyaltyTier,
                tgt.UpdatedAt    = GETDATE()
        WHEN NOT MATCHED BY TARGET
        THEN INSERT (CustomerID, FullName, EmailAddress, City, CountryName, LoyaltyTier, CreatedAt, UpdatedAt)
             VALUES (src.CustomerID, src.FullName, src.EmailAddress, src.City, src.CountryName,
                     src.LoyaltyTier, GETDATE(), GETDATE());

        SET @RowsAffected = @@ROWCOUNT

        INSERT INTO etl.LoadLog (ProcedureName, RowsAffected, Message)
        VALUES ('silver.usp_Load_DimCustomer', @RowsAffected, 'OK')

        COMMIT TRANSACTION
        PRINT 'DimCustomer: ' + CAST(@RowsAffected AS VARCHAR(12)) + ' rows merged'
    END TRY
    BEGIN CATCH
        IF @@TRANCOUNT > 0 ROLLBACK TRANSACTION

        SELECT @ErrorMessage  = ERROR_MESSAGE(),
               @ErrorSeverity = ERROR_SEVERITY(),
               @ErrorState    = ERROR_STATE()

        INSERT INTO etl.LoadLog (ProcedureName, Message)
        VALUES ('silver.usp_Load_DimCustomer', @ErrorMessage)

        RAISERROR (@ErrorMessage, @ErrorSeverity, @ErrorState)
    END CATCH
END
GO

-- ============================================================================
-- silver.usp_Load_DimProduct
-- History-keeping product dimension (type 2): name, category and list price
-- 
-- 2016-04-11 mb   first version
-- 2018-01-30 mb   category name instead of code
-- 2020-09-16 ko   discontinued products are closed, not kept open
-- ============================================================================
CREATE PROCEDURE silver.usp_Load_DimProduct
AS
SET NOCOUNT ON

declare @Now datetime
declare @Closed int, @Opened int
set @Now = GETDATE()

BEGIN TRY

	BEGIN TRAN

	-- 1. close the open version of whatever changed or is gone from the range
	UPDATE d
	SET    d.ValidTo   = @Now,
	       d.IsCurrent = 0
	FROM   silver.DimProduct d
	       INNER JOIN bronze.Product p ON p.ProductID = d.ProductID
	       LEFT JOIN bronze.ProductCategory pc ON pc.CategoryCode = p.CategoryCode
	WHERE  d.IsCurrent = 1
	  AND  (   p.IsDiscontinued = 1
	        OR d.ProductName  <> p.ProductName
	        OR d.CategoryName <> ISNULL(pc.CategoryName, N'Uncategorised')
	        OR ISNULL(d.ListPrice, -1) <> ISNULL(p.ListPrice, -1) )
	SET @Closed = @@ROWCOUNT

	-- 2. open a new version for new products and for those just closed
	INSERT INTO silver.DimProduct
	       (ProductID, ProductCode, ProductName, CategoryName, ListPrice, ValidFrom, ValidTo, IsCurrent)
	SELECT p.ProductID,
	       p.ProductCode,
	       p.ProductName,
	       ISNULL(pc.CategoryName, N'Uncategorised'),
	       p.ListPrice,
	       @Now,
	       NULL,
	       1
	FROM   bronze.Product p
	       LEFT JOIN bronze.ProductCategory pc ON pc.CategoryCode = p.CategoryCode
	       LEFT JOIN silver.DimProduct d ON d.ProductID = p.ProductID AND d.IsCurrent = 1
	WHERE  d.ProductID IS NULL
	  AND  p.IsDiscontinued = 0
	SET @Opened = @@ROWCOUNT

	INSERT INTO etl.LoadLog (ProcedureName, RowsAffected, Message)
	VALUES (N'silver.usp_Load_DimProduct', @Closed + @Opened,
	        'closed ' + CONVERT(VARCHAR(10), @Closed) + ', opened ' + CONVERT(VARCHAR(10), @Opened))

	COMMIT TRAN
END TRY
BEGIN CATCH
	IF XACT_STATE() <> 0
		ROLLBACK TRAN;
	THROW;
END CATCH
GO

/****** Object:  StoredProcedure [silver].[usp_Load_DimOrderProfile] ******/
CREATE PROCEDURE [silver].[usp_Load_DimOrderProfile]
AS
BEGIN
SET NOCOUNT ON

-- every combination of channel and payment that occurs, with and without gift wrap
-- (the web shop sets the gift flag later, so both must exist)

TRUNCATE TABLE silver.DimOrderProfile

INSERT INTO silver.DimOrderProfile (ChannelCode, PaymentCode, IsGift, ProfileLabel)
SELECT x.ChannelCode, x.PaymentCode, g.IsGift,
       x.ChannelCode + ' / ' + x.PaymentCode + CASE WHEN g.IsGift = 1 THEN ' (gift)' ELSE '' END
FROM   (
        SELECT DISTINCT
               ISNULL(o.ChannelCode, 'UNKNOWN') AS ChannelCode,
               ISNULL(o.PaymentCode, 'UNKNOWN') AS PaymentCode
        FROM   bronze.SalesOrder o WITH (NOLOCK)
       ) x
       CROSS JOIN (SELECT 0 AS IsGift UNION ALL SELECT 1) g
-- WHERE x.ChannelCode <> 'TEST'      -- removed 2019-08, test orders no longer reach bronze

END
-- exec silver.usp_Load_DimOrderProfile
-- select * from silver.DimOrderProfile order by 2, 3, 4
GO

CREATE PROCEDURE [silver].[usp_Load_DimPromotion]
AS
BEGIN
	SET NOCOUNT ON;

	TRUNCATE TABLE silver.DimPromotion;

	INSERT INTO silver.DimPromotion (PromotionID, PromotionName, DiscountPct, StartsOn, EndsOn)
	SELECT p.PromotionID, p.PromotionName, p.DiscountPct, p.StartsOn, ISNULL(p.EndsOn, '9999-12-31')
	FROM   bronze.Promotion p;
END
GO

-- =======================================================================
-- silver.usp_Load_CustomerContact
--
-- One contact per e-mail address out of the web sign-ups.
-- The newest sign-up wins; consent counts only when given in that one.
--
-- 2020-05-04  k.osei   created for the newsletter project
-- 2022-10-10  t.lind   CustomerID added (marketing wants to know who buys)
-- =======================================================================
CREATE OR ALTER PROCEDURE silver.usp_Load_CustomerContact
AS
BEGIN
    SET NOCOUNT ON;
    DECLARE @rows INT;

    IF OBJECT_ID('tempdb..#Signup') IS NOT NULL
        DROP TABLE #Signup;

    CREATE TABLE #Signup
    (
        SignupID      BIGINT        NOT NULL,
        EmailAddress  NVARCHAR(120) NOT NULL,
        FullName      NVARCHAR(100) NULL,
        Phone         VARCHAR(25)   NULL,
        ConsentFlag   BIT           NOT NULL,
        SignedUpAt    DATETIME      NOT NULL
    );

    -- clean up first
    INSERT INTO #Signup (SignupID, EmailAddress, FullName, Phone, ConsentFlag, SignedUpAt)
    SELECT w.SignupID,
           LOWER(LTRIM(RTRIM(w.EmailAddress))),
           NULLIF(LTRIM(RTRIM(w.FullName)), ''),
           REPLACE(REPLACE(w.Phone, ' ', ''), '-', ''),
           ISNULL(w.ConsentFlag, 0),
           w.SignedUpAt
    FROM   bronze.WebSignup w
    WHERE  w.EmailAddress LIKE '%_@_%';

    -- then rank: newest first
    SELECT s.EmailAddress,
           s.FullName,
           s.Phone,
           s.ConsentFlag,
           MIN(s.SignedUpAt) OVER (PARTITION BY s.EmailAddress) AS FirstSignup,
           MAX(s.SignedUpAt) OVER (PARTITION BY s.EmailAddress) AS LastSignup,
           COUNT(*)          OVER (PARTITION BY s.EmailAddress) AS SignupCount,
           ROW_NUMBER()      OVER (PARTITION BY s.EmailAddress
                                   ORDER BY s.SignedUpAt DESC, s.SignupID DESC) AS rn
    INTO   #Ranked
    FROM   #Signup s;

    TRUNCATE TABLE silver.CustomerContact;

    INSERT INTO silver.CustomerContact
           (EmailAddress, FullName, Phone, ConsentFlag, FirstSignupDate, LastSignupDate, SignupCount, CustomerID)
    SELECT r.EmailAddress,
           r.FullName,
           r.Phone,
           r.ConsentFlag,
           CAST(r.FirstSignup AS DATE),
           CAST(r.LastSignup AS DATE),
           r.SignupCount,
           k.CustomerID
    FROM   #Ranked r
    LEFT JOIN (
            SELECT   LOWER(LTRIM(RTRIM(c.EmailAddress))) AS EmailAddress, MIN(c.CustomerID) AS CustomerID
            FROM     bronze.Customer c
            WHERE    c.EmailAddress IS NOT NULL
            GROUP BY LOWER(LTRIM(RTRIM(c.EmailAddress)))
           ) k ON k.EmailAddress = r.EmailAddress
    WHERE  r.rn = 1;

    SET @rows = @@ROWCOUNT;
    PRINT CONVERT(VARCHAR(23), GETDATE(), 121) + ' CustomerContact: ' + CAST(@rows AS VARCHAR(10)) + ' rows';

    DROP TABLE #Ranked;
    DROP TABLE #Signup;
END
GO

/*==============================================================================
  silver.usp_Load_FactSales

  Appends the order lines that are newer than what the fact table already holds.
  @CutoffDate  optional upper bound (exclusive), for month-end runs

  Changes
    2016-05-02  m.brandt   created
    2016-09-19  m.brandt   unknown members (-1) instead of losing lines
    2018-03-07  m.brandt   discount as amount, not as percentage
    2021-12-01  k.osei     @CutoffDate
==============================================================================*/
CREATE PROCEDURE [silver].[usp_Load_FactSales]
    @CutoffDate DATETIME = NULL
AS
BEGIN
    SET NOCOUNT ON

    DECLARE @LastOrderDate DATETIME
    DECLARE @msg NVARCHAR(2048)

    SELECT @LastOrderDate = ISNULL(MAX(f.OrderDate), '19000101')
    FROM   [RetailDW].[silver].[FactSales] f

    BEGIN TRY

        INSERT INTO [RetailDW].[silver].[FactSales] WITH (TABLOCK)
              ( OrderID, LineNumber, OrderDateKey, OrderDate, CustomerKey, ProductKey, StoreID
              , Quantity, UnitPrice, DiscountAmount, NetAmount, LoadedAt )
        SELECT  l.OrderID
              , l.LineNumber
              , CONVERT(INT, CONVERT(CHAR(8), o.OrderDate, 112))
              , o.OrderDate
              , ISNULL(c.CustomerKey, -1)
              , ISNULL(p.ProductKey, -1)
              , o.StoreID
              , l.Quantity
              , l.UnitPrice
              , CAST(l.Quantity * l.UnitPrice * ISNULL(l.DiscountPct, 0) / 100.0 AS DECIMAL(19,4))
              , CAST(l.Quantity * l.UnitPrice
                     - l.Quantity * l.UnitPrice * ISNULL(l.DiscountPct, 0) / 100.0 AS DECIMAL(19,4))
              , GETDATE()
        FROM    bronze.SalesOrderLine l WITH (NOLOCK)
        INNER JOIN bronze.SalesOrder o WITH (NOLOCK)
                ON o.OrderID = l.OrderID
        LEFT JOIN silver.DimCustomer c
                ON c.CustomerID = o.CustomerID
        LEFT JOIN silver.vw_CurrentProduct p
                ON p.ProductID = l.ProductID
        WHERE   o.OrderDate > @LastOrderDate
          AND   o.OrderDate < ISNULL(@CutoffDate, '99991231')
          AND   o.StatusCode <> 'X'         -- cancelled
--        AND   l.Quantity > 0              -- returns are separate now, see usp_Load_FactReturn

        INSERT INTO etl.LoadLog (ProcedureName, EventTime, RowsAffected, Message)
        VALUES ('silver.usp_Load_FactSales', GETDATE(), @@ROWCOUNT,
                'after ' + CONVERT(VARCHAR(19), @LastOrderDate, 120))

    END TRY
    BEGIN CATCH
        SET @msg = 'FactSales: ' + ERROR_MESSAGE() + ' (line ' + CAST(ERROR_LINE() AS VARCHAR(10)) + ')'
        INSERT INTO etl.LoadLog (ProcedureName, Message) VALUES ('silver.usp_Load_FactSales', @msg)
        RAISERROR(@msg, 16, 1)
        RETURN 1
    END CATCH

    RETURN 0
END
GO

-- Returns. bronze.SalesReturn only ever holds the last delivery (the loader empties it),
-- so everything in it is new: append.
CREATE PROC Silver.usp_Load_FactReturn
AS
SET NOCOUNT ON
BEGIN TRY

	INSERT INTO Silver.FACTRETURN (ReturnID, OrderID, ProductID, ReturnDateKey, Quantity, RefundAmount, ReasonGroup, LoadedAt)
	SELECT r.ReturnID
	      ,r.OrderID
	      ,l.ProductID
	      ,YEAR(r.ReturnedOn) * 10000 + MONTH(r.ReturnedOn) * 100 + DAY(r.ReturnedOn)
	      ,r.Quantity
	      ,COALESCE(r.RefundAmount, l.UnitPrice * r.Quantity, 0)
	      ,CASE
	          WHEN r.ReasonText IS NULL OR r.ReasonText = '' THEN 'none given'
	          WHEN r.ReasonText LIKE '%damaged%' OR r.ReasonText LIKE '%broken%' THEN 'damaged'
	          WHEN r.ReasonText LIKE 'wrong %' THEN 'wrong item'
	          ELSE 'other'
	       END
	      ,GETDATE()
	FROM bronze.SalesReturn r
	LEFT OUTER JOIN bronze.SalesOrderLine l
	  ON  l.OrderID = r.OrderID
	  AND l.LineNumber = r.LineNumber

	PRINT 'returns appended: ' + CAST(@@ROWCOUNT AS VARCHAR(10))
END TRY
BEGIN CATCH
	DECLARE @err NVARCHAR(2000)
	SET @err = ERROR_MESSAGE()
	RAISERROR('usp_Load_FactReturn failed: %s', 16, 1, @err)
END CATCH
GO

/* ---------------------------------------------------------------------------
   silver.usp_Load_FactInventorySnapshot
   Month-end stock per store and product: the last count of each month.
   Rebuilt completely, history can be corrected in bronze.

   2017-02-20  mb  created
   2017-03-01  mb  two counts in the same second: the later CountID wins
   2023-04-18  tl  cover factor
   --------------------------------------------------------------------------- */
CREATE PROCEDURE [silver].[usp_Load_FactInventorySnapshot]
AS
BEGIN
    SET NOCOUNT ON

    DELETE FROM [RetailDW].[silver].[FactInventorySnapshot]

    ;WITH LastCount AS
    (
        SELECT ic.StoreID,
               ic.ProductID,
               EOMONTH(ic.CountedAt)      AS SnapshotDate,
               ISNULL(ic.OnHandQty, 0)    AS OnHandQty,
               ic.MinimumQty,
               ROW_NUMBER() OVER (PARTITION BY ic.StoreID, ic.ProductID, EOMONTH(ic.CountedAt)
                                  ORDER BY ic.CountedAt DESC, ic.CountID DESC) AS rn
        FROM   [RetailDW].[bronze].[InventoryCount] ic WITH (NOLOCK)
    )
    INSERT INTO [RetailDW].[silver].[FactInventorySnapshot]
           (SnapshotDate, StoreID, ProductID, OnHandQty, StockValue, CoverFactor, IsBelowMinimum)
    SELECT lc.SnapshotDate,
           lc.StoreID,
           lc.ProductID,
           lc.OnHandQty,
           lc.OnHandQty * p.UnitCost,
           lc.OnHandQty / NULLIF(lc.MinimumQty, 0),          -- whole multiples only
           CASE WHEN lc.OnHandQty < ISNULL(lc.MinimumQty, 0) THEN 1 ELSE 0 END
    FROM   LastCount lc
           INNER JOIN [RetailDW].[bronze].[Product] p WITH (NOLOCK)
                   ON p.ProductID = lc.ProductID
    WHERE  lc.rn = 1

    IF @@ROWCOUNT = 0
        PRINT 'WARNING: no inventory counts'
END
GO

-- =============================================================================
-- Procedure   : silver.usp_Load_FactOrderFulfilment
-- Description : One row per order, milestones filled in as they happen.
--               A milestone that was known once is never emptied again
--               (the shop system drops dates of archived orders).
-- Change log  :
--   2018-06-12  m.brandt  created
--   2018-06-29  m.brandt  amounts from the lines
--   2020-01-15  k.osei    do not touch orders whose milestones are all known
-- =============================================================================
CREATE PROCEDURE [silver].[usp_Load_FactOrderFulfilment]
AS
BEGIN
    SET NOCOUNT ON;

    DECLARE @started DATETIME = GETDATE();
    DECLARE @n INT = 0;

    BEGIN TRY
        BEGIN TRANSACTION;

        WITH OrderTotals AS (
            SELECT   l.OrderID,
                     COUNT(*)                    AS LineCount,
                     SUM(l.Quantity * l.UnitPrice) AS OrderAmount
            FROM     bronze.SalesOrderLine l
            GROUP BY l.OrderID
        ),
        Orders AS (
            SELECT o.OrderID, o.CustomerID, o.OrderDate, o.PaidDate, o.ShippedDate, o.DeliveredDate,
                   ISNULL(t.LineCount, 0)   AS LineCount,
                   ISNULL(t.OrderAmount, 0) AS OrderAmount
            FROM   bronze.SalesOrder o
            LEFT JOIN OrderTotals t ON t.OrderID = o.OrderID
            WHERE  o.StatusCode IN ('N', 'P', 'S', 'D')
        )
        MERGE INTO silver.FactOrderFulfilment AS f
        USING Orders AS s
           ON f.OrderID = s.OrderID
        WHEN MATCHED AND f.DeliveredDate IS NULL THEN
            UPDATE SET
                PaidDate        = COALESCE(s.PaidDate, f.PaidDate),
                ShippedDate     = COALESCE(s.ShippedDate, f.ShippedDate),
                DeliveredDate   = s.DeliveredDate,
                DaysToShip      = DATEDIFF(DAY, s.OrderDate, COALESCE(s.ShippedDate, f.ShippedDate)),
                DaysToDeliver   = DATEDIFF(DAY, COALESCE(s.ShippedDate, f.ShippedDate), s.DeliveredDate),
                LineCount       = s.LineCount,
                OrderAmount     = s.OrderAmount,
                FulfilmentStage = CASE WHEN s.DeliveredDate IS NOT NULL THEN 'delivered'
                                       WHEN COALESCE(s.ShippedDate, f.ShippedDate) IS NOT NULL THEN 'shipped'
                                       WHEN COALESCE(s.PaidDate, f.PaidDate) IS NOT NULL THEN 'paid'
                                       ELSE 'open' END,
                UpdatedAt       = GETDATE()
        WHEN NOT MATCHED THEN
            INSERT (OrderID, CustomerID, OrderDate, PaidDate, ShippedDate, DeliveredDate, DaysToShip,
                    DaysToDeliver, LineCount, OrderAmount, FulfilmentStage, UpdatedAt)
            VALUES (s.OrderID, s.CustomerID, s.OrderDate, s.PaidDate, s.ShippedDate, s.DeliveredDate,
                    DATEDIFF(DAY, s.OrderDate, s.ShippedDate),
                    DATEDIFF(DAY, s.ShippedDate, s.DeliveredDate),
                    s.LineCount, s.OrderAmount,
                    CASE WHEN s.DeliveredDate IS NOT NULL THEN 'delivered'
                         WHEN s.ShippedDate IS NOT NULL THEN 'shipped'
                         WHEN s.PaidDate IS NOT NULL THEN 'paid'
                         ELSE 'open' END,
                    GETDATE());

        SET @n = @@ROWCOUNT;
        COMMIT TRANSACTION;

        INSERT INTO etl.LoadLog (ProcedureName, RowsAffected, Message)
        VALUES ('silver.usp_Load_FactOrderFulfilment', @n,
                'finished in ' + CAST(DATEDIFF(SECOND, @started, GETDATE()) AS VARCHAR(10)) + ' s');
    END TRY
    BEGIN CATCH
        IF @@TRANCOUNT > 0
            ROLLBACK TRANSACTION;
        DECLARE @e NVARCHAR(2048) = ERROR_MESSAGE();
        INSERT INTO etl.LoadLog (ProcedureName, Message)
        VALUES ('silver.usp_Load_FactOrderFulfilment', @e);
        THROW;
    END CATCH
END
GO

/* Daily sales per store, for the board dashboard.  Reload, takes seconds. (m.brandt 2016-06) */
CREATE PROCEDURE gold.usp_Load_StoreSalesDaily
AS
BEGIN
	SET NOCOUNT ON
	BEGIN TRAN

	TRUNCATE TABLE gold.StoreSalesDaily

	INSERT gold.StoreSalesDaily (SalesDate, StoreID, RegionName, OrderCount, UnitsSold, NetAmount, AvgBasket)
	select	cast(f.OrderDate as date),
			f.StoreID,
			isnull(s.RegionName, 'Unknown'),
			count(distinct f.OrderID),
			sum(f.Quantity),
			sum(f.NetAmount),
			sum(f.NetAmount) / count(distinct f.OrderID)
	from	silver.FactSales f
	left join silver.DimStore s on s.StoreID = f.StoreID
	group by cast(f.OrderDate as date), f.StoreID, isnull(s.RegionName, 'Unknown')

	COMMIT TRAN
END
GO

/*
   gold.usp_Build_PartnerFeed
   Price lists for partners. Each partner has its own price formula and its own
   choice of products, both kept as SQL text in etl.PartnerRule so that sales can
   change them without IT.

   2019-09-03  k.osei   created
   2022-01-24  t.lind   inactive partners skipped
*/
CREATE PROCEDURE [gold].[usp_Build_PartnerFeed]
AS
BEGIN
    SET NOCOUNT ON;

    DECLARE @PartnerCode VARCHAR(10), @PriceExpression NVARCHAR(200), @FilterClause NVARCHAR(400);
    DECLARE @sql NVARCHAR(MAX);

    TRUNCATE TABLE gold.PartnerFeed;

    DECLARE partner_cursor CURSOR LOCAL FAST_FORWARD FOR
        SELECT PartnerCode, PriceExpression, FilterClause
        FROM   etl.PartnerRule
        WHERE  IsActive = 1
        ORDER BY PartnerCode;

    OPEN partner_cursor;
    FETCH NEXT FROM partner_cursor INTO @PartnerCode, @PriceExpression, @FilterClause;

    WHILE @@FETCH_STATUS = 0
    BEGIN
        SET @sql = N'INSERT INTO gold.PartnerFeed (PartnerCode, ProductCode, ProductName, OfferPrice)
                     SELECT ''' + @PartnerCode + N''', p.ProductCode, p.ProductName, ' + @PriceExpression + N'
                     FROM   silver.vw_CurrentProduct p
                     WHERE  ' + ISNULL(@FilterClause, N'1 = 1');

        EXEC sp_executesql @sql;

        FETCH NEXT FROM partner_cursor INTO @PartnerCode, @PriceExpression, @FilterClause;
    END

    CLOSE partner_cursor;
    DEALLOCATE partner_cursor;
END
GO
