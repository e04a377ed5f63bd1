USE [ClinicalDW]
GO
create procedure rpt.usp_Encounter_StatusMatrix
as
begin
    select p.Ward, isnull(p.[ADMITTED], 0) as [ADMITTED], isnull(p.[DISCHARGED], 0) as [DISCHARGED]
    from (
        select e.Ward, t.EncounterStatus, t.TotalCharge
        from src.Encounter t inner join src.Patient e on e.PatientId = t.PatientId
    ) as src
    PIVOT (sum(TotalCharge) for EncounterStatus in ([ADMITTED], [DISCHARGED])) as p
    order by p.Ward
    --PRINT 'debug'
end
