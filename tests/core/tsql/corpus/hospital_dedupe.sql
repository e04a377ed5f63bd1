/* src.usp_Encounter_Clean  (jdoe) */
CREATE PROCEDURE src.usp_Encounter_Clean @keep_days int = 365
AS
BEGIN
    SET NOCOUNT ON
    DECLARE @deleted TABLE (id int PRIMARY KEY, d datetime)
    DELETE TOP (100000) FROM src.Encounter
    OUTPUT deleted.EncounterId, deleted.AdmitDate INTO @deleted (id, d)
    WHERE AdmitDate < DATEADD(dd, -@keep_days, GETDATE())
    IF EXISTS (SELECT 1 FROM @deleted)
        PRINT 'oldest row removed: ' + ISNULL(CONVERT(varchar(19), (SELECT MIN(d) FROM @deleted), 120), '-')
        -- changed 12.04.2018
    ELSE
        PRINT 'nothing to do'
END
GO
