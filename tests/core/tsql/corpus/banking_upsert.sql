create procedure core.p_D_ACCOUNT_Upsert
as
set nocount on
declare @u int, @i int

update tgt
   set HolderName = src.HolderName,
       ProductCode = src.ProductCode,
       BranchCode = src.BranchCode,
       OverdraftLimit = src.OverdraftLimit
  from core.D_ACCOUNT tgt, lnd.Account src
 where tgt.AccountNo = src.AccountNo
   and tgt.IsCurrent = 1
set @u = @@ROWCOUNT

insert into core.D_ACCOUNT (AccountNo, HolderName, ProductCode, BranchCode, OverdraftLimit)
select src.AccountNo, src.HolderName, src.ProductCode, src.BranchCode, src.OverdraftLimit
  from lnd.Account src
 where src.AccountNo not in (select AccountNo from core.D_ACCOUNT)
 -- TODO: check with business
select @i = @@ROWCOUNT

--EXEC dbo.SendMail 'dwh@example.com', @u, @i
select @u as updated_rows, @i as inserted_rows
