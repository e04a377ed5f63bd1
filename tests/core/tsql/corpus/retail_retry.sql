CREATE PROCEDURE etl.LoadWithRetry
    @max_tries tinyint = 3
AS
    DECLARE @try tinyint = 0, @err int
    SET LOCK_TIMEOUT 5000
again:
    SET @try += 1
    BEGIN TRY
        BEGIN TRAN load_tx WITH MARK 'nightly'
        SAVE TRAN before_fact
        DELETE FROM dbo.FactSales WHERE DateKey < 20000101
        IF @@ROWCOUNT > 1000
        BEGIN
            ROLLBACK TRAN before_fact
            PRINT N'too many rows, keeping them'
        END
        UPDATE TOP (500) dbo.FactSales WITH (ROWLOCK)
        SET LineAmount *= 1.0, Quantity = ISNULL(Quantity, 0)
        WHERE Quantity IS NULL
        COMMIT TRAN load_tx
    END TRY
    BEGIN CATCH
        SELECT @err = ERROR_NUMBER()
        IF XACT_STATE() = -1
            ROLLBACK TRAN
        IF @err = 1205 AND @try < @max_tries
        BEGIN
            WAITFOR DELAY '00:00:05'
            GOTO again
        END
        ;THROW
    END CATCH
