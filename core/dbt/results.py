"""dbt's results as outcomes, matched against the tests that had to run."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from core.dbt.database import MAX_EVIDENCE_ROWS, fetch_rows
from core.dbt.dbt_session import plain
from core.dbt.outcome import ExpectedTest, Row, TestKind, TestOutcome, TestStatus

if TYPE_CHECKING:
    import duckdb

_STATUS = {
    "pass": TestStatus.PASS,
    "success": TestStatus.PASS,
    "fail": TestStatus.FAIL,
    "error": TestStatus.ERROR,
    "runtime error": TestStatus.ERROR,
    "warn": TestStatus.WARN,
    "skipped": TestStatus.NOT_RUN,
}


def outcomes(
    results: Iterable[Any],
    expected: Iterable[ExpectedTest],
    connection: duckdb.DuckDBPyConnection | None,
) -> tuple[TestOutcome, ...]:
    """One outcome for every expected test, in that order, then any other test that ran.

    dbt succeeds silently when a test does not run at all (nested under a model, a name used
    twice, a selection that matches nothing): such a test is ``NOT_RUN``.
    """
    ran: dict[str, TestOutcome] = {}
    for result in results:
        kind = getattr(result.node, "resource_type", "")
        if str(kind) in ("test", "unit_test"):
            outcome = _outcome(result, connection)
            ran[outcome.name] = outcome
    ordered = [_matched(test, ran.pop(test.name, None)) for test in expected]
    return (*ordered, *ran.values())


def _matched(test: ExpectedTest, ran: TestOutcome | None) -> TestOutcome:
    if not test.enabled:
        return TestOutcome(test.name, test.kind, TestStatus.DISABLED, column=test.column)
    if ran is None:
        message = "dbt did not run this test, and did not say so."
        return TestOutcome(test.name, test.kind, TestStatus.NOT_RUN, message, test.column)
    return ran


def _outcome(result: Any, connection: duckdb.DuckDBPyConnection | None) -> TestOutcome:
    node = result.node
    unit = str(node.resource_type) == "unit_test"
    status = _STATUS.get(str(result.status), TestStatus.ERROR)
    compiled = str(getattr(node, "compiled_code", "") or "").strip()
    expected: tuple[Row, ...] = ()
    rows: tuple[Row, ...] = ()
    failed = status in (TestStatus.FAIL, TestStatus.WARN)
    if failed and connection is not None and compiled:
        rows = _rows(connection, compiled)
    if failed and unit:
        expected = tuple(_expected_rows(node))[:MAX_EVIDENCE_ROWS]
    return TestOutcome(
        name=str(node.name),
        kind=TestKind.UNIT if unit else TestKind.DATA,
        status=status,
        message=plain(str(result.message or "")) if status is not TestStatus.PASS else "",
        column=str(getattr(node, "column_name", None) or ""),
        failures=int(result.failures or 0),
        expected=expected,
        actual=rows if unit else (),
        failing_rows=() if unit else rows,
        compiled_sql=compiled,
        seconds=float(result.execution_time or 0.0),
    )


def _rows(connection: duckdb.DuckDBPyConnection, sql: str) -> tuple[Row, ...]:
    import duckdb

    try:
        return fetch_rows(connection, sql)
    except duckdb.Error:
        return ()


def _expected_rows(node: Any) -> Iterable[Mapping[str, object]]:
    rows = getattr(getattr(node, "config", None), "expected_rows", None) or []
    return [dict(row) for row in rows if isinstance(row, Mapping)]
