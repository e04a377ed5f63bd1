"""`Reference` as its users see it: loading, resetting, clocks, findings, coverage, traces."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest

from core.interpreter import Profile, Reference, SqlError
from core.tsql import types as t
from core.tsql.schema import Column, ObjectName, Schema, Table

SCHEMA = Schema.of(
    [
        Table(
            ObjectName("Orders", "src"),
            (
                Column("OrderID", t.INT, nullable=False),
                Column("Customer", t.varchar(10)),
                Column("Amount", t.decimal(9, 2)),
                Column("OrderedAt", t.DATETIME),
            ),
            keys=(("OrderID",),),
        ),
        Table(
            ObjectName("Totals", "dw"),
            (
                Column("TotalKey", t.INT, nullable=False, identity=True),
                Column("Customer", t.varchar(10), nullable=False),
                Column("Amount", t.decimal(18, 2)),
                Column("LoadedAt", t.DATETIME, default="getdate()"),
            ),
            keys=(("TotalKey",),),
        ),
    ],
    database="Mart",
)

LOAD = """
CREATE PROCEDURE dw.usp_LoadTotals @MinAmount decimal(9, 2) = 0, @Rows int = NULL OUTPUT
AS
BEGIN
    SET NOCOUNT ON
    IF @MinAmount < 0
        SET @MinAmount = 0
    TRUNCATE TABLE [Mart].[dw].[Totals]

    INSERT INTO dw.Totals (Customer, Amount)
    SELECT ISNULL(o.Customer, CASE WHEN o.Amount > 5 THEN 'big' ELSE 'small' END), SUM(o.Amount)
    FROM Mart.src.Orders o
    WHERE o.Amount >= @MinAmount
    GROUP BY ISNULL(o.Customer, CASE WHEN o.Amount > 5 THEN 'big' ELSE 'small' END)

    SET @Rows = @@ROWCOUNT
    RETURN 0
