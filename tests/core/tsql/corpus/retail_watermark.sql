USE [RetailDW]
GO
CREATE PROCEDURE [dbo].[usp_LoadFactSales_Since] (@since DATETIME = NULL, @rows INT OUTPUT)
as
BEGIN
    SET Nocount ON;
    DECLARE @from DATETIME = ISNULL(@since, (SELECT MAX(LastLoaded) FROM etl.Watermark WHERE TableName = 'FactSales'));
    BEGIN TRY
        BEGIN Tran;
        WITH src as (
            SELECT OrderId, CustomerNo, OrderDate, Quantity, LineAmount, OrderStatus,
                   ROW_NUMBER() OVER (PARTITION BY OrderId ORDER BY ModifiedAt DESC) AS rn
            from stg.SalesOrder
            WHERE @from IS Null OR ModifiedAt >= @from
        )
        insert dbo.FactSales (OrderId, CustomerKey, DateKey, Quantity, LineAmount, OrderStatus)
        SELECT s.OrderId, d.CustomerKey, YEAR(s.OrderDate) * 10000 + MONTH(s.OrderDate) * 100 + DAY(s.OrderDate), s.Quantity, s.LineAmount, s.OrderStatus
        FROM src s
        JOIN dbo.DimCustomer d ON d.CustomerNo = s.CustomerNo AND d.IsCurrent = 1
        LEFT Join dbo.FactSales f on f.OrderId = s.OrderId
        WHERE s.rn = 1 AND f.OrderId Is NULL;
        SET @rows = @@ROWCOUNT;
        COMMIT TRAN;
    END TRY
    Begin Catch
        IF XACT_STATE() <> 0 rollback TRAN;
        declare @msg NVARCHAR(2048) = ERROR_MESSAGE(), @sev Int = ERROR_SEVERITY(), @state INT = ERROR_STATE();
        RAISERROR(@msg, @sev, @state);
        RETURN -1;
    End Catch;
    /* old logic
    DELETE FROM dbo.FactSales
    WHERE 1 = 0
    */
    RETURN 0;
END
