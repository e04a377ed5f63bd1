"""Binding: names resolve as in SQL Server, and its errors are reported with number and line."""

from __future__ import annotations

from dataclasses import replace

import pytest

from core.tsql import types as t
from core.tsql.binding import BoundQuery, bind_expression, bind_query, from_star, origin_of
from core.tsql.binding_dml import bind_leaf
from core.tsql.dialect import parse_leaf_text
from core.tsql.nodes import Leaf
from core.tsql.parser import parse_script
from core.tsql.schema import (
    Column,
    ObjectName,
    Parameter,
    ScalarFunction,
    Schema,
    Table,
    TableFunction,
)
from core.tsql.scope import OutputColumn, Relation
from core.tsql.types import parse_type
from core.tsql.typing import BindError


def table(name: str, columns: str) -> Table:
    """A table from ``"id int, name nvarchar(50)"``."""
    parts = [part.strip().split(" ", 1) for part in columns.split(";")]
    return Table(ObjectName.parse(name), tuple(Column(n, parse_type(kind)) for n, kind in parts))


SCHEMA = Schema.of(
    [
        table(
            "dbo.Orders", "OrderID int; CustomerID int; OrderDate datetime; Amount decimal(18,2)"
        ),
        table("dbo.Customers", "CustomerID int; Name nvarchar(50); City varchar(30)"),
        table("stg.Customers", "CustomerID int; Name nvarchar(100); Loaded bit"),
        table("#new", "CustomerID int; Total money"),
        Table(
            ObjectName.parse("dbo.Dim"),
            (
                Column("Id", t.INT, nullable=False, identity=True),
                Column("Code", t.varchar(10), nullable=False),
                Column("Twice", t.INT, computed="Id * 2"),
            ),
        ),
    ],
    [
        ScalarFunction(ObjectName.parse("dbo.Net"), (Parameter("@x", t.MONEY),), t.MONEY),
        TableFunction(ObjectName.parse("dbo.Split"), (), (Column("item", t.varchar(20)),)),
    ],
    database="Sales",
)


def bound(text: str, **variables: t.SqlType) -> BoundQuery:
    named = {f"@{name}": type_ for name, type_ in variables.items()}
    return bind_query(parse_leaf_text(text), SCHEMA, named)


def columns(text: str, **variables: t.SqlType) -> list[tuple[str | None, str]]:
    return [(c.name, c.type.sql()) for c in bound(text, **variables).columns]


def printed(text: str) -> str:
    return bound(text).tree.sql("tsql")


def test_names_are_found_in_any_case_and_spelling() -> None:
    for name in ("dbo.Orders", "ORDERS", "[dbo].[orders]", "Sales.dbo.Orders", "sales..ORDERS"):
        assert columns(f"SELECT orderid FROM {name}") == [("orderid", "int")]


def test_columns_are_qualified_and_know_their_origin() -> None:
    query = bound(
        "SELECT Name FROM dbo.Orders o JOIN dbo.Customers c ON c.CustomerID = o.CustomerID"
    )
    assert query.tree.expressions[0].sql() == "c.Name"
    origin = origin_of(query.tree.expressions[0])
    assert origin is not None
    assert (str(origin.table), origin.column) == ("dbo.Customers", "Name")


def test_star_is_expanded_in_order() -> None:
    query = bound("SELECT o.*, c.Name FROM dbo.Orders o CROSS JOIN dbo.Customers c")
    assert [c.name for c in query.columns] == [
        "OrderID",
        "CustomerID",
        "OrderDate",
        "Amount",
        "Name",
    ]
    assert [from_star(item) for item in query.tree.expressions] == [True] * 4 + [False]


def test_types_flow_through_ctes_derived_tables_and_set_operations() -> None:
    text = """
        WITH totals (cust, total) AS (
            SELECT CustomerID, SUM(Amount) FROM dbo.Orders GROUP BY CustomerID
        )
        SELECT x.cust, x.total / 2 AS half, x.label
        FROM (
            SELECT cust, total, 'a' AS label FROM totals
            UNION ALL SELECT CustomerID, Total, N'long' FROM #new
        ) AS x
    """
    assert columns(text) == [("cust", "int"), ("half", "decimal(38,6)"), ("label", "nvarchar(4)")]


def test_recursive_cte_has_the_anchors_columns() -> None:
    text = "WITH n AS (SELECT 1 AS i UNION ALL SELECT i + 1 FROM n WHERE i < 9) SELECT i FROM n"
    assert columns(text) == [("i", "int")]


