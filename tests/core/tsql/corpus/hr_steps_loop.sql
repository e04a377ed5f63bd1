CREATE PROCEDURE hr.HR_RaiseSteps @dry_run bit = 0
AS
BEGIN
    SET NOCOUNT ON;
    DECLARE @step int = 1, @pct decimal(5, 2), @limit decimal(18, 2);
    IF @dry_run = 1
    BEGIN
        SELECT COUNT(*) AS affected FROM hrstg.Employee WHERE BaseSalary < 5000;
        RETURN;
    END;
    WHILE @step <= 3
    BEGIN
        SET @pct = CASE @step WHEN 1 THEN 1.05 WHEN 2 THEN 1.03 ELSE 1.01 END;
        SET @limit = @step * 1000;
        UPDATE hrstg.Employee
        SET BaseSalary = BaseSalary * @pct
        WHERE BaseSalary < @limit AND JobGrade IS NOT NULL;
        SET @step = @step + 1;
    END;
END;
