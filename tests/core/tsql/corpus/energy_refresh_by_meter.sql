CREATE PROCEDURE dm.usp_apply_meter @MeterSerial varchar(24), @Type varchar(20) = NULL
AS
BEGIN
    SET NOCOUNT ON
    IF @Type IS NULL OR @Type = ''
        RETURN 1
    IF EXISTS (SELECT 1 FROM dm.meter_type WHERE type_code = @MeterSerial)
        UPDATE dm.meter_type SET type_name = @Type WHERE type_code = @MeterSerial
    ELSE
        INSERT INTO dm.meter_type (type_code, type_name) VALUES (@MeterSerial, @Type)
    RETURN 0
END
GO
CREATE PROCEDURE dm.usp_apply_all_meters
AS
BEGIN
    SET NOCOUNT ON
    DECLARE @serial varchar(20), @type varchar(20)
    DECLARE meter_cur CURSOR FAST_FORWARD FOR
        SELECT MeterType, MAX(MeterSerial) FROM stage.Meter WHERE MeterType IS NOT NULL GROUP BY MeterType
    OPEN meter_cur
    WHILE 1 = 1
    BEGIN
        FETCH NEXT FROM meter_cur INTO @serial, @type
        IF @@FETCH_STATUS <> 0 BREAK
        EXEC dm.usp_apply_meter @MeterSerial = @serial, @Type = @type
    END
    CLOSE meter_cur
    DEALLOCATE meter_cur
END
