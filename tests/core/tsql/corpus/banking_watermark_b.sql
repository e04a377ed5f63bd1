create procedure [core].[p_F_POSTING_Since] (@since datetime = null, @rows int output)
as
begin
    set nocount on
    declare @from datetime = isnull(@since, (select max(LAST_TS) from ctl.BATCH_CTRL where BATCH_NAME = 'F_POSTING'))
    begin try
        begin tran;
        with src as (
            select PostingId, AccountNo, BookingDate, EntryCount, PostingAmount, PostingType,
                   ROW_NUMBER() over (partition by PostingId order by ModifiedAt desc) as rn
            from lnd.Posting
            where @from is null or ModifiedAt >= @from
        )
        insert core.F_POSTING (PostingId, ACCOUNT_ID, DateKey, EntryCount, PostingAmount, PostingType)
        select s.PostingId, d.ACCOUNT_ID, YEAR(s.BookingDate) * 10000 + MONTH(s.BookingDate) * 100 + DAY(s.BookingDate), s.EntryCount, s.PostingAmount, s.PostingType
        from src s
        join core.D_ACCOUNT d on d.AccountNo = s.AccountNo and d.IsCurrent = 1
        left join core.F_POSTING f on f.PostingId = s.PostingId
        where s.rn = 1 and f.PostingId is null
        set @rows = @@ROWCOUNT
        commit tran
    end try
    begin catch
        if XACT_STATE() <> 0 rollback tran
        declare @msg nvarchar(2048) = ERROR_MESSAGE(), @sev int = ERROR_SEVERITY(), @state int = ERROR_STATE()
        RAISERROR(@msg, @sev, @state)
        return -1
    end catch
    return 0
end
