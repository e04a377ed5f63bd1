/****** Object:  StoredProcedure dwh.sp_CLAIM_MONTHLY_Build    Script Date: 3/8/2019 10:28:41 AM ******/
SET ANSI_NULLS ON
GO
SET QUOTED_IDENTIFIER ON
GO
CREATE PROCEDURE dwh.sp_CLAIM_MONTHLY_Build
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
        ent nvarchar(30) NOT NULL
    )
    INSERT INTO #base (ym, cls, place, qty, amt, ent)
    SELECT CONVERT(char(6), t.LossDate, 112), e.ProductLine, e.Branch, t.ClaimCount, t.PaidAmount, t.PolicyNumber
    FROM staging.Claim AS t
    LEFT JOIN staging.Policy AS e ON e.PolicyNumber = t.PolicyNumber
    WHERE t.ClaimStatus <> 'REPORTED'

    UPDATE #base SET cls = 'UNK' WHERE cls IS NULL
    /* nested /* comment */ stays out */
    UPDATE #base SET place = CASE WHEN place IS NULL OR place = '' THEN 'n/a' ELSE UPPER(place) END

    SELECT ym, cls, place, SUM(qty) AS qty, SUM(amt) AS amt, COUNT(DISTINCT ent) AS cnt
    INTO #agg
    FROM #base
    GROUP BY ym, cls, place

    TRUNCATE TABLE dwh.CLAIM_MONTHLY
    INSERT INTO dwh.CLAIM_MONTHLY
    SELECT ym, cls, place, qty, amt, cnt FROM #agg WHERE amt <> 0
    DROP TABLE #base, #agg
    --PRINT 'debug'
END
