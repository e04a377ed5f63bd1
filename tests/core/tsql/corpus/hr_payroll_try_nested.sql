CREATE PROCEDURE hr.HR_LoadPayroll (@period char(6), @dry bit = 0) AS
BEGIN TRY
  DECLARE @tc int = @@TRANCOUNT
  IF @tc = 0 BEGIN TRANSACTION payroll ELSE SAVE TRANSACTION payroll
  BEGIN TRY
    UPDATE hrstg.Absence SET CostAmount = e.BaseSalary / 220.0 * Days
    FROM hrstg.Absence INNER JOIN hrstg.Employee e ON e.EmployeeNumber = Absence.EmployeeNumber
    WHERE AbsenceStatus = 'APPROVED' AND CONVERT(char(6), AbsenceDate, 112) = @period
  END TRY
  BEGIN CATCH
    PRINT 'costs failed in line ' + CAST(ERROR_LINE() AS varchar(10)) + ' of ' + ISNULL(ERROR_PROCEDURE(), '?')
    IF XACT_STATE() = -1 THROW
  END CATCH
  DELETE hr.AbsenceByMonth WHERE YearMonth = @period
  INSERT hr.AbsenceByMonth
  SELECT @period, COALESCE(e.JobGrade, 'UNK'), COALESCE(e.Department, N'n/a'), SUM(a.Days), SUM(a.CostAmount), COUNT(DISTINCT a.EmployeeNumber)
  FROM hrstg.Absence a LEFT JOIN hrstg.Employee e ON e.EmployeeNumber = a.EmployeeNumber
  WHERE a.AbsenceDate >= CONVERT(datetime, @period + '01', 112) AND a.AbsenceDate < DATEADD(month, 1, @period + '01')
  GROUP BY COALESCE(e.JobGrade, 'UNK'), COALESCE(e.Department, N'n/a')
  IF @dry = 1
  BEGIN
    SELECT * FROM hr.AbsenceByMonth WHERE YearMonth = @period
    ROLLBACK TRANSACTION payroll
    IF @tc = 0 AND @@TRANCOUNT > 0 COMMIT TRANSACTION
    RETURN 0
  END
  IF @tc = 0 COMMIT WORK
END TRY
BEGIN CATCH
  DECLARE @m nvarchar(4000), @s int, @st int
  SELECT @m = ERROR_MESSAGE(), @s = ERROR_SEVERITY(), @st = ERROR_STATE()
  IF @tc = 0 AND XACT_STATE() <> 0 ROLLBACK WORK
  EXEC hrlog.WriteLog @name = N'payroll', @rows = -1, @message = @m
  RAISERROR (@m, @s, @st)
  RETURN -1
END CATCH
