"""Full reloads, appends and upserts: the shapes a third of real procedures have."""

# ruff: noqa: E501 - procedures as people write them
from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal

from tests.core.compiler.warehouse import Warehouse, compiled, refused

NOW = datetime(2024, 6, 15, 10, 30)

RELOAD = """
CREATE PROCEDURE [silver].[usp_LoadFactOrders]
AS
BEGIN
    SET NOCOUNT ON
    DECLARE @rows int
    BEGIN TRY
        BEGIN TRAN
        TRUNCATE TABLE silver.FactOrders
        -- Only orders that were paid
        ;WITH Paid AS (
            SELECT o.OrderID, o.CustomerID, o.OrderDate, o.Amount * o.Qty AS Total, o.Qty
            FROM bronze.Orders o WITH (NOLOCK)
            WHERE o.Status = 'Paid'
        )
        INSERT INTO silver.FactOrders (OrderID, CustomerID, OrderDate, Amount, Qty)
        SELECT p.OrderID, c.CustomerID, p.OrderDate, p.Total, p.Qty
        FROM Paid p
        LEFT JOIN bronze.Customer c ON c.CustomerID = p.CustomerID
        ORDER BY p.OrderID
        SET @rows = @@ROWCOUNT
        INSERT INTO etl.LoadLog (Proc_Name, Rows_Loaded, At) VALUES ('usp_LoadFactOrders', @rows, GETDATE())
        PRINT 'rows: ' + CAST(@rows AS varchar(10))
        COMMIT
    END TRY
    BEGIN CATCH
        IF @@TRANCOUNT > 0 ROLLBACK TRAN
        DECLARE @msg nvarchar(4000) = ERROR_MESSAGE()
        RAISERROR(@msg, 16, 1)
    END CATCH
END
"""


def test_a_truncate_and_insert_is_a_table() -> None:
    result = compiled(RELOAD, "silver.FactOrders")
    assert result.materialization == "table"
    assert "-- Only orders that were paid\npaid as (" in result.sql
    warehouse = Warehouse()
    warehouse.load("bronze.Customer", [(1, "Ann", "A", None, None, None)])
    warehouse.load(
        "bronze.Orders",
        [
            (10, 1, date(2024, 1, 2), "Paid", Decimal("2.5050"), 3),
            (11, 9, date(2024, 1, 3), "Paid", Decimal("1"), 1),
            (12, 1, date(2024, 1, 3), "Open", Decimal("1"), 1),
            (13, 1, None, "Paid", None, 1),
        ],
    )
    warehouse.run(result, "silver.FactOrders")
    assert warehouse.rows("silver.FactOrders") == [
        (10, 1, date(2024, 1, 2), Decimal("7.52"), 3),
        (11, None, date(2024, 1, 3), Decimal("1.00"), 1),
        (13, 1, None, None, 1),
    ]
    assert warehouse.types("silver.FactOrders") == {
        "OrderID": "INTEGER",
        "CustomerID": "INTEGER",
        "OrderDate": "DATE",
        "Amount": "DECIMAL(18,2)",
        "Qty": "INTEGER",
    }
    warehouse.load("bronze.Orders", [])
    warehouse.run(result, "silver.FactOrders")
    assert warehouse.rows("silver.FactOrders") == []


def test_delete_all_and_select_into_are_full_reloads_too() -> None:
    deleting = """
    CREATE PROC silver.p AS
    DELETE FROM silver.DailySales
    INSERT silver.DailySales SELECT OrderDate, COUNT(*), SUM(Amount) FROM bronze.Orders
    WHERE OrderDate IS NOT NULL GROUP BY OrderDate
    """
    into = """
    CREATE PROC silver.p AS
    IF OBJECT_ID('silver.DailySales', 'U') IS NOT NULL
        DROP TABLE silver.DailySales;
    SELECT OrderDate, COUNT(*) AS Orders, SUM(Amount) AS Amount INTO silver.DailySales
    FROM bronze.Orders WHERE OrderDate IS NOT NULL GROUP BY OrderDate
    CREATE CLUSTERED INDEX cx ON silver.DailySales (OrderDate)
    """
    for source in (deleting, into):
        result = compiled(source, "silver.dailysales")
        assert result.materialization == "table"
        warehouse = Warehouse()
        warehouse.load(
            "bronze.Orders",
            [
                (1, 1, date(2024, 1, 1), None, Decimal("1.005"), 1),
                (2, 1, date(2024, 1, 1), None, Decimal("1.0"), 1),
                (3, 1, None, None, Decimal("1.0"), 1),
            ],
        )
        warehouse.run(result, "silver.DailySales")
        assert warehouse.rows("silver.DailySales") == [(date(2024, 1, 1), 2, Decimal("2.01"))]
        assert warehouse.types("silver.DailySales")["Orders"] == "INTEGER"


