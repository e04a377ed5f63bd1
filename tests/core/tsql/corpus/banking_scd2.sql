/****** Object:  StoredProcedure core.p_D_ACCOUNT_Scd2    Script Date: 3/5/2019 10:25:41 AM ******/
SET ANSI_NULLS ON
GO
SET QUOTED_IDENTIFIER ON
GO
ALTER PROCEDURE core.p_D_ACCOUNT_Scd2 @AsOf datetime = NULL
AS
Set NOCOUNT ON;
IF @AsOf IS NULL
    SET @AsOf = GETDATE();

INSERT INTO core.D_ACCOUNT (AccountNo, HolderName, ProductCode, BranchCode, OverdraftLimit, ValidFrom, ValidTo, IsCurrent)
SELECT AccountNo, HolderName, ProductCode, BranchCode, OverdraftLimit, @AsOf, NULL, 1
FROM (
    MERGE core.D_ACCOUNT AS d
    USING BankMart.lnd.Account AS s
       ON d.AccountNo = s.AccountNo AND d.IsCurrent = 1
    WHEN Matched AND (d.ProductCode <> s.ProductCode or d.BranchCode <> s.BranchCode) THEN
        UPDATE SET d.IsCurrent = 0, d.ValidTo = @AsOf
    When NOT MATCHED then
        INSERT (AccountNo, HolderName, ProductCode, BranchCode, OverdraftLimit, ValidFrom, IsCurrent)
        VALUES (s.AccountNo, s.HolderName, s.ProductCode, s.BranchCode, s.OverdraftLimit, @AsOf, 1)
    OUTPUT $action AS act, s.AccountNo, s.HolderName, s.ProductCode, s.BranchCode, s.OverdraftLimit
) AS changes
where changes.act = 'UPDATE';
RETURN 0;
