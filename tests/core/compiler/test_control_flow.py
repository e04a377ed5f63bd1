"""IF, RETURN, parameters, variables, EXEC, dynamic SQL, views and functions."""

# ruff: noqa: E501 - procedures as people write them
from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal

from core.compiler import CompileOptions, ModelInput
from tests.core.compiler.warehouse import Warehouse, compiled, refused

ORDERS = [
    (1, 1, date(2024, 1, 1), "Paid", Decimal("10"), 1),
    (2, 1, date(2024, 1, 2), "Open", Decimal("20"), 2),
    (3, 2, None, "Paid", Decimal("30"), 3),
]


def ids(warehouse: Warehouse) -> list[int]:
    return [row[0] for row in warehouse.rows("silver.FactOrders", "OrderID")]


MODE = """
CREATE PROCEDURE silver.usp_Load @mode varchar(10) = 'FULL', @min int = NULL AS
BEGIN
    IF @min IS NULL SET @min = 2
    IF @mode = 'FULL'
        TRUNCATE TABLE silver.FactOrders
    ELSE
    BEGIN
        DELETE FROM silver.FactOrders WHERE OrderID IN (SELECT OrderID FROM bronze.Orders)
    END
    INSERT INTO silver.FactOrders (OrderID, Qty) SELECT OrderID, Qty FROM bronze.Orders WHERE Qty >= @min
END
"""


def test_if_on_a_parameter() -> None:
    result = compiled(MODE, "silver.FactOrders")
    assert result.variables == ("usp_load_mode", "usp_load_min")
    warehouse = Warehouse()
    warehouse.load("bronze.Orders", ORDERS)
    warehouse.load("silver.FactOrders", [(9, 1, None, None, 1), (1, 1, None, None, 1)])
    warehouse.run(result, "silver.FactOrders", {"usp_load_mode": "DELTA", "usp_load_min": 3})
    assert ids(warehouse) == [3, 9]
    warehouse.run(result, "silver.FactOrders")
    assert ids(warehouse) == [2, 3]


def test_early_return_keeps_the_table() -> None:
    source = """
    CREATE PROCEDURE silver.usp_Load AS
    DECLARE @cnt int
    SELECT @cnt = COUNT(*) FROM bronze.Orders
    IF @cnt = 0
    BEGIN
        PRINT 'no rows'
        RETURN
    END
    TRUNCATE TABLE silver.FactOrders
    INSERT INTO silver.FactOrders (OrderID) SELECT OrderID FROM bronze.Orders
    """
    result = compiled(source, "silver.FactOrders")
    warehouse = Warehouse()
    warehouse.load("bronze.Orders", ORDERS)
    warehouse.run(result, "silver.FactOrders")
    warehouse.load("bronze.Orders", [])
    warehouse.run(result, "silver.FactOrders")
    assert ids(warehouse) == [1, 2, 3]
    warehouse.load("bronze.Orders", ORDERS[:1])
    warehouse.run(result, "silver.FactOrders")
    assert ids(warehouse) == [1]


def test_a_validation_is_dropped_with_a_note() -> None:
    source = """
    CREATE PROCEDURE silver.usp_Load AS
    IF NOT EXISTS (SELECT 1 FROM bronze.Orders)
    BEGIN
        RAISERROR('nothing to load', 16, 1)
        RETURN -1
    END
    TRUNCATE TABLE silver.FactOrders
    INSERT INTO silver.FactOrders (OrderID) SELECT OrderID FROM bronze.Orders
    """
    result = compiled(source, "silver.FactOrders")
    assert result.materialization == "table"
    assert any("validation" in item.text and item.line == 3 for item in result.dropped)


