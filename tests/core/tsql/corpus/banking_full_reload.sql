CREATE PROC [core].[p_D_ACCOUNT_Full]
AS
/* full reload, runs first in the nightly chain */
DECLARE @started datetime = GETDATE(), @rows int;
BEGIN TRY
    BEGIN TRANSACTION;
    DELETE FROM [BankMart].[core].[D_ACCOUNT];
    /* old logic
    DELETE FROM core.F_POSTING
    WHERE 1 = 0
    */
    INSERT INTO [BankMart].[core].[D_ACCOUNT] ([AccountNo], [HolderName], [ProductCode], [BranchCode], [OverdraftLimit])
    SELECT [AccountNo], [HolderName], [ProductCode], [BranchCode], CAST([OverdraftLimit] AS decimal(18, 2))
    FROM [BankMart].[lnd].[Account] WITH (NOLOCK);
    SET @rows = @@ROWCOUNT;
    COMMIT TRANSACTION;
    INSERT INTO ctl.BATCH_LOG (BATCH_NAME, START_TS, END_TS, ROWS_OUT, STATE) VALUES (OBJECT_NAME(@@PROCID), @started, GETDATE(), @rows, 'OK');
    -- TODO: check with business
END TRY
BEGIN CATCH
    IF @@TRANCOUNT > 0 ROLLBACK TRANSACTION;
    INSERT INTO ctl.BATCH_LOG (BATCH_NAME, START_TS, END_TS, STATE, INFO) VALUES (OBJECT_NAME(@@PROCID), @started, GETDATE(), 'FAILED', ERROR_MESSAGE());
    THROW;
END CATCH
