CREATE PROCEDURE hr.HR_LoadFactAbsence_Days (@start DATE, @end DATE)
AS
Begin
    declare @d date = @start;
    While @d <= @end
    BEGIN
        if NOT Exists (SELECT 1 FROM hrstg.Absence where CAST(AbsenceDate AS date) = @d)
        begin
            SET @d = DATEADD(day, 1, @d);
            CONTINUE;
        End
        DELETE from hr.FactAbsence WHERE DateKey = CONVERT(int, CONVERT(Varchar(8), @d, 112));
        INSERT INTO hr.FactAbsence (AbsenceId, EmployeeSK, DateKey, Days, CostAmount, AbsenceStatus)
        SELECT t.AbsenceId, d.EmployeeSK, Convert(Int, CONVERT(VARCHAR(8), @d, 112)), t.Days, t.CostAmount, t.AbsenceStatus
        FROM hrstg.Absence t
        CROSS APPLY (SELECT TOP 1 x.EmployeeSK FROM hr.DimEmployee x WHERE x.EmployeeNumber = t.EmployeeNumber ORDER By x.ValidFrom desc) d
        WHERE cast(t.AbsenceDate AS DATE) = @d;
        SET @d = DATEADD(day, 1, @d);
    END
END
