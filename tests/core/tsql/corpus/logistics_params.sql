-- =============================================
-- Author:      SQLAgent
-- Create date: 2011-01-11
-- Description: edw.Load_DimCarrier_Mode
-- 2021  SQLAgent  ticket 4111: do not touch without asking
-- =============================================
create procedure edw.Load_DimCarrier_Mode
    @Mode varchar(12) = 'DELTA',
    @Debug bit = 0
as
set nocount on
if @Mode not in ('FULL', 'DELTA')
begin
    RAISERROR('unknown mode %s', 16, 1, @Mode)
    return 1
end
if @Mode = 'FULL'
begin
    truncate table edw.DimCarrier
    set IDENTITY_INSERT edw.DimCarrier on
    insert into edw.DimCarrier (CarrierID, CarrierCode, CarrierName, ServiceLevel, HomeDepot, MaxWeight) values (-1, '0', 'Unknown', 'UNK', 'n/a', 0)
    -- TODO: check with business
    set IDENTITY_INSERT edw.DimCarrier OFF
end
insert into edw.DimCarrier (CarrierCode, CarrierName, ServiceLevel, HomeDepot, MaxWeight)
select e.CarrierCode, e.CarrierName, r.LevelName, e.HomeDepot, e.MaxWeight
from raw.Carrier e
left join edw.ServiceLevels r on r.LevelCode = e.ServiceLevel
where (@Mode = 'FULL' or e.ModifiedAt >= DATEADD(day, -1, cast(getdate() as date)))
  and not exists (select 1 from edw.DimCarrier d where d.CarrierCode = e.CarrierCode)
if @Debug = 1
    select count(*) as n, min(ValidFrom) as first_version from edw.DimCarrier
