"""Procedures whose control flow matters, each with the tables it is compiled for.

Every one is run in the interpreter and as models on the same data (`test_control_flow_cases`).
"""

# ruff: noqa: E501 - procedures as people write them
from __future__ import annotations

CASES: dict[str, tuple[tuple[str, ...], str]] = {
    "rollback to the state before": (
        ("silver.factorders", "silver.dailysales"),
        """
CREATE PROCEDURE silver.usp_LoadDay @day date AS
SET NOCOUNT ON
DECLARE @tmp TABLE (n int)
BEGIN TRY
    BEGIN TRAN
    DELETE FROM silver.FactOrders WHERE OrderDate = @day
    INSERT INTO silver.FactOrders (OrderID, CustomerID, OrderDate, Qty)
    SELECT OrderID, CustomerID, OrderDate, Qty FROM bronze.Orders WHERE OrderDate = @day
    INSERT @tmp VALUES (@@ROWCOUNT)
    -- an empty delivery must not wipe the day
    IF NOT EXISTS (SELECT 1 FROM bronze.Orders WHERE OrderDate = @day)
    BEGIN
        ROLLBACK
        PRINT 'nothing delivered'
        INSERT INTO silver.DailySales (OrderDate, Orders) SELECT @day, n FROM @tmp
        RETURN 1
    END
    INSERT INTO silver.DailySales (OrderDate, Orders) SELECT @day, n FROM @tmp
    COMMIT
END TRY
BEGIN CATCH
    IF XACT_STATE() <> 0 ROLLBACK
    ;THROW
END CATCH
""",
    ),
    "rollback to a savepoint": (
        ("silver.factorders",),
        """
create proc silver.fix_orders as
begin tran
update silver.FactOrders set Qty = 0 where Qty is null
save tran before_purge
delete silver.FactOrders where CustomerID = 2
if @@rowcount > 1
begin
    rollback tran before_purge
    print 'too many'
end
if @@TRANCOUNT > 0 commit
if @@TRANCOUNT = 0
    insert silver.FactOrders (OrderID, Qty) values (-5, 1)
""",
    ),
    "print resets the row count": (
        ("silver.customer",),
        """
CREATE PROC silver.p AS
UPDATE silver.Customer SET City = 'a' WHERE CustomerID = 1
PRINT 'done'
IF @@ROWCOUNT = 0
    UPDATE silver.Customer SET City = 'b' WHERE CustomerID = 2
UPDATE silver.Customer SET City = 'c' WHERE CustomerID = 3
IF @@ROWCOUNT = 0
    IF @@ROWCOUNT = 0
        UPDATE silver.Customer SET City = 'd' WHERE CustomerID = 4
""",
    ),
    "goto an exit label": (
        ("silver.factorders",),
        """
CREATE PROCEDURE silver.LoadOrders @full bit = 0
AS
BEGIN
DECLARE @err int, @n int
SELECT @n = COUNT(*) FROM bronze.Orders
IF @n = 0 GOTO done
IF @full = 1
    DELETE FROM silver.FactOrders
SET @err = @@ERROR
IF @err <> 0 GOTO failed
INSERT silver.FactOrders (OrderID, Qty) SELECT OrderID, Qty FROM bronze.Orders
IF @@ERROR <> 0 GOTO failed
IF @n > 3
    GOTO done
UPDATE silver.FactOrders SET Qty = 7 WHERE Qty IS NULL
GOTO done
failed:
RAISERROR('load failed', 16, 1)
RETURN -1
done:
UPDATE silver.FactOrders SET Amount = 0 WHERE Amount IS NULL
RETURN 0
END
""",
    ),
    "a retry loop": (
        ("silver.factorders",),
        """
CREATE PROCEDURE silver.LoadWithRetry AS
DECLARE @retry int, @maxTries int
SET @retry = 0
SET @maxTries = 3
WHILE @retry < @maxTries
BEGIN
    BEGIN TRY
        BEGIN TRANSACTION
        INSERT INTO silver.FactOrders (OrderID, CustomerID, Qty)
        SELECT o.OrderID, o.CustomerID, o.Qty FROM bronze.Orders o
        WHERE NOT EXISTS (SELECT 1 FROM silver.FactOrders f WHERE f.OrderID = o.OrderID)
        COMMIT TRANSACTION
        BREAK
    END TRY
    BEGIN CATCH
        IF @@TRANCOUNT > 0 ROLLBACK TRANSACTION
        SET @retry = @retry + 1
        IF @retry >= @maxTries THROW
        WAITFOR DELAY '00:00:05'
    END CATCH
END
""",
    ),
    "a retry loop with a success flag": (
        ("silver.factorders",),
        """
create procedure silver.LoadWithFlag as
declare @tries tinyint = 5, @ok bit = 0
while @tries > 0 and @ok = 0
begin
    set @tries -= 1
    begin try
        update silver.FactOrders set Qty = isnull(Qty, 0) + 1
        set @ok = 1
    end try
    begin catch
        if error_number() not in (1205, 1222) or @tries = 0 throw
        waitfor delay '00:00:02'
    end catch
end
if @ok = 0 raiserror('gave up', 16, 1)
""",
    ),
    "a few numbered steps": (
        ("silver.factorders",),
        """
CREATE PROC silver.Steps AS
DECLARE @level int = 1
WHILE @level <= 4
BEGIN
    IF @level = 3 BEGIN SET @level += 1 CONTINUE END
    UPDATE f SET Qty = f.Qty + @level
    FROM silver.FactOrders f JOIN bronze.Orders o ON o.OrderID = f.OrderID
    WHERE f.CustomerID >= @level
    IF @level = 1 AND EXISTS (SELECT 1 FROM bronze.Changes WHERE City = 'b') BREAK
    SET @level += 1
END
""",
    ),
    "declared in a loop": (
        ("silver.dailysales",),
        """
CREATE PROC silver.p AS
DECLARE @i int = 0
WHILE @i < 3
BEGIN
    DECLARE @sum int, @t TABLE (n int)
    INSERT @t VALUES (@i)
    SET @sum = ISNULL(@sum, 10) + @i
    UPDATE silver.DailySales SET Orders = @sum + (SELECT COUNT(*) FROM @t) WHERE Amount > @i
    SET @i = @i + 1
END
""",
    ),
    "the identity of the row just written": (
        ("etl.loadlog", "silver.factorders"),
        """
CREATE PROCEDURE silver.usp_LoadBatch AS
DECLARE @batch int
INSERT INTO etl.LoadLog (Proc_Name, Rows_Loaded) VALUES ('usp_LoadBatch', NULL)
SET @batch = SCOPE_IDENTITY()
TRUNCATE TABLE silver.FactOrders
INSERT silver.FactOrders (OrderID, Qty) SELECT OrderID, CustomerID FROM bronze.Orders
UPDATE etl.LoadLog SET Rows_Loaded = (SELECT COUNT(*) FROM silver.FactOrders) WHERE LogID = @batch
IF SCOPE_IDENTITY() = @batch UPDATE silver.FactOrders SET Amount = 1
""",
    ),
    "n rows of those that qualify": (
        ("silver.customer",),
        """
CREATE PROC silver.p @n int = 100 AS
DECLARE @gone TABLE (id int, city nvarchar(50))
DELETE TOP (@n) FROM silver.Customer OUTPUT deleted.CustomerID, deleted.City INTO @gone WHERE City = 'a'
UPDATE TOP (50) silver.Customer SET City = 'z' WHERE City = 'b'
INSERT TOP (1000) INTO silver.Customer (CustomerID, City) SELECT CustomerID, City FROM bronze.Customer b
WHERE NOT EXISTS (SELECT 1 FROM silver.Customer c WHERE c.CustomerID = b.CustomerID)
INSERT silver.Customer (CustomerID, City) SELECT -id, city FROM @gone
""",
    ),
    "archive in batches, at most so many rows": (
        ("silver.customer", "silver.dimcustomer"),
        """
create procedure silver.archive_customers @batch int = 2, @city nvarchar(50) = 'a'
as
begin
    set nocount on
    declare @moved int = 1, @total bigint = 0
    while @moved > 0
    begin
        begin transaction
        delete top (@batch) src
        output deleted.CustomerID, deleted.FullName, deleted.City, 0 into silver.DimCustomer (CustomerID, FullName, City, IsCurrent)
        from silver.Customer as src
        where src.City = @city or src.City is null
        set @moved = @@ROWCOUNT
        set @total = @total + @moved
        commit transaction
        if @total > 2 BREAK
        WAITFOR DELAY '00:00:01'
    end
    return 0
end
""",
    ),
    "purge in batches": (
        ("silver.factorders", "silver.customer", "silver.dailysales"),
        """
CREATE PROCEDURE dbo.Purge @keep int = 2 AS
DECLARE @rows INT
SET @rows = 1
WHILE (@rows > 0)
BEGIN
    BEGIN TRY
        BEGIN TRAN
            DELETE TOP (3) FROM silver.FactOrders WHERE Qty < @keep
            SELECT @rows = @@ROWCOUNT
        COMMIT TRAN
        INSERT INTO etl.LoadLog (Proc_Name, Rows_Loaded) VALUES ('Purge', @rows)
        CHECKPOINT
    END TRY
    BEGIN CATCH
        IF @@TRANCOUNT > 0 ROLLBACK TRAN
        ;THROW
    END CATCH
END
WHILE 1 = 1
BEGIN
    UPDATE TOP (2) silver.Customer SET City = 'n/a', UpdatedAt = GETDATE() WHERE City IS NULL
    IF @@ROWCOUNT < 2 BREAK
END
DECLARE @more bit = 1
WHILE @more = 1
BEGIN
    DELETE FROM silver.DailySales WHERE OrderDate IN (SELECT TOP 4 OrderDate FROM silver.DailySales WHERE Orders = 0 ORDER BY OrderDate)
    IF @@ROWCOUNT = 0
        SET @more = 0
END
""",
    ),
    "batches while there are rows": (
        ("silver.factorders", "silver.customer"),
        """
create proc silver.clean_up @max_batches int = 2 as
while exists (select 1 from silver.FactOrders where Qty is null)
    delete top (2) from silver.FactOrders where Qty is null
while (select count(*) from silver.Customer c where c.City = 'b') > 0
begin
    ;with x as (select top (1) * from silver.Customer where City = 'b' order by CustomerID)
    delete from x
end
declare @i int = 0
while @i < @max_batches
begin
    set @i = @i + 1
    update top (1) silver.Customer set City = 'q' where City = 'a'
    if @@rowcount = 0 break
end
delete top (1) silver.Customer where FullName = 'b'
while @@rowcount > 0
    delete top (1) silver.Customer where FullName = 'b'
""",
    ),
    "load in batches": (
        ("silver.customer",),
        """
CREATE PROCEDURE silver.usp_LoadCustomers @BatchSize int = 2
AS
BEGIN
    SET NOCOUNT ON;
    DECLARE @cnt int = @BatchSize;
    WHILE @cnt = @BatchSize
    BEGIN
        INSERT INTO silver.Customer (CustomerID, FullName, City)
        SELECT TOP (@BatchSize) b.CustomerID, b.LastName, b.City
        FROM bronze.Customer b
        WHERE NOT EXISTS (SELECT 1 FROM silver.Customer c WHERE c.CustomerID = b.CustomerID)
        ORDER BY b.CustomerID;
        SET @cnt = @@ROWCOUNT;
        RAISERROR('%d rows', 0, 1, @cnt) WITH NOWAIT;
    END;
END;
""",
    ),
    "a text for every row of a cursor": (
        ("silver.dailysales",),
        """
CREATE PROCEDURE silver.ByStatus AS
BEGIN
    DECLARE @status varchar(20);
    DECLARE @sql nvarchar(max);
    DECLARE cur CURSOR FOR
    SELECT DISTINCT Status FROM bronze.Orders WHERE Status IS NOT NULL;
    OPEN cur;
    FETCH NEXT FROM cur INTO @status;
    WHILE (@@FETCH_STATUS = 0)
    BEGIN
        SET @sql = N'INSERT INTO silver.DailySales (OrderDate, Orders, Amount) '
                 + N'SELECT o.OrderDate, COUNT(*), SUM(o.Amount) FROM bronze.Orders o '
                 + N'WHERE o.Status = @s AND o.OrderDate IS NOT NULL GROUP BY o.OrderDate';
        EXEC sp_executesql @sql, N'@s varchar(20)', @s = @status;
        FETCH NEXT FROM cur INTO @status;
    END;
    CLOSE cur;
    DEALLOCATE cur;
END
""",
    ),
    "a procedure for every row of a cursor": (
        ("silver.customer", "silver.dimcustomer"),
        """
create procedure silver.usp_Each as
declare @id int, @city nvarchar(50), @n int
declare c cursor local fast_forward for select CustomerID, City from bronze.Customer
open c
while 1 = 1
begin
    fetch next from c into @id, @city
    if @@fetch_status <> 0 break
    if @city = 'b' continue
    exec silver.usp_One @id, @city
    set @n = null
    select @n = count(*) from bronze.Orders o where o.CustomerID = @id
    if @n > 1
        update silver.Customer set FullName = 'many' where CustomerID = @id
end
close c deallocate c
""",
    ),
    "a merge for every row": (
        ("silver.customer",),
        """
CREATE PROC silver.usp_MergeEach AS
DECLARE @id INT, @name NVARCHAR(50), @when DATETIME, @city NVARCHAR(50)
DECLARE cur CURSOR FAST_FORWARD FOR SELECT CustomerID, LastName FROM bronze.Customer WHERE LastName <> 'a'
OPEN cur
FETCH NEXT FROM cur INTO @id, @name
WHILE @@FETCH_STATUS <> -1
BEGIN
    IF @@FETCH_STATUS <> -2
    BEGIN
        SET @city = NULL
        SELECT @city = b.City FROM bronze.Customer b WHERE b.CustomerID = @id
        SELECT @when = MAX(ChangedAt) FROM bronze.Changes WHERE CustomerID = @id
        MERGE silver.Customer AS t
        USING (SELECT @id AS CustomerID, @name AS Name) AS s ON t.CustomerID = s.CustomerID
        WHEN MATCHED AND t.FullName <> s.Name THEN UPDATE SET FullName = s.Name, UpdatedAt = @when
        WHEN NOT MATCHED THEN INSERT (CustomerID, FullName, City) VALUES (s.CustomerID, s.Name, @city);
    END
    FETCH NEXT FROM cur INTO @id, @name
END
CLOSE cur
DEALLOCATE cur
""",
    ),
    "totals day by day": (
        ("silver.dailysales",),
        """
CREATE PROCEDURE silver.Snapshot @from date = '2024-06-01', @to date = '2024-06-20' AS
DECLARE @d date = @from, @rank int
WHILE @d <= @to
BEGIN
    DELETE FROM silver.DailySales WHERE OrderDate = @d
    INSERT INTO silver.DailySales (OrderDate, Orders, Amount)
    SELECT @d, COUNT(*), SUM(o.Amount) FROM bronze.Orders o WHERE o.OrderDate = @d
    INSERT INTO silver.DailySales (OrderDate, Orders)
    SELECT TOP 1 @d, o.Qty FROM bronze.Orders o WHERE o.OrderDate <= @d AND o.Qty > 2 ORDER BY o.Qty DESC
    INSERT INTO silver.DailySales (OrderDate, Orders)
    SELECT @d, ROW_NUMBER() OVER (ORDER BY o.OrderID) FROM bronze.Orders o WHERE o.OrderDate = @d
    SET @d = DATEADD(dd, 1, @d)
END
""",
    ),
    "rows of a procedure and of a text": (
        ("silver.customer", "silver.factorders"),
        """
CREATE PROCEDURE silver.usp_Collect AS
SET NOCOUNT ON
DECLARE @cnt int, @stmt nvarchar(400), @max int
CREATE TABLE #c (id int, name nvarchar(50))
INSERT INTO #c (id, name) EXEC silver.usp_List @min = 2
IF @@ROWCOUNT > 0
    INSERT INTO silver.Customer (CustomerID, FullName) SELECT id, name FROM #c WHERE id NOT IN (SELECT CustomerID FROM silver.Customer)
INSERT silver.FactOrders (OrderID, Qty) EXEC ('SELECT o.OrderID, o.Qty FROM bronze.Orders o; SELECT -1, 5')
SET @stmt = N'SELECT @n = COUNT(*) FROM bronze.Orders WHERE Qty > @q'
EXEC sp_executesql @stmt, N'@n int OUTPUT, @q int', @n = @cnt OUTPUT, @q = 2
EXEC silver.usp_Top @max OUTPUT
UPDATE silver.FactOrders SET CustomerID = @cnt, Amount = @max
DROP TABLE #c
""",
    ),
    "a return code decides": (
        ("silver.factorders",),
        """
create proc silver.usp_Main as
declare @rc int
exec @rc = silver.usp_Check
if @rc <> 0
begin
    print 'check failed'
    return @rc
end
insert silver.FactOrders (OrderID) select OrderID from bronze.Orders
""",
    ),
    "weeks that begin on Monday": (
        ("silver.dailysales",),
        """
CREATE PROCEDURE silver.usp_Calendar @from date = '2024-02-26', @to date = '2024-03-09'
AS
SET NOCOUNT ON
SET DATEFIRST 1
TRUNCATE TABLE silver.DailySales
WHILE @from <= @to
BEGIN
    INSERT silver.DailySales (OrderDate, Orders, Amount)
    SELECT @from, DATEPART(dw, @from), DATEPART(week, @from)
    SELECT @from = DATEADD(dd, 1, @from)
END
""",
    ),
    "the latest of another table by APPLY, without a key": (
        ("silver.factorders",),
        """
CREATE PROC silver.sp_last_change AS
UPDATE f
SET f.Qty = x.Qty, f.Amount = x.Amount
FROM silver.FactOrders f
OUTER APPLY (SELECT TOP 1 o.Qty, o.Amount FROM bronze.Orders o WHERE o.CustomerID = f.CustomerID ORDER BY o.OrderID DESC) x
UPDATE f
SET f.OrderDate = r.OrderDate
FROM silver.FactOrders f
CROSS APPLY (SELECT TOP (1) o.OrderDate FROM bronze.Orders o WHERE o.OrderID <= f.OrderID AND o.OrderDate IS NOT NULL ORDER BY o.OrderID DESC) r
WHERE f.Qty <> 1
""",
    ),
    "ranges of a key, the step a parameter": (
        ("silver.factorders",),
        """
CREATE PROCEDURE silver.usp_CopyOrders @BatchSize int = 3
AS
DECLARE @MinId int, @MaxId int
SELECT @MinId = MIN(OrderID), @MaxId = MAX(OrderID) FROM bronze.Orders
DELETE silver.FactOrders
WHILE @MaxId >= @MinId
BEGIN
    BEGIN TRAN
    INSERT INTO silver.FactOrders (OrderID, CustomerID, Qty)
    SELECT OrderID, CustomerID, Qty FROM bronze.Orders WHERE OrderID >= @MinId AND OrderID < @MinId + @BatchSize
    COMMIT
    SET @MinId = @MinId + @BatchSize
END
""",
    ),
    "days backwards": (
        ("silver.dailysales",),
        """
create proc silver.p @back int = 5 as
delete from silver.DailySales
while @back > 0
begin
    insert silver.DailySales (OrderDate, Orders) select dateadd(day, -@back, '2024-03-03'), count(*) from bronze.Orders where CustomerID = @back
    set @back -= 1
end
""",
    ),
    "a work list by its smallest key": (
        ("silver.factorders",),
        """
CREATE PROC silver.ProcessOrders AS
SET NOCOUNT ON
DECLARE @id int
CREATE TABLE #work (WorkId int PRIMARY KEY)
INSERT #work SELECT OrderID FROM bronze.Orders WHERE Qty > 1
SELECT @id = MIN(WorkId) FROM #work
WHILE @id IS NOT NULL
BEGIN
    INSERT INTO silver.FactOrders (OrderID, CustomerID, Qty)
    SELECT o.OrderID, o.CustomerID, (SELECT COUNT(*) FROM bronze.Orders l WHERE l.CustomerID = o.CustomerID)
    FROM bronze.Orders o WHERE o.OrderID = @id
    DELETE FROM #work WHERE WorkId = @id
    SELECT @id = MIN(WorkId) FROM #work
END
INSERT INTO silver.FactOrders (OrderID, Qty) SELECT -1, COUNT(*) FROM #work
DROP TABLE #work
""",
    ),
    "a work list, the next key after this one": (
        ("silver.dailysales",),
        """
CREATE PROC silver.usp_PerCustomer AS
DECLARE @c int
SET @c = (SELECT MIN(CustomerID) FROM bronze.Orders)
DELETE FROM silver.DailySales WHERE Orders IS NULL
WHILE (@c IS NOT NULL)
BEGIN
    INSERT INTO silver.DailySales (OrderDate, Orders, Amount)
    SELECT '2024-01-01', @c, SUM(Amount) FROM silver.FactOrders WHERE CustomerID = @c
    SET @c = (SELECT MIN(CustomerID) FROM bronze.Orders WHERE CustomerID > @c)
END
""",
    ),
    "a work list row by row": (
        ("silver.factorders",),
        """
CREATE PROC silver.ProcessReturns AS
DECLARE @rid int, @q int
DECLARE @todo TABLE (Id int NOT NULL PRIMARY KEY, Qty int, Done bit DEFAULT 0)
INSERT INTO @todo (Id, Qty) SELECT OrderID, Qty FROM bronze.Orders WHERE Status IS NOT NULL
WHILE EXISTS (SELECT 1 FROM @todo)
BEGIN
    SELECT TOP 1 @rid = Id, @q = Qty FROM @todo ORDER BY Id
    UPDATE silver.FactOrders SET Qty = ISNULL(@q, -1) WHERE OrderID = @rid
    DELETE @todo WHERE Id = @rid
END
""",
    ),
}

