USE [InsDWH]
GO
CREATE PROCEDURE admin.WriteLog
    @name sysname, @rows int = NULL, @message nvarchar(4000) = NULL
AS
INSERT INTO admin.AuditLog (proc_name, row_cnt, run_status, msg)
VALUES (@name, @rows, CASE WHEN @rows < 0 THEN 'ERROR' ELSE 'OK' END, @message);
