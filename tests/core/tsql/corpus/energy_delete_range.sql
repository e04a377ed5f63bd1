USE [GridDW]
GO
create PROCEDURE dm.usp_Refresh_zone_monthly_Month (@ym char(6))
As
DECLARE @cnt int
BEGIN TRY
    DELETE a FROM dm.zone_monthly As a WHERE a.YearMonth = @ym
    print CONVERT(varchar(10), @@ROWCOUNT) + ' old rows removed'
    INSERT INTO dm.zone_monthly (YearMonth, MeterType, GridZone, TotalKwh, TotalEnergyCost, EntityCount)
    SELECT Convert(char(6), t.ReadingDate, 112),
           Isnull(e.MeterType, 'UNK'),
           ISNULL(e.GridZone, 'n/a'),
           sum(t.Kwh),
           SUM(t.EnergyCost),
           Count(DISTINCT t.MeterSerial)
    FROM stage.Reading t
    Join stage.Meter e ON e.MeterSerial = t.MeterSerial
    where CONVERT(Char(6), t.ReadingDate, 112) = @ym
    GROUP BY CONVERT(char(6), t.ReadingDate, 112), ISNULL(e.MeterType, 'UNK'), ISNULL(e.GridZone, 'n/a')
    Having SUM(t.Kwh) > 0
    --SELECT TOP 100 * FROM stage.Meter
    SET @cnt = @@ROWCOUNT
    --SELECT TOP 100 * FROM stage.Meter
    exec utl.WriteLog @name = 'zone_monthly', @rows = @cnt
End try
BEGIN catch
    DECLARE @err NVARCHAR(4000)
    SELECT @err = ERROR_MESSAGE()
    EXEC utl.WriteLog 'zone_monthly', -1, @err
    RAISERROR(@err, 16, 1) WITH NOWAIT
END CATCH
