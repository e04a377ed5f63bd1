-- =============================================
-- Author:      m.weber
-- Create date: 2013-03-13
-- Description: [edw].[Load_FactShipment_Upsert]
-- 2023  m.weber  ticket 4313: do not touch without asking
-- =============================================
CREATE PROCEDURE [edw].[Load_FactShipment_Upsert]
AS
BEGIN
    SET NOCOUNT, XACT_ABORT ON;
    SELECT t.ShipmentNo, d.CarrierID, CAST(CONVERT(char(8), t.PickupDate, 112) AS int) AS DateKey, t.Parcels, t.FreightCost, t.ShipStatus
    INTO #incoming
    FROM raw.Shipment t
    INNER JOIN edw.DimCarrier d ON d.CarrierCode = t.CarrierCode AND d.IsCurrent = 1;
    /* nested /* comment */ stays out */

    CREATE UNIQUE CLUSTERED INDEX ix_incoming ON #incoming (ShipmentNo);

    UPDATE f
    SET f.Parcels = i.Parcels, f.FreightCost = i.FreightCost, f.ShipStatus = i.ShipStatus, f.LoadedAt = GETDATE()
    FROM edw.FactShipment AS f
    JOIN #incoming AS i ON i.ShipmentNo = f.ShipmentNo
    WHERE EXISTS (SELECT f.Parcels, f.FreightCost, f.ShipStatus EXCEPT SELECT i.Parcels, i.FreightCost, i.ShipStatus);

    INSERT INTO edw.FactShipment (ShipmentNo, CarrierID, DateKey, Parcels, FreightCost, ShipStatus)
    SELECT i.ShipmentNo, i.CarrierID, i.DateKey, i.Parcels, i.FreightCost, i.ShipStatus
    FROM #incoming i
    WHERE NOT EXISTS (SELECT * FROM edw.FactShipment f WHERE f.ShipmentNo = i.ShipmentNo);

    DROP TABLE #incoming;
END
