CREATE PROCEDURE dwh.sp_CLAIM_Adjust
AS
BEGIN
    SET NOCOUNT ON;
    DECLARE @adjusted int;
    BEGIN TRAN;
    UPDATE dwh.FACT_CLAIM SET ClaimStatus = 'CLOSED'
    WHERE ClaimStatus = 'PAID' AND PaidAmount IS NOT NULL;

    SAVE TRAN adjust;
    UPDATE f SET f.PaidAmount = s.PaidAmount
    FROM dwh.FACT_CLAIM f
    JOIN staging.Claim s ON s.ClaimId = f.ClaimId
    WHERE s.PaidAmount <> f.PaidAmount;
    SET @adjusted = @@ROWCOUNT;
    IF @adjusted > 3
    BEGIN
        ROLLBACK TRAN adjust;
        PRINT 'suspicious number of adjustments, not applied';
    END;
    COMMIT TRAN;
END;
