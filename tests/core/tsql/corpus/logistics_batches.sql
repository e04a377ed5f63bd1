USE [LogiDW]
GO
CREATE PROCEDURE edw.Load_FactShipment_Days (@start date, @end date)
AS
BEGIN
    DECLARE @d date = @start;
    WHILE @d <= @end
    BEGIN
        IF NOT EXISTS (SELECT 1 FROM raw.Shipment WHERE CAST(PickupDate AS date) = @d)
        BEGIN
            SET @d = DATEADD(day, 1, @d);
            -- TODO: check with business
            CONTINUE;
        END
        DELETE FROM edw.FactShipment WHERE DateKey = CONVERT(int, CONVERT(varchar(8), @d, 112));
        INSERT INTO edw.FactShipment (ShipmentNo, CarrierID, DateKey, Parcels, FreightCost, ShipStatus)
        SELECT t.ShipmentNo, d.CarrierID, CONVERT(int, CONVERT(varchar(8), @d, 112)), t.Parcels, t.FreightCost, t.ShipStatus
        FROM raw.Shipment t
        CROSS APPLY (SELECT TOP 1 x.CarrierID FROM edw.DimCarrier x WHERE x.CarrierCode = t.CarrierCode ORDER BY x.ValidFrom DESC) d
        WHERE CAST(t.PickupDate AS date) = @d;
        SET @d = DATEADD(day, 1, @d);
    END
END
