/****** Object:  StoredProcedure dwh.sp_CLAIM_MONTHLY_Swap    Script Date: 3/6/2019 10:26:41 AM ******/
SET ANSI_NULLS ON
GO
SET QUOTED_IDENTIFIER ON
GO
CREATE PROCEDURE dwh.sp_CLAIM_MONTHLY_Swap
AS
BEGIN
    IF OBJECT_ID('dwh.CLAIM_MONTHLY_new', 'U') IS NOT NULL
        DROP TABLE dwh.CLAIM_MONTHLY_new
    SELECT CONVERT(char(6), t.LossDate, 112) AS YearMonth, e.ProductLine, e.Branch,
           SUM(t.ClaimCount) AS TotalClaimCount, CAST(SUM(t.PaidAmount) AS decimal(38, 2)) AS TotalPaidAmount, COUNT(*) AS EntityCount
    INTO dwh.CLAIM_MONTHLY_new
    FROM staging.Claim t
    JOIN staging.Policy e ON e.PolicyNumber = t.PolicyNumber
    GROUP BY CONVERT(char(6), t.LossDate, 112), e.ProductLine, e.Branch
    CREATE NONCLUSTERED INDEX ix_CLAIM_MONTHLY_ym ON dwh.CLAIM_MONTHLY_new (YearMonth DESC) INCLUDE (ProductLine) WITH (FILLFACTOR = 90)
    IF EXISTS (SELECT 1 FROM sys.indexes WHERE name = 'ix_old')
        DROP INDEX ix_old ON dwh.CLAIM_MONTHLY
    TRUNCATE TABLE dwh.CLAIM_MONTHLY
    -- changed 12.04.2018
    ALTER TABLE dwh.CLAIM_MONTHLY_new SWITCH TO dwh.CLAIM_MONTHLY
    UPDATE STATISTICS dwh.CLAIM_MONTHLY
    DROP TABLE IF EXISTS dwh.CLAIM_MONTHLY_new
END
