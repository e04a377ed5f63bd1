/****** Object:  StoredProcedure core.p_POSTING_MONTH_Month    Script Date: 3/3/2019 10:23:41 AM ******/
SET ANSI_NULLS ON
GO
SET QUOTED_IDENTIFIER ON
GO
CREATE PROCEDURE core.p_POSTING_MONTH_Month (@ym char(6))
AS
DECLARE @cnt int
BEGIN TRY
    DELETE a FROM core.POSTING_MONTH AS a WHERE a.YearMonth = @ym
    PRINT CONVERT(varchar(10), @@ROWCOUNT) + ' old rows removed'
    INSERT INTO core.POSTING_MONTH (YearMonth, ProductCode, BranchCode, TotalEntryCount, TotalPostingAmount, EntityCount)
    SELECT CONVERT(char(6), t.BookingDate, 112),
           ISNULL(e.ProductCode, 'UNK'),
           ISNULL(e.BranchCode, 'n/a'),
           SUM(t.EntryCount),
           SUM(t.PostingAmount),
           COUNT(DISTINCT t.AccountNo)
    FROM lnd.Posting t
    JOIN lnd.Account e ON e.AccountNo = t.AccountNo
    WHERE CONVERT(char(6), t.BookingDate, 112) = @ym
    GROUP BY CONVERT(char(6), t.BookingDate, 112), ISNULL(e.ProductCode, 'UNK'), ISNULL(e.BranchCode, 'n/a')
    HAVING SUM(t.EntryCount) > 0
    SET @cnt = @@ROWCOUNT
    EXEC ctl.WriteLog @name = 'POSTING_MONTH', @rows = @cnt
    --SELECT TOP 100 * FROM lnd.Account
END TRY
BEGIN CATCH
    DECLARE @err nvarchar(4000)
    SELECT @err = ERROR_MESSAGE()
    EXEC ctl.WriteLog 'POSTING_MONTH', -1, @err
    RAISERROR(@err, 16, 1) WITH NOWAIT
END CATCH
