CREATE PROCEDURE dwh.sp_Claim_StatusMatrix
AS
BEGIN
    SELECT p.Branch, ISNULL(p.[REPORTED], 0) AS [REPORTED], ISNULL(p.[SETTLED], 0) AS [SETTLED]
    FROM (
        SELECT e.Branch, t.ClaimStatus, t.PaidAmount
        FROM staging.Claim t INNER JOIN staging.Policy e ON e.PolicyNumber = t.PolicyNumber
    ) AS src
    PIVOT (SUM(PaidAmount) FOR ClaimStatus IN ([REPORTED], [SETTLED])) AS p
    ORDER BY p.Branch
END
