"""Loops with a closed form; loops without one are refused."""

# ruff: noqa: E501 - procedures as people write them
from __future__ import annotations

from datetime import date
from decimal import Decimal

from tests.core.compiler.warehouse import Warehouse, compiled, refused


def test_a_delete_in_chunks_is_one_delete() -> None:
    heads = (
        "DECLARE @n int = 1 WHILE @n > 0 BEGIN {delete} SET @n = @@ROWCOUNT WAITFOR DELAY '00:00:01' END",
        "DECLARE @n int WHILE 1 = 1 BEGIN {delete} IF @@ROWCOUNT = 0 BREAK END",
        "WHILE EXISTS (SELECT 1 FROM silver.FactOrders WHERE Qty < 2) BEGIN BEGIN TRAN {delete} COMMIT END",
    )
    for head in heads:
        source = "CREATE PROCEDURE silver.usp_Purge AS\n" + head.format(
            delete="DELETE TOP (1000) FROM silver.FactOrders WHERE Qty < 2"
        )
        result = compiled(source, "silver.FactOrders")
        warehouse = Warehouse()
        warehouse.load(
            "silver.FactOrders",
            [(1, 1, None, None, 1), (2, 1, None, None, 2), (3, 1, None, None, None)],
        )
        warehouse.run(result, "silver.FactOrders")
        assert warehouse.rows("silver.FactOrders", "OrderID") == [(2,), (3,)]


def test_a_chunked_loop_that_may_stop_early_is_refused() -> None:
    source = """CREATE PROCEDURE silver.usp_Purge AS
    DECLARE @n int = 1, @total int = 0
    WHILE @n > 0
    BEGIN
        DELETE TOP (1000) FROM silver.FactOrders WHERE Qty < 2
        SET @n = @@ROWCOUNT
        SET @total = @total + @n
        IF @total > 5000 OR DATEPART(hour, GETDATE()) > 6 BREAK
    END
    """
    assert refused(source, "silver.FactOrders").construct == "WHILE"


def test_a_calendar() -> None:
    source = """
    CREATE PROCEDURE silver.usp_Calendar @from date = '2024-02-27', @to date = '2024-03-01' AS
    BEGIN
        DECLARE @d date = @from, @n int
        TRUNCATE TABLE silver.DailySales
        WHILE @d <= @to
        BEGIN
            SET @n = DAY(@d)
            INSERT INTO silver.DailySales (OrderDate, Orders) VALUES (@d, @n * 10)
            SET @d = DATEADD(day, 1, @d)
        END
    END
    """
    result = compiled(source, "silver.DailySales")
    assert result.materialization == "table"
    warehouse = Warehouse()
    warehouse.run(result, "silver.DailySales")
    assert warehouse.rows("silver.DailySales", "OrderDate", "Orders") == [
        (date(2024, 2, 27), 270),
        (date(2024, 2, 28), 280),
        (date(2024, 2, 29), 290),
        (date(2024, 3, 1), 10),
    ]
    warehouse.run(result, "silver.DailySales", {"usp_calendar_to": "2024-01-01"})
    assert warehouse.rows("silver.DailySales") == []


DAYS = """
CREATE PROCEDURE silver.usp_Days @start date, @end date AS
BEGIN
    DECLARE @d date = @start;
    WHILE @d <= @end
    BEGIN
        IF NOT EXISTS (SELECT 1 FROM bronze.Orders WHERE OrderDate = @d)
        BEGIN
            SET @d = DATEADD(day, 1, @d);
            CONTINUE;
        END
        DELETE FROM silver.FactOrders WHERE OrderDate = @d;
        INSERT INTO silver.FactOrders (OrderID, OrderDate, Qty)
        SELECT o.OrderID, @d, o.Qty FROM bronze.Orders o WHERE o.OrderDate = @d;
        SET @d = DATEADD(day, 1, @d);
    END
END
"""


def test_a_load_day_by_day() -> None:
    result = compiled(DAYS, "silver.FactOrders")
    warehouse = Warehouse()
    one, two, three, four = (date(2024, 1, day) for day in (1, 2, 3, 4))
    warehouse.load(
        "silver.FactOrders",
        [(7, 1, one, None, 1), (8, 1, two, None, 1), (9, 1, three, None, 1), (6, 1, four, None, 1)],
    )
    warehouse.load(
        "bronze.Orders",
        [
            (1, 1, one, None, Decimal(1), 5),
            (2, 1, three, None, Decimal(1), 6),
            (3, 1, four, None, Decimal(1), 7),
        ],
    )
    warehouse.run(
        result, "silver.FactOrders", {"usp_days_start": "2024-01-01", "usp_days_end": "2024-01-03"}
    )
    assert warehouse.rows("silver.FactOrders", "OrderID", "OrderDate", "Qty") == [
        (1, one, 5),
        (2, three, 6),
        (6, four, 1),
        (8, two, 1),
    ]


CURSOR = """
CREATE PROCEDURE silver.usp_Cursor AS
BEGIN
    SET NOCOUNT ON
    DECLARE @id int, @city nvarchar(50), @count int = 0
    DECLARE c CURSOR LOCAL FAST_FORWARD FOR
        SELECT CustomerID, City FROM bronze.Customer WHERE City IS NOT NULL ORDER BY CustomerID
    OPEN c
    FETCH NEXT FROM c INTO @id, @city
    WHILE @@FETCH_STATUS = 0
    BEGIN
        IF EXISTS (SELECT 1 FROM silver.Customer WHERE CustomerID = @id)
            UPDATE silver.Customer SET City = UPPER(@city) WHERE CustomerID = @id
        ELSE
            INSERT INTO silver.Customer (CustomerID, City) VALUES (@id, @city)
        SET @count = @count + 1
        FETCH NEXT FROM c INTO @id, @city
    END
    CLOSE c
    DEALLOCATE c
    PRINT @count
END
"""


def test_an_upsert_row_by_row() -> None:
    result = compiled(CURSOR, "silver.Customer")
    assert result.strategy == "merge"
    warehouse = Warehouse()
    warehouse.load("silver.Customer", [(1, "A", "rome", None, None), (2, "B", "bonn", None, None)])
    warehouse.load(
        "bronze.Customer",
        [
            (1, None, None, None, "oslo", None),
            (2, None, None, None, None, None),
            (3, None, None, None, "lima", None),
        ],
    )
    warehouse.run(result, "silver.Customer")
    assert warehouse.rows("silver.Customer", "CustomerID", "FullName", "City") == [
        (1, "A", "OSLO"),
        (2, "B", "bonn"),
        (3, None, "lima"),
    ]


def test_iterations_that_see_each_other_are_refused() -> None:
    by_city = CURSOR.replace("WHERE CustomerID = @id", "WHERE City = @city")
    assert refused(by_city, "silver.Customer").construct == "WHILE"
    not_unique = CURSOR.replace("bronze.Customer", "bronze.Changes")
    assert refused(not_unique, "silver.Customer").construct == "WHILE"
    running = CURSOR.replace("VALUES (@id, @city)", "VALUES (@id, CAST(@count AS nvarchar(50)))")
    assert refused(running, "silver.Customer").construct == "WHILE"


def test_continue_under_two_conditions_skips_what_follows() -> None:
    nested = CURSOR.replace(
        "SET @count = @count + 1",
        """IF @city = 'oslo'
        BEGIN
            IF @id > 1 CONTINUE
            SET @count = 0
        END
        UPDATE silver.Customer SET FullName = 'seen' WHERE CustomerID = @id""",
    )
    assert "two conditions" in refused(nested, "silver.Customer").reason
