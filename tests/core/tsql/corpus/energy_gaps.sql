create procedure dm.usp_Refresh_gaps @tolerance int = 1
as
begin
    -- islands of consecutive reading days per meter
    with d as (
        select distinct MeterSerial, cast(ReadingDate as date) as rd from stage.Reading
    ), g as (
        select MeterSerial, rd, dateadd(day, -row_number() over (partition by MeterSerial order by rd), rd) as grp from d
    ), islands as (
        select MeterSerial, min(rd) as first_day, max(rd) as last_day, count(*) as n from g group by MeterSerial, grp
    )
    select i.MeterSerial, i.last_day as gap_from, nxt.first_day as gap_to, datediff(day, i.last_day, nxt.first_day) - 1 as missing
    into #gaps
    from islands i
    outer apply (select top (1) j.first_day from islands j where j.MeterSerial = i.MeterSerial and j.first_day > i.last_day order by j.first_day) nxt
    where nxt.first_day is not null

    if @@rowcount = 0 return

    insert into stage.Reading (ReadingId, MeterSerial, ReadingDate, Kwh, EnergyCost, ReadingStatus)
    select (select max(ReadingId) from stage.Reading) + row_number() over (order by g.MeterSerial, g.gap_from),
           g.MeterSerial, dateadd(day, 1, g.gap_from), null, 0, 'ESTIMATED'
    from #gaps g
    where g.missing <= @tolerance

    update r
    set r.Kwh = (select avg(x.Kwh) from stage.Reading x where x.MeterSerial = r.MeterSerial and x.ReadingStatus = 'ACTUAL')
    from stage.Reading r
    where r.Kwh is null and r.ReadingStatus = 'ESTIMATED'
end