END
"""

ORDERS = [
    {"OrderID": 1, "Customer": "A", "Amount": "10.50", "OrderedAt": "2024-01-15T00:00:00"},
    {"orderid": "2", "Customer": "a", "Amount": 1.5, "OrderedAt": "2024-01-15 10:11:12.997"},
    {"OrderID": 3, "Amount": Decimal("3"), "OrderedAt": dt.date(2024, 1, 16)},
]


@pytest.fixture
def mart() -> Reference:
    return Reference(SCHEMA, [LOAD])


def test_a_load(mart: Reference) -> None:
    mart.set_clock(dt.datetime(2024, 5, 1, 12, 0, 0, 123456))
    mart.load("src.Orders", ORDERS)
    result = mart.run_procedure("dw.usp_LoadTotals", {"MinAmount": "0"})
    assert result.ok
    assert result.return_code == 0
    assert result.outputs == {"@Rows": 2}
    rows = mart.table("dw.Totals").dicts()
    assert {(str(r["Customer"]).lower(), r["Amount"]) for r in rows} == {
        ("a", Decimal("12.00")),
        ("small", Decimal("3.00")),
    }
    assert {r["LoadedAt"] for r in rows} == {dt.datetime(2024, 5, 1, 12, 0, 0, 123000)}


def test_reset_forgets_rows_counters_and_what_was_created(mart: Reference) -> None:
    for _ in range(3):
        mart.reset()
        mart.load("src.Orders", ORDERS)
        mart.run_procedure("dw.usp_LoadTotals")
        mart.run_script("CREATE TABLE dbo.extra (a int) BEGIN TRAN DELETE src.Orders")
        assert [r["TotalKey"] for r in mart.table("dw.Totals").dicts()] == [1, 2]
    mart.reset()
    assert mart.table("src.Orders").rows == ()
    assert mart.table("dw.Totals").rows == ()
    with pytest.raises(SqlError):
        mart.table("dbo.extra")


def test_a_dropped_table_comes_back(mart: Reference) -> None:
    mart.run_script("DROP TABLE src.Orders")
    mart.reset()
    assert mart.load("src.Orders", ORDERS) == 3


def test_unknown_procedure_parameter_and_table(mart: Reference) -> None:
    missing = mart.run_procedure("dw.nope")
    assert missing.error is not None
    assert missing.error.number == 2812
    wrong = mart.run_procedure("dw.usp_LoadTotals", {"@Nope": 1})
    assert wrong.error is not None
    assert wrong.error.number == 8145
    with pytest.raises(SqlError, match="208"):
        mart.load("src.Nope", [])


def test_the_clock_stands_still(mart: Reference) -> None:
    moment = dt.datetime(2023, 12, 31, 23, 59, 59)
    mart.set_clock(moment)
    script = "SELECT GETDATE() WAITFOR DELAY '00:00:01' SELECT GETDATE()"
    found = mart.run_script(script)[0]
    assert [s.rows for s in found.result_sets] == [((moment,),), ((moment,),)]


def test_the_same_seed_gives_the_same_values(mart: Reference) -> None:
    def draw(seed: int) -> tuple[object, ...]:
        mart.set_seed(seed)
        mart.reset()
        return mart.run_script("SELECT RAND(), NEWID()")[0].result_sets[0].rows[0]

    assert draw(7) == draw(7)
    assert draw(7) != draw(8)


def test_several_matches_are_a_finding(mart: Reference) -> None:
    mart.load("src.Orders", ORDERS)
    mart.run_script(
        "CREATE TABLE dbo.s (id int, a decimal(9, 2)) INSERT dbo.s VALUES (1, 1), (1, 2)"
    )
    update = "UPDATE o SET Amount = s.a FROM src.Orders o JOIN dbo.s s ON s.id = o.OrderID"
    found = mart.run_script(update)[0]
    assert [f.kind for f in found.findings] == ["update_several_matches"]
    assert mart.table("src.Orders").dicts()[0]["Amount"] == Decimal("1.00")


def test_equal_matches_are_not(mart: Reference) -> None:
    mart.load("src.Orders", ORDERS)
    mart.run_script(
        "CREATE TABLE dbo.s (id int, a decimal(9, 2)) INSERT dbo.s VALUES (1, 1), (1, 1)"
    )
    update = "UPDATE o SET Amount = s.a FROM src.Orders o JOIN dbo.s s ON s.id = o.OrderID"
    assert mart.run_script(update)[0].findings == ()


def test_top_without_order_is_a_finding(mart: Reference) -> None:
    kinds = [f.kind for f in mart.run_script("SELECT TOP 1 * FROM src.Orders")[0].findings]
    assert kinds == ["top_without_order"]
    ordered = mart.run_script("SELECT TOP 1 * FROM src.Orders ORDER BY OrderID")[0]
    assert ordered.findings == ()


def test_row_order_can_be_shuffled(mart: Reference) -> None:
    rows = [{"OrderID": n, "OrderedAt": "20240101"} for n in range(30)]
    mart.load("src.Orders", rows, shuffle=5)
    stored = [r["OrderID"] for r in mart.table("src.Orders").dicts()]
    assert sorted(str(n) for n in stored) == sorted(str(n) for n in range(30))
    assert stored != list(range(30))


def test_trace_with_table_states(mart: Reference) -> None:
    mart.load("src.Orders", ORDERS)
    result = mart.run_procedure("dw.usp_LoadTotals", trace=True, watch=["dw.Totals"])
    insert = next(s for s in result.trace if s.kind == "Leaf" and s.rows == 2)
    assert insert.line == 10
    assert len(insert.tables["dw.Totals"]) == 2


def test_statement_and_branch_coverage() -> None:
    with Reference(SCHEMA, [LOAD], full_coverage=True) as mart:
        mart.load("src.Orders", ORDERS)
        mart.run_procedure("dw.usp_LoadTotals", {"@MinAmount": 2})
        lines = {line for module, line, _ in mart.coverage.statements if module.startswith("dw")}
        assert lines == {5, 6, 8, 10, 16, 17}
        outcomes = {
            (kind, outcome): n for (_, _, _, kind, outcome), n in mart.coverage.branches.items()
        }
        assert outcomes["if", "false"] == 1
        assert outcomes["if", "true"] == 0
        assert outcomes["where", "true"] == 2
        assert outcomes["where", "false"] == 1
        assert 0 < mart.coverage.outcome_share < 1


OUTCOMES = """CREATE PROCEDURE dw.usp_Outcomes AS
BEGIN
    INSERT dw.Totals (Customer, Amount)
    SELECT o.Customer
         , SUM(CASE WHEN o.Amount > 100 THEN 1 ELSE 0 END)
    FROM src.Orders o
    LEFT JOIN dw.Totals t ON t.Customer = o.Customer
    WHERE o.Customer <> 'zz'
      AND NOT EXISTS (SELECT 1 FROM src.Orders x WHERE x.OrderID = o.OrderID AND x.Amount < 0)
    GROUP BY o.Customer
    HAVING COUNT(*) > 99
    MERGE dw.Totals AS t USING src.Orders AS s ON s.Customer = t.Customer
    WHEN MATCHED THEN UPDATE SET Amount = 0;
