"""UPDATE, DELETE, MERGE in full, temp tables: each shape on data, twice, by hand-derived rows."""

# ruff: noqa: E501 - procedures as people write them
from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal

from core.compiler import Unsupported, compile_procedure
from tests.core.compiler.warehouse import SCHEMA, Warehouse, compiled, refused

NOW = datetime(2024, 6, 15, 10, 30)
OLD = datetime(2020, 1, 1)

SCD2 = """
CREATE PROCEDURE silver.usp_LoadDimCustomer AS
BEGIN
    SET NOCOUNT ON;
    DECLARE @now datetime = GETDATE()
    -- Close what changed
    UPDATE d SET d.ValidTo = @now, d.IsCurrent = 0
    FROM silver.DimCustomer d
    INNER JOIN bronze.Customer c ON c.CustomerID = d.CustomerID
    WHERE d.IsCurrent = 1 AND ISNULL(d.City, '') <> ISNULL(c.City, '')
    -- New versions and new customers
    INSERT INTO silver.DimCustomer (CustomerID, FullName, City, ValidFrom, ValidTo, IsCurrent)
    SELECT c.CustomerID, c.FirstName, c.City, @now, NULL, 1
    FROM bronze.Customer c
    LEFT JOIN silver.DimCustomer d ON d.CustomerID = c.CustomerID AND d.IsCurrent = 1
    WHERE d.CustomerID IS NULL
END
"""

SCD2_MERGE = """
CREATE PROCEDURE silver.usp_LoadDimCustomer AS
INSERT INTO silver.DimCustomer (CustomerID, FullName, City, ValidFrom, IsCurrent)
SELECT CustomerID, FullName, City, GETDATE(), 1
FROM (
    MERGE silver.DimCustomer AS t
    USING (SELECT CustomerID, FirstName AS FullName, City FROM bronze.Customer) AS s
    ON t.CustomerID = s.CustomerID AND t.IsCurrent = 1
    WHEN NOT MATCHED THEN
        INSERT (CustomerID, FullName, City, ValidFrom, IsCurrent)
        VALUES (s.CustomerID, s.FullName, s.City, GETDATE(), 1)
    WHEN MATCHED AND ISNULL(t.City, '') <> ISNULL(s.City, '') THEN
        UPDATE SET t.IsCurrent = 0, t.ValidTo = GETDATE()
    OUTPUT $action AS act, s.CustomerID, s.FullName, s.City
) AS m
WHERE m.act = 'UPDATE';
"""


def test_slowly_changing_dimensions_close_and_insert() -> None:
    for source in (SCD2, SCD2_MERGE):
        result = compiled(source, "silver.DimCustomer")
        assert (result.strategy, result.unique_key) == ("merge", ("CustomerKey",))
        warehouse = Warehouse()
        warehouse.load(
            "bronze.Customer",
            [(5, "Ann", None, None, "Rome", None), (6, "Bo", None, None, None, None)],
        )
        warehouse.run(result, "silver.DimCustomer")
        columns = ("CustomerKey", "CustomerID", "City", "ValidTo", "IsCurrent")
        first = [(1, 5, "Rome", None, 1), (2, 6, None, None, 1)]
        assert warehouse.rows("silver.DimCustomer", *columns) == first
        warehouse.run(result, "silver.DimCustomer")
        assert warehouse.rows("silver.DimCustomer", *columns) == first
        warehouse.load(
            "bronze.Customer",
            [
                (5, "Ann", None, None, "Oslo", None),
                (6, "Bo", None, None, None, None),
                (7, "Cy", None, None, "Bonn", None),
            ],
        )
        warehouse.run(result, "silver.DimCustomer")
        found = warehouse.rows("silver.DimCustomer", *columns)
        assert {row[1:] for row in found} == {
            (5, "Rome", NOW, 0),
            (5, "Oslo", None, 1),
            (6, None, None, 1),
            (7, "Bonn", None, 1),
        }
        assert sorted(row[0] for row in found) == [1, 2, 3, 4]
        assert next(row for row in found if row[2] == "Rome")[0] == 1


UPDATE_INSERT = """
CREATE PROCEDURE silver.usp_Upsert AS
    UPDATE t
    SET FullName = s.FirstName, City = s.City, UpdatedAt = GETDATE()
    FROM silver.Customer AS t JOIN bronze.Customer s ON t.CustomerID = s.CustomerID
    WHERE t.City <> s.City OR t.FullName <> s.FirstName

    INSERT INTO silver.Customer (CustomerID, FullName, City, CreatedAt)
    SELECT s.CustomerID, s.FirstName, s.City, GETDATE()
    FROM bronze.Customer s
    WHERE NOT EXISTS (SELECT 1 FROM silver.Customer t WHERE t.CustomerID = s.CustomerID)
"""


