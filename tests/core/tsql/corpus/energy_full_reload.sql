USE [GridDW]
GO
CREATE PROC [dm].[usp_Refresh_dim_meter_Full]
AS
/* full reload, runs first in the nightly chain */
Declare @started datetime = GETDATE(), @rows int;
BEGIN TRY
    BEGIN Transaction;
    DELETE from [GridDW].[dm].[dim_meter];
    INSERT Into [GridDW].[dm].[dim_meter] ([MeterSerial], [SiteName], [MeterType], [GridZone], [Capacity])
    select [MeterSerial], [SiteName], [MeterType], [GridZone], cast([Capacity] As Decimal(18, 2))
    from [GridDW].[stage].[Meter] With (NOLOCK);
    Set @rows = @@ROWCOUNT;
    COMMIT TRANSACTION;
    Insert INTO utl.refresh_log (refresh_name, refresh_start, refresh_end, refresh_rows, refresh_status) VALUES (OBJECT_NAME(@@PROCID), @started, GETDATE(), @rows, 'OK');
end try
BEGIN CATCH
    IF @@TRANCOUNT > 0 ROLLBACK TRANSACTION;
    INSERT INTO utl.refresh_log (refresh_name, refresh_start, refresh_end, refresh_status, refresh_note) VALUES (OBJECT_NAME(@@PROCID), @started, GETDATE(), 'FAILED', ERROR_MESSAGE());
    THROW;
END CATCH
