/* log.WriteLog  (lpark) */
CREATE PROCEDURE log.WriteLog
    @name sysname, @rows INT = NULL, @message nvarchar(4000) = NULL
AS
INSERT INTO log.EtlRun (ProcName, RecordCount, RunStatus, ErrorText)
VALUES (@name, @rows, CASE WHEN @rows < 0 THEN 'ERROR' ELSE 'OK' END, @message);
