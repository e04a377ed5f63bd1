CREATE proc stg.FlagLateOrders @batch int = 500, @max_batches int = 1000
as
set nocount on
declare @i int, @done bit
select @i = 0, @done = 0
while @i < @max_batches and @done = 0
begin
	set @i = @i + 1
	update top (@batch) stg.SalesOrder
	set OrderStatus = 'LATE', ModifiedAt = getdate()
	where OrderStatus = 'OPEN'
	  and OrderDate < dateadd(day, -30, getdate())
	if @@rowcount = 0
		set @done = 1
	else
		raiserror('batch %d done', 0, 1, @i) with nowait
end