def test_if_on_data_guards_rows() -> None:
    source = """
    CREATE PROCEDURE silver.usp_Load AS
    IF EXISTS (SELECT 1 FROM bronze.Orders WHERE Status = 'Open')
        INSERT INTO silver.FactOrders (OrderID, Qty) SELECT OrderID, 1 FROM bronze.Orders
    ELSE
        INSERT INTO silver.FactOrders (OrderID, Qty) SELECT OrderID, 2 FROM bronze.Orders
    IF NOT EXISTS (SELECT 1 FROM silver.FactOrders WHERE OrderID = -1)
        INSERT INTO silver.FactOrders (OrderID) VALUES (-1)
    """
    result = compiled(source, "silver.FactOrders")
    assert result.strategy == "append"
    warehouse = Warehouse()
    warehouse.load("bronze.Orders", ORDERS[:2])
    warehouse.run(result, "silver.FactOrders")
    assert warehouse.rows("silver.FactOrders", "OrderID", "Qty") == [(-1, None), (1, 1), (2, 1)]
    warehouse.load("bronze.Orders", ORDERS[2:])
    warehouse.run(result, "silver.FactOrders")
    assert warehouse.rows("silver.FactOrders", "OrderID", "Qty") == [
        (-1, None),
        (1, 1),
        (2, 1),
        (3, 2),
    ]


def test_update_and_rowcount_else_insert() -> None:
    source = """
    CREATE PROCEDURE silver.usp_Set @day date, @n int AS
    UPDATE silver.DailySales SET Orders = @n WHERE OrderDate = @day
    IF @@ROWCOUNT = 0
        INSERT INTO silver.DailySales (OrderDate, Orders) VALUES (@day, @n)
    """
    options = CompileOptions(primary_key=("OrderDate",))
    result = compiled(source, "silver.DailySales", options=options)
    assert result.strategy == "merge"
    warehouse = Warehouse()
    for day, n in (("2024-01-01", 1), ("2024-01-02", 2), ("2024-01-01", 3)):
        warehouse.run(result, "silver.DailySales", {"usp_set_day": day, "usp_set_n": n})
    assert warehouse.rows("silver.DailySales", "OrderDate", "Orders") == [
        (date(2024, 1, 1), 3),
        (date(2024, 1, 2), 2),
    ]


def test_a_watermark_from_a_control_table() -> None:
    source = """
    CREATE PROCEDURE silver.usp_Inc AS
    DECLARE @last datetime = '2000-01-01', @now datetime = GETDATE()
    SELECT @last = LastLoad FROM etl.Watermark WHERE TableName = 'FactOrders'
    INSERT INTO silver.FactOrders (OrderID) SELECT OrderID FROM bronze.Orders WHERE OrderDate > @last
    UPDATE etl.Watermark SET LastLoad = @now WHERE TableName = 'FactOrders'
    """
    result = compiled(source, "silver.FactOrders")
    assert result.other_targets == ("etl.watermark",)
    assert result.assumptions == ()
    for rows, expected in (
        ([], [1, 2]),
        ([("FactOrders", datetime(2024, 1, 1))], [2]),
        ([("Other", datetime(2024, 1, 1))], [1, 2]),
        ([("FactOrders", None)], []),
    ):
        warehouse = Warehouse()
        warehouse.load("bronze.Orders", ORDERS)
        warehouse.load("etl.Watermark", rows)
        warehouse.run(result, "silver.FactOrders")
        assert ids(warehouse) == expected


CALLER = """
CREATE PROCEDURE silver.usp_All @since date = '2024-01-02' AS
    EXEC dbo.usp_StartLog @name = 'all'
    EXEC silver.usp_Stage @from = @since, @status = 'Open'
    EXEC silver.usp_Final
"""
CALLED = {
    "silver.usp_stage": """
    CREATE PROCEDURE silver.usp_Stage @from date, @status varchar(20) = 'Paid', @limit int = 100 AS
    TRUNCATE TABLE silver.FactOrders
    INSERT INTO silver.FactOrders (OrderID, Qty)
    SELECT OrderID, @limit FROM bronze.Orders WHERE OrderDate >= @from AND Status = @status
    """,
    "silver.usp_final": """
    CREATE PROCEDURE silver.usp_Final AS
    UPDATE silver.FactOrders SET CustomerID = 7
    """,
}


def test_called_procedures_are_inlined() -> None:
    options = CompileOptions(procedure=CALLED.get)
    result = compiled(CALLER, "silver.FactOrders", options=options)
    assert result.materialization == "table"
    warehouse = Warehouse()
    warehouse.load("bronze.Orders", ORDERS)
    warehouse.run(result, "silver.FactOrders")
    assert warehouse.rows("silver.FactOrders", "OrderID", "CustomerID", "Qty") == [(2, 7, 100)]


