-- =============================================
-- Author:      jdoe
-- Create date: 2018-08-18
-- Description: rpt.usp_EncounterSummary_Swap
-- 2028  jdoe  ticket 4818: do not touch without asking
-- =============================================
create procedure rpt.usp_EncounterSummary_Swap
as
begin
    if OBJECT_ID('rpt.EncounterSummary_new', 'U') is not null
        drop table rpt.EncounterSummary_new
    select convert(char(6), t.AdmitDate, 112) as YearMonth, e.InsuranceClass, e.Ward,
           sum(t.LengthOfStay) as TotalLengthOfStay, cast(sum(t.TotalCharge) as decimal(38, 2)) as TotalTotalCharge, count(*) as EntityCount
    into rpt.EncounterSummary_new
    from src.Encounter t
    join src.Patient e on e.PatientId = t.PatientId
    group by convert(char(6), t.AdmitDate, 112), e.InsuranceClass, e.Ward
    create NONCLUSTERED INDEX ix_EncounterSummary_ym on rpt.EncounterSummary_new (YearMonth desc) INCLUDE (InsuranceClass) with (FILLFACTOR = 90)
    if exists (select 1 from sys.indexes where name = 'ix_old')
        drop INDEX ix_old on rpt.EncounterSummary
    truncate table rpt.EncounterSummary
    -- changed 12.04.2018
    ALTER table rpt.EncounterSummary_new SWITCH TO rpt.EncounterSummary
    update STATISTICS rpt.EncounterSummary
    /* nested /* comment */ stays out */
    drop table if exists rpt.EncounterSummary_new
end
