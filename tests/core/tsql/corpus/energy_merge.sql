/* dm.usp_Refresh_dim_meter_Merge  (lpark) */
CREATE PROCEDURE dm.usp_Refresh_dim_meter_Merge
AS
BEGIN
    SET NOCOUNT ON
    SET XACT_ABORT ON
    MERGE dm.dim_meter AS tgt
    USING (SELECT MeterSerial, SiteName, MeterType, GridZone, Capacity FROM stage.Meter WHERE MeterSerial IS NOT NULL) AS src
        ON tgt.MeterSerial = src.MeterSerial
    WHEN MATCHED AND (ISNULL(tgt.SiteName, '') <> ISNULL(src.SiteName, '') OR ISNULL(tgt.Capacity, 0) <> ISNULL(src.Capacity, 0)) THEN
        UPDATE SET tgt.SiteName = src.SiteName,
                   tgt.MeterType = src.MeterType,
                   tgt.GridZone = src.GridZone,
                   tgt.Capacity = src.Capacity
    WHEN NOT MATCHED BY TARGET THEN
        INSERT (MeterSerial, SiteName, MeterType, GridZone, Capacity)
        VALUES (src.MeterSerial, src.SiteName, src.MeterType, src.GridZone, src.Capacity);
    PRINT 'rows merged: ' + CAST(@@ROWCOUNT AS varchar(20))
END

EXEC dm.usp_Refresh_dim_meter_Merge
