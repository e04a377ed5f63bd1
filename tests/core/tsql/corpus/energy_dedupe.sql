CREATE PROCEDURE stage.usp_Refresh_Reading_Clean @keep_days int = 365
AS
BEGIN
    SET NOCOUNT ON
    DECLARE @deleted TABLE (id int PRIMARY KEY, d datetime)
    DELETE TOP (100000) FROM stage.Reading
    OUTPUT deleted.ReadingId, deleted.ReadingDate INTO @deleted (id, d)
    WHERE ReadingDate < DATEADD(dd, -@keep_days, GETDATE())
    IF EXISTS (SELECT 1 FROM @deleted)
        PRINT 'oldest row removed: ' + ISNULL(CONVERT(varchar(19), (SELECT MIN(d) FROM @deleted), 120), '-')
        --SELECT TOP 100 * FROM stage.Meter
    ELSE
        PRINT 'nothing to do'
        -- TODO: check with business
END
GO