def test_update_then_insert_is_a_merge() -> None:
    result = compiled(UPDATE_INSERT, "silver.Customer")
    assert (result.strategy, result.unique_key) == ("merge", ("CustomerID",))
    warehouse = Warehouse()
    warehouse.load(
        "silver.Customer",
        [(1, "Ann", "Rome", OLD, None), (2, "Bo", None, OLD, None), (3, "Cy", "Bonn", OLD, None)],
    )
    warehouse.load(
        "bronze.Customer",
        [
            (1, "Ann", None, None, "Oslo", None),
            (2, "Bo", None, None, "Oslo", None),
            (4, None, None, None, None, None),
        ],
    )
    warehouse.run(result, "silver.Customer")
    assert warehouse.rows("silver.Customer") == [
        (1, "Ann", "Oslo", OLD, NOW),
        (2, "Bo", None, OLD, None),
        (3, "Cy", "Bonn", OLD, None),
        (4, None, None, NOW, None),
    ]


def test_a_deleted_range_is_replaced_even_when_nothing_comes_back() -> None:
    source = """
    CREATE PROCEDURE silver.usp_Day @day date AS
    DELETE FROM silver.FactOrders WHERE OrderDate = @day;
    INSERT INTO silver.FactOrders
    SELECT OrderID, CustomerID, OrderDate, Amount, Qty FROM bronze.Orders WHERE OrderDate = @day;
    """
    result = compiled(source, "silver.FactOrders")
    assert result.required_variables == ("usp_day_day",)
    warehouse = Warehouse()
    one, two = date(2024, 1, 1), date(2024, 1, 2)
    warehouse.load(
        "silver.FactOrders",
        [(1, 1, one, 1, 1), (1, 1, one, 1, 1), (2, 1, two, 1, 1), (3, 1, None, 1, 1)],
    )
    warehouse.load("bronze.Orders", [(9, 1, two, None, Decimal("5"), 1)])
    warehouse.run(result, "silver.FactOrders", {"usp_day_day": "2024-01-01"})
    kept = [(2, two), (3, None)]
    assert warehouse.rows("silver.FactOrders", "OrderID", "OrderDate") == kept
    warehouse.run(result, "silver.FactOrders", {"usp_day_day": "2024-01-02"})
    assert warehouse.rows("silver.FactOrders", "OrderID", "OrderDate") == [(3, None), (9, two)]


def test_a_merge_with_every_branch() -> None:
    source = """
    CREATE PROCEDURE silver.usp_Sync AS
    MERGE silver.Customer AS t
    USING bronze.Customer AS s ON s.CustomerID = t.CustomerID
    WHEN MATCHED AND s.City = 'Gone' THEN DELETE
    WHEN MATCHED AND s.City IS NOT NULL THEN UPDATE SET t.City = s.City
    WHEN NOT MATCHED BY TARGET AND s.FirstName IS NOT NULL THEN
        INSERT (CustomerID, FullName, City) VALUES (s.CustomerID, s.FirstName, s.City)
    WHEN NOT MATCHED BY SOURCE AND t.CreatedAt < '20210101' THEN DELETE;
    """
    result = compiled(source, "silver.Customer")
    warehouse = Warehouse()
    warehouse.load(
        "silver.Customer",
        [
            (1, "A", "Rome", OLD, None),
            (2, "B", "Rome", OLD, None),
            (3, "C", "Rome", OLD, None),
            (4, "D", "Rome", OLD, None),
            (5, "E", "Rome", None, None),
        ],
    )
    warehouse.load(
        "bronze.Customer",
        [
            (1, None, None, None, "Gone", None),
            (2, None, None, None, "Oslo", None),
            (3, None, None, None, None, None),
            (7, "New", None, None, "Bonn", None),
            (8, None, None, None, "Bonn", None),
        ],
    )
    warehouse.run(result, "silver.Customer")
    assert warehouse.rows("silver.Customer", "CustomerID", "FullName", "City") == [
        (2, "B", "Oslo"),
        (3, "C", "Rome"),
        (5, "E", "Rome"),
        (7, "New", "Bonn"),
    ]


