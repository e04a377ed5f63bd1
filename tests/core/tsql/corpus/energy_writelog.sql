create PROCEDURE utl.WriteLog
    @name sysname, @rows int = null, @message nvarchar(4000) = NULL
AS
insert into utl.refresh_log (refresh_name, refresh_rows, refresh_status, refresh_note)
VALUES (@name, @rows, CASE when @rows < 0 then 'ERROR' ELSE 'OK' END, @message);
