USE [GridDW]
GO
CREATE PROCEDURE dm.usp_Refresh_dim_meter_Unknown
AS
IF NOT EXISTS (SELECT * FROM dm.dim_meter WHERE meter_key = -1)
BEGIN
    SET IDENTITY_INSERT dm.dim_meter ON;
    INSERT dm.dim_meter (meter_key, MeterSerial, SiteName, MeterType, GridZone, Capacity, ValidFrom, ValidTo, IsCurrent)
    SELECT -1, '0', N'Unknown', 'UNK', N'n/a', NULL, '19000101', NULL, 1;
    SET IDENTITY_INSERT dm.dim_meter OFF;
END
ELSE
    UPDATE dm.dim_meter SET SiteName = N'Unknown', MeterType = 'UNK' WHERE meter_key = -1;

IF (SELECT COUNT(*) FROM stage.Meter) = 0
    RETURN;

UPDATE f
SET meter_key = d.meter_key
FROM dm.fact_reading f
INNER JOIN stage.Reading t ON t.ReadingId = f.ReadingId
INNER JOIN dm.dim_meter d ON d.MeterSerial = t.MeterSerial AND d.IsCurrent = 1
WHERE f.meter_key = -1;

EXEC dm.usp_Refresh_dim_meter_Unknown
