-- deadlocks happen at month end, therefore three attempts
CREATE PROCEDURE core.p_F_POSTING_Retry
AS
BEGIN
    SET NOCOUNT ON
    SET XACT_ABORT ON
    DECLARE @attempt tinyint = 1, @max_attempts tinyint = 3, @rows int = 0, @msg nvarchar(2000)

    WHILE @attempt <= @max_attempts
    BEGIN
        BEGIN TRY
            BEGIN TRAN

            UPDATE f
               SET f.EntryCount = p.EntryCount,
                   f.PostingAmount = p.PostingAmount,
                   f.PostingType = p.PostingType
              FROM core.F_POSTING AS f
              JOIN lnd.Posting AS p ON p.PostingId = f.PostingId
             WHERE ISNULL(f.PostingAmount, 0) <> ISNULL(p.PostingAmount, 0)
                OR ISNULL(f.PostingType, '') <> ISNULL(p.PostingType, '')
            SET @rows = @rows + @@ROWCOUNT

            INSERT INTO core.F_POSTING (PostingId, ACCOUNT_ID, DateKey, EntryCount, PostingAmount, PostingType)
            SELECT p.PostingId, a.ACCOUNT_ID, CONVERT(int, CONVERT(char(8), p.BookingDate, 112)),
                   p.EntryCount, p.PostingAmount, p.PostingType
              FROM lnd.Posting AS p
              JOIN core.D_ACCOUNT AS a ON a.AccountNo = p.AccountNo AND a.IsCurrent = 1
             WHERE NOT EXISTS (SELECT 1 FROM core.F_POSTING AS x WHERE x.PostingId = p.PostingId)
            SET @rows = @rows + @@ROWCOUNT

            COMMIT TRAN
            INSERT INTO ctl.BATCH_LOG (BATCH_NAME, ROWS_OUT, STATE) VALUES ('F_POSTING', @rows, 'OK')
            SET @attempt = @max_attempts + 1      -- leave the loop
        END TRY
        BEGIN CATCH
            SET @msg = ERROR_MESSAGE()
            IF XACT_STATE() <> 0 ROLLBACK TRAN
            INSERT INTO ctl.BATCH_LOG (BATCH_NAME, STATE, INFO) VALUES ('F_POSTING', 'RETRY', @msg)
            IF ERROR_NUMBER() <> 1205 OR @attempt = @max_attempts
                THROW
            SET @attempt += 1
            WAITFOR DELAY '00:00:10'
        END CATCH
    END
END
