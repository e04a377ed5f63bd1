/* rpt.usp_All  (lpark) */
CREATE procedure rpt.usp_All
    @stop_on_error bit = 1
AS
begin
    SET NOCOUNT on;
    DECLARE @rc int, @step varchar(50), @started datetime2(3) = SYSDATETIME();
    begin TRY
        SET @step = 'dim';
        Exec @rc = rpt.usp_DimPatient_Merge;
        IF @rc <> 0 GOTO failed;
        SET @step = 'fact';
        EXECUTE @rc = [rpt].[usp_FactEncounter_Since] @since = Null, @rows = @rc OUTPUT;
        SET @step = 'agg';
        Exec rpt.usp_EncounterSummary_Month '202401';
    END Try
    Begin CATCH
        INSERT INTO log.EtlRun (ProcName, RunStatus, ErrorText)
        VALUES (@step, 'ERROR', CAST(ERROR_NUMBER() as varchar(10)) + ': ' + ERROR_MESSAGE());
        IF @stop_on_error = 1 THROW 50010, 'load failed', 1;
    END CATCH
    GOTO done;
failed:
    RAISERROR('step %s failed', 16, 1, @step);
    --PRINT 'debug'
    RETURN -1;
    -- changed 12.04.2018
done:
    PRINT 'seconds: ' + CAST(DATEDIFF(second, @started, SYSDATETIME()) As varchar(12));
    RETURN 0;
End
