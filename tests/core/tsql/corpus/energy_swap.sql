/* dm.usp_Refresh_zone_monthly_Swap  (T. Okafor) */
create procedure dm.usp_Refresh_zone_monthly_Swap
as
begin
    if OBJECT_ID('dm.zone_monthly_new', 'U') is not null
        drop table dm.zone_monthly_new
    select convert(char(6), t.ReadingDate, 112) as YearMonth, e.MeterType, e.GridZone,
           sum(t.Kwh) as TotalKwh, cast(sum(t.EnergyCost) as decimal(38, 2)) as TotalEnergyCost, count(*) as EntityCount
    into dm.zone_monthly_new
    from stage.Reading t
    join stage.Meter e on e.MeterSerial = t.MeterSerial
    group by convert(char(6), t.ReadingDate, 112), e.MeterType, e.GridZone
    create NONCLUSTERED INDEX ix_zone_monthly_ym on dm.zone_monthly_new (YearMonth desc) INCLUDE (MeterType) with (FILLFACTOR = 90)
    if exists (select 1 from sys.indexes where name = 'ix_old')
        drop INDEX ix_old on dm.zone_monthly
    truncate table dm.zone_monthly
    ALTER table dm.zone_monthly_new SWITCH TO dm.zone_monthly
    update STATISTICS dm.zone_monthly
    drop table if exists dm.zone_monthly_new
    --SELECT TOP 100 * FROM stage.Meter
end

EXEC dm.usp_Refresh_zone_monthly_Swap