CALLED: dict[str, str] = {
    "silver.usp_one": """
CREATE PROCEDURE silver.usp_One @CustomerID int, @City nvarchar(50) = NULL AS
BEGIN
    SET NOCOUNT ON
    IF @City IS NULL RETURN
    UPDATE silver.Customer SET City = @City WHERE CustomerID = @CustomerID
    IF @City = 'a'
        INSERT INTO silver.DimCustomer (CustomerID, City) VALUES (@CustomerID, @City)
END
""",
    "silver.usp_list": """
CREATE PROCEDURE silver.usp_List @min int AS
SET NOCOUNT ON
SELECT CustomerID, LastName + '!' FROM bronze.Customer WHERE CustomerID >= @min ORDER BY CustomerID
""",
    "silver.usp_top": """
CREATE PROCEDURE silver.usp_Top @max int OUTPUT AS SELECT @max = MAX(Qty) FROM bronze.Orders
""",
    "silver.usp_check": """
CREATE PROCEDURE silver.usp_Check AS
IF EXISTS (SELECT 1 FROM bronze.Orders WHERE Qty IS NULL) RETURN 5
IF NOT EXISTS (SELECT 1 FROM bronze.Orders) RETURN -1
RETURN 0
""",
}
"""Procedures that the cases call, by name."""