def test_outer_reference_is_not_captured_by_an_inner_alias() -> None:
    text = (
        "SELECT OrderID FROM dbo.Orders t WHERE EXISTS "
        "(SELECT 1 FROM dbo.Customers t WHERE t.CustomerID = 1 AND OrderDate > '20240101')"
    )
    assert "FROM dbo.Customers AS t_2 WHERE t_2.CustomerID = 1 AND t.OrderDate >" in printed(text)


def test_inner_column_wins_over_an_outer_one() -> None:
    text = (
        "SELECT Name FROM dbo.Customers WHERE CustomerID IN "
        "(SELECT CustomerID FROM stg.Customers WHERE Name = 'x')"
    )
    assert "IN (SELECT Customers.CustomerID FROM stg.Customers WHERE Customers.Name" in printed(
        text
    )


def test_same_table_name_in_two_schemas_is_told_apart() -> None:
    text = (
        "SELECT dbo.Customers.Name, stg.Customers.Loaded FROM dbo.Customers "
        "JOIN stg.Customers ON dbo.Customers.CustomerID = stg.Customers.CustomerID"
    )
    assert "JOIN stg.Customers AS Customers_2 ON Customers.CustomerID = Customers_2" in printed(
        text
    )


def test_apply_sees_its_left_side_and_a_derived_table_does_not() -> None:
    apply = (
        "SELECT c.Name, x.n FROM dbo.Customers c CROSS APPLY "
        "(SELECT COUNT(*) AS n FROM dbo.Orders o WHERE o.CustomerID = c.CustomerID) x"
    )
    assert columns(apply) == [("Name", "nvarchar(50)"), ("n", "int")]
    with pytest.raises(BindError) as error:
        bound(apply.replace("CROSS APPLY", ", "))
    assert error.value.number == 4104


def test_pivot_and_unpivot_columns() -> None:
    pivot = (
        "SELECT * FROM (SELECT CustomerID, OrderID AS k, Amount FROM dbo.Orders) s "
        "PIVOT (SUM(Amount) FOR k IN ([1], [2])) p"
    )
    assert columns(pivot) == [("CustomerID", "int"), ("1", "decimal(38,2)"), ("2", "decimal(38,2)")]
    unpivot = (
        "SELECT * FROM (SELECT OrderID, CustomerID FROM dbo.Orders) s "
        "UNPIVOT (v FOR label IN (OrderID, CustomerID)) u"
    )
    assert columns(unpivot) == [("v", "int"), ("label", "nvarchar(128)")]


def test_functions_of_the_schema() -> None:
    assert columns("SELECT dbo.Net(Total) AS n FROM #new") == [("n", "money")]
    assert columns("SELECT s.item FROM dbo.Split('a') s") == [("item", "varchar(20)")]


def test_order_by_prefers_output_columns() -> None:
    query = bound("SELECT Amount * 2 AS OrderDate FROM dbo.Orders ORDER BY OrderDate")
    assert query.tree.args["order"].expressions[0].this.sql() == "OrderDate"


def test_variables_and_clock() -> None:
    assert columns("SELECT @d AS a, @@ROWCOUNT AS b, GETDATE() AS c", d=t.DATE) == [
        ("a", "date"),
        ("b", "int"),
        ("c", "datetime"),
    ]


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (207, "SELECT Nope FROM dbo.Orders"),
        (208, "SELECT 1 FROM dbo.Missing"),
        (208, "SELECT 1 FROM Other.dbo.Orders"),
        (209, "SELECT CustomerID FROM dbo.Orders, dbo.Customers"),
        (4104, "SELECT x.Name FROM dbo.Customers c"),
        (207, "SELECT c.Nope FROM dbo.Customers c"),
        (137, "SELECT @missing"),
        (8120, "SELECT Name, COUNT(*) FROM dbo.Customers"),
        (8120, "SELECT Name FROM dbo.Customers GROUP BY City"),
        (8121, "SELECT City FROM dbo.Customers GROUP BY City HAVING Name = 'x'"),
        (147, "SELECT 1 FROM dbo.Orders WHERE SUM(Amount) > 1"),
        (4108, "SELECT 1 FROM dbo.Orders WHERE ROW_NUMBER() OVER (ORDER BY OrderID) = 1"),
        (205, "SELECT 1 UNION ALL SELECT 1, 2"),
        (116, "SELECT (SELECT OrderID, Amount FROM dbo.Orders)"),
        (8155, "SELECT * FROM (SELECT 1) x"),
        (8156, "SELECT * FROM (SELECT 1 AS a, 2 AS a) x"),
        (195, "SELECT dateadd_(1)"),
        (174, "SELECT LEN()"),
        (155, "SELECT DATEADD(fortnight, 1, GETDATE())"),
        (8117, "SELECT SUM(Loaded) FROM stg.Customers"),
        (8117, "SELECT -Name FROM dbo.Customers"),
        (206, "SELECT CAST('2024-01-01' AS date) + 1"),
        (206, "SELECT 1 FROM dbo.Orders WHERE CAST(OrderDate AS date) = 1"),
        (108, "SELECT OrderID FROM dbo.Orders ORDER BY 2"),
        (243, "SELECT CAST(1 AS dbo.Money2)"),
        (1011, "SELECT 1 FROM (SELECT 1 AS a) x, (SELECT 2 AS b) x"),
    ],
)
def test_errors_have_sql_servers_numbers(number: int, text: str) -> None:
    with pytest.raises(BindError) as error:
        bound(text)
    assert error.value.number == number


