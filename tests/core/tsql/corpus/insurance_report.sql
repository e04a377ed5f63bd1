CREATE PROCEDURE dwh.sp_Claim_Page @page INT = 1, @size Int = 50
AS
BEGIN
    Set transaction ISOLATION LEVEL READ UNCOMMITTED;
    IF @page < 1 SET @page = 1;
    SELECT t.ClaimId, t.LossDate, DATENAME(month, t.LossDate) AS month_name,
           CASE t.ClaimStatus WHEN 'REPORTED' Then 'open' WHEN 'SETTLED' then 'closed' ELSE LOWER(ISNULL(t.ClaimStatus, '?')) END AS state,
           Case WHEN t.ClaimCount = 0 THEN NULL ELSE t.PaidAmount / t.ClaimCount end AS unit
    from staging.Claim t
    ORDER BY t.LossDate DESC, t.ClaimId
    OFFSET (@page - 1) * @size ROWS FETCH NEXT @size ROWS ONLY;
    SET transaction ISOLATION LEVEL READ COMMITTED;
end
