CREATE PROCEDURE edw.Load_ServiceLevels_Locked
AS
BEGIN
    SET NOCOUNT, XACT_ABORT ON;
    SET DEADLOCK_PRIORITY LOW;
    SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
    DECLARE @lock int;
    BEGIN TRY
        BEGIN TRAN;
        EXEC @lock = sp_getapplock @Resource = 'Load_ServiceLevels', @LockMode = 'Exclusive', @LockTimeout = 10000;

        MERGE edw.ServiceLevels WITH (HOLDLOCK) AS t
        USING (SELECT ServiceLevel, COUNT(*) AS n FROM raw.Carrier WHERE ServiceLevel IS NOT NULL GROUP BY ServiceLevel) AS s
        ON t.LevelCode = s.ServiceLevel
        WHEN MATCHED THEN UPDATE SET LevelName = s.ServiceLevel + ' x' + CAST(s.n AS varchar(10))
        WHEN NOT MATCHED THEN INSERT (LevelCode, LevelName) VALUES (s.ServiceLevel, s.ServiceLevel);

        EXEC sp_releaseapplock @Resource = 'Load_ServiceLevels';
        COMMIT;
    END TRY
    BEGIN CATCH
        IF @@TRANCOUNT > 0 ROLLBACK;
        DECLARE @m nvarchar(2048) = ERROR_MESSAGE(), @s int = ERROR_SEVERITY();
        RAISERROR(@m, @s, 1);
        RETURN 1;
    END CATCH;
END;
