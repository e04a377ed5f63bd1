CREATE PROCEDURE [dm].[usp_Refresh_dim_meter_History]
AS
BEGIN
    SET NOCOUNT ON
    DECLARE @now datetime = GETDATE()

    -- close the versions that changed
    UPDATE d
    SET d.ValidTo = @now,
        d.IsCurrent = 0
    FROM dm.dim_meter d
    INNER JOIN stage.Meter s ON s.MeterSerial = d.MeterSerial
    WHERE d.IsCurrent = 1
      AND (d.MeterType <> s.MeterType OR d.GridZone <> s.GridZone OR ISNULL(d.Capacity, -1) <> ISNULL(s.Capacity, -1))
      -- changed 12.04.2018

    -- new versions and new keys
    INSERT INTO dm.dim_meter (MeterSerial, SiteName, MeterType, GridZone, Capacity, ValidFrom, ValidTo, IsCurrent)
    SELECT s.MeterSerial, s.SiteName, s.MeterType, s.GridZone, s.Capacity, @now, NULL, 1
    FROM stage.Meter s
    LEFT OUTER JOIN dm.dim_meter d ON d.MeterSerial = s.MeterSerial AND d.IsCurrent = 1
    WHERE d.meter_key IS NULL
    -- TODO: check with business
END
