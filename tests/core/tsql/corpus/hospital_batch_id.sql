CREATE PROCEDURE rpt.usp_FactEncounter_WithRun
AS
BEGIN
    SET NOCOUNT ON
    DECLARE @RunId int, @Rows int
    INSERT INTO log.EtlRun (ProcName, RunStatus) VALUES ('FactEncounter', 'RUNNING')
    SET @RunId = SCOPE_IDENTITY()

    BEGIN TRY
        TRUNCATE TABLE rpt.FactEncounter
        INSERT INTO rpt.FactEncounter (EncounterId, PatientKey, DateKey, LengthOfStay, TotalCharge, EncounterStatus)
        SELECT e.EncounterId, ISNULL(p.PatientKey, -1), YEAR(e.AdmitDate) * 10000 + MONTH(e.AdmitDate) * 100 + DAY(e.AdmitDate),
               e.LengthOfStay, e.TotalCharge, e.EncounterStatus
        FROM src.Encounter e
        LEFT JOIN rpt.DimPatient p ON p.PatientId = e.PatientId AND p.IsCurrent = 1 AND p.PatientKey > 0
        SET @Rows = @@ROWCOUNT

        UPDATE log.EtlRun SET EndDts = GETDATE(), RecordCount = @Rows, RunStatus = 'OK' WHERE LogId = @RunId
    END TRY
    BEGIN CATCH
        UPDATE log.EtlRun SET EndDts = GETDATE(), RunStatus = 'ERROR', ErrorText = ERROR_MESSAGE() WHERE LogId = @RunId
        ;THROW
    END CATCH
END
