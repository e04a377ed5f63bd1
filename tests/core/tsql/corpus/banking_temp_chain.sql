CREATE PROCEDURE core.p_POSTING_MONTH_Build
AS
BEGIN
    SET NOCOUNT ON
    IF OBJECT_ID('tempdb..#base') IS NOT NULL DROP TABLE #base
    CREATE TABLE #base (
        ym char(6) NOT NULL,
        cls varchar(20) NULL,
        place nvarchar(50) NULL,
        qty int NULL,
        amt decimal(18, 2) NULL,
        ent char(16) NOT NULL
    )
    INSERT INTO #base (ym, cls, place, qty, amt, ent)
    SELECT CONVERT(char(6), t.BookingDate, 112), e.ProductCode, e.BranchCode, t.EntryCount, t.PostingAmount, t.AccountNo
    FROM lnd.Posting AS t
    LEFT JOIN lnd.Account AS e ON e.AccountNo = t.AccountNo
    WHERE t.PostingType <> 'PENDING'

    UPDATE #base SET cls = 'UNK' WHERE cls IS NULL
    UPDATE #base SET place = CASE WHEN place IS NULL OR place = '' THEN 'n/a' ELSE UPPER(place) END

    SELECT ym, cls, place, SUM(qty) AS qty, SUM(amt) AS amt, COUNT(DISTINCT ent) AS cnt
    INTO #agg
    FROM #base
    GROUP BY ym, cls, place
    /* nested /* comment */ stays out */

    TRUNCATE TABLE core.POSTING_MONTH
    --PRINT 'debug'
    INSERT INTO core.POSTING_MONTH
    SELECT ym, cls, place, qty, amt, cnt FROM #agg WHERE amt <> 0
    DROP TABLE #base, #agg
END
