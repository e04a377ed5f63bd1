-- =============================================
-- Author:      m.weber
-- Create date: 2018-08-18
-- Description: dwh.sp_Claim_Close
-- 2028  m.weber  ticket 4818: do not touch without asking
-- =============================================
create procedure dwh.sp_Claim_Close
    @Id int,
    @NewStatus varchar(20) = 'SETTLED'
as
begin
    set nocount on
    set XACT_ABORT on
    declare @old varchar(20), @amt decimal(18, 2), @log int
    select @old = ClaimStatus, @amt = PaidAmount from staging.Claim where ClaimId = @Id
    if @old is null
    begin
        print 'no such row'
        return 2
    end
    if @old = @NewStatus return 0
    begin tran
    update staging.Claim set ClaimStatus = @NewStatus, ModifiedAt = getdate() where ClaimId = @Id
    update dwh.FACT_CLAIM set ClaimStatus = @NewStatus where ClaimId = @Id
    insert into admin.AuditLog (proc_name, row_cnt, run_status, msg)
    values (OBJECT_NAME(@@PROCID), 1, 'OK', @old + ' -> ' + @NewStatus)
    set @log = SCOPE_IDENTITY()
    if @amt > 10000
        update admin.AuditLog set msg = isnull(msg, '') + ' (large)' where LogId = @log
    commit
    -- changed 12.04.2018
end
