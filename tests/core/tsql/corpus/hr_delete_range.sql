-- =============================================
-- Author:      m.weber
-- Create date: 2018-08-18
-- Description: hr.HR_LoadFactAbsence_Range
-- 2028  m.weber  ticket 4818: do not touch without asking
-- =============================================
create procedure hr.HR_LoadFactAbsence_Range
    @FromDate date,
    @ToDate   date = null
as
begin
    set nocount on
    set @ToDate = COALESCE(@ToDate, cast(getdate() as date))
    if @FromDate > @ToDate
    begin
        RAISERROR('from date after to date', 16, 1)
        return
        --PRINT 'debug'
    end

    delete from hr.FactAbsence
    where DateKey between convert(int, convert(char(8), @FromDate, 112)) and convert(int, convert(char(8), @ToDate, 112))

    insert into hr.FactAbsence (AbsenceId, EmployeeSK, DateKey, Days, CostAmount, AbsenceStatus)
    select t.AbsenceId, d.EmployeeSK, convert(int, convert(char(8), t.AbsenceDate, 112)), t.Days, t.CostAmount, t.AbsenceStatus
    from hrstg.Absence as t
    inner join hr.DimEmployee as d on d.EmployeeNumber = t.EmployeeNumber and t.AbsenceDate >= d.ValidFrom and t.AbsenceDate < isnull(d.ValidTo, '99991231')
    where t.AbsenceDate >= @FromDate and t.AbsenceDate < DATEADD(day, 1, @ToDate)
    -- changed 12.04.2018
end
