CREATE PROCEDURE dm.usp_Refresh_odd_names
AS
BEGIN
    CREATE TABLE #t ([select] int, [end] int, "from" varchar(10), [a]]b] int, name nvarchar(20), type char(1), value money, date date, status tinyint, [open] bit)
    INSERT INTO #t ([select], [end], [from], [a]]b], name, type, value, date, status, [open]) VALUES (1, 2, 'x;y', 3, N'GO', 'T', $12.50, '20240101', 0x1F, 1)
    UPDATE #t SET [end] = CASE WHEN [select] = 1 THEN CASE type WHEN 'T' THEN 1 ELSE 0 END ELSE -1 END, value -= $0.5
    SELECT t.[select], t.[end] AS [when], t."from", name, type, value, date, status throw, t.[open] AS [close],
           'it''s -- no comment' AS txt, '/* neither */' AS txt2, N'GO
' AS go_line, [full name] = t.name + N' ' + t.type
    FROM #t AS t WHERE t.[end] IN (1, 2) AND t.type <> '''' ORDER BY t.[select] DESC, [when]
    DECLARE @end int, @select varchar(10) = 'select'
    SELECT @end = MAX([end]) FROM #t SET @end += 1 IF @end > 0 PRINT @select ELSE PRINT 'else' PRINT 'end'
END
