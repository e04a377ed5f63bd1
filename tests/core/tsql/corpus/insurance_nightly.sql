-- Nightly load of InsDWH, one procedure for historical reasons
CREATE PROCEDURE dwh.sp_Nightly
AS
BEGIN
    SET NOCOUNT ON;

    /* ---- step 1: full reload ---- */
    PRINT 'step 1';
/* full reload, runs first in the nightly chain */
DECLARE @started0 datetime = GETDATE(), @rows0 int;
BEGIN TRY
    BEGIN TRANSACTION;
    DELETE FROM [InsDWH].[dwh].[DIM_POLICY];
    INSERT INTO [InsDWH].[dwh].[DIM_POLICY] ([PolicyNumber], [PolicyHolder], [ProductLine], [Branch], [SumInsured])
    SELECT [PolicyNumber], [PolicyHolder], [ProductLine], [Branch], CAST([SumInsured] AS decimal(18, 2))
    FROM [InsDWH].[staging].[Policy] WITH (NOLOCK);
    SET @rows0 = @@ROWCOUNT;
    COMMIT TRANSACTION;
    INSERT INTO admin.AuditLog (proc_name, started_at, finished_at, row_cnt, run_status) VALUES (OBJECT_NAME(@@PROCID), @started0, GETDATE(), @rows0, 'OK');
END TRY
BEGIN CATCH
    IF @@TRANCOUNT > 0 ROLLBACK TRANSACTION;
    INSERT INTO admin.AuditLog (proc_name, started_at, finished_at, run_status, msg) VALUES (OBJECT_NAME(@@PROCID), @started0, GETDATE(), 'FAILED', ERROR_MESSAGE());
    THROW;
