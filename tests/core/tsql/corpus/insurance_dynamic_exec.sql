CREATE PROCEDURE dwh.sp_reload_lines @debug bit = 0
AS
BEGIN
    DECLARE @sql nvarchar(max), @tbl sysname = N'ProductLineRef', @cnt int, @params nvarchar(100);
    SET @sql = N'DELETE FROM dwh.' + QUOTENAME(@tbl) + N';'
             + N' INSERT INTO dwh.' + QUOTENAME(@tbl) + N' (LineCode, LineDescription)'
             + N' SELECT DISTINCT ProductLine, N''line '' + ProductLine FROM staging.Policy WHERE ProductLine IS NOT NULL';
    IF @debug = 1
        PRINT @sql;
    EXEC sp_executesql @sql;

    SET @params = N'@out int OUTPUT';
    SET @sql = N'SELECT @out = COUNT(*) FROM staging.Policy WHERE ProductLine IS NULL';
    EXEC sp_executesql @sql, @params, @out = @cnt OUTPUT;
    IF @cnt > 0
        INSERT INTO dwh.ProductLineRef (LineCode, LineDescription) VALUES ('UNK', CAST(@cnt AS varchar(10)) + ' policies');
END
