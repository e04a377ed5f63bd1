/* one zone after the other, the big statement blew tempdb */
create procedure dm.usp_Refresh_zone_monthly_each
as
begin
set nocount on
declare @zone nvarchar(50), @started datetime
set @started = getdate()

truncate table dm.zone_monthly

declare zones cursor local static read_only forward_only for
	select distinct GridZone from stage.Meter where GridZone is not null and GridZone <> ''
open zones
fetch next from zones into @zone
while @@fetch_status = 0
begin
	insert into dm.zone_monthly (YearMonth, MeterType, GridZone, TotalKwh, TotalEnergyCost, EntityCount)
	select convert(char(6), r.ReadingDate, 112), m.MeterType, @zone,
		sum(r.Kwh), sum(r.EnergyCost), count(distinct r.MeterSerial)
	from stage.Reading r
	inner join stage.Meter m on m.MeterSerial = r.MeterSerial
	where m.GridZone = @zone and m.MeterType is not null
	group by convert(char(6), r.ReadingDate, 112), m.MeterType

	exec utl.WriteLog 'zone_monthly', @@rowcount, 'OK'
	fetch next from zones into @zone
end
close zones
deallocate zones
print datediff(second, @started, getdate())
end
