/* hr.HR_LoadFactAbsence_Rebuild  (T. Okafor) */
CREATE PROCEDURE hr.HR_LoadFactAbsence_Rebuild
WITH RECOMPILE, EXECUTE AS OWNER
AS
BEGIN
    SET NOCOUNT ON
    ALTER TABLE hr.FactAbsence NOCHECK CONSTRAINT ALL
    ALTER INDEX ALL ON hr.FactAbsence DISABLE
    ALTER INDEX PK_FactAbsence ON hr.FactAbsence REBUILD WITH (SORT_IN_TEMPDB = ON)
    INSERT INTO hr.FactAbsence WITH (TABLOCK) (AbsenceId, EmployeeSK, DateKey, Days, CostAmount, AbsenceStatus)
    SELECT a.AbsenceId, -1, 19000101, a.Days, a.CostAmount, a.AbsenceStatus FROM hr.AbsenceArchive a
    OPTION (MAXDOP 4, RECOMPILE)
    /* old logic
    DELETE FROM hr.FactAbsence
    WHERE 1 = 0
    */
    ALTER INDEX ALL ON hr.FactAbsence REBUILD
    ALTER TABLE hr.FactAbsence WITH CHECK CHECK CONSTRAINT ALL
END
