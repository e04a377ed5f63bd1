/* rpt.usp_Encounter_Archive  (SQLAgent) */
CREATE PROCEDURE rpt.usp_Encounter_Archive
    @BatchSize int = 5000,
    @Before datetime
AS
BEGIN
    SET NOCOUNT ON
    DECLARE @moved int = 1, @total bigint = 0
    WHILE @moved > 0
    BEGIN
        BEGIN TRANSACTION
        DELETE TOP (@BatchSize) src
        OUTPUT deleted.EncounterId, deleted.PatientId, deleted.AdmitDate, deleted.LengthOfStay, deleted.TotalCharge, deleted.EncounterStatus
        INTO rpt.EncounterArchive (EncounterId, PatientId, AdmitDate, LengthOfStay, TotalCharge, EncounterStatus)
        FROM src.Encounter AS src
        WHERE src.AdmitDate < @Before
        SET @moved = @@ROWCOUNT
        SET @total = @total + @moved
        COMMIT TRANSACTION
        IF @total > 1000000 BREAK
        WAITFOR DELAY '00:00:01'
    END
    RETURN 0
END
