/****** Object:  StoredProcedure dwh.sp_CLAIM_MONTHLY_Month    Script Date: 3/3/2019 10:23:41 AM ******/
SET ANSI_NULLS ON
GO
SET QUOTED_IDENTIFIER ON
GO
CREATE PROCEDURE dwh.sp_CLAIM_MONTHLY_Month (@ym char(6))
AS
DECLARE @cnt int
BEGIN TRY
    DELETE a FROM dwh.CLAIM_MONTHLY AS a WHERE a.YearMonth = @ym
    PRINT CONVERT(varchar(10), @@ROWCOUNT) + ' old rows removed'
    INSERT INTO dwh.CLAIM_MONTHLY (YearMonth, ProductLine, Branch, TotalClaimCount, TotalPaidAmount, EntityCount)
    SELECT CONVERT(char(6), t.LossDate, 112),
           ISNULL(e.ProductLine, 'UNK'),
           ISNULL(e.Branch, 'n/a'),
           SUM(t.ClaimCount),
           SUM(t.PaidAmount),
           COUNT(DISTINCT t.PolicyNumber)
    FROM staging.Claim t
    JOIN staging.Policy e ON e.PolicyNumber = t.PolicyNumber
    WHERE CONVERT(char(6), t.LossDate, 112) = @ym
    GROUP BY CONVERT(char(6), t.LossDate, 112), ISNULL(e.ProductLine, 'UNK'), ISNULL(e.Branch, 'n/a')
    HAVING SUM(t.ClaimCount) > 0
    SET @cnt = @@ROWCOUNT
    EXEC admin.WriteLog @name = 'CLAIM_MONTHLY', @rows = @cnt
END TRY
BEGIN CATCH
    DECLARE @err nvarchar(4000)
    SELECT @err = ERROR_MESSAGE()
    EXEC admin.WriteLog 'CLAIM_MONTHLY', -1, @err
    RAISERROR(@err, 16, 1) WITH NOWAIT
END CATCH
