create proc etl.CountRows(@table sysname, @n bigint output)
as
declare @sql nvarchar(max), @full nvarchar(300)
set @full = quotename(parsename(@table, 2)) + '.' + quotename(parsename(@table, 1))
set @sql = N'select @c = count_big(*) from ' + @full
exec sp_executesql @sql, N'@c bigint output', @c = @n output
if @n is null
    exec ('raiserror(''no such table'', 16, 1)')
else
    exec ('insert into etl.LoadLog (ProcedureName, RowsAffected) values (''' + @table + ''', ' + @n + ')')
return (case when @n > 0 then 0 else 1 end)
