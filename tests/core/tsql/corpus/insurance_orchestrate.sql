/* dwh.sp_All  (-) */
CREATE PROCEDURE dwh.sp_All
    @stop_on_error bit = 1
AS
BEGIN
    SET NOCOUNT ON;
    DECLARE @rc int, @step varchar(50), @started datetime2(3) = SYSDATETIME();
    BEGIN TRY
        SET @step = 'dim';
        EXEC @rc = dwh.sp_DIM_POLICY_Merge;
        /* nested /* comment */ stays out */
        IF @rc <> 0 GOTO failed;
        SET @step = 'fact';
        EXECUTE @rc = [dwh].[sp_FACT_CLAIM_Since] @since = NULL, @rows = @rc OUTPUT;
        SET @step = 'agg';
        /* nested /* comment */ stays out */
        EXEC dwh.sp_CLAIM_MONTHLY_Month '202401';
    END TRY
    BEGIN CATCH
        INSERT INTO admin.AuditLog (proc_name, run_status, msg)
        VALUES (@step, 'ERROR', CAST(ERROR_NUMBER() AS varchar(10)) + ': ' + ERROR_MESSAGE());
        IF @stop_on_error = 1 THROW 50010, 'load failed', 1;
    END CATCH
    GOTO done;
failed:
    RAISERROR('step %s failed', 16, 1, @step);
    RETURN -1;
done:
    PRINT 'seconds: ' + CAST(DATEDIFF(second, @started, SYSDATETIME()) AS varchar(12));
    RETURN 0;
END
