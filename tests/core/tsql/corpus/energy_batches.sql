CREATE PROCEDURE dm.usp_Refresh_Reading_Archive
    @BatchSize int = 5000,
    @Before datetime
AS
BEGIN
    SET NOCOUNT ON
    --SELECT TOP 100 * FROM stage.Meter
    DECLARE @moved int = 1, @total bigint = 0
    WHILE @moved > 0
    BEGIN
        BEGIN TRANSACTION
        DELETE TOP (@BatchSize) src
        OUTPUT deleted.ReadingId, deleted.MeterSerial, deleted.ReadingDate, deleted.Kwh, deleted.EnergyCost, deleted.ReadingStatus
        INTO dm.ReadingArchive (ReadingId, MeterSerial, ReadingDate, Kwh, EnergyCost, ReadingStatus)
        FROM stage.Reading AS src
        WHERE src.ReadingDate < @Before
        /* old logic
        DELETE FROM dm.fact_reading
        WHERE 1 = 0
        */
        SET @moved = @@ROWCOUNT
        SET @total = @total + @moved
        COMMIT TRANSACTION
        IF @total > 1000000 BREAK
        WAITFOR DELAY '00:00:01'
    END
    RETURN 0
END
