create procedure dbo.usp_LoadDimCustomer_Mode
    @Mode varchar(12) = 'DELTA',
    @Debug bit = 0
as
set nocount on
if @Mode not in ('FULL', 'DELTA')
begin
    RAISERROR('unknown mode %s', 16, 1, @Mode)
    return 1
    /* old logic
    DELETE FROM dbo.FactSales
    WHERE 1 = 0
    */
end
if @Mode = 'FULL'
begin
    truncate table dbo.DimCustomer
    set IDENTITY_INSERT dbo.DimCustomer on
    insert into dbo.DimCustomer (CustomerKey, CustomerNo, CustomerName, Segment, City, CreditLimit) values (-1, '0', 'Unknown', 'UNK', 'n/a', 0)
    set IDENTITY_INSERT dbo.DimCustomer OFF
    -- TODO: check with business
end
insert into dbo.DimCustomer (CustomerNo, CustomerName, Segment, City, CreditLimit)
select e.CustomerNo, e.CustomerName, r.SegmentName, e.City, e.CreditLimit
from stg.Customer e
left join dbo.SegmentCode r on r.SegmentCode = e.Segment
where (@Mode = 'FULL' or e.ModifiedAt >= DATEADD(day, -1, cast(getdate() as date)))
  and not exists (select 1 from dbo.DimCustomer d where d.CustomerNo = e.CustomerNo)
if @Debug = 1
    select count(*) as n, min(ValidFrom) as first_version from dbo.DimCustomer
