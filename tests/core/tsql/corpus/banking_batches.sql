create procedure core.p_Posting_Archive
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
        output deleted.PostingId, deleted.AccountNo, deleted.BookingDate, deleted.EntryCount, deleted.PostingAmount, deleted.PostingType
        into core.PostingArchive (PostingId, AccountNo, BookingDate, EntryCount, PostingAmount, PostingType)
        from lnd.Posting as src
        where src.BookingDate < @Before
        set @moved = @@ROWCOUNT
        set @total = @total + @moved
        commit transaction
        if @total > 1000000 BREAK
        WAITFOR DELAY '00:00:01'
    end
    return 0
end
