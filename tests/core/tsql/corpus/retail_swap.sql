CREATE procedure dbo.usp_LoadFactSales_Rebuild
WITH RECOMPILE, EXECUTE AS OWNER
as
begin
    SET NOCOUNT ON;
    ALTER TABLE dbo.FactSales NOCHECK CONSTRAINT ALL;
    ALTER INDEX ALL ON dbo.FactSales DISABLE;
    ALTER INDEX PK_FactSales on dbo.FactSales REBUILD WITH (SORT_IN_TEMPDB = on);
    Insert INTO dbo.FactSales WITH (TABLOCK) (OrderId, CustomerKey, DateKey, Quantity, LineAmount, OrderStatus)
    SELECT a.OrderId, -1, 19000101, a.Quantity, a.LineAmount, a.OrderStatus FROM dbo.SalesOrderArchive a
    OPTION (MAXDOP 4, RECOMPILE);
    ALTER INDEX ALL on dbo.FactSales REBUILD;
    ALTER TABLE dbo.FactSales WITH CHECK CHECK CONSTRAINT All;
END
