-- =============================================
-- Author:      m.weber
-- Create date: 2016-06-16
-- Description: core.p_POSTING_MONTH_Swap
-- 2026  m.weber  ticket 4616: do not touch without asking
-- =============================================
CREATE PROCEDURE core.p_POSTING_MONTH_Swap
AS
BEGIN
    IF OBJECT_ID('core.POSTING_MONTH_new', 'U') IS NOT NULL
        DROP TABLE core.POSTING_MONTH_new
    SELECT CONVERT(char(6), t.BookingDate, 112) AS YearMonth, e.ProductCode, e.BranchCode,
           SUM(t.EntryCount) AS TotalEntryCount, CAST(SUM(t.PostingAmount) AS decimal(38, 2)) AS TotalPostingAmount, COUNT(*) AS EntityCount
    INTO core.POSTING_MONTH_new
    FROM lnd.Posting t
    JOIN lnd.Account e ON e.AccountNo = t.AccountNo
    GROUP BY CONVERT(char(6), t.BookingDate, 112), e.ProductCode, e.BranchCode
    CREATE NONCLUSTERED INDEX ix_POSTING_MONTH_ym ON core.POSTING_MONTH_new (YearMonth DESC) INCLUDE (ProductCode) WITH (FILLFACTOR = 90)
    -- changed 12.04.2018
    IF EXISTS (SELECT 1 FROM sys.indexes WHERE name = 'ix_old')
        DROP INDEX ix_old ON core.POSTING_MONTH
    TRUNCATE TABLE core.POSTING_MONTH
    ALTER TABLE core.POSTING_MONTH_new SWITCH TO core.POSTING_MONTH
    UPDATE STATISTICS core.POSTING_MONTH
    DROP TABLE IF EXISTS core.POSTING_MONTH_new
END
