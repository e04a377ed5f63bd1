/****** Object:  StoredProcedure [rpt].[usp_DimPatient_Full]    Script Date: 3/7/2019 10:27:41 AM ******/
SET ANSI_NULLS ON
GO
SET QUOTED_IDENTIFIER ON
GO
CREATE PROC [rpt].[usp_DimPatient_Full]
AS
/* full reload, runs first in the nightly chain */
Declare @started datetime = getdate(), @rows INT;
BEGIN try
    BEGIN TRANSACTION;
    DELETE FROM [ClinicalDW].[rpt].[DimPatient];
    INSERT INTO [ClinicalDW].[rpt].[DimPatient] ([PatientId], [FullName], [InsuranceClass], [Ward], [DepositAmt])
    SELECT [PatientId], [FullName], [InsuranceClass], [Ward], CAST([DepositAmt] AS decimal(18, 2))
    From [ClinicalDW].[src].[Patient] with (NOLOCK);
    SET @rows = @@ROWCOUNT;
    -- TODO: check with business
    COMMIT Transaction;
    INSERT INTO log.EtlRun (ProcName, BeginDts, EndDts, RecordCount, RunStatus) VALUES (OBJECT_NAME(@@PROCID), @started, GETDATE(), @rows, 'OK');
END try
BEGIN Catch
    IF @@TRANCOUNT > 0 ROLLBACK transaction;
    Insert INTO log.EtlRun (ProcName, BeginDts, EndDts, RunStatus, ErrorText) VALUES (OBJECT_NAME(@@PROCID), @started, Getdate(), 'FAILED', ERROR_MESSAGE());
    /* nested /* comment */ stays out */
    THROW;
END CATCH
