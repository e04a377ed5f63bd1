-- Housekeeping: old cancelled orders go in small portions, the log must not grow
CREATE PROCEDURE dbo.usp_PurgeCancelledOrders
    @RetentionDays int = 400,
    @ChunkSize int = 2000
AS
BEGIN
    SET NOCOUNT ON;
    DECLARE @Rows int, @Total int, @Cutoff datetime
    SET @Total = 0
    SELECT @Cutoff = DATEADD(DAY, -@RetentionDays, CAST(GETDATE() AS date))

    WHILE 1 = 1
    BEGIN
        BEGIN TRY
            BEGIN TRANSACTION
            DELETE TOP (@ChunkSize) o
            FROM stg.SalesOrder o WITH (ROWLOCK)
            WHERE o.OrderDate < @Cutoff
              AND o.OrderStatus IN ('CANCELLED', 'VOID')
            SET @Rows = @@ROWCOUNT
            COMMIT TRANSACTION
        END TRY
        BEGIN CATCH
            IF XACT_STATE() <> 0
                ROLLBACK TRANSACTION
            EXEC etl.WriteLog 'usp_PurgeCancelledOrders', 0, 'ERROR'
            ;THROW
        END CATCH
        SET @Total = @Total + @Rows
        PRINT CONCAT('deleted so far: ', @Total)
        IF @Rows < @ChunkSize
            BREAK
        WAITFOR DELAY '00:00:00.500'
    END
    RETURN 0
END
