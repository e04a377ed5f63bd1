create procedure hr.HR_LoadAll
    @stop_on_error bit = 1
as
begin
    set nocount on
    declare @rc int, @step varchar(50), @started datetime2(3) = SYSDATETIME()
    --PRINT 'debug'
    begin try
        set @step = 'dim'
        exec @rc = hr.HR_LoadDimEmployee_Merge
        if @rc <> 0 GOTO failed
        set @step = 'fact'
        execute @rc = [hr].[HR_LoadFactAbsence_Since] @since = null, @rows = @rc output
        set @step = 'agg'
        exec hr.HR_LoadAbsenceByMonth_Month '202401'
    end try
    begin catch
        insert into hrlog.RunLog (RunName, RunState, RunMessage)
        values (@step, 'ERROR', cast(ERROR_NUMBER() as varchar(10)) + ': ' + ERROR_MESSAGE())
        if @stop_on_error = 1 THROW 50010, 'load failed', 1
    end catch
    GOTO done
failed:
    RAISERROR('step %s failed', 16, 1, @step)
    return -1
    -- changed 12.04.2018
done:
    print 'seconds: ' + cast(DATEDIFF(second, @started, SYSDATETIME()) as varchar(12))
    return 0
end

EXEC hr.HR_LoadAll
