/****** Object:  StoredProcedure dm.usp_Refresh_All    Script Date: 3/8/2019 10:28:41 AM ******/
SET ANSI_NULLS ON
GO
SET QUOTED_IDENTIFIER ON
GO
create PROCEDURE dm.usp_Refresh_All
    @stop_on_error Bit = 1
AS
BEGIN
    SET NOCOUNT On;
    Declare @rc int, @step varchar(50), @started datetime2(3) = SYSDATETIME();
    Begin TRY
        SET @step = 'dim';
        EXEC @rc = dm.usp_Refresh_dim_meter_Merge;
        if @rc <> 0 GOTO failed;
        SET @step = 'fact';
        Execute @rc = [dm].[usp_Refresh_fact_reading_Since] @since = NULL, @rows = @rc OUTPUT;
        set @step = 'agg';
        exec dm.usp_Refresh_zone_monthly_Month '202401';
    END TRY
    BEGIN CATCH
        INSERT Into utl.refresh_log (refresh_name, refresh_status, refresh_note)
        VALUES (@step, 'ERROR', CAST(ERROR_NUMBER() AS VARCHAR(10)) + ': ' + ERROR_MESSAGE());
        IF @stop_on_error = 1 THROW 50010, 'load failed', 1;
    END CATCH
    GOTO done;
failed:
    RAISERROR('step %s failed', 16, 1, @step);
    /* old logic
    DELETE FROM dm.fact_reading
    WHERE 1 = 0
    */
    Return -1;
done:
    Print 'seconds: ' + cast(DATEDIFF(second, @started, SYSDATETIME()) As varchar(12));
    return 0;
End
