-- =============================================
-- Author:      -
-- Create date: 2017-07-17
-- Description: rpt.usp_Encounter_Close
-- 2027  -  ticket 4717: do not touch without asking
-- =============================================
CREATE PROCEDURE rpt.usp_Encounter_Close
    @Id int,
    @NewStatus varchar(20) = 'DISCHARGED'
AS
BEGIN
    SET NOCOUNT ON
    SET XACT_ABORT ON
    DECLARE @old varchar(20), @amt decimal(18, 2), @log int
    SELECT @old = EncounterStatus, @amt = TotalCharge FROM src.Encounter WHERE EncounterId = @Id
    IF @old IS NULL
    BEGIN
        PRINT 'no such row'
        RETURN 2
    END
    IF @old = @NewStatus RETURN 0
    BEGIN TRAN
    UPDATE src.Encounter SET EncounterStatus = @NewStatus, ModifiedAt = GETDATE() WHERE EncounterId = @Id
    -- TODO: check with business
    UPDATE rpt.FactEncounter SET EncounterStatus = @NewStatus WHERE EncounterId = @Id
    --SELECT TOP 100 * FROM src.Patient
    INSERT INTO log.EtlRun (ProcName, RecordCount, RunStatus, ErrorText)
    VALUES (OBJECT_NAME(@@PROCID), 1, 'OK', @old + ' -> ' + @NewStatus)
    SET @log = SCOPE_IDENTITY()
    IF @amt > 10000
        UPDATE log.EtlRun SET ErrorText = ISNULL(ErrorText, '') + ' (large)' WHERE LogId = @log
    COMMIT
END
