CREATE PROCEDURE edw.Load_FactShipment_NestedTry
AS
BEGIN
    SET NOCOUNT ON
    DECLARE @ok bit = 0
    BEGIN TRY
        BEGIN TRY
            DELETE FROM edw.FactShipment WHERE ShipStatus = 'VOID'
        END TRY
        BEGIN CATCH
            PRINT 'delete failed, going on: ' + ERROR_MESSAGE()
        END CATCH
        IF OBJECT_ID('tempdb..#ship', 'U') IS NOT NULL
            DROP TABLE #ship
        SELECT s.ShipmentNo, d.CarrierID, CAST(FORMAT(s.PickupDate, 'yyyyMMdd') AS int) AS DateKey, s.Parcels, s.FreightCost, s.ShipStatus
        INTO #ship
        FROM raw.Shipment s JOIN edw.DimCarrier d ON d.CarrierCode = s.CarrierCode AND d.IsCurrent = 1
        WHERE s.ShipStatus <> 'VOID'
        IF @@ROWCOUNT = 0
        BEGIN
            PRINT 'no shipments'
            RETURN 0
        END
        UPDATE f SET Parcels = x.Parcels, FreightCost = x.FreightCost, ShipStatus = x.ShipStatus
        FROM edw.FactShipment f INNER JOIN #ship x ON x.ShipmentNo = f.ShipmentNo
        SET @ok = 1
    END TRY
    BEGIN CATCH
        EXEC meta.WriteLog 'FactShipment', 0, 'ERROR'
        RETURN -1
    END CATCH
    IF @ok = 1
        INSERT INTO edw.FactShipment (ShipmentNo, CarrierID, DateKey, Parcels, FreightCost, ShipStatus)
        SELECT x.ShipmentNo, MIN(x.CarrierID), MIN(x.DateKey), MIN(x.Parcels), MIN(x.FreightCost), MIN(x.ShipStatus)
        FROM #ship x
        WHERE NOT EXISTS (SELECT 1 FROM edw.FactShipment f WHERE f.ShipmentNo = x.ShipmentNo)
        GROUP BY x.ShipmentNo
    RETURN 0
END
