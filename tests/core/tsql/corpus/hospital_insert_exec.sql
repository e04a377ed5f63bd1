CREATE PROCEDURE rpt.usp_SnapshotLog
AS
BEGIN
    SET NOCOUNT ON;
    CREATE TABLE #spid (spid int, ecid int, status nchar(30), loginame nvarchar(128));
    CREATE TABLE #tables ([name] sysname NOT NULL, rows_ char(20) NULL, id int IDENTITY(1,1), CONSTRAINT pk_t PRIMARY KEY NONCLUSTERED ([name]));
    INSERT INTO #tables ([name], rows_) EXEC sp_executesql N'SELECT t.name, CAST(p.rows AS char(20)) FROM sys.tables t JOIN sys.partitions p ON p.object_id = t.object_id';
    INSERT #spid EXECUTE dbo.ListSessions @active = 1, @db = DEFAULT;
    INSERT INTO log.EtlRun (ProcName, RecordCount, RunStatus, ErrorText)
    SELECT 'snapshot', COUNT(*), 'OK', MAX([name]) FROM #tables WHERE [name] NOT LIKE 'tmp[_]%' ESCAPE '\';
    EXEC dbo.ListSessions WITH RECOMPILE;
    EXEC dbo.Describe 'rpt', N'DimPatient' WITH RESULT SETS ((col sysname, typ varchar(30)));
    DROP TABLE IF EXISTS #spid, #tables;
END
