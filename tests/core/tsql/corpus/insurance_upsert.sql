create procedure dwh.sp_DIM_POLICY_Upsert
as
set nocount on
declare @u int, @i int

update tgt
   set PolicyHolder = src.PolicyHolder,
       ProductLine = src.ProductLine,
       Branch = src.Branch,
       SumInsured = src.SumInsured
  from dwh.DIM_POLICY tgt, staging.Policy src
 where tgt.PolicyNumber = src.PolicyNumber
   and tgt.IsCurrent = 1
set @u = @@ROWCOUNT
/* old logic
DELETE FROM dwh.FACT_CLAIM
WHERE 1 = 0
*/

insert into dwh.DIM_POLICY (PolicyNumber, PolicyHolder, ProductLine, Branch, SumInsured)
select src.PolicyNumber, src.PolicyHolder, src.ProductLine, src.Branch, src.SumInsured
  from staging.Policy src
 where src.PolicyNumber not in (select PolicyNumber from dwh.DIM_POLICY)
select @i = @@ROWCOUNT

--EXEC dbo.SendMail 'dwh@example.com', @u, @i
select @u as updated_rows, @i as inserted_rows
