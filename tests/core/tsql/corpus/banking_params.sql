CREATE PROCEDURE core.p_D_ACCOUNT_Unknown
AS
if Not Exists (Select * FROM core.D_ACCOUNT Where ACCOUNT_ID = -1)
BEGIN
    SET IDENTITY_INSERT core.D_ACCOUNT ON;
    INSERT core.D_ACCOUNT (ACCOUNT_ID, AccountNo, HolderName, ProductCode, BranchCode, OverdraftLimit, ValidFrom, ValidTo, IsCurrent)
    select -1, '0', N'Unknown', 'UNK', N'n/a', NULL, '19000101', NULL, 1;
    Set IDENTITY_INSERT core.D_ACCOUNT OFF;
END
ELSE
    UPDATE core.D_ACCOUNT SET HolderName = N'Unknown', ProductCode = 'UNK' WHERE ACCOUNT_ID = -1;

IF (SELECT Count(*) From lnd.Account) = 0
    RETURN;

Update f
SET ACCOUNT_ID = d.ACCOUNT_ID
From core.F_POSTING f
INNER join lnd.Posting t ON t.PostingId = f.PostingId
INNER JOIN core.D_ACCOUNT d ON d.AccountNo = t.AccountNo and d.IsCurrent = 1
where f.ACCOUNT_ID = -1;
--SELECT TOP 100 * FROM lnd.Account
