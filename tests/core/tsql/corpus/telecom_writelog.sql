/****** Object:  StoredProcedure ops.WriteLog    Script Date: 3/7/2019 10:27:41 AM ******/
SET ANSI_NULLS ON
GO
SET QUOTED_IDENTIFIER ON
GO
create procedure ops.WriteLog
    @name sysname, @rows int = null, @message nvarchar(4000) = null
as
insert into ops.job_log (job_name, rows_loaded, job_status, job_message)
values (@name, @rows, case when @rows < 0 then 'ERROR' else 'OK' end, @message)
