USE [InsDWH]
GO
CREATE PROCEDURE dwh.sp_FACT_CLAIM_Delta
AS
BEGIN
    SET NOCOUNT ON
    DECLARE @last datetime, @max datetime

    SELECT @last = last_value FROM admin.LoadControl WHERE object_name = 'FACT_CLAIM'
    IF @last IS NULL SET @last = '19000101'
    SELECT @max = MAX(ModifiedAt) FROM staging.Claim

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
    WHERE t.ModifiedAt > @last
      AND t.ModifiedAt <= @max
      AND NOT EXISTS (SELECT 1 FROM dwh.FACT_CLAIM f WHERE f.ClaimId = t.ClaimId)

    UPDATE admin.LoadControl SET last_value = @max WHERE object_name = 'FACT_CLAIM'
    IF @@ROWCOUNT = 0
        INSERT INTO admin.LoadControl (object_name, last_value) VALUES ('FACT_CLAIM', @max)
END