END"""


def test_outcomes_of_predicates_cases_and_joins() -> None:
    with Reference(SCHEMA, [OUTCOMES], full_coverage=True) as mart:
        mart.load("src.Orders", ORDERS)
        mart.run_procedure("dw.usp_Outcomes")
        reached = {(o.line, o.kind, o.outcome) for o in mart.coverage.reached}
        missing = {(o.line, o.kind, o.outcome) for o in mart.coverage.missing}
        assert not mart.coverage.reached & mart.coverage.missing
    assert {(8, "where", "true"), (9, "where", "true"), (5, "case", "else")} <= reached
    assert {(7, "join", "unmatched"), (11, "having", "false")} <= reached
    assert {(12, "join", "unmatched"), (13, "merge", "none")} <= reached
    assert {(7, "join", "matched"), (8, "where", "false"), (9, "where", "false")} <= missing
    assert {(5, "case", "arm 1"), (11, "having", "true"), (13, "merge", "hit")} <= missing


def test_what_full_coverage_counts_changes_no_result() -> None:
    results = []
    for full in (False, True):
        with Reference(SCHEMA, [LOAD], full_coverage=full) as mart:
            mart.load("src.Orders", ORDERS)
            mart.run_procedure("dw.usp_LoadTotals", {"@MinAmount": 2})
            results.append(mart.table("dw.Totals").rows)
    assert results[0] == results[1]


def test_case_sensitive_profile() -> None:
    with Reference(profile=Profile(case_sensitive=True)) as strict:
        text = (
            "SELECT CASE WHEN 'a' = 'A' THEN 1 ELSE 0 END, CASE WHEN 'a' = 'a ' THEN 1 ELSE 0 END"
        )
        assert strict.run_script(text)[0].result_sets[0].rows == ((0, 1),)


def test_foreign_keys_are_an_option() -> None:
    script = (
        "CREATE TABLE dbo.p (id int PRIMARY KEY) "
        "CREATE TABLE dbo.c (id int REFERENCES dbo.p (id)) INSERT dbo.c VALUES (1)"
    )
    with Reference() as lax:
        assert lax.run_script(script)[0].error is None
    with Reference(profile=Profile(foreign_keys=True)) as strict:
        error = strict.run_script(script)[0].error
        assert error is not None
        assert error.number == 547


@pytest.mark.parametrize(
    ("statement", "construct"),
    [
        ("SELECT * FROM srv.db.dbo.t", "srv.db.dbo.t"),
        ("EXEC xp_cmdshell 'dir'", "xp_cmdshell"),
        ("BULK INSERT dbo.t FROM 'x'", "BULK INSERT"),
        ("SELECT COMPRESS('x')", "COMPRESS"),
    ],
)
def test_what_cannot_run_is_known_before(mart: Reference, statement: str, construct: str) -> None:
    mart.define(f"CREATE PROCEDURE dbo.inner_one AS BEGIN\nSELECT 1\n{statement}\nEND")
    mart.define("CREATE PROCEDURE dbo.outer_one AS EXEC dbo.inner_one")
    found = mart.not_executable("dbo.outer_one")
    assert [(n.construct.lower(), n.line) for n in found] == [(construct.lower(), 3)]
    assert mart.not_executable("dw.usp_LoadTotals") == ()


def test_an_open_transaction_is_rolled_back_and_said(mart: Reference) -> None:
    mart.define("CREATE PROCEDURE dw.p AS BEGIN TRAN INSERT dw.Totals (Customer) VALUES ('x')")
    result = mart.run_procedure("dw.p")
    assert result.error is not None
    assert result.error.number == 266
    assert mart.table("dw.Totals").rows == ()
