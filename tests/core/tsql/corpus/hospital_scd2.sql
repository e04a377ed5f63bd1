ALTER PROCEDURE rpt.usp_DimPatient_Scd2 @AsOf datetime = NULL
AS
SET NOCOUNT ON;
IF @AsOf IS NULL
    SET @AsOf = GETDATE();

INSERT INTO rpt.DimPatient (PatientId, FullName, InsuranceClass, Ward, DepositAmt, ValidFrom, ValidTo, IsCurrent)
SELECT PatientId, FullName, InsuranceClass, Ward, DepositAmt, @AsOf, NULL, 1
FROM (
    MERGE rpt.DimPatient AS d
    USING ClinicalDW.src.Patient AS s
       ON d.PatientId = s.PatientId AND d.IsCurrent = 1
    WHEN MATCHED AND (d.InsuranceClass <> s.InsuranceClass OR d.Ward <> s.Ward) THEN
        UPDATE SET d.IsCurrent = 0, d.ValidTo = @AsOf
    WHEN NOT MATCHED THEN
        INSERT (PatientId, FullName, InsuranceClass, Ward, DepositAmt, ValidFrom, IsCurrent)
        VALUES (s.PatientId, s.FullName, s.InsuranceClass, s.Ward, s.DepositAmt, @AsOf, 1)
    OUTPUT $action AS act, s.PatientId, s.FullName, s.InsuranceClass, s.Ward, s.DepositAmt
) AS changes
WHERE changes.act = 'UPDATE';
RETURN 0;
