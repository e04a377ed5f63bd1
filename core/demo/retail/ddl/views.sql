USE [RetailDW]
GO
CREATE VIEW [silver].[vw_CurrentProduct]
AS
-- one row per product: the open version
SELECT p.ProductKey,
       p.ProductID,
       p.ProductCode,
       p.ProductName,
       p.CategoryName,
       p.ListPrice
FROM   silver.DimProduct AS p
WHERE  p.IsCurrent = 1
GO

CREATE VIEW [gold].[vw_StoreSalesMonthly]
AS
SELECT dbo.ufn_MonthStart(d.SalesDate) AS SalesMonth,
       d.RegionName,
       SUM(d.UnitsSold)  AS UnitsSold,
       SUM(d.NetAmount)  AS NetAmount
FROM   gold.StoreSalesDaily d
GROUP BY dbo.ufn_MonthStart(d.SalesDate), d.RegionName
GO
