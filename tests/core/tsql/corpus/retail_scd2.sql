-- =============================================
-- Author:      m.weber
-- Create date: 2014-04-14
-- Description: [dbo].[usp_LoadDimCustomer_History]
-- 2024  m.weber  ticket 4414: do not touch without asking
-- =============================================
create procedure [dbo].[usp_LoadDimCustomer_History]
as
begin
    set nocount on
    declare @now datetime = getdate()

    -- close the versions that changed
    update d
    set d.ValidTo = @now,
        d.IsCurrent = 0
    from dbo.DimCustomer d
    inner join stg.Customer s on s.CustomerNo = d.CustomerNo
    where d.IsCurrent = 1
      and (d.Segment <> s.Segment or d.City <> s.City or isnull(d.CreditLimit, -1) <> isnull(s.CreditLimit, -1))

    -- new versions and new keys
    insert into dbo.DimCustomer (CustomerNo, CustomerName, Segment, City, CreditLimit, ValidFrom, ValidTo, IsCurrent)
    select s.CustomerNo, s.CustomerName, s.Segment, s.City, s.CreditLimit, @now, null, 1
    from stg.Customer s
    left outer join dbo.DimCustomer d on d.CustomerNo = s.CustomerNo and d.IsCurrent = 1
    where d.CustomerKey is null
end
