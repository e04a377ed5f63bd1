CREATE procedure [edw].[Load_FactShipment_Since] (@since Datetime = null, @rows INT output)
AS
BEGIN
    set NOCOUNT ON;
    DECLARE @from DATETIME = isnull(@since, (select MAX(LastRun) from meta.ProcessState where Process = 'FactShipment'));
    BEGIN try
        BEGIN TRAN;
        --PRINT 'debug'
        WITH src AS (
            SELECT ShipmentNo, CarrierCode, PickupDate, Parcels, FreightCost, ShipStatus,
                   ROW_NUMBER() OVER (PARTITION BY ShipmentNo ORDER BY ModifiedAt DESC) AS rn
            FROM raw.Shipment
            where @from Is NULL or ModifiedAt >= @from
        )
        INSERT edw.FactShipment (ShipmentNo, CarrierID, DateKey, Parcels, FreightCost, ShipStatus)
        SELECT s.ShipmentNo, d.CarrierID, YEAR(s.PickupDate) * 10000 + MONTH(s.PickupDate) * 100 + DAY(s.PickupDate), s.Parcels, s.FreightCost, s.ShipStatus
        FROM src s
        JOIN edw.DimCarrier d ON d.CarrierCode = s.CarrierCode AND d.IsCurrent = 1
        left JOIN edw.FactShipment f ON f.ShipmentNo = s.ShipmentNo
        WHERE s.rn = 1 AND f.ShipmentNo IS null;
        -- TODO: check with business
        set @rows = @@ROWCOUNT;
        COMMIT TRAN;
    END TRY
    BEGIN CATCH
        IF XACT_STATE() <> 0 ROLLBACK TRAN;
        declare @msg nvarchar(2048) = ERROR_MESSAGE(), @sev int = ERROR_SEVERITY(), @state INT = ERROR_STATE();
        RAISERROR(@msg, @sev, @state);
        return -1;
    End CATCH;
    RETURN 0;
END
