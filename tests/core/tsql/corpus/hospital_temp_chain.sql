create procedure rpt.usp_EncounterSummary_Build
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
        ent int not null
    )
    insert into #base (ym, cls, place, qty, amt, ent)
    select convert(char(6), t.AdmitDate, 112), e.InsuranceClass, e.Ward, t.LengthOfStay, t.TotalCharge, t.PatientId
    from src.Encounter as t
    left join src.Patient as e on e.PatientId = t.PatientId
    where t.EncounterStatus <> 'ADMITTED'

    update #base set cls = 'UNK' where cls is null
    update #base set place = case when place is null or place = '' then 'n/a' else UPPER(place) end

    select ym, cls, place, sum(qty) as qty, sum(amt) as amt, count(distinct ent) as cnt
    into #agg
    from #base
    group by ym, cls, place

    truncate table rpt.EncounterSummary
    insert into rpt.EncounterSummary
    select ym, cls, place, qty, amt, cnt from #agg where amt <> 0
    drop table #base, #agg
end
