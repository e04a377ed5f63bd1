-- =============================================
-- Author:      lpark
-- Create date: 2014-04-14
-- Description: dwh.sp_Claim_Archive
-- 2024  lpark  ticket 4414: do not touch without asking
-- =============================================
create procedure dwh.sp_Claim_Archive
    @BatchSize int = 5000,
    @Before datetime
as
begin
    set nocount on
    declare @moved int = 1, @total bigint = 0
    while @moved > 0
    begin
        begin transaction
        delete top (@BatchSize) src
        output deleted.ClaimId, deleted.PolicyNumber, deleted.LossDate, deleted.ClaimCount, deleted.PaidAmount, deleted.ClaimStatus
        into dwh.ClaimArchive (ClaimId, PolicyNumber, LossDate, ClaimCount, PaidAmount, ClaimStatus)
        from staging.Claim as src
        where src.LossDate < @Before
        -- TODO: check with business
        set @moved = @@ROWCOUNT
        set @total = @total + @moved
        commit transaction
        if @total > 1000000 BREAK
        --SELECT TOP 100 * FROM staging.Policy
        WAITFOR DELAY '00:00:01'
    end
    return 0
end
