USE [RetailDW]
GO
CREATE PROCEDURE dbo.usp_LoadFactSales_Days (@start date, @end date)
AS
BEGIN
    DECLARE @d date = @start;
    WHILE @d <= @end
    BEGIN
        IF NOT EXISTS (SELECT 1 FROM stg.SalesOrder WHERE CAST(OrderDate AS date) = @d)
        BEGIN
            SET @d = DATEADD(day, 1, @d);
            CONTINUE;
        END
        DELETE FROM dbo.FactSales WHERE DateKey = CONVERT(int, CONVERT(varchar(8), @d, 112));
        INSERT INTO dbo.FactSales (OrderId, CustomerKey, DateKey, Quantity, LineAmount, OrderStatus)
        SELECT t.OrderId, d.CustomerKey, CONVERT(int, CONVERT(varchar(8), @d, 112)), t.Quantity, t.LineAmount, t.OrderStatus
        FROM stg.SalesOrder t
        CROSS APPLY (SELECT TOP 1 x.CustomerKey FROM dbo.DimCustomer x WHERE x.CustomerNo = t.CustomerNo ORDER BY x.ValidFrom DESC) d
        WHERE CAST(t.OrderDate AS date) = @d;
        SET @d = DATEADD(day, 1, @d);
        --SELECT TOP 100 * FROM stg.Customer
    END
END
