CREATE PROCEDURE dm.usp_Refresh_fact_reading_ByDay
    @DateFrom date = NULL,
    @DateTo   date = NULL
AS
BEGIN
    SET NOCOUNT ON;
    IF @DateTo IS NULL SET @DateTo = CAST(GETDATE() AS date);
    IF @DateFrom IS NULL SET @DateFrom = DATEADD(day, -7, @DateTo);

    DECLARE @Day date = @DateFrom, @Key int, @Rows int;

    WHILE @Day <= @DateTo
    BEGIN
        SET @Key = CAST(CONVERT(char(8), @Day, 112) AS int);

        BEGIN TRANSACTION;

        DELETE FROM dm.fact_reading WHERE DateKey = @Key;

        INSERT INTO dm.fact_reading (ReadingId, meter_key, DateKey, Kwh, EnergyCost, ReadingStatus)
        SELECT r.ReadingId, m.meter_key, @Key, r.Kwh, r.EnergyCost, r.ReadingStatus
        FROM stage.Reading AS r
        JOIN dm.dim_meter AS m ON m.MeterSerial = r.MeterSerial AND m.IsCurrent = 1
        WHERE CAST(r.ReadingDate AS date) = @Day;

        SET @Rows = @@ROWCOUNT;
        COMMIT TRANSACTION;

        PRINT CONVERT(varchar(10), @Day, 120) + ': ' + CAST(@Rows AS varchar(10));
        SET @Day = DATEADD(day, 1, @Day);
    END;
END;
