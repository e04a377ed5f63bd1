/****** Object:  StoredProcedure dwh.sp_DIM_POLICY_Unknown    Script Date: 3/5/2019 10:25:41 AM ******/
SET ANSI_NULLS ON
GO
SET QUOTED_IDENTIFIER ON
GO
create PROCEDURE dwh.sp_DIM_POLICY_Unknown
AS
IF NOT EXISTS (select * FROM dwh.DIM_POLICY WHERE POLICY_SK = -1)
BEGIN
    SET IDENTITY_INSERT dwh.DIM_POLICY on;
    Insert dwh.DIM_POLICY (POLICY_SK, PolicyNumber, PolicyHolder, ProductLine, Branch, SumInsured, ValidFrom, ValidTo, IsCurrent)
    SELECT -1, '0', N'Unknown', 'UNK', N'n/a', NULL, '19000101', NULL, 1;
    SET IDENTITY_INSERT dwh.DIM_POLICY OFF;
    -- TODO: check with business
end
Else
    UPDATE dwh.DIM_POLICY set PolicyHolder = N'Unknown', ProductLine = 'UNK' WHERE POLICY_SK = -1;

If (select COUNT(*) FROM staging.Policy) = 0
    RETURN;
    --SELECT TOP 100 * FROM staging.Policy

update f
SET POLICY_SK = d.POLICY_SK
From dwh.FACT_CLAIM f
INNER JOIN staging.Claim t ON t.ClaimId = f.ClaimId
INNER JOIN dwh.DIM_POLICY d ON d.PolicyNumber = t.PolicyNumber AND d.IsCurrent = 1
Where f.POLICY_SK = -1;
