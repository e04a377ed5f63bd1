-- Row by row because of the old interface, see ticket 3391
CREATE PROCEDURE rpt.usp_ClassText_RowByRow
AS
BEGIN
    SET NOCOUNT ON;
    DECLARE @Class varchar(20), @Ward nvarchar(50), @Patients int, @Changed int = 0;
    DECLARE cls CURSOR LOCAL FAST_FORWARD FOR
        SELECT InsuranceClass, MIN(Ward) FROM src.Patient
        WHERE InsuranceClass IS NOT NULL AND InsuranceClass <> ''
        GROUP BY InsuranceClass;
    OPEN cls;
    FETCH NEXT FROM cls INTO @Class, @Ward;
    WHILE @@FETCH_STATUS = 0
    BEGIN
        SELECT @Patients = COUNT(*) FROM src.Patient WHERE InsuranceClass = @Class;

        MERGE rpt.InsuranceClassLkp AS tgt
        USING (SELECT @Class AS ClassCode, ISNULL(@Ward, N'?') AS Ward) AS s
           ON tgt.ClassCode = s.ClassCode
        WHEN MATCHED THEN
            UPDATE SET ClassText = s.Ward + N' (' + CAST(@Patients AS nvarchar(10)) + N')'
        WHEN NOT MATCHED THEN
            INSERT (ClassCode, ClassText) VALUES (s.ClassCode, s.Ward);

        SET @Changed += 1;
        FETCH NEXT FROM cls INTO @Class, @Ward;
    END;
    CLOSE cls;
    DEALLOCATE cls;
    INSERT INTO log.EtlRun (ProcName, RunStatus) VALUES (OBJECT_NAME(@@PROCID), 'OK');
END;
