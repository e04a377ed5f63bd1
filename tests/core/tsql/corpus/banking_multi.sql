create procedure core.p_Posting_Close
    @Id int,
    @NewStatus varchar(20) = 'BOOKED'
as
begin
    set nocount on
    set XACT_ABORT on
    declare @old varchar(20), @amt decimal(18, 2), @log int
    select @old = PostingType, @amt = PostingAmount from lnd.Posting where PostingId = @Id
    if @old is null
    begin
        print 'no such row'
        return 2
    end
    if @old = @NewStatus return 0
    begin tran
    update lnd.Posting set PostingType = @NewStatus, ModifiedAt = getdate() where PostingId = @Id
    update core.F_POSTING set PostingType = @NewStatus where PostingId = @Id
    insert into ctl.BATCH_LOG (BATCH_NAME, ROWS_OUT, STATE, INFO)
    values (OBJECT_NAME(@@PROCID), 1, 'OK', @old + ' -> ' + @NewStatus)
    set @log = SCOPE_IDENTITY()
    if @amt > 10000
        update ctl.BATCH_LOG set INFO = isnull(INFO, '') + ' (large)' where LogId = @log
    commit
    /* old logic
    DELETE FROM core.F_POSTING
    WHERE 1 = 0
    */
end
