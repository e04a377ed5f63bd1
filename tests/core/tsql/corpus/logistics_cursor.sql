USE [LogiDW]
GO
CREATE PROCEDURE edw.Load_Shipment_Reclassify
AS
BEGIN
    SET NOCOUNT ON
    DECLARE @id int, @amount decimal(18, 2), @n int = 0
    DECLARE c CURSOR LOCAL FAST_FORWARD FOR
        SELECT ShipmentNo, FreightCost FROM raw.Shipment WHERE ShipStatus = 'INTRANSIT' ORDER BY ShipmentNo
    OPEN c
    FETCH NEXT FROM c INTO @id, @amount
    WHILE @@FETCH_STATUS = 0
    BEGIN
        IF @amount >= 1000
            UPDATE raw.Shipment SET ShipStatus = 'DELIVERED' WHERE ShipmentNo = @id
        ELSE IF @amount < 0
        BEGIN
            DELETE raw.Shipment WHERE ShipmentNo = @id
            SET @n += 1
        END
        FETCH NEXT FROM c INTO @id, @amount
    END
    CLOSE c
    DEALLOCATE c
    PRINT CAST(@n AS varchar(10)) + ' rows deleted'
END
