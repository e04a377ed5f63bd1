CREATE PROCEDURE stg.ImportOrdersJson @json nvarchar(max)
AS
    IF ISJSON(@json) = 0
        THROW 50001, 'not a JSON document', 1;
    INSERT INTO stg.SalesOrder (OrderId, CustomerNo, OrderDate, Quantity, LineAmount, OrderStatus)
    SELECT j.OrderId, j.CustomerNo, j.OrderDate, j.Qty, j.Amount, 'OPEN'
    FROM OPENJSON(@json, '$.orders')
    WITH (OrderId int '$.id', CustomerNo varchar(20) '$.customer', OrderDate datetime '$.date', Qty int, Amount decimal(18, 2)) AS j
    WHERE NOT EXISTS (SELECT 1 FROM stg.SalesOrder o WHERE o.OrderId = j.OrderId)
    SELECT JSON_VALUE(@json, '$.source') AS source, @@ROWCOUNT AS rows_in
