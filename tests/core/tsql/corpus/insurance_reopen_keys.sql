create procedure staging.sp_remove_orphan_claims
as
begin
  set nocount on;
  declare @more bit;
  set @more = 1;
  while @more = 1
  begin
    delete from staging.Claim
    where ClaimId in (select top 250 c.ClaimId from staging.Claim c
                      where not exists (select 1 from staging.Policy p where p.PolicyNumber = c.PolicyNumber)
                      order by c.ClaimId);
    if @@rowcount = 0
      set @more = 0;
    else
      waitfor delay '00:00:01';
  end;
end;