def test_an_append_only_adds_rows() -> None:
    source = """
    CREATE PROCEDURE silver.usp_Append @since date = '2024-01-01' AS
    INSERT INTO silver.FactOrders (OrderID, CustomerID, Amount)
    SELECT OrderID, CustomerID, Amount FROM bronze.Orders WHERE OrderDate >= @since
    """
    result = compiled(source, "silver.FactOrders")
    assert (result.materialization, result.strategy) == ("incremental", "append")
    assert "cast('{{ var('usp_append_since', '2024-01-01') }}' as date)" in result.sql
    warehouse = Warehouse()
    warehouse.load(
        "bronze.Orders",
        [
            (1, 1, date(2024, 1, 1), None, Decimal("1"), 1),
            (2, 1, date(2023, 12, 31), None, Decimal("1"), 1),
        ],
    )
    warehouse.run(result, "silver.FactOrders")
    warehouse.run(result, "silver.FactOrders", {"usp_append_since": "2023-01-01"})
    assert warehouse.rows("silver.FactOrders", "OrderID", "OrderDate", "Qty") == [
        (1, None, None),
        (1, None, None),
        (2, None, None),
    ]


UPSERT = """
CREATE PROCEDURE silver.usp_MergeCustomer AS
BEGIN
    MERGE INTO silver.Customer AS tgt
    USING (
        SELECT CustomerID, FirstName + N' ' + LastName AS FullName, City FROM bronze.Customer
    ) AS src ON (tgt.CustomerID = src.CustomerID)
    WHEN MATCHED THEN UPDATE SET tgt.FullName = src.FullName, tgt.City = src.City
    WHEN NOT MATCHED BY TARGET THEN
        INSERT (CustomerID, FullName, City, CreatedAt)
        VALUES (src.CustomerID, src.FullName, src.City, GETDATE());
END
"""


def test_a_plain_merge_is_dbts_merge() -> None:
    result = compiled(UPSERT, "silver.Customer")
    assert result.unique_key == ("CustomerID",)
    assert "{{ this }}" not in result.sql
    warehouse = Warehouse()
    warehouse.load("bronze.Customer", [(1, "Ann", "Lee", None, "Rome", None)])
    warehouse.run(result, "silver.Customer")
    warehouse.connection.execute(
        "update silver.Customer set CreatedAt = '2020-01-01', UpdatedAt = '2020-01-01'"
    )
    warehouse.load(
        "bronze.Customer",
        [(1, "Ann", None, None, "Oslo", None), (2, "Bo", "Ek", None, None, None)],
    )
    warehouse.run(result, "silver.Customer")
    assert warehouse.rows("silver.Customer") == [
        (1, None, "Oslo", datetime(2020, 1, 1), datetime(2020, 1, 1)),
        (2, "Bo Ek", None, NOW, None),
    ]


CONDITIONAL = """
CREATE PROCEDURE silver.usp_MergeDim AS
MERGE silver.DimCustomer AS t
USING bronze.Customer AS s ON t.CustomerID = s.CustomerID
WHEN MATCHED AND t.City <> s.City THEN UPDATE SET City = s.City, ValidFrom = GETDATE()
WHEN NOT MATCHED THEN INSERT (CustomerID, FullName, City, IsCurrent)
    VALUES (s.CustomerID, s.FirstName, s.City, 1);
"""


def test_a_merge_into_an_identity_table_keeps_keys() -> None:
    result = compiled(CONDITIONAL, "silver.DimCustomer")
    assert (result.strategy, result.unique_key) == ("merge", ("CustomerKey",))
    warehouse = Warehouse()
    warehouse.load(
        "bronze.Customer",
        [(7, "Bo", None, None, "Rome", None), (3, "Ann", None, None, None, None)],
    )
    warehouse.run(result, "silver.DimCustomer")
    first = warehouse.rows("silver.DimCustomer", "CustomerKey", "CustomerID", "City", "ValidFrom")
    assert first == [(1, 3, None, None), (2, 7, "Rome", None)]
    warehouse.load(
        "bronze.Customer",
        [
            (7, "Bo", None, None, "Oslo", None),
            (3, "Ann", None, None, "Paris", None),
            (1, "Cy", None, None, None, None),
        ],
    )
    warehouse.run(result, "silver.DimCustomer")
    again = warehouse.rows("silver.DimCustomer", "CustomerKey", "CustomerID", "City", "ValidFrom")
    # NULL <> 'Paris' is unknown: row 3 is not updated.
    assert again == [(1, 3, None, None), (2, 7, "Oslo", NOW), (3, 1, None, None)]
    assert warehouse.types("silver.DimCustomer")["IsCurrent"] == "UTINYINT"


def test_the_table_a_procedure_does_not_write_is_refused() -> None:
    found = refused(RELOAD, "silver.DailySales")
    assert found.construct == "no write to the target"


def test_what_is_not_understood_is_refused_with_its_line() -> None:
    source = """CREATE PROCEDURE silver.p AS
    DECLARE @i int = 0
    TRUNCATE TABLE silver.DailySales
    WHILE @i < (SELECT MAX(Qty) FROM bronze.Orders)
    BEGIN
        INSERT INTO silver.DailySales (OrderDate, Orders) SELECT OrderDate, @i FROM bronze.Orders WHERE Qty = @i
        SET @i = @i * 2
    END
    """
    found = refused(source, "silver.DailySales")
    assert (found.construct, found.line) == ("WHILE", 4)


def test_a_procedure_that_is_not_one_is_refused() -> None:
    assert refused("SELECT 1", "silver.DailySales").construct == "syntax"
