CREATE Procedure rpt.usp_EncounterSummary_Month (@ym char(6))
AS
DECLARE @cnt int
BEGIN TRY
    delete a FROM rpt.EncounterSummary AS a WHERE a.YearMonth = @ym
    PRINT CONVERT(Varchar(10), @@ROWCOUNT) + ' old rows removed'
    INSERT INTO rpt.EncounterSummary (YearMonth, InsuranceClass, Ward, TotalLengthOfStay, TotalTotalCharge, EntityCount)
    SELECT CONVERT(char(6), t.AdmitDate, 112),
           ISNULL(e.InsuranceClass, 'UNK'),
           Isnull(e.Ward, 'n/a'),
           SUM(t.LengthOfStay),
           SUM(t.TotalCharge),
           Count(Distinct t.PatientId)
    FROM src.Encounter t
    JOIN src.Patient e ON e.PatientId = t.PatientId
    WHERE CONVERT(char(6), t.AdmitDate, 112) = @ym
    Group BY CONVERT(CHAR(6), t.AdmitDate, 112), ISNULL(e.InsuranceClass, 'UNK'), isnull(e.Ward, 'n/a')
    having SUM(t.LengthOfStay) > 0
    SET @cnt = @@ROWCOUNT
    EXEC log.WriteLog @name = 'EncounterSummary', @rows = @cnt
END TRY
begin CATCH
    DECLARE @err nvarchar(4000)
    -- changed 12.04.2018
    SELECT @err = ERROR_MESSAGE()
    EXEC log.WriteLog 'EncounterSummary', -1, @err
    RAISERROR(@err, 16, 1) with NOWAIT
end CATCH
