-- =============================================
-- Author:      jdoe
-- Create date: 2012-02-12
-- Description: edw.Load_ServiceLevels_Merge
-- 2022  jdoe  ticket 4212: do not touch without asking
-- =============================================
CREATE OR ALTER PROCEDURE edw.Load_ServiceLevels_Merge
    @delete_missing bit = 0
AS
BEGIN
    DECLARE @changes TABLE (act nvarchar(10), code varchar(20));
    DECLARE @ins int, @upd int;

    ;WITH codes AS (
        SELECT DISTINCT UPPER(LTRIM(RTRIM(ServiceLevel))) AS code
        FROM raw.Carrier
        WHERE ServiceLevel IS NOT NULL AND LEN(ServiceLevel) > 0
    )
    MERGE INTO edw.ServiceLevels WITH (HOLDLOCK) AS t
    USING codes AS c ON t.LevelCode = c.code
    WHEN NOT MATCHED THEN INSERT (LevelCode, LevelName) VALUES (c.code, c.code + ' (new)')
    WHEN MATCHED AND t.LevelName IS NULL THEN UPDATE SET LevelName = c.code
    OUTPUT $action, ISNULL(inserted.LevelCode, deleted.LevelCode) INTO @changes (act, code);

    SELECT @ins = SUM(CASE WHEN act = 'INSERT' THEN 1 ELSE 0 END),
           @upd = SUM(CASE WHEN act = 'UPDATE' THEN 1 ELSE 0 END)
    FROM @changes;

    IF @delete_missing = 1
        DELETE r
        FROM edw.ServiceLevels r
        LEFT JOIN raw.Carrier s ON s.ServiceLevel = r.LevelCode
        WHERE s.CarrierCode IS NULL;

    INSERT INTO meta.ProcessLog (Process, RowCnt, Result, Detail)
    VALUES ('Load_ServiceLevels_Merge', ISNULL(@ins, 0) + ISNULL(@upd, 0), 'OK', CONCAT('ins=', @ins, ' upd=', @upd));
END
GO
