-- =============================================
-- Author:      T. Okafor
-- Create date: 2011-01-11
-- Description: staging.sp_Claim_Clean
-- 2021  T. Okafor  ticket 4111: do not touch without asking
-- =============================================
Create procedure staging.sp_Claim_Clean @keep_days int = 365
AS
BEGIN
    Set nocount ON
    DECLARE @deleted TABLE (id INT PRIMARY KEY, d datetime)
    Delete TOP (100000) FROM staging.Claim
    Output deleted.ClaimId, deleted.LossDate Into @deleted (id, d)
    Where LossDate < DATEADD(dd, -@keep_days, GETDATE())
    IF EXISTS (SELECT 1 FROM @deleted)
        PRINT 'oldest row removed: ' + ISNULL(CONVERT(varchar(19), (SELECT MIN(d) From @deleted), 120), '-')
        /* nested /* comment */ stays out */
    ELSE
        PRINT 'nothing to do'
END
GO
