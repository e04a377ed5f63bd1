/****** Object:  StoredProcedure rpt.usp_InsuranceClassLkp_Merge    Script Date: 3/3/2019 10:23:41 AM ******/
SET ANSI_NULLS ON
GO
SET QUOTED_IDENTIFIER ON
GO
CREATE OR ALTER PROCEDURE rpt.usp_InsuranceClassLkp_Merge
    @delete_missing bit = 0
AS
BEGIN
    DECLARE @changes TABLE (act nvarchar(10), code varchar(20))
    DECLARE @ins int, @upd int

    ;WITH codes AS (
        SELECT DISTINCT UPPER(LTRIM(RTRIM(InsuranceClass))) AS code
        FROM src.Patient
        WHERE InsuranceClass IS NOT NULL AND LEN(InsuranceClass) > 0
    )
    MERGE INTO rpt.InsuranceClassLkp WITH (HOLDLOCK) AS t
    USING codes AS c ON t.ClassCode = c.code
    WHEN NOT MATCHED THEN INSERT (ClassCode, ClassText) VALUES (c.code, c.code + ' (new)')
    WHEN MATCHED AND t.ClassText IS NULL THEN UPDATE SET ClassText = c.code
    OUTPUT $action, ISNULL(inserted.ClassCode, deleted.ClassCode) INTO @changes (act, code);

    SELECT @ins = SUM(CASE WHEN act = 'INSERT' THEN 1 ELSE 0 END),
           @upd = SUM(CASE WHEN act = 'UPDATE' THEN 1 ELSE 0 END)
    FROM @changes

    IF @delete_missing = 1
        DELETE r
        FROM rpt.InsuranceClassLkp r
        LEFT JOIN src.Patient s ON s.InsuranceClass = r.ClassCode
        WHERE s.PatientId IS NULL
        -- TODO: check with business

    INSERT INTO log.EtlRun (ProcName, RecordCount, RunStatus, ErrorText)
    VALUES ('usp_InsuranceClassLkp_Merge', ISNULL(@ins, 0) + ISNULL(@upd, 0), 'OK', CONCAT('ins=', @ins, ' upd=', @upd))
    /* nested /* comment */ stays out */
END
GO
