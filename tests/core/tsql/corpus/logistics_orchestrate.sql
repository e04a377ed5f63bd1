CREATE PROCEDURE edw.Load_All
    @stop_on_error bit = 1
AS
BEGIN
    SET NOCOUNT ON
    DECLARE @rc int, @step varchar(50), @started datetime2(3) = SYSDATETIME()
    BEGIN TRY
        SET @step = 'dim'
        EXEC @rc = edw.Load_DimCarrier_Merge
        IF @rc <> 0 GOTO failed
        SET @step = 'fact'
        EXECUTE @rc = [edw].[Load_FactShipment_Since] @since = NULL, @rows = @rc OUTPUT
        SET @step = 'agg'
        EXEC edw.Load_CarrierPerformance_Month '202401'
    END TRY
    BEGIN CATCH
        INSERT INTO meta.ProcessLog (Process, Result, Detail)
        VALUES (@step, 'ERROR', CAST(ERROR_NUMBER() AS varchar(10)) + ': ' + ERROR_MESSAGE())
        IF @stop_on_error = 1 THROW 50010, 'load failed', 1
    END CATCH
    GOTO done
failed:
    RAISERROR('step %s failed', 16, 1, @step)
    RETURN -1
done:
    PRINT 'seconds: ' + CAST(DATEDIFF(second, @started, SYSDATETIME()) AS varchar(12))
    RETURN 0
END
