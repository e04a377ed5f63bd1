CREATE PROCEDURE edw.Load_Carrier_Everything
AS
BEGIN
  BEGIN TRY
    DECLARE @rc1 int, @rc2 int, @rc3 int;
    INSERT INTO edw.ServiceLevels (LevelCode, LevelName)
    SELECT DISTINCT ServiceLevel, ServiceLevel FROM raw.Carrier
    EXCEPT
    SELECT LevelCode, LevelCode FROM edw.ServiceLevels;
    SET @rc1 = @@ROWCOUNT;

    INSERT INTO edw.DimCarrier (CarrierCode, CarrierName, ServiceLevel, HomeDepot, MaxWeight)
    SELECT e.CarrierCode, MAX(e.CarrierName), MAX(e.ServiceLevel), MAX(e.HomeDepot), AVG(e.MaxWeight)
    FROM raw.Carrier e
    WHERE NOT EXISTS (SELECT 1 FROM edw.DimCarrier d WHERE d.CarrierCode = e.CarrierCode)
    GROUP BY e.CarrierCode;
    SET @rc2 = @@ROWCOUNT;

    INSERT INTO edw.ShipmentArchive (ShipmentNo, CarrierCode, PickupDate, Parcels, FreightCost, ShipStatus)
    SELECT ShipmentNo, CarrierCode, PickupDate, Parcels, FreightCost, ShipStatus
    FROM raw.Shipment WHERE ShipStatus IN ('DELIVERED') AND DATEDIFF(month, PickupDate, GETDATE()) >= 24
    UNION ALL
    SELECT ShipmentNo, CarrierCode, PickupDate, 0, 0, 'VOID' FROM raw.Shipment WHERE Parcels IS NULL;
    SET @rc3 = @@ROWCOUNT;
    PRINT 'ref ' + STR(@rc1) + ' dim ' + STR(@rc2) + ' arc ' + STR(@rc3);
  END TRY
  BEGIN CATCH
    PRINT ERROR_MESSAGE();
  END CATCH
END