def test_an_unknown_procedure_may_do_anything() -> None:
    source = """CREATE PROCEDURE silver.usp_All AS
    TRUNCATE TABLE silver.FactOrders
    INSERT INTO silver.FactOrders (OrderID) SELECT OrderID FROM bronze.Orders
    EXEC silver.usp_Recalculate
    """
    found = refused(source, "silver.FactOrders")
    assert (found.construct, found.line) == ("EXEC of unknown procedure", 4)


def test_dynamic_sql_that_is_constant_is_executed() -> None:
    source = """
    CREATE PROCEDURE silver.usp_Dyn AS
    DECLARE @table sysname = N'FactOrders', @sql nvarchar(max)
    SET @sql = N'TRUNCATE TABLE silver.' + QUOTENAME(@table)
    EXEC (@sql)
    SET @sql = N'INSERT INTO silver.' + @table + N' (OrderID) SELECT OrderID FROM bronze.Orders WHERE Qty > @q'
    EXEC sp_executesql @sql, N'@q int', @q = 1
    """
    result = compiled(source, "silver.FactOrders")
    warehouse = Warehouse()
    warehouse.load("bronze.Orders", ORDERS)
    warehouse.run(result, "silver.FactOrders")
    assert ids(warehouse) == [2, 3]
    variable = source.replace("= N'FactOrders'", "= NULL").replace(
        "AS\n    DECLARE", "@t sysname AS\n    DECLARE", 1
    )
    variable = variable.replace("QUOTENAME(@table)", "QUOTENAME(@t)")
    assert refused(variable, "silver.FactOrders").construct == "dynamic SQL"


def test_views_and_functions_are_inlined() -> None:
    source = """
    CREATE PROCEDURE silver.usp_V AS
    TRUNCATE TABLE silver.FactOrders
    INSERT INTO silver.FactOrders (OrderID, Amount, Qty)
    SELECT v.OrderID, dbo.fn_Gross(v.Amount), f.n
    FROM bronze.vPaid v CROSS APPLY dbo.tf_Count(v.OrderID) f
    """
    options = CompileOptions(
        view={
            "bronze.vpaid": "CREATE VIEW bronze.vPaid AS SELECT OrderID, Amount FROM bronze.Orders WHERE Status = 'Paid'"
        }.get,
        function={
            "dbo.fn_gross": """CREATE FUNCTION dbo.fn_Gross (@net decimal(18,4)) RETURNS decimal(18,2) AS
                BEGIN
                    DECLARE @rate decimal(5,2) = 0.19
                    RETURN @net * (1 + @rate)
                END""",
            "dbo.tf_count": """CREATE FUNCTION dbo.tf_Count (@id int) RETURNS TABLE AS RETURN
                (SELECT COUNT(*) AS n FROM bronze.Orders o WHERE o.OrderID <= @id)""",
        }.get,
    )
    result = compiled(source, "silver.FactOrders", options=options)
    warehouse = Warehouse()
    warehouse.load("bronze.Orders", ORDERS)
    warehouse.run(result, "silver.FactOrders")
    assert warehouse.rows("silver.FactOrders", "OrderID", "Amount", "Qty") == [
        (1, Decimal("11.90"), 1),
        (3, Decimal("35.70"), 3),
    ]


def test_relations_are_read_as_the_project_says() -> None:
    source = """
    CREATE PROC silver.p AS
    TRUNCATE TABLE silver.FactOrders
    INSERT INTO silver.FactOrders (OrderID) SELECT o.OrderID FROM bronze.Orders o JOIN silver.Customer c ON c.CustomerID = o.CustomerID
    """
    options = CompileOptions(relation={"silver.customer": ModelInput("stg_customer")}.get)
    result = compiled(source, "silver.FactOrders", options=options)
    assert "{{ ref('stg_customer') }}" in result.sql
    assert "{{ source('bronze', 'Orders') }}" in result.sql
    assert result.inputs == ("bronze.orders", "silver.customer")


