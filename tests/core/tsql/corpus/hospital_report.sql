/* rpt.usp_Encounter_Page  (-) */
CREATE PROCEDURE rpt.usp_Encounter_Page @page int = 1, @size int = 50
AS
BEGIN
    SET TRANSACTION ISOLATION LEVEL READ UNCOMMITTED;
    IF @page < 1 SET @page = 1;
    SELECT t.EncounterId, t.AdmitDate, DATENAME(month, t.AdmitDate) AS month_name,
           CASE t.EncounterStatus WHEN 'ADMITTED' THEN 'open' WHEN 'DISCHARGED' THEN 'closed' ELSE LOWER(ISNULL(t.EncounterStatus, '?')) END AS state,
           CASE WHEN t.LengthOfStay = 0 THEN NULL ELSE t.TotalCharge / t.LengthOfStay END AS unit
    FROM src.Encounter t
    ORDER BY t.AdmitDate DESC, t.EncounterId
    OFFSET (@page - 1) * @size ROWS FETCH NEXT @size ROWS ONLY;
    -- TODO: check with business
    SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
    /* old logic
    DELETE FROM rpt.FactEncounter
    WHERE 1 = 0
    */
END
