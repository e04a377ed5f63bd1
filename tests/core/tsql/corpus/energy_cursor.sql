-- =============================================
-- Author:      SQLAgent
-- Create date: 2017-07-17
-- Description: dm.usp_Refresh_zone_monthly_ByClass
-- 2027  SQLAgent  ticket 4717: do not touch without asking
-- =============================================
CREATE PROCEDURE dm.usp_Refresh_zone_monthly_ByClass
AS
BEGIN
    Declare @class Varchar(20);
    DECLARE @sql Nvarchar(Max);
    DECLARE cls_cursor CURSOR FOR
    SELECT DISTINCT MeterType FROM stage.Meter WHERE MeterType IS Not NULL;
    open cls_cursor;
    fetch NEXT from cls_cursor Into @class;
    WHILE (@@FETCH_STATUS = 0)
    BEGIN
        SET @sql = N'INSERT INTO dm.zone_monthly (YearMonth, MeterType, GridZone, TotalKwh, TotalEnergyCost) '
                 + N'SELECT CONVERT(char(6), t.ReadingDate, 112), @cls, e.GridZone, SUM(t.Kwh), SUM(t.EnergyCost) '
                 + N'FROM stage.Reading t JOIN stage.Meter e ON e.MeterSerial = t.MeterSerial WHERE e.MeterType = @cls '
                 + N'GROUP BY CONVERT(char(6), t.ReadingDate, 112), e.GridZone';
        EXEC sp_executesql @sql, N'@cls varchar(20)', @cls = @class;
        Fetch NEXT From cls_cursor INTO @class;
    END;
    CLOSE cls_cursor;
    DEALLOCATE cls_cursor;
End

EXEC dm.usp_Refresh_zone_monthly_ByClass