def test_text_that_looks_like_jinja_stays_text() -> None:
    source = """
    CREATE PROC silver.p AS
    -- {{ config(materialized='view') }} {% do drop() %} {# x #}
    TRUNCATE TABLE silver.Customer
    /* {{ this }} */
    INSERT INTO silver.Customer (CustomerID, City) SELECT CustomerID, '{{ x }}{% y %}' FROM bronze.Customer
    """
    result = compiled(source, "silver.Customer")
    warehouse = Warehouse()
    warehouse.load("bronze.Customer", [(1, None, None, None, None, None)])
    warehouse.run(result, "silver.Customer")
    assert warehouse.rows("silver.Customer", "City") == [("{{ x }}{% y %}",)]


def test_the_same_input_gives_the_same_bytes() -> None:
    assert compiled(MODE, "silver.FactOrders").sql == compiled(MODE, "silver.FactOrders").sql


CHAIN = """
CREATE PROCEDURE silver.usp_Chain AS
    TRUNCATE TABLE silver.FactOrders
    INSERT INTO silver.FactOrders (OrderID, OrderDate, Amount)
    SELECT OrderID, OrderDate, Amount FROM bronze.Orders
    {between}
    DELETE FROM silver.FactOrders WHERE OrderDate IS NULL
    {after}
"""
DAILY = """
    INSERT INTO silver.DailySales (OrderDate, Orders) SELECT OrderDate, COUNT(*)
    FROM silver.FactOrders WHERE OrderDate IS NOT NULL GROUP BY OrderDate
"""


def test_a_second_target_refs_the_first_once_it_is_complete() -> None:
    options = CompileOptions(relation={"silver.factorders": ModelInput("stg_factorders")}.get)
    late = compiled(CHAIN.format(between="", after=DAILY), "silver.DailySales", options=options)
    assert "{{ ref('stg_factorders') }}" in late.sql
    assert late.other_targets == ("silver.factorders",)
    early = compiled(CHAIN.format(between=DAILY, after=""), "silver.DailySales", options=options)
    assert "ref(" not in early.sql
    appending = CHAIN.format(between=DAILY, after="").replace(
        "TRUNCATE TABLE silver.FactOrders", ""
    )
    found = refused(appending, "silver.DailySales", options=options)
    assert found.construct == "reads another target half-way"


def test_another_target_is_not_read_before_it_is_written() -> None:
    """ref() shows what the other target holds after the procedure, not before."""
    source = """
    CREATE PROCEDURE silver.usp_Archive AS
        INSERT INTO silver.DailySales (OrderDate, Orders)
        SELECT OrderDate, COUNT(*) FROM silver.FactOrders WHERE Qty = 0 GROUP BY OrderDate
        DELETE silver.FactOrders WHERE Qty = 0
    """
    options = CompileOptions(relation={"silver.factorders": ModelInput("stg_factorders")}.get)
    found = refused(source, "silver.DailySales", options=options)
    assert found.construct == "reads another target half-way"
    assert found.line == 4
    compiled(source, "silver.DailySales")
    compiled(source, "silver.FactOrders", options=options)


def test_rows_a_merge_gives_out_come_from_what_the_other_target_held_before() -> None:
    source = """
    CREATE PROCEDURE silver.usp_MergeAndCount AS
        DECLARE @changes TABLE (act nvarchar(10), id int)
        MERGE silver.Customer AS t USING bronze.Customer AS s ON t.CustomerID = s.CustomerID
        WHEN MATCHED THEN UPDATE SET City = s.City
        WHEN NOT MATCHED THEN INSERT (CustomerID, City) VALUES (s.CustomerID, s.City)
        OUTPUT $action, inserted.CustomerID INTO @changes (act, id);
        INSERT INTO silver.DailySales (OrderDate, Orders)
        SELECT GETDATE(), COUNT(*) FROM @changes WHERE act = 'INSERT'
    """
    options = CompileOptions(relation={"silver.customer": ModelInput("stg_customer")}.get)
    found = refused(source, "silver.DailySales", options=options)
    assert found.construct == "reads another target half-way"
    compiled(source, "silver.DailySales")
