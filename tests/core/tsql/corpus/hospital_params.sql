-- =============================================
-- Author:      SQLAgent
-- Create date: 2017-07-17
-- Description: rpt.usp_DimPatient_Unknown
-- 2027  SQLAgent  ticket 4717: do not touch without asking
-- =============================================
CREATE PROCEDURE rpt.usp_DimPatient_Unknown
AS
IF NOT EXISTS (SELECT * FROM rpt.DimPatient WHERE PatientKey = -1)
BEGIN
    SET IDENTITY_INSERT rpt.DimPatient ON;
    INSERT rpt.DimPatient (PatientKey, PatientId, FullName, InsuranceClass, Ward, DepositAmt, ValidFrom, ValidTo, IsCurrent)
    SELECT -1, '0', N'Unknown', 'UNK', N'n/a', NULL, '19000101', NULL, 1;
    SET IDENTITY_INSERT rpt.DimPatient OFF;
END
ELSE
    UPDATE rpt.DimPatient SET FullName = N'Unknown', InsuranceClass = 'UNK' WHERE PatientKey = -1;
    -- TODO: check with business

IF (SELECT COUNT(*) FROM src.Patient) = 0
    RETURN;

UPDATE f
SET PatientKey = d.PatientKey
FROM rpt.FactEncounter f
INNER JOIN src.Encounter t ON t.EncounterId = f.EncounterId
INNER JOIN rpt.DimPatient d ON d.PatientId = t.PatientId AND d.IsCurrent = 1
WHERE f.PatientKey = -1;
