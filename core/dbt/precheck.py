"""The native pre-check: a model's unit tests without dbt, in our own DuckDB, in milliseconds.

For the inner loop of corrections. Rendered by us, run and compared with EXCEPT ALL in both
directions, the fixtures cast as dbt casts them. It is not the verdict: dbt's is.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from core.dbt.database import MAX_EVIDENCE_ROWS, connect, create_table, wipe
from core.dbt.outcome import (
    ExpectedTest,
    Phase,
    Row,
    TestKind,
    TestOutcome,
    TestStatus,
    Verification,
)
from core.dbt.replay import create_inputs, set_clock, stub_name
from core.dbt.template import MissingVarError, ModelTemplate, StubResolver, quoted
from core.dbt.unit_tests import input_of
from core.dbt.verification import guard_request
from core.dbt.verify import InputColumn, VerifyRequest

if TYPE_CHECKING:
    import duckdb

_THIS = '"__this"."this"'


class _BadTestError(Exception):
    """A unit test that dbt would refuse."""


def precheck(request: VerifyRequest) -> Verification:
    """Guard, then every enabled unit test of the YAML; data tests are left to dbt."""
    started = time.perf_counter()
    guarded = guard_request(request)
    if isinstance(guarded, Verification):
        return guarded
    tests = _Precheck(request, *guarded).run()
    passed = all(test.ok for test in tests)
    return Verification(
        phase=Phase.DONE if passed else Phase.TEST,
        compile_passed=True,
        tests=tests,
        where="pre-check",
        seconds=time.perf_counter() - started,
    )


@dataclass(frozen=True)
class _FixedResolver(StubResolver):
    """Stubs, with the overrides of one unit test."""

    now: str = ""

    def current_timestamp(self) -> str:
        return self.now or "proc2dbt_now()"


@dataclass
class _Precheck:
    request: VerifyRequest
    template: ModelTemplate
    yaml: dict[str, Any]
    filled: set[str] = field(default_factory=set)
    fixtures: dict[str, tuple[str, tuple[InputColumn, ...]]] = field(default_factory=dict)

    def run(self) -> tuple[TestOutcome, ...]:
        bodies = [b for b in self.yaml.get("unit_tests") or [] if isinstance(b, dict)]
        expected = {t.name: t for t in self.request.expected_tests if t.kind is TestKind.UNIT}
        connection = _database()
        wipe(connection)
        self._prepare(connection)
        ran = {str(body.get("name")): self._test(connection, body) for body in bodies}
        missing = [_not_run(t) for name, t in expected.items() if name not in ran]
        return (*ran.values(), *missing)

    def _prepare(self, connection: duckdb.DuckDBPyConnection) -> None:
        create_inputs(connection, self.request.inputs, self.request.model_name)
        set_clock(connection, self.request.clock or datetime(2024, 1, 1))
        for relation in self.request.inputs:
            self.fixtures[input_of(relation)] = (stub_name(relation), relation.columns)
        connection.execute('create schema if not exists "__this"')
        create_table(connection, _THIS, self.request.target.columns)
        self.fixtures["this"] = (_THIS, self.request.target.columns)

    def _test(self, connection: duckdb.DuckDBPyConnection, body: Mapping[str, Any]) -> TestOutcome:
        import duckdb

        started = time.perf_counter()
        name = str(body.get("name"))
        config = body.get("config") or {}
        if config.get("enabled") is False:
            return TestOutcome(name, TestKind.UNIT, TestStatus.DISABLED)
        try:
            outcome = self._compare(connection, name, body)
        except (duckdb.Error, _BadTestError) as error:
            message = str(error).split("\n\n")[0]
            outcome = TestOutcome(name, TestKind.UNIT, TestStatus.ERROR, message)
        except MissingVarError as error:
            message = f"Required var '{error.name}' has no value."
            outcome = TestOutcome(name, TestKind.UNIT, TestStatus.ERROR, message)
        return _with_seconds(outcome, time.perf_counter() - started)

    def _compare(
        self, connection: duckdb.DuckDBPyConnection, name: str, body: Mapping[str, Any]
    ) -> TestOutcome:
        sql = self._sql(body)
        self._load(connection, body.get("given") or [])
        connection.execute(f"create or replace temp table actual as\n{sql}")
        described = connection.execute("select * from actual limit 0").description or []
        types = {d[0].casefold(): (d[0], str(d[1])) for d in described}
        rows = list((body.get("expect") or {}).get("rows") or [])
        columns = list(rows[0]) if rows else [d[0] for d in described]
        unknown = [c for c in columns if c.casefold() not in types]
        if unknown:
            raise _BadTestError(f"the model does not return {', '.join(unknown)}")
        listed = ", ".join(quoted(types[c.casefold()][0]) for c in columns)
        connection.execute(
            f"create or replace temp table expected as select {listed} from actual limit 0"
        )
        _insert_literal(connection, "expected", columns, rows)
        wanted, found = f"select {listed} from expected", f"select {listed} from actual"
        if _same_bag(connection, wanted, found):
            return TestOutcome(name, TestKind.UNIT, TestStatus.PASS, compiled_sql=sql)
        missing = _except(connection, wanted, found)
        extra = _except(connection, found, wanted)
        return TestOutcome(
            name,
            TestKind.UNIT,
            TestStatus.FAIL,
            f"{len(missing)} expected rows missing, {len(extra)} unexpected",
            failures=1,
            expected=_all_rows(connection, wanted),
            actual=_all_rows(connection, found),
            compiled_sql=sql,
        )

    def _sql(self, body: Mapping[str, Any]) -> str:
        overrides = body.get("overrides") or {}
        macros = overrides.get("macros") or {}
        resolver = _FixedResolver(
            values={**self.request.vars, **(overrides.get("vars") or {})},
            now=str(macros.get("current_timestamp") or ""),
        )
        incremental = bool(macros.get("is_incremental"))
        return self.template.render(resolver, incremental=incremental).text

    def _load(self, connection: duckdb.DuckDBPyConnection, given: list[Any]) -> None:
        for table in self.filled:
            connection.execute(f"delete from {table}")
        self.filled.clear()
        for entry in given:
            fixture = self.fixtures.get(str(entry.get("input")))
            if fixture is None:
                raise _BadTestError(f"the input {entry.get('input')} is not known")
            if entry.get("rows"):
                self.filled.add(fixture[0])
            if entry.get("format") == "sql":
                connection.execute(f"insert into {fixture[0]} by name {entry['rows']}")
                continue
            rows = list(entry.get("rows") or [])
            columns = list(dict.fromkeys(name for row in rows for name in row))
            _insert_literal(connection, fixture[0], columns, rows)


_connections: list[duckdb.DuckDBPyConnection] = []


def _database() -> duckdb.DuckDBPyConnection:
    """This process's own database for pre-checks: opening one takes longer than a test."""
    if not _connections:
        _connections.append(connect())
    return _connections[0]


