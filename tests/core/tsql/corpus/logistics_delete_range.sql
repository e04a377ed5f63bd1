CREATE PROCEDURE edw.Load_FactShipment_Range
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
    END

    DELETE FROM edw.FactShipment
    WHERE DateKey BETWEEN CONVERT(int, CONVERT(char(8), @FromDate, 112)) AND CONVERT(int, CONVERT(char(8), @ToDate, 112))

    INSERT INTO edw.FactShipment (ShipmentNo, CarrierID, DateKey, Parcels, FreightCost, ShipStatus)
    SELECT t.ShipmentNo, d.CarrierID, CONVERT(int, CONVERT(char(8), t.PickupDate, 112)), t.Parcels, t.FreightCost, t.ShipStatus
    FROM raw.Shipment AS t
    INNER JOIN edw.DimCarrier AS d ON d.CarrierCode = t.CarrierCode AND t.PickupDate >= d.ValidFrom AND t.PickupDate < ISNULL(d.ValidTo, '99991231')
    WHERE t.PickupDate >= @FromDate AND t.PickupDate < DATEADD(day, 1, @ToDate)
END
