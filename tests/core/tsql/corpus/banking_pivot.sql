-- =============================================
-- Author:      -
-- Create date: 2011-01-11
-- Description: core.p_Posting_StatusMatrix
-- 2021  -  ticket 4111: do not touch without asking
-- =============================================
CREATE PROCEDURE core.p_Posting_StatusMatrix
AS
BEGIN
    SELECT p.BranchCode, ISNULL(p.[PENDING], 0) AS [PENDING], ISNULL(p.[BOOKED], 0) AS [BOOKED]
    FROM (
        SELECT e.BranchCode, t.PostingType, t.PostingAmount
        FROM lnd.Posting t INNER JOIN lnd.Account e ON e.AccountNo = t.AccountNo
    ) AS src
    PIVOT (SUM(PostingAmount) FOR PostingType IN ([PENDING], [BOOKED])) AS p
    ORDER BY p.BranchCode
END
