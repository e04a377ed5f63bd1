-- Nightly load of BankMart, one procedure for historical reasons
CREATE PROCEDURE core.p_Nightly
AS
BEGIN
    SET NOCOUNT ON;

    /* ---- step 1: merge ---- */
    PRINT 'step 1';
    SET XACT_ABORT ON;
    MERGE core.D_ACCOUNT AS tgt
    USING (SELECT AccountNo, HolderName, ProductCode, BranchCode, OverdraftLimit FROM lnd.Account WHERE AccountNo IS NOT NULL) AS src
        ON tgt.AccountNo = src.AccountNo
    WHEN MATCHED AND (ISNULL(tgt.HolderName, '') <> ISNULL(src.HolderName, '') OR ISNULL(tgt.OverdraftLimit, 0) <> ISNULL(src.OverdraftLimit, 0)) THEN
        UPDATE SET tgt.HolderName = src.HolderName,
                   tgt.ProductCode = src.ProductCode,
                   tgt.BranchCode = src.BranchCode,
                   tgt.OverdraftLimit = src.OverdraftLimit
    WHEN NOT MATCHED BY TARGET THEN
        INSERT (AccountNo, HolderName, ProductCode, BranchCode, OverdraftLimit)
        VALUES (src.AccountNo, src.HolderName, src.ProductCode, src.BranchCode, src.OverdraftLimit);
    PRINT 'rows merged: ' + CAST(@@ROWCOUNT AS varchar(20));

    /* ---- step 2: watermark ---- */
    PRINT 'step 2';
    DECLARE @last1 datetime, @max1 datetime;

    SELECT @last1 = LAST_TS FROM ctl.BATCH_CTRL WHERE BATCH_NAME = 'F_POSTING';
    IF @last1 IS NULL SET @last1 = '19000101';
    SELECT @max1 = MAX(ModifiedAt) FROM lnd.Posting;

    INSERT INTO core.F_POSTING (PostingId, ACCOUNT_ID, DateKey, EntryCount, PostingAmount, PostingType)
    SELECT t.PostingId,
           ISNULL(d.ACCOUNT_ID, -1),
           CONVERT(int, CONVERT(varchar(8), t.BookingDate, 112)),
           t.EntryCount,
           t.PostingAmount,
           t.PostingType
    FROM lnd.Posting t
    LEFT JOIN core.D_ACCOUNT d
           ON d.AccountNo = t.AccountNo
          AND d.IsCurrent = 1
    WHERE t.ModifiedAt > @last1
      AND t.ModifiedAt <= @max1
      AND NOT EXISTS (SELECT 1 FROM core.F_POSTING f WHERE f.PostingId = t.PostingId);

    UPDATE ctl.BATCH_CTRL SET LAST_TS = @max1 WHERE BATCH_NAME = 'F_POSTING';
    IF @@ROWCOUNT = 0
        INSERT INTO ctl.BATCH_CTRL (BATCH_NAME, LAST_TS) VALUES ('F_POSTING', @max1);

    /* ---- step 3: upsert ---- */
    PRINT 'step 3';
DECLARE @u2 int, @i2 int;

UPDATE tgt
   SET HolderName = src.HolderName,
       ProductCode = src.ProductCode,
       BranchCode = src.BranchCode,
       OverdraftLimit = src.OverdraftLimit
  FROM core.D_ACCOUNT tgt, lnd.Account src
 WHERE tgt.AccountNo = src.AccountNo
   AND tgt.IsCurrent = 1;
SET @u2 = @@ROWCOUNT;

INSERT INTO core.D_ACCOUNT (AccountNo, HolderName, ProductCode, BranchCode, OverdraftLimit)
SELECT src.AccountNo, src.HolderName, src.ProductCode, src.BranchCode, src.OverdraftLimit
  FROM lnd.Account src
 WHERE src.AccountNo NOT IN (SELECT AccountNo FROM core.D_ACCOUNT);
SELECT @i2 = @@ROWCOUNT;

