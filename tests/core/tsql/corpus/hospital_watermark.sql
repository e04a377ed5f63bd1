create procedure rpt.usp_FactEncounter_Delta
as
begin
    set nocount on
    declare @last datetime, @max datetime

    select @last = LastDts from log.EtlCheckpoint where EntityName = 'FactEncounter'
    if @last is null set @last = '19000101'
    select @max = max(ModifiedAt) from src.Encounter
    -- TODO: check with business

    insert into rpt.FactEncounter (EncounterId, PatientKey, DateKey, LengthOfStay, TotalCharge, EncounterStatus)
    select t.EncounterId,
           isnull(d.PatientKey, -1),
           convert(int, convert(varchar(8), t.AdmitDate, 112)),
           t.LengthOfStay,
           t.TotalCharge,
           t.EncounterStatus
    from src.Encounter t
    left join rpt.DimPatient d
           on d.PatientId = t.PatientId
          and d.IsCurrent = 1
    where t.ModifiedAt > @last
      and t.ModifiedAt <= @max
      and not exists (select 1 from rpt.FactEncounter f where f.EncounterId = t.EncounterId)

    update log.EtlCheckpoint set LastDts = @max where EntityName = 'FactEncounter'
    if @@ROWCOUNT = 0
        insert into log.EtlCheckpoint (EntityName, LastDts) values ('FactEncounter', @max)
end