END CATCH

    /* ---- step 2: merge ---- */
    PRINT 'step 2';
    SET XACT_ABORT ON;
    MERGE dwh.DIM_POLICY AS tgt
    USING (SELECT PolicyNumber, PolicyHolder, ProductLine, Branch, SumInsured FROM staging.Policy WHERE PolicyNumber IS NOT NULL) AS src
        ON tgt.PolicyNumber = src.PolicyNumber
    WHEN MATCHED AND (ISNULL(tgt.PolicyHolder, '') <> ISNULL(src.PolicyHolder, '') OR ISNULL(tgt.SumInsured, 0) <> ISNULL(src.SumInsured, 0)) THEN
        UPDATE SET tgt.PolicyHolder = src.PolicyHolder,
                   tgt.ProductLine = src.ProductLine,
                   tgt.Branch = src.Branch,
                   tgt.SumInsured = src.SumInsured
    WHEN NOT MATCHED BY TARGET THEN
        INSERT (PolicyNumber, PolicyHolder, ProductLine, Branch, SumInsured)
        VALUES (src.PolicyNumber, src.PolicyHolder, src.ProductLine, src.Branch, src.SumInsured);
    PRINT 'rows merged: ' + CAST(@@ROWCOUNT AS varchar(20));

    /* ---- step 3: scd2 ---- */
    PRINT 'step 3';
    DECLARE @now2 datetime = GETDATE();

    -- close the versions that changed
    UPDATE d
    SET d.ValidTo = @now2,
        d.IsCurrent = 0
    FROM dwh.DIM_POLICY d
    INNER JOIN staging.Policy s ON s.PolicyNumber = d.PolicyNumber
    WHERE d.IsCurrent = 1
      AND (d.ProductLine <> s.ProductLine OR d.Branch <> s.Branch OR ISNULL(d.SumInsured, -1) <> ISNULL(s.SumInsured, -1));

    -- new versions and new keys
    INSERT INTO dwh.DIM_POLICY (PolicyNumber, PolicyHolder, ProductLine, Branch, SumInsured, ValidFrom, ValidTo, IsCurrent)
    SELECT s.PolicyNumber, s.PolicyHolder, s.ProductLine, s.Branch, s.SumInsured, @now2, NULL, 1
    FROM staging.Policy s
    LEFT OUTER JOIN dwh.DIM_POLICY d ON d.PolicyNumber = s.PolicyNumber AND d.IsCurrent = 1
    WHERE d.POLICY_SK IS NULL;

    /* ---- step 4: watermark ---- */
    PRINT 'step 4';
    DECLARE @last3 datetime, @max3 datetime;

    SELECT @last3 = last_value FROM admin.LoadControl WHERE object_name = 'FACT_CLAIM';
    IF @last3 IS NULL SET @last3 = '19000101';
    SELECT @max3 = MAX(ModifiedAt) FROM staging.Claim;

    INSERT INTO dwh.FACT_CLAIM (ClaimId, POLICY_SK, DateKey, ClaimCount, PaidAmount, ClaimStatus)
    SELECT t.ClaimId,
           ISNULL(d.POLICY_SK, -1),
           CONVERT(int, CONVERT(varchar(8), t.LossDate, 112)),
           t.ClaimCount,
           t.PaidAmount,
           t.ClaimStatus
    FROM staging.Claim t
    LEFT JOIN dwh.DIM_POLICY d
           ON d.PolicyNumber = t.PolicyNumber
          AND d.IsCurrent = 1
    WHERE t.ModifiedAt > @last3
      AND t.ModifiedAt <= @max3
      AND NOT EXISTS (SELECT 1 FROM dwh.FACT_CLAIM f WHERE f.ClaimId = t.ClaimId);

    UPDATE admin.LoadControl SET last_value = @max3 WHERE object_name = 'FACT_CLAIM';
    IF @@ROWCOUNT = 0
        INSERT INTO admin.LoadControl (object_name, last_value) VALUES ('FACT_CLAIM', @max3);

    /* ---- step 5: upsert ---- */
    PRINT 'step 5';
    SELECT t.ClaimId, d.POLICY_SK, CAST(CONVERT(char(8), t.LossDate, 112) AS int) AS DateKey, t.ClaimCount, t.PaidAmount, t.ClaimStatus
    INTO #incoming
    FROM staging.Claim t
    INNER JOIN dwh.DIM_POLICY d ON d.PolicyNumber = t.PolicyNumber AND d.IsCurrent = 1;

    CREATE UNIQUE CLUSTERED INDEX ix_incoming ON #incoming (ClaimId);

    UPDATE f
    SET f.ClaimCount = i.ClaimCount, f.PaidAmount = i.PaidAmount, f.ClaimStatus = i.ClaimStatus, f.LoadedAt = GETDATE()
    FROM dwh.FACT_CLAIM AS f
    JOIN #incoming AS i ON i.ClaimId = f.ClaimId
    WHERE EXISTS (SELECT f.ClaimCount, f.PaidAmount, f.ClaimStatus EXCEPT SELECT i.ClaimCount, i.PaidAmount, i.ClaimStatus);

    INSERT INTO dwh.FACT_CLAIM (ClaimId, POLICY_SK, DateKey, ClaimCount, PaidAmount, ClaimStatus)
    SELECT i.ClaimId, i.POLICY_SK, i.DateKey, i.ClaimCount, i.PaidAmount, i.ClaimStatus
    FROM #incoming i
    WHERE NOT EXISTS (SELECT * FROM dwh.FACT_CLAIM f WHERE f.ClaimId = i.ClaimId);

    DROP TABLE #incoming;

    /* ---- step 6: dedupe ---- */
    PRINT 'step 6';
    ;WITH ranked AS (
        SELECT *, ROW_NUMBER() OVER (PARTITION BY PolicyHolder, Branch ORDER BY ModifiedAt DESC, PolicyNumber) AS rn
        FROM staging.Policy
    )
    DELETE FROM ranked WHERE rn > 1;

    WITH t AS (SELECT ProductLine FROM staging.Policy WHERE ProductLine = '')
    UPDATE t SET ProductLine = NULL;

    /* ---- step 7: temp chain ---- */
    PRINT 'step 7';
    IF OBJECT_ID('tempdb..#base') IS NOT NULL DROP TABLE #base;
    CREATE TABLE #base (
        ym char(6) NOT NULL,
        cls varchar(20) NULL,
        place nvarchar(50) NULL,
        qty int NULL,
        amt decimal(18, 2) NULL,
        ent nvarchar(30) NOT NULL
    );
    INSERT INTO #base (ym, cls, place, qty, amt, ent)
    SELECT CONVERT(char(6), t.LossDate, 112), e.ProductLine, e.Branch, t.ClaimCount, t.PaidAmount, t.PolicyNumber
    FROM staging.Claim AS t
    LEFT JOIN staging.Policy AS e ON e.PolicyNumber = t.PolicyNumber
    WHERE t.ClaimStatus <> 'REPORTED';

    UPDATE #base SET cls = 'UNK' WHERE cls IS NULL;
    UPDATE #base SET place = CASE WHEN place IS NULL OR place = '' THEN 'n/a' ELSE UPPER(place) END;

    SELECT ym, cls, place, SUM(qty) AS qty, SUM(amt) AS amt, COUNT(DISTINCT ent) AS cnt
    INTO #agg
    FROM #base
    GROUP BY ym, cls, place;

    TRUNCATE TABLE dwh.CLAIM_MONTHLY;
    INSERT INTO dwh.CLAIM_MONTHLY
    SELECT ym, cls, place, qty, amt, cnt FROM #agg WHERE amt <> 0;
    DROP TABLE #base, #agg;

    /* ---- step 8: cursor ---- */
    PRINT 'step 8';
    DECLARE @id7 int, @amount7 decimal(18, 2), @n7 int = 0;
    DECLARE c CURSOR LOCAL FAST_FORWARD FOR
        SELECT ClaimId, PaidAmount FROM staging.Claim WHERE ClaimStatus = 'REPORTED' ORDER BY ClaimId;
    OPEN c;
    FETCH NEXT FROM c INTO @id7, @amount7;
    WHILE @@FETCH_STATUS = 0
    BEGIN
        IF @amount7 >= 1000
            UPDATE staging.Claim SET ClaimStatus = 'SETTLED' WHERE ClaimId = @id7;
        ELSE IF @amount7 < 0
        BEGIN
            DELETE staging.Claim WHERE ClaimId = @id7;
            SET @n7 += 1;
        END
        FETCH NEXT FROM c INTO @id7, @amount7;
    END
    CLOSE c;
    DEALLOCATE c;
    PRINT CAST(@n7 AS varchar(10)) + ' rows deleted';

    /* ---- step 9: multi ---- */
    PRINT 'step 9';
  BEGIN TRY
    DECLARE @rc18 int, @rc28 int, @rc38 int;
    INSERT INTO dwh.ProductLineRef (LineCode, LineDescription)
    SELECT DISTINCT ProductLine, ProductLine FROM staging.Policy
    EXCEPT
    SELECT LineCode, LineCode FROM dwh.ProductLineRef;
    SET @rc18 = @@ROWCOUNT;

    INSERT INTO dwh.DIM_POLICY (PolicyNumber, PolicyHolder, ProductLine, Branch, SumInsured)
    SELECT e.PolicyNumber, MAX(e.PolicyHolder), MAX(e.ProductLine), MAX(e.Branch), AVG(e.SumInsured)
    FROM staging.Policy e
    WHERE NOT EXISTS (SELECT 1 FROM dwh.DIM_POLICY d WHERE d.PolicyNumber = e.PolicyNumber)
    GROUP BY e.PolicyNumber;
    SET @rc28 = @@ROWCOUNT;

    INSERT INTO dwh.ClaimArchive (ClaimId, PolicyNumber, LossDate, ClaimCount, PaidAmount, ClaimStatus)
    SELECT ClaimId, PolicyNumber, LossDate, ClaimCount, PaidAmount, ClaimStatus
    FROM staging.Claim WHERE ClaimStatus IN ('SETTLED') AND DATEDIFF(month, LossDate, GETDATE()) >= 24
    UNION ALL
    SELECT ClaimId, PolicyNumber, LossDate, 0, 0, 'VOID' FROM staging.Claim WHERE ClaimCount IS NULL;
    SET @rc38 = @@ROWCOUNT;
    PRINT 'ref ' + STR(@rc18) + ' dim ' + STR(@rc28) + ' arc ' + STR(@rc38);
  END TRY
  BEGIN CATCH
    PRINT ERROR_MESSAGE();
  END CATCH

    /* ---- step 10: swap ---- */
    PRINT 'step 10';
    IF OBJECT_ID('dwh.CLAIM_MONTHLY_new', 'U') IS NOT NULL
        DROP TABLE dwh.CLAIM_MONTHLY_new;
    SELECT CONVERT(char(6), t.LossDate, 112) AS YearMonth, e.ProductLine, e.Branch,
           SUM(t.ClaimCount) AS TotalClaimCount, CAST(SUM(t.PaidAmount) AS decimal(38, 2)) AS TotalPaidAmount, COUNT(*) AS EntityCount
    INTO dwh.CLAIM_MONTHLY_new
    FROM staging.Claim t
    JOIN staging.Policy e ON e.PolicyNumber = t.PolicyNumber
    GROUP BY CONVERT(char(6), t.LossDate, 112), e.ProductLine, e.Branch;
    CREATE NONCLUSTERED INDEX ix_CLAIM_MONTHLY_ym ON dwh.CLAIM_MONTHLY_new (YearMonth DESC) INCLUDE (ProductLine) WITH (FILLFACTOR = 90);
    IF EXISTS (SELECT 1 FROM sys.indexes WHERE name = 'ix_old')
        DROP INDEX ix_old ON dwh.CLAIM_MONTHLY;
    TRUNCATE TABLE dwh.CLAIM_MONTHLY;
    ALTER TABLE dwh.CLAIM_MONTHLY_new SWITCH TO dwh.CLAIM_MONTHLY;
    UPDATE STATISTICS dwh.CLAIM_MONTHLY;
    DROP TABLE IF EXISTS dwh.CLAIM_MONTHLY_new;

    /* ---- step 11: cursor ---- */
    PRINT 'step 11';
    DECLARE @class10 varchar(20);
    DECLARE @sql10 nvarchar(max);
    DECLARE cls_cursor CURSOR FOR
    SELECT DISTINCT ProductLine FROM staging.Policy WHERE ProductLine IS NOT NULL;
    OPEN cls_cursor;
    FETCH NEXT FROM cls_cursor INTO @class10;
    WHILE (@@FETCH_STATUS = 0)
    BEGIN
        SET @sql10 = N'INSERT INTO dwh.CLAIM_MONTHLY (YearMonth, ProductLine, Branch, TotalClaimCount, TotalPaidAmount) '
                 + N'SELECT CONVERT(char(6), t.LossDate, 112), @cls10, e.Branch, SUM(t.ClaimCount), SUM(t.PaidAmount) '
                 + N'FROM staging.Claim t JOIN staging.Policy e ON e.PolicyNumber = t.PolicyNumber WHERE e.ProductLine = @cls10 '
                 + N'GROUP BY CONVERT(char(6), t.LossDate, 112), e.Branch';
        EXEC sp_executesql @sql10, N'@cls10 varchar(20)', @cls10 = @class10;
        FETCH NEXT FROM cls_cursor INTO @class10;
    END;
    CLOSE cls_cursor;
    DEALLOCATE cls_cursor;

    /* ---- step 12: pivot ---- */
    PRINT 'step 12';
    SELECT p.Branch, ISNULL(p.[REPORTED], 0) AS [REPORTED], ISNULL(p.[SETTLED], 0) AS [SETTLED]
    FROM (
        SELECT e.Branch, t.ClaimStatus, t.PaidAmount
        FROM staging.Claim t INNER JOIN staging.Policy e ON e.PolicyNumber = t.PolicyNumber
    ) AS src
    PIVOT (SUM(PaidAmount) FOR ClaimStatus IN ([REPORTED], [SETTLED])) AS p
    ORDER BY p.Branch;

    /* ---- step 13: pivot ---- */
    PRINT 'step 13';
    WITH monthly AS (
        SELECT CONVERT(char(6), t.LossDate, 112) AS ym, e.ProductLine, e.Branch, SUM(t.PaidAmount) AS amt
        FROM staging.Claim t
        JOIN staging.Policy e ON e.PolicyNumber = t.PolicyNumber
        GROUP BY CONVERT(char(6), t.LossDate, 112), e.ProductLine, e.Branch WITH ROLLUP
    ), named AS (
        SELECT ISNULL(ym, 'TOTAL') AS ym, ISNULL(ProductLine, 'ALL') AS cls, ISNULL(Branch, 'ALL') AS place, amt
        FROM monthly
    )
    SELECT n.ym, n.cls, n.place, n.amt,
           amt_prev = LAG(n.amt) OVER (PARTITION BY n.cls, n.place ORDER BY n.ym),
           running = SUM(n.amt) OVER (PARTITION BY n.cls, n.place ORDER BY n.ym ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)
    FROM named n
    ORDER BY n.ym, n.cls, n.place;

    /* ---- step 14: full reload ---- */
    PRINT 'step 14';
    TRUNCATE TABLE dwh.DIM_POLICY;
    INSERT INTO dwh.DIM_POLICY (PolicyNumber, PolicyHolder, ProductLine, Branch, SumInsured)
    SELECT s.PolicyNumber,
           LTRIM(RTRIM(s.PolicyHolder)),
           ISNULL(s.ProductLine, 'UNK'),
           COALESCE(NULLIF(s.Branch, ''), 'n/a'),
           s.SumInsured
    FROM staging.Policy AS s
    WHERE s.PolicyNumber IS NOT NULL;

    /* ---- step 15: watermark ---- */
    PRINT 'step 15';
    DECLARE @last14 datetime, @max14 datetime;

    SELECT @last14 = last_value FROM admin.LoadControl WHERE object_name = 'FACT_CLAIM';
    IF @last14 IS NULL SET @last14 = '19000101';
    SELECT @max14 = MAX(ModifiedAt) FROM staging.Claim;

    INSERT INTO dwh.FACT_CLAIM (ClaimId, POLICY_SK, DateKey, ClaimCount, PaidAmount, ClaimStatus)
    SELECT t.ClaimId,
           ISNULL(d.POLICY_SK, -1),
           CONVERT(int, CONVERT(varchar(8), t.LossDate, 112)),
           t.ClaimCount,
           t.PaidAmount,
           t.ClaimStatus
    FROM staging.Claim t
    LEFT JOIN dwh.DIM_POLICY d
           ON d.PolicyNumber = t.PolicyNumber
          AND d.IsCurrent = 1
    WHERE t.ModifiedAt > @last14
      AND t.ModifiedAt <= @max14
      AND NOT EXISTS (SELECT 1 FROM dwh.FACT_CLAIM f WHERE f.ClaimId = t.ClaimId);

    UPDATE admin.LoadControl SET last_value = @max14 WHERE object_name = 'FACT_CLAIM';
    IF @@ROWCOUNT = 0
        INSERT INTO admin.LoadControl (object_name, last_value) VALUES ('FACT_CLAIM', @max14);

    /* ---- step 16: temp chain ---- */
    PRINT 'step 16';
    IF OBJECT_ID('tempdb..#base') IS NOT NULL DROP TABLE #base;
    CREATE TABLE #base (
        ym char(6) NOT NULL,
        cls varchar(20) NULL,
        place nvarchar(50) NULL,
        qty int NULL,
        amt decimal(18, 2) NULL,
        ent nvarchar(30) NOT NULL
    );
    INSERT INTO #base (ym, cls, place, qty, amt, ent)
    SELECT CONVERT(char(6), t.LossDate, 112), e.ProductLine, e.Branch, t.ClaimCount, t.PaidAmount, t.PolicyNumber
    FROM staging.Claim AS t
    LEFT JOIN staging.Policy AS e ON e.PolicyNumber = t.PolicyNumber
    WHERE t.ClaimStatus <> 'REPORTED';

    UPDATE #base SET cls = 'UNK' WHERE cls IS NULL;
    UPDATE #base SET place = CASE WHEN place IS NULL OR place = '' THEN 'n/a' ELSE UPPER(place) END;

    SELECT ym, cls, place, SUM(qty) AS qty, SUM(amt) AS amt, COUNT(DISTINCT ent) AS cnt
    INTO #agg
    FROM #base
    GROUP BY ym, cls, place;

    TRUNCATE TABLE dwh.CLAIM_MONTHLY;
    INSERT INTO dwh.CLAIM_MONTHLY
    SELECT ym, cls, place, qty, amt, cnt FROM #agg WHERE amt <> 0;
    DROP TABLE #base, #agg;

    /* ---- step 17: merge ---- */
    PRINT 'step 17';
    SET XACT_ABORT ON;
    MERGE dwh.DIM_POLICY AS tgt
    USING (SELECT PolicyNumber, PolicyHolder, ProductLine, Branch, SumInsured FROM staging.Policy WHERE PolicyNumber IS NOT NULL) AS src
        ON tgt.PolicyNumber = src.PolicyNumber
    WHEN MATCHED AND (ISNULL(tgt.PolicyHolder, '') <> ISNULL(src.PolicyHolder, '') OR ISNULL(tgt.SumInsured, 0) <> ISNULL(src.SumInsured, 0)) THEN
        UPDATE SET tgt.PolicyHolder = src.PolicyHolder,
                   tgt.ProductLine = src.ProductLine,
                   tgt.Branch = src.Branch,
                   tgt.SumInsured = src.SumInsured
    WHEN NOT MATCHED BY TARGET THEN
        INSERT (PolicyNumber, PolicyHolder, ProductLine, Branch, SumInsured)
        VALUES (src.PolicyNumber, src.PolicyHolder, src.ProductLine, src.Branch, src.SumInsured);
    PRINT 'rows merged: ' + CAST(@@ROWCOUNT AS varchar(20));

END
