create procedure core.p_D_ACCOUNT_Merge
as
begin
    set nocount on
    set XACT_ABORT on
    merge core.D_ACCOUNT as tgt
    using (select AccountNo, HolderName, ProductCode, BranchCode, OverdraftLimit from lnd.Account where AccountNo is not null) as src
        on tgt.AccountNo = src.AccountNo
    when matched and (isnull(tgt.HolderName, '') <> isnull(src.HolderName, '') or isnull(tgt.OverdraftLimit, 0) <> isnull(src.OverdraftLimit, 0)) then
        update set tgt.HolderName = src.HolderName,
                   tgt.ProductCode = src.ProductCode,
                   tgt.BranchCode = src.BranchCode,
                   tgt.OverdraftLimit = src.OverdraftLimit
    when not matched by TARGET then
        insert (AccountNo, HolderName, ProductCode, BranchCode, OverdraftLimit)
        values (src.AccountNo, src.HolderName, src.ProductCode, src.BranchCode, src.OverdraftLimit);
    print 'rows merged: ' + cast(@@ROWCOUNT as varchar(20))
    --SELECT TOP 100 * FROM lnd.Account
end
