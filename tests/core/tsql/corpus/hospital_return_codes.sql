CREATE PROCEDURE rpt.usp_CheckDelivery @MinRows int = 1
AS
    DECLARE @n int
    SELECT @n = COUNT(*) FROM src.Encounter
    IF @n < @MinRows
        RETURN 1
    IF EXISTS (SELECT 1 FROM src.Encounter WHERE TotalCharge < 0)
        RETURN 2
    RETURN 0
GO
CREATE PROCEDURE rpt.usp_EncounterSummary_Checked
AS
BEGIN
    SET NOCOUNT ON
    DECLARE @rc int
    EXEC @rc = rpt.usp_CheckDelivery @MinRows = 1
    IF @rc = 1
    BEGIN
        RAISERROR('nothing delivered', 10, 1)
        RETURN @rc
    END
    DELETE FROM rpt.EncounterSummary
    INSERT INTO rpt.EncounterSummary (YearMonth, InsuranceClass, Ward, TotalLengthOfStay, TotalTotalCharge, EntityCount)
    SELECT CONVERT(char(6), e.AdmitDate, 112), ISNULL(p.InsuranceClass, 'UNK'), ISNULL(p.Ward, N'-'),
           SUM(e.LengthOfStay), SUM(CASE WHEN @rc = 2 AND e.TotalCharge < 0 THEN 0 ELSE e.TotalCharge END), COUNT(*)
    FROM src.Encounter e
    JOIN src.Patient p ON p.PatientId = e.PatientId
    GROUP BY CONVERT(char(6), e.AdmitDate, 112), ISNULL(p.InsuranceClass, 'UNK'), ISNULL(p.Ward, N'-')
    RETURN 0
END
