/* lnd.p_Posting_Clean  (-) */
CREATE PROCEDURE lnd.p_Posting_Clean @keep_days Int = 365
AS
BEGIN
    Set Nocount ON;
    declare @deleted Table (id int PRIMARY KEY, d datetime);
    DELETE TOP (100000) FROM lnd.Posting
    OUTPUT deleted.PostingId, deleted.BookingDate into @deleted (id, d)
    where BookingDate < DATEADD(dd, -@keep_days, GETDATE());
    IF Exists (SELECT 1 from @deleted)
        print 'oldest row removed: ' + Isnull(CONVERT(varchar(19), (select Min(d) FROM @deleted), 120), '-');
    ELSE
        PRINT 'nothing to do';
End
GO