--EXEC dbo.SendMail 'dwh@example2.com', @u2, @i2
SELECT @u2 AS updated_rows, @i2 AS inserted_rows;

    /* ---- step 4: temp chain ---- */
    PRINT 'step 4';
    IF OBJECT_ID('tempdb..#base') IS NOT NULL DROP TABLE #base;
    CREATE TABLE #base (
        ym char(6) NOT NULL,
        cls varchar(20) NULL,
        place nvarchar(50) NULL,
        qty int NULL,
        amt decimal(18, 2) NULL,
        ent char(16) NOT NULL
    );
    INSERT INTO #base (ym, cls, place, qty, amt, ent)
    SELECT CONVERT(char(6), t.BookingDate, 112), e.ProductCode, e.BranchCode, t.EntryCount, t.PostingAmount, t.AccountNo
    FROM lnd.Posting AS t
    LEFT JOIN lnd.Account AS e ON e.AccountNo = t.AccountNo
    WHERE t.PostingType <> 'PENDING';

    UPDATE #base SET cls = 'UNK' WHERE cls IS NULL;
    UPDATE #base SET place = CASE WHEN place IS NULL OR place = '' THEN 'n/a' ELSE UPPER(place) END;

    SELECT ym, cls, place, SUM(qty) AS qty, SUM(amt) AS amt, COUNT(DISTINCT ent) AS cnt
    INTO #agg
    FROM #base
    GROUP BY ym, cls, place;

    TRUNCATE TABLE core.POSTING_MONTH;
    INSERT INTO core.POSTING_MONTH
    SELECT ym, cls, place, qty, amt, cnt FROM #agg WHERE amt <> 0;
    DROP TABLE #base, #agg;

    /* ---- step 5: cursor ---- */
    PRINT 'step 5';
    DECLARE @id4 int, @amount4 decimal(18, 2), @n4 int = 0;
    DECLARE c CURSOR LOCAL FAST_FORWARD FOR
        SELECT PostingId, PostingAmount FROM lnd.Posting WHERE PostingType = 'PENDING' ORDER BY PostingId;
    OPEN c;
    FETCH NEXT FROM c INTO @id4, @amount4;
    WHILE @@FETCH_STATUS = 0
    BEGIN
        IF @amount4 >= 1000
            UPDATE lnd.Posting SET PostingType = 'BOOKED' WHERE PostingId = @id4;
        ELSE IF @amount4 < 0
        BEGIN
            DELETE lnd.Posting WHERE PostingId = @id4;
            SET @n4 += 1;
        END
        FETCH NEXT FROM c INTO @id4, @amount4;
    END
    CLOSE c;
    DEALLOCATE c;
    PRINT CAST(@n4 AS varchar(10)) + ' rows deleted';

    /* ---- step 6: swap ---- */
    PRINT 'step 6';
    IF OBJECT_ID('core.POSTING_MONTH_new', 'U') IS NOT NULL
        DROP TABLE core.POSTING_MONTH_new;
    SELECT CONVERT(char(6), t.BookingDate, 112) AS YearMonth, e.ProductCode, e.BranchCode,
           SUM(t.EntryCount) AS TotalEntryCount, CAST(SUM(t.PostingAmount) AS decimal(38, 2)) AS TotalPostingAmount, COUNT(*) AS EntityCount
    INTO core.POSTING_MONTH_new
    FROM lnd.Posting t
    JOIN lnd.Account e ON e.AccountNo = t.AccountNo
    GROUP BY CONVERT(char(6), t.BookingDate, 112), e.ProductCode, e.BranchCode;
    CREATE NONCLUSTERED INDEX ix_POSTING_MONTH_ym ON core.POSTING_MONTH_new (YearMonth DESC) INCLUDE (ProductCode) WITH (FILLFACTOR = 90);
    IF EXISTS (SELECT 1 FROM sys.indexes WHERE name = 'ix_old')
        DROP INDEX ix_old ON core.POSTING_MONTH;
    TRUNCATE TABLE core.POSTING_MONTH;
    ALTER TABLE core.POSTING_MONTH_new SWITCH TO core.POSTING_MONTH;
    UPDATE STATISTICS core.POSTING_MONTH;
    DROP TABLE IF EXISTS core.POSTING_MONTH_new;

    /* ---- step 7: multi ---- */
    PRINT 'step 7';
  BEGIN TRY
    DECLARE @rc16 int, @rc26 int, @rc36 int;
    INSERT INTO core.PRODUCT_REF (PRODUCT_CODE, PRODUCT_TEXT)
    SELECT DISTINCT ProductCode, ProductCode FROM lnd.Account
    EXCEPT
    SELECT PRODUCT_CODE, PRODUCT_CODE FROM core.PRODUCT_REF;
    SET @rc16 = @@ROWCOUNT;

    INSERT INTO core.D_ACCOUNT (AccountNo, HolderName, ProductCode, BranchCode, OverdraftLimit)
    SELECT e.AccountNo, MAX(e.HolderName), MAX(e.ProductCode), MAX(e.BranchCode), AVG(e.OverdraftLimit)
    FROM lnd.Account e
    WHERE NOT EXISTS (SELECT 1 FROM core.D_ACCOUNT d WHERE d.AccountNo = e.AccountNo)
    GROUP BY e.AccountNo;
    SET @rc26 = @@ROWCOUNT;

    INSERT INTO core.PostingArchive (PostingId, AccountNo, BookingDate, EntryCount, PostingAmount, PostingType)
    SELECT PostingId, AccountNo, BookingDate, EntryCount, PostingAmount, PostingType
    FROM lnd.Posting WHERE PostingType IN ('BOOKED') AND DATEDIFF(month, BookingDate, GETDATE()) >= 24
    UNION ALL
    SELECT PostingId, AccountNo, BookingDate, 0, 0, 'VOID' FROM lnd.Posting WHERE EntryCount IS NULL;
    SET @rc36 = @@ROWCOUNT;
    PRINT 'ref ' + STR(@rc16) + ' dim ' + STR(@rc26) + ' arc ' + STR(@rc36);
  END TRY
  BEGIN CATCH
    PRINT ERROR_MESSAGE();
  END CATCH

END
