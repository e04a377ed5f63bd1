/* dbo.usp_LoadFactSales_Range  (jdoe) */
CREATE PROCEDURE dbo.usp_LoadFactSales_Range
    @FromDate date,
    @ToDate   date = NULL
AS
BEGIN
    SET NOCOUNT ON
    SET @ToDate = COALESCE(@ToDate, CAST(GETDATE() AS date))
    IF @FromDate > @ToDate
    BEGIN
        RAISERROR('from date after to date', 16, 1)
        RETURN
        /* old logic
        DELETE FROM dbo.FactSales
        WHERE 1 = 0
        */
    END

    DELETE FROM dbo.FactSales
    WHERE DateKey BETWEEN CONVERT(int, CONVERT(char(8), @FromDate, 112)) AND CONVERT(int, CONVERT(char(8), @ToDate, 112))

    INSERT INTO dbo.FactSales (OrderId, CustomerKey, DateKey, Quantity, LineAmount, OrderStatus)
    SELECT t.OrderId, d.CustomerKey, CONVERT(int, CONVERT(char(8), t.OrderDate, 112)), t.Quantity, t.LineAmount, t.OrderStatus
    FROM stg.SalesOrder AS t
    INNER JOIN dbo.DimCustomer AS d ON d.CustomerNo = t.CustomerNo AND t.OrderDate >= d.ValidFrom AND t.OrderDate < ISNULL(d.ValidTo, '99991231')
    WHERE t.OrderDate >= @FromDate AND t.OrderDate < DATEADD(day, 1, @ToDate)
END

EXEC dbo.usp_LoadFactSales_Range
