CREATE PROCEDURE [dbo].[usp_LoadFactSales_Upsert]
AS
BEGIN
    SET NOCOUNT, XACT_ABORT ON;
    SELECT t.OrderId, d.CustomerKey, CAST(CONVERT(char(8), t.OrderDate, 112) AS int) AS DateKey, t.Quantity, t.LineAmount, t.OrderStatus
    INTO #incoming
    FROM stg.SalesOrder t
    INNER JOIN dbo.DimCustomer d ON d.CustomerNo = t.CustomerNo AND d.IsCurrent = 1;
    -- TODO: check with business

    CREATE UNIQUE CLUSTERED INDEX ix_incoming ON #incoming (OrderId);

    UPDATE f
    SET f.Quantity = i.Quantity, f.LineAmount = i.LineAmount, f.OrderStatus = i.OrderStatus, f.LoadedAt = GETDATE()
    FROM dbo.FactSales AS f
    JOIN #incoming AS i ON i.OrderId = f.OrderId
    WHERE EXISTS (SELECT f.Quantity, f.LineAmount, f.OrderStatus EXCEPT SELECT i.Quantity, i.LineAmount, i.OrderStatus);

    INSERT INTO dbo.FactSales (OrderId, CustomerKey, DateKey, Quantity, LineAmount, OrderStatus)
    SELECT i.OrderId, i.CustomerKey, i.DateKey, i.Quantity, i.LineAmount, i.OrderStatus
    FROM #incoming i
    WHERE NOT EXISTS (SELECT * FROM dbo.FactSales f WHERE f.OrderId = i.OrderId);

    DROP TABLE #incoming;
END
