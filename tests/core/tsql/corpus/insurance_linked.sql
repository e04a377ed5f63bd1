ALTER PROC staging.sp_pull_policies
AS
SET XACT_ABORT ON
SET ANSI_WARNINGS OFF
TRUNCATE TABLE staging.Policy
INSERT INTO staging.Policy (PolicyNumber, PolicyHolder, ProductLine, Branch, SumInsured)
SELECT p.POLNO, RTRIM(p.HOLDER), p.LOB, b.BRANCH_NAME, p.SUM_INS
FROM [CORE-PRD].PolicyDB.dbo.POLICY p WITH (NOLOCK)
    INNER JOIN [CORE-PRD].PolicyDB.dbo.BRANCH AS b WITH (NOLOCK) ON b.BRANCH_ID = p.BRANCH_ID
WHERE p.STATUS <> 'X'
INSERT INTO staging.Policy (PolicyNumber, PolicyHolder)
SELECT POLNO, HOLDER FROM OPENQUERY([CORE-PRD], 'select POLNO, HOLDER from LEGACY.POL where CLOSED = 0') AS legacy
WHERE NOT EXISTS (SELECT * FROM staging.Policy s WHERE s.PolicyNumber = legacy.POLNO)
EXEC ('update LEGACY.POL set PULLED = 1') AT [CORE-PRD]
EXEC [CORE-PRD].PolicyDB.dbo.MarkPulled @system = N'DWH'
SET ANSI_WARNINGS ON
