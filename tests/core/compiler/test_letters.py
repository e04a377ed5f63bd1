"""Texts that the procedure itself makes differ by case compare as SQL Server compares them."""

from __future__ import annotations

from tests.core.compiler.warehouse import Warehouse, compiled

CUSTOMERS = [(1, "Ann", "Lee", None, "Oslo", None), (2, "Bo", "Ek", None, "n/a", None)]


def test_capitals_are_compared_with_what_is_stored_without_regard_to_case() -> None:
    source = """
    CREATE PROC silver.p AS
    TRUNCATE TABLE silver.Customer
    ;WITH cities AS (SELECT DISTINCT UPPER(LTRIM(RTRIM(City))) AS city FROM bronze.Changes)
    INSERT INTO silver.Customer (CustomerID, City)
    SELECT c.CustomerID, x.city FROM bronze.Customer c JOIN cities x ON x.city = c.City
    """
    result = compiled(source, "silver.Customer")
    warehouse = Warehouse()
    warehouse.load("bronze.Customer", CUSTOMERS)
    warehouse.load("bronze.Changes", [(1, "oslo ", None), (2, "OSLO", None)])
    warehouse.run(result, "silver.Customer")
    assert warehouse.rows("silver.Customer", "CustomerID", "City") == [(1, "OSLO")]


def test_a_literal_beside_capitals_makes_one_group() -> None:
    source = """
    CREATE PROC silver.p AS
    SELECT CASE WHEN City IS NULL THEN 'n/a' ELSE UPPER(City) END AS place INTO #places
    FROM bronze.Changes
    TRUNCATE TABLE silver.DailySales
    INSERT INTO silver.DailySales (OrderDate, Orders) SELECT '2024-01-01', COUNT(*)
    FROM #places GROUP BY place
    """
    result = compiled(source, "silver.DailySales")
    warehouse = Warehouse()
    warehouse.load("bronze.Changes", [(1, "n/a", None), (2, None, None), (3, "Oslo", None)])
    warehouse.run(result, "silver.DailySales")
    assert warehouse.rows("silver.DailySales", "Orders") == [(1,), (2,)]


def test_what_an_earlier_run_wrote_in_capitals_is_known() -> None:
    source = """
    CREATE PROC silver.p AS
    INSERT INTO silver.Customer (CustomerID, City)
    SELECT CustomerID, UPPER(City) FROM bronze.Customer s
    WHERE NOT EXISTS (SELECT 1 FROM silver.Customer t WHERE t.City = s.City)
    """
    result = compiled(source, "silver.Customer")
    warehouse = Warehouse()
    warehouse.load("bronze.Customer", CUSTOMERS)
    warehouse.run(result, "silver.Customer")
    warehouse.run(result, "silver.Customer")
    assert warehouse.rows("silver.Customer", "CustomerID") == [(1,), (2,)]


def test_texts_that_nobody_rewrites_are_compared_as_they_are() -> None:
    source = """
    CREATE PROC silver.p AS
    TRUNCATE TABLE silver.Customer
    INSERT INTO silver.Customer (CustomerID, FullName, City)
    SELECT c.CustomerID, UPPER(c.FirstName), c.City FROM bronze.Customer c
    JOIN bronze.Changes x ON x.City = c.City WHERE UPPER(c.FirstName) = 'ANN'
    """
    assert "lower(" not in compiled(source, "silver.Customer").sql


def test_a_padded_literal_and_a_char_column_compare_without_blanks() -> None:
    source = """
    CREATE PROC silver.p AS
    SELECT CAST(City AS char(6)) AS city, CustomerID INTO #c FROM bronze.Changes
    TRUNCATE TABLE silver.Customer
    INSERT silver.Customer (CustomerID, City) SELECT CustomerID, city + '|' FROM #c
    WHERE city = 'Oslo  '
    """
    result = compiled(source, "silver.Customer")
    warehouse = Warehouse()
    warehouse.load("bronze.Changes", [(1, "Oslo", None), (2, "Bergen", None)])
    warehouse.run(result, "silver.Customer")
    assert warehouse.rows("silver.Customer", "CustomerID", "City") == [(1, "Oslo  |")]
