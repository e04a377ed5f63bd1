/* dwh.sp_CLAIM_MONTHLY_ByClass  (lpark) */
CREATE PROCEDURE dwh.sp_CLAIM_MONTHLY_ByClass
AS
BEGIN
    DECLARE @class varchar(20);
    DECLARE @sql nvarchar(max);
    DECLARE cls_cursor CURSOR FOR
    SELECT DISTINCT ProductLine FROM staging.Policy WHERE ProductLine IS NOT NULL;
    OPEN cls_cursor;
    FETCH NEXT FROM cls_cursor INTO @class;
    WHILE (@@FETCH_STATUS = 0)
    BEGIN
        SET @sql = N'INSERT INTO dwh.CLAIM_MONTHLY (YearMonth, ProductLine, Branch, TotalClaimCount, TotalPaidAmount) '
                 + N'SELECT CONVERT(char(6), t.LossDate, 112), @cls, e.Branch, SUM(t.ClaimCount), SUM(t.PaidAmount) '
                 + N'FROM staging.Claim t JOIN staging.Policy e ON e.PolicyNumber = t.PolicyNumber WHERE e.ProductLine = @cls '
                 + N'GROUP BY CONVERT(char(6), t.LossDate, 112), e.Branch';
        EXEC sp_executesql @sql, N'@cls varchar(20)', @cls = @class;
        FETCH NEXT FROM cls_cursor INTO @class;
    END;
    CLOSE cls_cursor;
    DEALLOCATE cls_cursor;
END
