CREATE PROCEDURE hr.HR_ArchiveAbsence
    @before datetime,
    @batch int = 1000
AS
BEGIN
    SET NOCOUNT ON
    DECLARE @r int = 1
    WHILE @r > 0
    BEGIN
        ;WITH oldest AS (
            SELECT TOP (@batch) AbsenceId, EmployeeNumber, AbsenceDate, Days, CostAmount, AbsenceStatus
            FROM hrstg.Absence
            WHERE AbsenceDate < @before
            ORDER BY AbsenceDate, AbsenceId
        )
        DELETE FROM oldest
        SET @r = @@ROWCOUNT
    END
END
