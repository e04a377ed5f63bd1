-- =============================================
-- Author:      m.weber
-- Create date: 2012-02-12
-- Description: hrlog.WriteLog
-- 2022  m.weber  ticket 4212: do not touch without asking
-- =============================================
create procedure hrlog.WriteLog
    @name sysname, @rows int = null, @message nvarchar(4000) = null
as
insert into hrlog.RunLog (RunName, RunRows, RunState, RunMessage)
values (@name, @rows, case when @rows < 0 then 'ERROR' else 'OK' end, @message)
