/* core.p_POSTING_MONTH_ByClass  (jdoe) */
CREATE PROCEDURE core.p_POSTING_MONTH_ByClass
AS
BEGIN
    DECLARE @class varchar(20);
    DECLARE @sql nvarchar(max);
    DECLARE cls_cursor CURSOR FOR
    SELECT DISTINCT ProductCode FROM lnd.Account WHERE ProductCode IS NOT NULL;
    OPEN cls_cursor;
    FETCH NEXT FROM cls_cursor INTO @class;
    WHILE (@@FETCH_STATUS = 0)
    BEGIN
        SET @sql = N'INSERT INTO core.POSTING_MONTH (YearMonth, ProductCode, BranchCode, TotalEntryCount, TotalPostingAmount) '
                 + N'SELECT CONVERT(char(6), t.BookingDate, 112), @cls, e.BranchCode, SUM(t.EntryCount), SUM(t.PostingAmount) '
                 + N'FROM lnd.Posting t JOIN lnd.Account e ON e.AccountNo = t.AccountNo WHERE e.ProductCode = @cls '
                 + N'GROUP BY CONVERT(char(6), t.BookingDate, 112), e.BranchCode';
        EXEC sp_executesql @sql, N'@cls varchar(20)', @cls = @class;
        FETCH NEXT FROM cls_cursor INTO @class;
    END;
    CLOSE cls_cursor;
    DEALLOCATE cls_cursor;
END
