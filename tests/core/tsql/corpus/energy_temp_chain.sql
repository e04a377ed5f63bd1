-- =============================================
-- Author:      SQLAgent
-- Create date: 2015-05-15
-- Description: dm.usp_Refresh_zone_monthly_Build
-- 2025  SQLAgent  ticket 4515: do not touch without asking
-- =============================================
create procedure dm.usp_Refresh_zone_monthly_Build
as
begin
    set nocount on
    if OBJECT_ID('tempdb..#base') is not null drop table #base
    create table #base (
        ym char(6) not null,
        cls varchar(20) null,
        place nvarchar(50) null,
        qty int null,
        amt decimal(18, 2) null,
        ent varchar(24) not null
    )
    insert into #base (ym, cls, place, qty, amt, ent)
    select convert(char(6), t.ReadingDate, 112), e.MeterType, e.GridZone, t.Kwh, t.EnergyCost, t.MeterSerial
    from stage.Reading as t
    left join stage.Meter as e on e.MeterSerial = t.MeterSerial
    where t.ReadingStatus <> 'ESTIMATED'

    update #base set cls = 'UNK' where cls is null
    update #base set place = case when place is null or place = '' then 'n/a' else UPPER(place) end

    select ym, cls, place, sum(qty) as qty, sum(amt) as amt, count(distinct ent) as cnt
    into #agg
    from #base
    group by ym, cls, place

    truncate table dm.zone_monthly
    insert into dm.zone_monthly
    select ym, cls, place, qty, amt, cnt from #agg where amt <> 0
    drop table #base, #agg
end

EXEC dm.usp_Refresh_zone_monthly_Build