def release_database() -> None:
    """Close it (before a process forks)."""
    while _connections:
        _connections.pop().close()


def _insert_literal(
    connection: duckdb.DuckDBPyConnection,
    table: str,
    columns: list[str],
    rows: list[Mapping[str, object]],
) -> None:
    """Insert YAML values, cast to the columns' types by DuckDB as dbt lets it."""
    if not rows or not columns:
        return
    names = ", ".join(quoted(c) for c in columns)
    marks = "(" + ", ".join("?" for _ in columns) + ")"
    values = [row.get(c) for row in rows for c in columns]
    connection.execute(
        f"insert into {table} ({names}) values {', '.join([marks] * len(rows))}", values
    )


def _same_bag(connection: duckdb.DuckDBPyConnection, left: str, right: str) -> bool:
    """Bags of one size of which neither holds more than the other are equal."""
    row = connection.execute(
        f"select (select count(*) from ({left})) = (select count(*) from ({right})) "
        f"and not exists ({left} except all {right})"
    ).fetchone()
    return bool(row and row[0])


def _except(connection: duckdb.DuckDBPyConnection, left: str, right: str) -> list[Any]:
    return connection.execute(f"{left} except all {right}").fetchall()


def _all_rows(connection: duckdb.DuckDBPyConnection, sql: str) -> tuple[Row, ...]:
    cursor = connection.execute(sql)
    names = [d[0] for d in cursor.description or []]
    fetched = cursor.fetchmany(MAX_EVIDENCE_ROWS)
    return tuple(dict(zip(names, row, strict=True)) for row in fetched)


def _not_run(test: ExpectedTest) -> TestOutcome:
    if not test.enabled:
        return TestOutcome(test.name, test.kind, TestStatus.DISABLED)
    return TestOutcome(test.name, test.kind, TestStatus.NOT_RUN, "The YAML has no such test.")


def _with_seconds(outcome: TestOutcome, seconds: float) -> TestOutcome:
    from dataclasses import replace

    return replace(outcome, seconds=seconds)
