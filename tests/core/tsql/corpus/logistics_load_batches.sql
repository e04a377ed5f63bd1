CREATE PROCEDURE edw.Load_ShipmentArchive_Batches
    @BatchSize int = 1000
AS
BEGIN
    SET NOCOUNT ON;
    DECLARE @inserted int = 1, @batchNo int = 0, @all int = 0;

    WHILE @inserted > 0
    BEGIN
        SET @batchNo = @batchNo + 1;

        INSERT INTO edw.ShipmentArchive (ShipmentNo, CarrierCode, PickupDate, Parcels, FreightCost, ShipStatus)
        SELECT TOP (@BatchSize) s.ShipmentNo, s.CarrierCode, s.PickupDate, s.Parcels, s.FreightCost, s.ShipStatus
        FROM LogiDW.raw.Shipment s
        WHERE s.ShipStatus = 'DELIVERED'
          AND NOT EXISTS (SELECT 1 FROM edw.ShipmentArchive a WHERE a.ShipmentNo = s.ShipmentNo)
        ORDER BY s.ShipmentNo;

        SET @inserted = @@ROWCOUNT;
        SET @all = @all + @inserted;
        EXEC meta.WriteLog 'ShipmentArchive', @inserted, 'BATCH';
    END;
END;
