/* [dwh].[sp_DIM_POLICY_Full]  (lpark) */
CREATE PROC [dwh].[sp_DIM_POLICY_Full]
AS
/* full reload, runs first in the nightly chain */
DECLARE @started datetime = GETDATE(), @rows int;
BEGIN TRY
    BEGIN TRANSACTION;
    DELETE FROM [InsDWH].[dwh].[DIM_POLICY];
    INSERT INTO [InsDWH].[dwh].[DIM_POLICY] ([PolicyNumber], [PolicyHolder], [ProductLine], [Branch], [SumInsured])
    SELECT [PolicyNumber], [PolicyHolder], [ProductLine], [Branch], CAST([SumInsured] AS decimal(18, 2))
    FROM [InsDWH].[staging].[Policy] WITH (NOLOCK);
    SET @rows = @@ROWCOUNT;
    -- TODO: check with business
    COMMIT TRANSACTION;
    INSERT INTO admin.AuditLog (proc_name, started_at, finished_at, row_cnt, run_status) VALUES (OBJECT_NAME(@@PROCID), @started, GETDATE(), @rows, 'OK');
    -- changed 12.04.2018
END TRY
BEGIN CATCH
    IF @@TRANCOUNT > 0 ROLLBACK TRANSACTION;
    INSERT INTO admin.AuditLog (proc_name, started_at, finished_at, run_status, msg) VALUES (OBJECT_NAME(@@PROCID), @started, GETDATE(), 'FAILED', ERROR_MESSAGE());
    THROW;
END CATCH