def test_duplicates_are_removed_through_a_cte() -> None:
    source = """
    CREATE PROCEDURE silver.usp_Dedupe AS
    TRUNCATE TABLE silver.FactOrders
    INSERT INTO silver.FactOrders SELECT OrderID, CustomerID, OrderDate, Amount, Qty FROM bronze.Orders
    ;WITH ranked AS (
        SELECT *, ROW_NUMBER() OVER (PARTITION BY CustomerID ORDER BY OrderDate DESC, OrderID) AS rn
        FROM silver.FactOrders
        WHERE CustomerID > 0
    )
    DELETE FROM ranked WHERE rn > 1
    """
    result = compiled(source, "silver.FactOrders")
    assert result.materialization == "table"
    warehouse = Warehouse()
    one, two = date(2024, 1, 1), date(2024, 1, 2)
    warehouse.load(
        "bronze.Orders",
        [
            (1, 1, one, None, 1, 1),
            (2, 1, two, None, 1, 1),
            (3, 0, one, None, 1, 1),
            (4, 0, two, None, 1, 1),
            (5, None, one, None, 1, 1),
            (6, None, one, None, 1, 1),
            (7, 2, None, None, 1, 1),
        ],
    )
    warehouse.run(result, "silver.FactOrders")
    assert [row[0] for row in warehouse.rows("silver.FactOrders", "OrderID")] == [2, 3, 4, 5, 6, 7]


TEMPS = """
CREATE PROCEDURE silver.usp_Temps AS
BEGIN
    IF OBJECT_ID('tempdb..#o') IS NOT NULL DROP TABLE #o
    DECLARE @ids TABLE (CustomerID int PRIMARY KEY, n int)
    INSERT INTO @ids SELECT CustomerID, COUNT(*) FROM bronze.Orders WHERE CustomerID IS NOT NULL GROUP BY CustomerID
    CREATE TABLE #o (OrderID int, CustomerID int, Amount decimal(18,2) DEFAULT 0, Tag varchar(10) NULL)
    INSERT INTO #o (OrderID, CustomerID)
    SELECT o.OrderID, o.CustomerID FROM bronze.Orders o JOIN @ids i ON i.CustomerID = o.CustomerID WHERE i.n > 1
    UPDATE o SET o.Amount = b.Amount, Tag = 'x' FROM #o o JOIN bronze.Orders b ON b.OrderID = o.OrderID AND b.Qty > 1
    UPDATE #o SET Amount = Amount * 2 WHERE Tag = 'x'
    DELETE o FROM #o o JOIN bronze.Orders b ON b.OrderID = o.OrderID WHERE b.Status = 'Void'
    TRUNCATE TABLE silver.FactOrders
    INSERT INTO silver.FactOrders (OrderID, Amount) SELECT OrderID, Amount FROM #o
    DROP TABLE #o
END
"""


def test_temp_tables_chain() -> None:
    result = compiled(TEMPS, "silver.FactOrders")
    warehouse = Warehouse()
    warehouse.load(
        "bronze.Orders",
        [
            (1, 1, None, None, Decimal("1.255"), 2),
            (2, 1, None, "Void", Decimal("3"), 2),
            (3, 1, None, None, Decimal("3"), 1),
            (4, 2, None, None, Decimal("9"), 2),
            (5, 1, None, None, None, 3),
        ],
    )
    warehouse.run(result, "silver.FactOrders")
    assert warehouse.rows("silver.FactOrders", "OrderID", "Amount") == [
        (1, Decimal("2.52")),
        (3, Decimal("0.00")),
        (5, None),
    ]


def test_an_update_with_several_matches_takes_one_and_says_so() -> None:
    source = """
    CREATE PROCEDURE silver.usp_Fix AS
    TRUNCATE TABLE silver.Customer
    INSERT INTO silver.Customer (CustomerID, City) SELECT CustomerID, City FROM bronze.Customer
    UPDATE c SET c.City = h.City FROM silver.Customer c INNER JOIN bronze.Changes h ON h.CustomerID = c.CustomerID
    """
    result = compiled(source, "silver.Customer")
    assert any("several match" in a.text for a in result.assumptions)
    warehouse = Warehouse()
    warehouse.load(
        "bronze.Customer",
        [(1, None, None, None, "Rome", None), (2, None, None, None, "Bonn", None)],
    )
    warehouse.load("bronze.Changes", [(1, "Oslo", None), (1, "Oslo", None), (3, "X", None)])
    warehouse.run(result, "silver.Customer")
    assert warehouse.rows("silver.Customer", "CustomerID", "City") == [(1, "Oslo"), (2, "Bonn")]


def test_guards_on_inserts() -> None:
    guards = (
        "WHERE NOT EXISTS (SELECT 1 FROM silver.FactOrders f WHERE f.OrderID = o.OrderID)",
        "LEFT JOIN silver.FactOrders f ON f.OrderID = o.OrderID WHERE f.OrderID IS NULL",
        "WHERE o.OrderID NOT IN (SELECT OrderID FROM silver.FactOrders)",
        "WHERE o.OrderID > (SELECT ISNULL(MAX(OrderID), 0) FROM silver.FactOrders)",
    )
    for guard in guards:
        source = f"""
        CREATE PROC silver.usp_New AS
        INSERT silver.FactOrders (OrderID, CustomerID)
        SELECT o.OrderID, o.CustomerID FROM bronze.Orders o {guard}
        """
        result = compiled(source, "silver.FactOrders")
        assert result.strategy == "append"
        warehouse = Warehouse()
        warehouse.load("bronze.Orders", [(1, 1, None, None, 1, 1)])
        warehouse.run(result, "silver.FactOrders")
        warehouse.load("bronze.Orders", [(1, 1, None, None, 1, 1), (2, 1, None, None, 1, 1)])
        warehouse.run(result, "silver.FactOrders")
        warehouse.run(result, "silver.FactOrders")
        assert warehouse.rows("silver.FactOrders", "OrderID") == [(1,), (2,)]


