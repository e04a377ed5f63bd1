-- =============================================
-- Author:      m.weber
-- Create date: 2012-02-12
-- Description: dwh.sp_DIM_POLICY_Merge
-- 2022  m.weber  ticket 4212: do not touch without asking
-- =============================================
create procedure dwh.sp_DIM_POLICY_Merge
as
begin
    set nocount on
    set XACT_ABORT on
    merge dwh.DIM_POLICY as tgt
    using (select PolicyNumber, PolicyHolder, ProductLine, Branch, SumInsured from InsDWH.staging.Policy where PolicyNumber is not null) as src
        on tgt.PolicyNumber = src.PolicyNumber
    when matched and (isnull(tgt.PolicyHolder, '') <> isnull(src.PolicyHolder, '') or isnull(tgt.SumInsured, 0) <> isnull(src.SumInsured, 0)) then
        update set tgt.PolicyHolder = src.PolicyHolder,
                   tgt.ProductLine = src.ProductLine,
                   tgt.Branch = src.Branch,
                   tgt.SumInsured = src.SumInsured
    when not matched by TARGET then
        insert (PolicyNumber, PolicyHolder, ProductLine, Branch, SumInsured)
        values (src.PolicyNumber, src.PolicyHolder, src.ProductLine, src.Branch, src.SumInsured);
        /* old logic
        DELETE FROM dwh.FACT_CLAIM
        WHERE 1 = 0
        */
    print 'rows merged: ' + cast(@@ROWCOUNT as varchar(20))
end
