-- =============================================
-- Author:      SQLAgent
-- Create date: 2013-03-13
-- Description: [dwh].[sp_DIM_POLICY_History]
-- 2023  SQLAgent  ticket 4313: do not touch without asking
-- =============================================
create procedure [dwh].[sp_DIM_POLICY_History]
as
begin
    set nocount on
    declare @now datetime = getdate()

    -- close the versions that changed
    update d
    set d.ValidTo = @now,
        d.IsCurrent = 0
    from dwh.DIM_POLICY d
    inner join staging.Policy s on s.PolicyNumber = d.PolicyNumber
    where d.IsCurrent = 1
      and (d.ProductLine <> s.ProductLine or d.Branch <> s.Branch or isnull(d.SumInsured, -1) <> isnull(s.SumInsured, -1))
      /* nested /* comment */ stays out */

    -- new versions and new keys
    insert into dwh.DIM_POLICY (PolicyNumber, PolicyHolder, ProductLine, Branch, SumInsured, ValidFrom, ValidTo, IsCurrent)
    select s.PolicyNumber, s.PolicyHolder, s.ProductLine, s.Branch, s.SumInsured, @now, null, 1
    from staging.Policy s
    left outer join dwh.DIM_POLICY d on d.PolicyNumber = s.PolicyNumber and d.IsCurrent = 1
    where d.POLICY_SK is null
end
