/*  Readmissions within @days after discharge.
    One row per encounter; the first encounter of a patient is never one.  */
CREATE PROCEDURE rpt.usp_Readmissions
    @days smallint = 30,
    @ward nvarchar(50) = N'%'
AS
BEGIN
    SET NOCOUNT ON;
    SELECT e.PatientId, e.EncounterId, e.AdmitDate,
           DATEADD(day, e.LengthOfStay, e.AdmitDate) AS DischargeDate,
           LAG(DATEADD(day, e.LengthOfStay, e.AdmitDate)) OVER (PARTITION BY e.PatientId ORDER BY e.AdmitDate, e.EncounterId) AS PrevDischarge,
           FIRST_VALUE(e.AdmitDate) OVER (PARTITION BY e.PatientId ORDER BY e.AdmitDate) AS FirstAdmit,
           NTILE(4) OVER (ORDER BY e.TotalCharge DESC) AS ChargeQuartile
    INTO #enc
    FROM src.Encounter AS e
    INNER JOIN src.Patient AS p ON p.PatientId = e.PatientId AND p.Ward LIKE @ward
    WHERE e.EncounterStatus IN ('ADMITTED', 'DISCHARGED');

    ALTER TABLE #enc ADD IsReadmission bit NOT NULL DEFAULT (0), Note varchar(200) NULL;

    UPDATE #enc
    SET IsReadmission = 1,
        Note = 'after ' + CONVERT(varchar(5), DATEDIFF(dd, PrevDischarge, AdmitDate)) + ' day(s)'
    WHERE PrevDischarge IS NOT NULL
      AND DATEDIFF(dd, PrevDischarge, AdmitDate) <= @days;

    SELECT TOP (100) PERCENT CONVERT(char(7), AdmitDate, 120) AS ym,
           COUNT(*) AS encounters,
           SUM(CAST(IsReadmission AS int)) AS readmissions,
           CAST(100.0 * SUM(CAST(IsReadmission AS int)) / COUNT(*) AS decimal(5, 1)) AS rate
    FROM #enc
    GROUP BY CONVERT(char(7), AdmitDate, 120)
    ORDER BY ym;

    IF EXISTS (SELECT 1 FROM #enc WHERE IsReadmission = 1 AND ChargeQuartile = 1)
        SELECT TOP 5 WITH TIES PatientId, COUNT(*) AS n FROM #enc WHERE IsReadmission = 1 GROUP BY PatientId ORDER BY COUNT(*) DESC;
END