def test_errors_have_the_line() -> None:
    with pytest.raises(BindError) as error:
        bound("SELECT OrderID,\n       Amount,\n       Nope\nFROM dbo.Orders")
    assert error.value.line == 3


def test_the_tree_given_is_left_alone() -> None:
    tree = parse_leaf_text("SELECT * FROM dbo.Orders WHERE OrderID = 1")
    before = tree.sql()
    bind_query(tree, SCHEMA)
    assert tree.sql() == before


def test_expression_over_given_relations() -> None:
    inserted = Relation("inserted", (OutputColumn("Amount", t.decimal(18, 2)),))
    result = bind_expression(
        parse_leaf_text("SELECT inserted.Amount * 2").expressions[0], SCHEMA, relations=[inserted]
    )
    assert result.type == t.decimal(20, 2)


# --- whole statements ---


def leaf(text: str) -> Leaf:
    return next(s for s in parse_script(text).statements if isinstance(s, Leaf))


def test_insert_without_a_list_skips_identity_and_computed_columns() -> None:
    result = bind_leaf(leaf("INSERT INTO dbo.Dim SELECT City FROM dbo.Customers").parsed, SCHEMA)
    assert result.target is not None
    assert [column.name for column in result.target.columns] == ["Code"]


def test_update_with_join_binds_values_over_the_query() -> None:
    text = (
        "UPDATE c SET City = UPPER(s.Name), Name = @n FROM dbo.Customers c "
        "JOIN stg.Customers s ON s.CustomerID = c.CustomerID"
    )
    result = bind_leaf(leaf(text).parsed, SCHEMA, {"@n": t.nvarchar(50)})
    assert result.target is not None
    assert str(result.target.name) == "dbo.Customers"
    assert [a.value.tree.sql() for a in result.assignments] == ["UPPER(s.Name)", "@n"]


def test_merge_branches_see_what_they_may() -> None:
    text = (
        "MERGE dbo.Customers AS t USING stg.Customers AS s ON s.CustomerID = t.CustomerID "
        "WHEN MATCHED AND t.Name <> s.Name THEN UPDATE SET Name = s.Name "
        "WHEN NOT MATCHED THEN INSERT (CustomerID, Name) VALUES (s.CustomerID, {});"
    )
    result = bind_leaf(leaf(text.format("s.Name")).parsed, SCHEMA)
    assert result.merge is not None
    assert [when.action.value for when in result.merge.whens] == ["update", "insert"]
    with pytest.raises(BindError) as error:
        bind_leaf(leaf(text.format("t.Name")).parsed, SCHEMA)
    assert error.value.number == 4104


def test_select_into_makes_a_table() -> None:
    result = bind_leaf(
        leaf(
            "SELECT CustomerID, SUM(Amount) AS Total INTO #t FROM dbo.Orders GROUP BY CustomerID"
        ).parsed,
        SCHEMA,
    )
    assert result.target is not None
    assert result.target.table is not None
    made = SCHEMA.with_table(replace(result.target.table, name=ObjectName("#t")))
    query = bind_query(parse_leaf_text("SELECT Total FROM #T"), made)
    assert query.columns[0].type == t.decimal(38, 2)


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (213, "INSERT INTO dbo.Dim SELECT City, Name, 1, 2 FROM dbo.Customers"),
        (121, "INSERT INTO dbo.Customers (Name) SELECT Name, City FROM dbo.Customers"),
        (207, "INSERT INTO dbo.Customers (Nope) SELECT 1"),
        (207, "UPDATE dbo.Customers SET Nope = 1"),
        (271, "UPDATE dbo.Dim SET Twice = 1"),
        (208, "DELETE FROM dbo.Missing"),
    ],
)
def test_statement_errors(number: int, text: str) -> None:
    with pytest.raises(BindError) as error:
        bind_leaf(leaf(text).parsed, SCHEMA)
    assert error.value.number == number
