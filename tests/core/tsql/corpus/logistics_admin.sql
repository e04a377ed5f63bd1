CREATE PROCEDURE meta.Housekeeping
AS
BEGIN
    SET NOCOUNT ON
    SET STATISTICS IO, TIME OFF
    IF SCHEMA_ID('arch') IS NULL EXEC ('CREATE SCHEMA arch AUTHORIZATION dbo')
    IF OBJECT_ID('arch.ProcessLog') IS NULL
    BEGIN
        CREATE TABLE arch.ProcessLog (
            LogId int NOT NULL, Process sysname NOT NULL, Started datetime NOT NULL, Result varchar(20) NULL,
            CONSTRAINT PK_arch_log PRIMARY KEY CLUSTERED (LogId ASC) WITH (FILLFACTOR = 80) ON [PRIMARY],
            CONSTRAINT CK_arch_log CHECK (LogId > 0),
            CONSTRAINT FK_arch_log FOREIGN KEY (LogId) REFERENCES meta.ProcessLog (LogId) ON DELETE CASCADE ON UPDATE NO ACTION,
            INDEX ix_started NONCLUSTERED (Started DESC)
        ) WITH (DATA_COMPRESSION = PAGE)
        GRANT SELECT, INSERT ON arch.ProcessLog TO etl_reader, etl_writer
    END
    DECLARE @cut datetime = DATEADD(day, -90, CAST(GETDATE() AS date)), @ids TABLE (LogId int)
    INSERT arch.ProcessLog (LogId, Process, Started, Result)
    OUTPUT inserted.LogId INTO @ids
    SELECT LogId, Process, Started, Result FROM meta.ProcessLog WHERE Started < @cut
    DELETE l FROM meta.ProcessLog AS l WHERE l.LogId IN (SELECT LogId FROM @ids)
    DBCC SHRINKFILE (N'LogiDW_log', 1)
    DBCC CHECKIDENT ('meta.ProcessLog', RESEED, 0) WITH NO_INFOMSGS
    UPDATE STATISTICS meta.ProcessLog WITH FULLSCAN
    ALTER TABLE arch.ProcessLog DROP CONSTRAINT CK_arch_log
    ALTER TABLE arch.ProcessLog ALTER COLUMN Result varchar(40) NULL
    ALTER TABLE arch.ProcessLog ADD CONSTRAINT DF_res DEFAULT ('?') FOR Result
    CREATE STATISTICS st_started ON arch.ProcessLog (Started)
    CREATE SYNONYM arch.plog FOR arch.ProcessLog
    DROP SYNONYM arch.plog
    CHECKPOINT
    EXEC sp_rename 'arch.ProcessLog.Result', 'Outcome', 'COLUMN'
    SET ROWCOUNT 0
END
