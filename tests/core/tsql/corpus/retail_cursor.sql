USE [RetailDW]
GO
CREATE PROCEDURE dbo.usp_LoadSalesOrder_Reclassify
AS
BEGIN
    SET NOCOUNT ON
    DECLARE @id int, @amount decimal(18, 2), @n int = 0
    DECLARE c CURSOR LOCAL FAST_FORWARD FOR
        SELECT OrderId, LineAmount FROM stg.SalesOrder WHERE OrderStatus = 'OPEN' ORDER BY OrderId
    OPEN c
    FETCH NEXT FROM c INTO @id, @amount
    WHILE @@FETCH_STATUS = 0
    BEGIN
        IF @amount >= 1000
            UPDATE stg.SalesOrder SET OrderStatus = 'SHIPPED' WHERE OrderId = @id
        ELSE IF @amount < 0
        BEGIN
            DELETE stg.SalesOrder WHERE OrderId = @id
            SET @n += 1
        END
        FETCH NEXT FROM c INTO @id, @amount
    END
    CLOSE c
    DEALLOCATE c
    PRINT CAST(@n AS varchar(10)) + ' rows deleted'
END
