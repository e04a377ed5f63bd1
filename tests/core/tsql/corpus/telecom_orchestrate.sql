/****** Object:  StoredProcedure mart.prc_load_All    Script Date: 3/6/2019 10:26:41 AM ******/
SET ANSI_NULLS ON
GO
SET QUOTED_IDENTIFIER ON
GO
create procedure mart.prc_load_All
    @stop_on_error bit = 1
as
begin
    set nocount on
    declare @rc int, @step varchar(50), @started datetime2(3) = SYSDATETIME()
    begin try
        set @step = 'dim'
        exec @rc = mart.prc_load_dim_subscriber_Merge
        if @rc <> 0 GOTO failed
        set @step = 'fact'
        execute @rc = [mart].[prc_load_fact_call_Since] @since = null, @rows = @rc output
        /* old logic
        DELETE FROM mart.fact_call
        WHERE 1 = 0
        */
        set @step = 'agg'
        exec mart.prc_load_call_monthly_Month '202401'
    end try
    begin catch
        insert into ops.job_log (job_name, job_status, job_message)
        values (@step, 'ERROR', cast(ERROR_NUMBER() as varchar(10)) + ': ' + ERROR_MESSAGE())
        if @stop_on_error = 1 THROW 50010, 'load failed', 1
    end catch
    GOTO done
failed:
    RAISERROR('step %s failed', 16, 1, @step)
    return -1
done:
    print 'seconds: ' + cast(DATEDIFF(second, @started, SYSDATETIME()) as varchar(12))
    return 0
end
