/****** Object:  StoredProcedure [hr].[HR_LoadFactAbsence_Upsert]    Script Date: 3/4/2019 10:24:41 AM ******/
SET ANSI_NULLS ON
GO
SET QUOTED_IDENTIFIER ON
GO
CREATE procedure [hr].[HR_LoadFactAbsence_Upsert]
AS
BEGIN
    SET NOCOUNT, XACT_ABORT ON
    SELECT t.AbsenceId, d.EmployeeSK, CAST(Convert(Char(8), t.AbsenceDate, 112) AS int) AS DateKey, t.Days, t.CostAmount, t.AbsenceStatus
    Into #incoming
    FROM hrstg.Absence t
    inner JOIN hr.DimEmployee d on d.EmployeeNumber = t.EmployeeNumber AND d.IsCurrent = 1

    CREATE UNIQUE CLUSTERED INDEX ix_incoming ON #incoming (AbsenceId)

    UPDATE f
    SET f.Days = i.Days, f.CostAmount = i.CostAmount, f.AbsenceStatus = i.AbsenceStatus, f.LoadedAt = GETDATE()
    From hr.FactAbsence AS f
    join #incoming AS i On i.AbsenceId = f.AbsenceId
    WHERE exists (Select f.Days, f.CostAmount, f.AbsenceStatus EXCEPT SELECT i.Days, i.CostAmount, i.AbsenceStatus)

    Insert INTO hr.FactAbsence (AbsenceId, EmployeeSK, DateKey, Days, CostAmount, AbsenceStatus)
    SELECT i.AbsenceId, i.EmployeeSK, i.DateKey, i.Days, i.CostAmount, i.AbsenceStatus
    FROM #incoming i
    WHERE NOT EXISTS (SELECT * from hr.FactAbsence f Where f.AbsenceId = i.AbsenceId)
    /* nested /* comment */ stays out */

    Drop TABLE #incoming
    -- changed 12.04.2018
END
