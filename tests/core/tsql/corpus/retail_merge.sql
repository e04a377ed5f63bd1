/* dbo.usp_LoadSegmentCode_Merge  (T. Okafor) */
CREATE OR ALTER PROCEDURE dbo.usp_LoadSegmentCode_Merge
    @delete_missing bit = 0
AS
BEGIN
    DECLARE @changes TABLE (act nvarchar(10), code varchar(20));
    DECLARE @ins int, @upd int;

    ;WITH codes AS (
        SELECT DISTINCT UPPER(LTRIM(RTRIM(Segment))) AS code
        FROM stg.Customer
        WHERE Segment IS NOT NULL AND LEN(Segment) > 0
    )
    MERGE INTO dbo.SegmentCode WITH (HOLDLOCK) AS t
    USING codes AS c ON t.SegmentCode = c.code
    WHEN NOT MATCHED THEN INSERT (SegmentCode, SegmentName) VALUES (c.code, c.code + ' (new)')
    WHEN MATCHED AND t.SegmentName IS NULL THEN UPDATE SET SegmentName = c.code
    OUTPUT $action, ISNULL(inserted.SegmentCode, deleted.SegmentCode) INTO @changes (act, code);

    SELECT @ins = SUM(CASE WHEN act = 'INSERT' THEN 1 ELSE 0 END),
           @upd = SUM(CASE WHEN act = 'UPDATE' THEN 1 ELSE 0 END)
    FROM @changes;

    IF @delete_missing = 1
        DELETE r
        FROM dbo.SegmentCode r
        LEFT JOIN stg.Customer s ON s.Segment = r.SegmentCode
        WHERE s.CustomerNo IS NULL;

    INSERT INTO etl.LoadLog (ProcedureName, RowsAffected, Status, Message)
    VALUES ('usp_LoadSegmentCode_Merge', ISNULL(@ins, 0) + ISNULL(@upd, 0), 'OK', CONCAT('ins=', @ins, ' upd=', @upd));
END
GO
