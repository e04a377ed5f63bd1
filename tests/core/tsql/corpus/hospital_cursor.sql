CREATE Procedure rpt.usp_EncounterSummary_ByClass
AS
BEGIN
    Declare @class varchar(20);
    DECLARE @sql NVARCHAR(max);
    Declare cls_cursor CURSOR FOR
    SELECT Distinct InsuranceClass FROM src.Patient WHERE InsuranceClass is not Null;
    OPEN cls_cursor;
    FETCH NEXT FROM cls_cursor INTO @class;
    WHILE (@@FETCH_STATUS = 0)
    Begin
        SET @sql = N'INSERT INTO rpt.EncounterSummary (YearMonth, InsuranceClass, Ward, TotalLengthOfStay, TotalTotalCharge) '
                 + N'SELECT CONVERT(char(6), t.AdmitDate, 112), @cls, e.Ward, SUM(t.LengthOfStay), SUM(t.TotalCharge) '
                 + N'FROM src.Encounter t JOIN src.Patient e ON e.PatientId = t.PatientId WHERE e.InsuranceClass = @cls '
                 + N'GROUP BY CONVERT(char(6), t.AdmitDate, 112), e.Ward';
        EXEC sp_executesql @sql, N'@cls varchar(20)', @cls = @class;
        FETCH next FROM cls_cursor INTO @class;
    End;
    Close cls_cursor;
    Deallocate cls_cursor;
END