def test_except_guard_and_set_operations() -> None:
    source = """
    CREATE PROC silver.usp_New AS
    INSERT INTO silver.FactOrders (OrderID, CustomerID)
    SELECT OrderID, CustomerID FROM bronze.Orders
    EXCEPT
    SELECT OrderID, CustomerID FROM silver.FactOrders
    """
    result = compiled(source, "silver.FactOrders")
    warehouse = Warehouse()
    warehouse.load("bronze.Orders", [(1, None, None, None, 1, 1), (2, 1, None, None, 1, 1)])
    warehouse.run(result, "silver.FactOrders")
    warehouse.run(result, "silver.FactOrders")
    assert warehouse.rows("silver.FactOrders", "OrderID", "CustomerID") == [(1, None), (2, 1)]


def test_a_cte_is_written_through_with_a_correlated_condition() -> None:
    source = """
    CREATE PROCEDURE silver.usp_Through AS
    TRUNCATE TABLE silver.FactOrders
    INSERT INTO silver.FactOrders SELECT OrderID, CustomerID, OrderDate, Amount, Qty FROM bronze.Orders
    ;WITH o AS (SELECT *, Qty * 2 AS Twice FROM silver.FactOrders WHERE Qty > 1)
    DELETE FROM o WHERE EXISTS (SELECT 1 FROM bronze.Customer c WHERE c.CustomerID = o.CustomerID)
    ;WITH o AS (SELECT OrderID, Qty, Qty * 2 AS Twice FROM silver.FactOrders WHERE Qty > 1)
    UPDATE o SET Qty = o.Twice WHERE o.OrderID < 10
    """
    result = compiled(source, "silver.FactOrders")
    warehouse = Warehouse()
    warehouse.load("bronze.Customer", [(1, None, None, None, None, None)])
    warehouse.load(
        "bronze.Orders",
        [
            (1, 1, None, None, 1, 5),
            (2, 2, None, None, 1, 5),
            (3, 1, None, None, 1, 1),
            (4, None, None, None, 1, None),
            (12, 2, None, None, 1, 5),
        ],
    )
    warehouse.run(result, "silver.FactOrders")
    assert warehouse.rows("silver.FactOrders", "OrderID", "Qty") == [
        (12, 5),
        (2, 10),
        (3, 1),
        (4, None),
    ]


def test_a_switch_into_a_partition_is_told_from_the_table_name() -> None:
    source = """
CREATE PROC silver.p AS
SELECT OrderID, CustomerID, OrderDate, Amount, Qty INTO silver.FactOrders_Stage FROM bronze.Orders
{empty}
ALTER TABLE silver.FactOrders_Stage SWITCH TO silver.FactOrders PARTITION 12
"""
    filled = source.format(empty="")
    refused = compile_procedure(filled, "silver.FactOrders", SCHEMA)
    assert isinstance(refused, Unsupported)
    assert "silver.FactOrders is empty" in refused.reason
    whole = source.format(empty="TRUNCATE TABLE silver.FactOrders")
    plain = whole.replace(" PARTITION 12", "")
    assert compiled(whole, "silver.FactOrders").sql == compiled(plain, "silver.FactOrders").sql


def test_a_table_parameter_is_named_as_the_reason() -> None:
    source = """
CREATE PROC silver.LoadByIds @ids dbo.IdList READONLY AS
INSERT INTO silver.FactOrders (OrderID) SELECT o.OrderID FROM bronze.Orders o JOIN @ids i ON i.Id = o.OrderID
"""
    refused = compile_procedure(source, "silver.FactOrders", SCHEMA)
    assert isinstance(refused, Unsupported)
    assert (refused.construct, refused.line) == ("table parameter", 3)


def test_an_aggregate_in_a_subquery_does_not_make_an_apply_give_one_row() -> None:
    source = """CREATE PROC silver.p AS
    UPDATE f SET Qty = m.Most FROM silver.FactOrders f CROSS APPLY (
        SELECT (SELECT MAX(o.Qty) FROM bronze.Orders o) AS Most FROM bronze.Changes h
        WHERE h.CustomerID = f.CustomerID) m"""
    found = refused(source, "silver.factorders")
    assert found.construct == "UPDATE FROM with several matches"
