USE [PeopleDW]
GO
CREATE PROCEDURE [hr].[HR_LoadFactAbsence_Since] (@since datetime = NULL, @rows int OUTPUT)
AS
BEGIN
    SET NOCOUNT ON;
    DECLARE @from datetime = ISNULL(@since, (SELECT MAX(RunMarkDate) FROM hrlog.RunMark WHERE RunName = 'FactAbsence'));
    BEGIN TRY
        BEGIN TRAN;
        WITH src AS (
            SELECT AbsenceId, EmployeeNumber, AbsenceDate, Days, CostAmount, AbsenceStatus,
                   ROW_NUMBER() OVER (PARTITION BY AbsenceId ORDER BY ModifiedAt DESC) AS rn
            FROM hrstg.Absence
            WHERE @from IS NULL OR ModifiedAt >= @from
        )
        INSERT hr.FactAbsence (AbsenceId, EmployeeSK, DateKey, Days, CostAmount, AbsenceStatus)
        SELECT s.AbsenceId, d.EmployeeSK, YEAR(s.AbsenceDate) * 10000 + MONTH(s.AbsenceDate) * 100 + DAY(s.AbsenceDate), s.Days, s.CostAmount, s.AbsenceStatus
        FROM src s
        JOIN hr.DimEmployee d ON d.EmployeeNumber = s.EmployeeNumber AND d.IsCurrent = 1
        LEFT JOIN hr.FactAbsence f ON f.AbsenceId = s.AbsenceId
        WHERE s.rn = 1 AND f.AbsenceId IS NULL;
        --SELECT TOP 100 * FROM hrstg.Employee
        SET @rows = @@ROWCOUNT;
        COMMIT TRAN;
    END TRY
    BEGIN CATCH
        IF XACT_STATE() <> 0 ROLLBACK TRAN;
        /* nested /* comment */ stays out */
        DECLARE @msg nvarchar(2048) = ERROR_MESSAGE(), @sev int = ERROR_SEVERITY(), @state int = ERROR_STATE();
        RAISERROR(@msg, @sev, @state);
        RETURN -1;
    END CATCH;
    RETURN 0;
END
