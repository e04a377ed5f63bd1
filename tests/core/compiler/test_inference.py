"""What procedures without DDL tell of the tables they use."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.compiler.inference import with_inferred
from core.compiler.report import compile_report
from core.tsql.parser import parse_script
from core.tsql.schema import ObjectName, Schema


def columns(source: str, table: str, views: dict[str, str] | None = None) -> dict[str, str]:
    schema, _ = with_inferred(Schema.of(), parse_script(source).procedures, views)
    found = schema.table(ObjectName.parse(table))
    return {c.name: str(c.type) for c in found.columns} if found is not None else {}


LOAD = """
CREATE PROC dbo.usp_LoadSales @From date AS
DECLARE @wm datetime, @n int
SELECT @wm = LastRun FROM etl.Watermark WHERE JobName = 'sales'
IF (SELECT COUNT(*) FROM stg.Heartbeat) = 0 RETURN
SELECT o.*, c.Region
INTO #o
FROM stg.Orders o LEFT JOIN stg.Customer c ON c.CustomerNo = o.CustomerNo
WHERE o.ModifiedOn > @wm
;WITH x AS (SELECT OrderNo, Qty, UnitPrice * Qty AS Gross FROM #o WHERE OrderDay >= @From)
MERGE dbo.FactSales AS t USING x AS s ON t.OrderNo = s.OrderNo
WHEN MATCHED THEN UPDATE SET GrossAmount = s.Gross, t.Qty = s.Qty
WHEN NOT MATCHED THEN INSERT (OrderNo, Qty, GrossAmount) VALUES (s.OrderNo, s.Qty, s.Gross)
OUTPUT $action, inserted.OrderNo;
"""


def test_names_are_followed_through_temp_tables_and_stars() -> None:
    orders = columns(LOAD, "stg.Orders")
    assert set(orders) == {"CustomerNo", "ModifiedOn", "OrderNo", "Qty", "UnitPrice", "OrderDay"}
    assert orders["OrderDay"] == "date"
    assert orders["ModifiedOn"] == "datetime"
    assert set(columns(LOAD, "stg.Customer")) == {"CustomerNo", "Region"}
    assert columns(LOAD, "etl.Watermark")["LastRun"] == "datetime"


def test_a_target_has_the_types_of_what_it_is_given() -> None:
    fact = columns(LOAD, "dbo.FactSales")
    assert list(fact) == ["OrderNo", "GrossAmount", "Qty"]
    assert fact["GrossAmount"] == "decimal(18,4)"
    assert fact["Qty"] == columns(LOAD, "stg.Orders")["Qty"]


def test_a_table_that_is_only_counted_is_known() -> None:
    assert len(columns(LOAD, "stg.Heartbeat")) == 1


def test_an_insert_without_a_list_names_the_columns_in_order() -> None:
    source = """CREATE PROCEDURE p AS
    INSERT INTO dw.T SELECT a.Code AS TheCode, MAX(b.Price) Price FROM s.A a, s.B b
    WHERE a.Id = b.Id GROUP BY a.Code"""
    assert list(columns(source, "dw.T")) == ["TheCode", "Price"]


def test_what_cannot_be_named_is_not_guessed() -> None:
    source = """CREATE PROCEDURE p AS
    DELETE dw.T WHERE Month = '2024'
    INSERT dw.T SELECT Code, SUM(Price) FROM s.A GROUP BY Code"""
    assert columns(source, "dw.T") == {}
    assert set(columns(source, "s.A")) == {"Code", "Price"}


def test_an_unqualified_name_goes_to_the_table_that_has_it() -> None:
    source = """CREATE PROCEDURE p AS
    SELECT Region, CustomerName, o.Total INTO dw.R
    FROM s.Orders o JOIN s.Customers c ON c.Id = o.CustomerId
    SELECT Region FROM s.Orders WHERE Region IS NOT NULL"""
    assert set(columns(source, "s.Orders")) == {"CustomerId", "Total", "Region"}
    assert set(columns(source, "s.Customers")) == {"Id", "CustomerName"}


def test_tables_below_a_view_are_known() -> None:
    source = "CREATE PROCEDURE p AS INSERT dw.T (a) SELECT v.Name FROM s.V v"
    views = {"s.v": "CREATE VIEW s.V AS SELECT x.Name, x.Id FROM s.X x"}
    assert set(columns(source, "s.X", views)) == {"Name", "Id"}
    assert columns(source, "s.V", views) == {}


@pytest.mark.parametrize(
    ("name", "type_"),
    [
        ("OrderDate", "datetime"),
        ("CustomerID", "int"),
        ("IsActive", "bit"),
        ("total_amount", "decimal(18,4)"),
        ("Colour", "nvarchar(4000)"),
    ],
)
def test_a_name_says_something_when_nothing_else_does(name: str, type_: str) -> None:
    source = f"CREATE PROCEDURE p AS SELECT {name} INTO dw.R FROM s.A"
    assert columns(source, "s.A") == {name: type_}


def test_a_file_of_another_database_does_not_spoil_a_procedure(tmp_path: Path) -> None:
    """Two files that name a different dbo.Customer."""
    (tmp_path / "a.sql").write_text("CREATE TABLE dbo.Customer (Id int, Nick nvarchar(20))")
    (tmp_path / "b.sql").write_text(
        "USE Sales\nGO\nCREATE PROC dbo.p AS\nTRUNCATE TABLE dbo.DimCustomer\n"
        "INSERT INTO dbo.DimCustomer (No, Name) SELECT c.No, c.Name FROM dbo.Customer c\n"
    )
    (procedure,) = compile_report(tmp_path).procedures
    assert procedure.status == "compiled"
    assert "dbo.Customer" in procedure.inferred


def test_three_part_targets_are_the_procedure_s_own(tmp_path: Path) -> None:
    (tmp_path / "a.sql").write_text(
        "CREATE PROC etl.p AS\nTRUNCATE TABLE DW.dbo.DimX\n"
        "INSERT INTO DW..DimX (No, Name) SELECT c.No, c.Name FROM Staging.dbo.X c\n"
    )
    (procedure,) = compile_report(tmp_path).procedures
    assert [(t.target, t.compiled) for t in procedure.targets] == [("dbo.dimx", True)]


def test_constant_dynamic_sql_has_targets_and_tables(tmp_path: Path) -> None:
    (tmp_path / "a.sql").write_text(
        "CREATE PROC etl.p AS\nDECLARE @t sysname = N'DimX', @sql nvarchar(max)\n"
        "SET @sql = N'TRUNCATE TABLE dw.' + QUOTENAME(@t)\nEXEC (@sql)\n"
        "SELECT @sql = N'INSERT INTO dw.' + @t + N' (No, Name) SELECT No, Name FROM stg.X'\n"
        "EXEC sp_executesql @sql\n"
    )
    (procedure,) = compile_report(tmp_path).procedures
    assert [(t.target, t.compiled) for t in procedure.targets] == [("dw.dimx", True)]
    assert set(procedure.inferred) == {"dw.DimX", "stg.X"}


def test_columns_inside_a_method_call_are_columns() -> None:
    source = """CREATE PROCEDURE p AS SELECT c.Id, STUFF((SELECT ',' + t.Tag FROM s.Tags t
    WHERE t.CustomerId = c.Id ORDER BY t.Tag FOR XML PATH(''), TYPE).value('.', 'nvarchar(max)'),
    1, 1, '') AS Tags INTO dw.R FROM s.Customer c"""
    assert columns(source, "s.Tags") == {"Tag": "nvarchar(4000)", "CustomerId": "int"}


def test_what_is_checked_to_be_a_number_or_date_is_text() -> None:
    source = """
create proc load.validate_claims as
insert load.claim_ok (claim_no, amount, svc_date, qty)
select claim_no, cast(amount as decimal(12,2)), cast(svc_date as date), try_convert(int, qty)
from load.claim_raw where isnumeric(amount) = 1 and isdate(svc_date) = 1
"""
    found = columns(source, "load.claim_raw")
    assert found["amount"] == found["svc_date"] == found["qty"] == "nvarchar(4000)"


def test_a_computed_column_does_not_bring_a_foreign_table_back(tmp_path: Path) -> None:
    (tmp_path / "a.sql").write_text(
        "CREATE TABLE dbo.Customer (Id int, Nick nvarchar(20), Two AS (Id * 2))"
    )
    (tmp_path / "b.sql").write_text(
        "CREATE PROC dbo.p AS\nINSERT INTO dbo.D (No, Name) SELECT c.No, c.Name FROM dbo.Customer c"
    )
    (procedure,) = compile_report(tmp_path).procedures
    assert procedure.status == "compiled"
