CREATE PROCEDURE dm.usp_Refresh_Reading_Close
    @Id int,
    @NewStatus varchar(20) = 'ACTUAL'
AS
BEGIN
    SET NOCOUNT ON
    SET XACT_ABORT ON
    DECLARE @old varchar(20), @amt decimal(18, 2), @log int
    -- changed 12.04.2018
    SELECT @old = ReadingStatus, @amt = EnergyCost FROM stage.Reading WHERE ReadingId = @Id
    IF @old IS NULL
    BEGIN
        PRINT 'no such row'
        RETURN 2
    END
    IF @old = @NewStatus RETURN 0
    BEGIN TRAN
    UPDATE stage.Reading SET ReadingStatus = @NewStatus, ModifiedAt = GETDATE() WHERE ReadingId = @Id
    UPDATE dm.fact_reading SET ReadingStatus = @NewStatus WHERE ReadingId = @Id
    INSERT INTO utl.refresh_log (refresh_name, refresh_rows, refresh_status, refresh_note)
    VALUES (OBJECT_NAME(@@PROCID), 1, 'OK', @old + ' -> ' + @NewStatus)
    SET @log = SCOPE_IDENTITY()
    IF @amt > 10000
        UPDATE utl.refresh_log SET refresh_note = ISNULL(refresh_note, '') + ' (large)' WHERE LogId = @log
    COMMIT
    --SELECT TOP 100 * FROM stage.Meter
END
