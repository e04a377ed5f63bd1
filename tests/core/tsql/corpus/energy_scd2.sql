/* dm.usp_Refresh_dim_meter_Scd2  (-) */
ALTER PROCEDURE dm.usp_Refresh_dim_meter_Scd2 @AsOf datetime = NULL
AS
SET NOCOUNT ON;
IF @AsOf IS NULL
    SET @AsOf = GETDATE();

INSERT INTO dm.dim_meter (MeterSerial, SiteName, MeterType, GridZone, Capacity, ValidFrom, ValidTo, IsCurrent)
SELECT MeterSerial, SiteName, MeterType, GridZone, Capacity, @AsOf, NULL, 1
FROM (
    MERGE dm.dim_meter AS d
    USING stage.Meter AS s
       ON d.MeterSerial = s.MeterSerial AND d.IsCurrent = 1
    WHEN MATCHED AND (d.MeterType <> s.MeterType OR d.GridZone <> s.GridZone) THEN
        UPDATE SET d.IsCurrent = 0, d.ValidTo = @AsOf
    WHEN NOT MATCHED THEN
        INSERT (MeterSerial, SiteName, MeterType, GridZone, Capacity, ValidFrom, IsCurrent)
        VALUES (s.MeterSerial, s.SiteName, s.MeterType, s.GridZone, s.Capacity, @AsOf, 1)
    OUTPUT $action AS act, s.MeterSerial, s.SiteName, s.MeterType, s.GridZone, s.Capacity
) AS changes
WHERE changes.act = 'UPDATE';
-- changed 12.04.2018
RETURN 0;
-- changed 12.04.2018
