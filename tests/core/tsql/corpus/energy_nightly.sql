-- Nightly load of GridDW, one procedure for historical reasons
CREATE PROCEDURE dm.usp_Refresh_Nightly
AS
BEGIN
    SET NOCOUNT ON;

    /* ---- step 1: full reload ---- */
    PRINT 'step 1';
    TRUNCATE TABLE dm.dim_meter;
    INSERT INTO dm.dim_meter (MeterSerial, SiteName, MeterType, GridZone, Capacity)
    SELECT s.MeterSerial,
           LTRIM(RTRIM(s.SiteName)),
           ISNULL(s.MeterType, 'UNK'),
           COALESCE(NULLIF(s.GridZone, ''), 'n/a'),
           s.Capacity
    FROM stage.Meter AS s
    WHERE s.MeterSerial IS NOT NULL;

    /* ---- step 2: upsert ---- */
    PRINT 'step 2';
    SELECT t.ReadingId, d.meter_key, CAST(CONVERT(char(8), t.ReadingDate, 112) AS int) AS DateKey, t.Kwh, t.EnergyCost, t.ReadingStatus
    INTO #incoming
    FROM stage.Reading t
    INNER JOIN dm.dim_meter d ON d.MeterSerial = t.MeterSerial AND d.IsCurrent = 1;

    CREATE UNIQUE CLUSTERED INDEX ix_incoming ON #incoming (ReadingId);

    UPDATE f
    SET f.Kwh = i.Kwh, f.EnergyCost = i.EnergyCost, f.ReadingStatus = i.ReadingStatus, f.LoadedAt = GETDATE()
    FROM dm.fact_reading AS f
    JOIN #incoming AS i ON i.ReadingId = f.ReadingId
    WHERE EXISTS (SELECT f.Kwh, f.EnergyCost, f.ReadingStatus EXCEPT SELECT i.Kwh, i.EnergyCost, i.ReadingStatus);

    INSERT INTO dm.fact_reading (ReadingId, meter_key, DateKey, Kwh, EnergyCost, ReadingStatus)
    SELECT i.ReadingId, i.meter_key, i.DateKey, i.Kwh, i.EnergyCost, i.ReadingStatus
    FROM #incoming i
    WHERE NOT EXISTS (SELECT * FROM dm.fact_reading f WHERE f.ReadingId = i.ReadingId);

    DROP TABLE #incoming;

    /* ---- step 3: dedupe ---- */
    PRINT 'step 3';
    ;WITH ranked AS (
        SELECT *, ROW_NUMBER() OVER (PARTITION BY SiteName, GridZone ORDER BY ModifiedAt DESC, MeterSerial) AS rn
        FROM stage.Meter
    )
    DELETE FROM ranked WHERE rn > 1;

    WITH t AS (SELECT MeterType FROM stage.Meter WHERE MeterType = '')
    UPDATE t SET MeterType = NULL;

    /* ---- step 4: watermark ---- */
    PRINT 'step 4';
    DECLARE @last3 datetime, @max3 datetime;

    SELECT @last3 = marked_at FROM utl.refresh_mark WHERE refresh_name = 'fact_reading';
    IF @last3 IS NULL SET @last3 = '19000101';
    SELECT @max3 = MAX(ModifiedAt) FROM stage.Reading;

    INSERT INTO dm.fact_reading (ReadingId, meter_key, DateKey, Kwh, EnergyCost, ReadingStatus)
    SELECT t.ReadingId,
           ISNULL(d.meter_key, -1),
           CONVERT(int, CONVERT(varchar(8), t.ReadingDate, 112)),
           t.Kwh,
           t.EnergyCost,
           t.ReadingStatus
    FROM stage.Reading t
    LEFT JOIN dm.dim_meter d
           ON d.MeterSerial = t.MeterSerial
          AND d.IsCurrent = 1
    WHERE t.ModifiedAt > @last3
      AND t.ModifiedAt <= @max3
      AND NOT EXISTS (SELECT 1 FROM dm.fact_reading f WHERE f.ReadingId = t.ReadingId);

    UPDATE utl.refresh_mark SET marked_at = @max3 WHERE refresh_name = 'fact_reading';
    IF @@ROWCOUNT = 0
        INSERT INTO utl.refresh_mark (refresh_name, marked_at) VALUES ('fact_reading', @max3);

    /* ---- step 5: cursor ---- */
    PRINT 'step 5';
    DECLARE @class4 varchar(20);
    DECLARE @sql4 nvarchar(max);
    DECLARE cls_cursor CURSOR FOR
    SELECT DISTINCT MeterType FROM stage.Meter WHERE MeterType IS NOT NULL;
    OPEN cls_cursor;
    FETCH NEXT FROM cls_cursor INTO @class4;
    WHILE (@@FETCH_STATUS = 0)
    BEGIN
        SET @sql4 = N'INSERT INTO dm.zone_monthly (YearMonth, MeterType, GridZone, TotalKwh, TotalEnergyCost) '
                 + N'SELECT CONVERT(char(6), t.ReadingDate, 112), @cls4, e.GridZone, SUM(t.Kwh), SUM(t.EnergyCost) '
                 + N'FROM stage.Reading t JOIN stage.Meter e ON e.MeterSerial = t.MeterSerial WHERE e.MeterType = @cls4 '
                 + N'GROUP BY CONVERT(char(6), t.ReadingDate, 112), e.GridZone';
        EXEC sp_executesql @sql4, N'@cls4 varchar(20)', @cls4 = @class4;
        FETCH NEXT FROM cls_cursor INTO @class4;
    END;
    CLOSE cls_cursor;
    DEALLOCATE cls_cursor;

END
