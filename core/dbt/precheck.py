"""The native pre-check: a model's unit tests without dbt, in our own DuckDB, in milliseconds.

For the inner loop of corrections. Rendered by us and run, the fixtures cast as dbt casts them.
It is not the verdict: dbt's is. Nearly all of its time is DuckDB planning statements, so there
are few of them: tables stay from one attempt at a model to the next, rows that all tests share
are inserted once, each test's own rows go with its transaction, and rows that Python finds
equal need no comparison in SQL. Any difference is settled, and shown, by EXCEPT ALL.
"""

from __future__ import annotations

import re
import time
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
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
_FETCHED_ROWS = 10_000
"""Rows a test may have to be compared in Python."""

_EXACT_IN_PYTHON = re.compile(
    r"BOOLEAN|U?(?:TINY|SMALL|BIG|HUGE)INT|U?INTEGER|DECIMAL\(\d+,\d+\)|FLOAT|DOUBLE|VARCHAR|BLOB"
    r"|DATE|TIME|TIMESTAMP|UUID"
)
"""Types of which equal Python values are equal in DuckDB (not so: nanoseconds, intervals)."""


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
    fixtures: dict[str, tuple[str, tuple[InputColumn, ...]]] = field(default_factory=dict)
    shared: list[Any] = field(default_factory=list)

    def run(self) -> tuple[TestOutcome, ...]:
        bodies = [b for b in self.yaml.get("unit_tests") or [] if isinstance(b, dict)]
        expected = {t.name: t for t in self.request.expected_tests if t.kind is TestKind.UNIT}
        for relation in self.request.inputs:
            self.fixtures[input_of(relation)] = (stub_name(relation), relation.columns)
        self.fixtures["this"] = (_THIS, self.request.target.columns)
        connection = self._connection()
        self._insert_shared(connection, bodies)
        ran = {str(body.get("name")): self._test(connection, body) for body in bodies}
        self._delete_shared(connection)
        _database.tables = self._tables
        missing = [_not_run(t) for name, t in expected.items() if name not in ran]
        return (*ran.values(), *missing)

    def _connection(self) -> duckdb.DuckDBPyConnection:
        """This process's database, with the empty tables of this model."""
        connection, kept = _database.connection(), _database.tables
        _database.tables = None  # until this pre-check has left them empty again
        if kept != self._tables:
            wipe(connection)
            create_inputs(connection, self.request.inputs, self.request.model_name)
            connection.execute('create schema if not exists "__this"')
            create_table(connection, _THIS, self.request.target.columns)
        set_clock(connection, self.request.clock or datetime(2024, 1, 1))
        return connection

    @property
    def _tables(self) -> object:
        return (self.request.model_name, self.request.inputs, self.request.target)

    def _insert_shared(
        self, connection: duckdb.DuckDBPyConnection, bodies: Sequence[Mapping[str, Any]]
    ) -> None:
        """Insert the fixtures that every test has; one that cannot be is left to each test."""
        import duckdb

        given = [list(body.get("given") or []) for body in bodies]
        for entry in given[0] if len(given) > 1 else []:
            if all(entry in others for others in given):
                try:
                    self._insert(connection, entry)
                except (duckdb.Error, _BadTestError):
                    continue
                self.shared.append(entry)

    def _delete_shared(self, connection: duckdb.DuckDBPyConnection) -> None:
        for entry in self.shared:
            if entry.get("rows"):
                connection.execute(f"delete from {self.fixtures[str(entry.get('input'))][0]}")

    def _test(self, connection: duckdb.DuckDBPyConnection, body: Mapping[str, Any]) -> TestOutcome:
        import duckdb

        started = time.perf_counter()
        name = str(body.get("name"))
        config = body.get("config") or {}
        if config.get("enabled") is False:
            return TestOutcome(name, TestKind.UNIT, TestStatus.DISABLED)
        connection.execute("begin")
        try:
            outcome = self._compare(connection, name, body)
        except (duckdb.Error, _BadTestError) as error:
            message = str(error).split("\n\n")[0]
            outcome = TestOutcome(name, TestKind.UNIT, TestStatus.ERROR, message)
        except MissingVarError as error:
            message = f"Required var '{error.name}' has no value."
            outcome = TestOutcome(name, TestKind.UNIT, TestStatus.ERROR, message)
        finally:
            connection.execute("rollback")
        return replace(outcome, seconds=time.perf_counter() - started)

    def _compare(
        self, connection: duckdb.DuckDBPyConnection, name: str, body: Mapping[str, Any]
    ) -> TestOutcome:
        sql = self._sql(body)
        for entry in body.get("given") or []:
            if entry not in self.shared:
                self._insert(connection, entry)
        rows = list((body.get("expect") or {}).get("rows") or [])
        if _plainly_equal(connection, sql, rows):
            return TestOutcome(name, TestKind.UNIT, TestStatus.PASS, compiled_sql=sql)
        return _difference(connection, name, sql, rows)

    def _sql(self, body: Mapping[str, Any]) -> str:
        overrides = body.get("overrides") or {}
        macros = overrides.get("macros") or {}
        resolver = _FixedResolver(
            values={**self.request.vars, **(overrides.get("vars") or {})},
            now=str(macros.get("current_timestamp") or ""),
        )
        incremental = bool(macros.get("is_incremental"))
        return self.template.render(resolver, incremental=incremental).text

    def _insert(self, connection: duckdb.DuckDBPyConnection, entry: Mapping[str, Any]) -> None:
        fixture = self.fixtures.get(str(entry.get("input")))
        if fixture is None:
            raise _BadTestError(f"the input {entry.get('input')} is not known")
        if entry.get("format") == "sql":
            connection.execute(f"insert into {fixture[0]} by name {entry['rows']}")
            return
        rows = list(entry.get("rows") or [])
        columns = list(dict.fromkeys(name for row in rows for name in row))
        _insert_literal(connection, fixture[0], columns, rows)


@dataclass
class _Database:
    """This process's own database for pre-checks: opening one takes longer than a test.

    ``tables`` is what it holds, empty, from the pre-check before this one.
    """

    opened: duckdb.DuckDBPyConnection | None = None
    tables: object = None

    def connection(self) -> duckdb.DuckDBPyConnection:
        if self.opened is None:
            self.opened = connect()
        return self.opened


_database = _Database()


def release_database() -> None:
    """Close it (before a process forks)."""
    if _database.opened is not None:
        _database.opened.close()
    _database.opened, _database.tables = None, None


def _plainly_equal(
    connection: duckdb.DuckDBPyConnection, sql: str, rows: Sequence[Mapping[str, object]]
) -> bool:
    """Whether the query returns the expected rows, as far as Python can be sure of it."""
    cursor = connection.execute(sql)
    described = [(d[0].casefold(), str(d[1])) for d in cursor.description or []]
    actual = cursor.fetchmany(_FETCHED_ROWS + 1)
    index = {name: number for number, (name, _) in enumerate(described)}
    columns = [c.casefold() for c in rows[0]] if rows else []
    if len(actual) != len(rows) or not rows:
        return len(actual) == len(rows) == 0
    if len(index) < len(described) or not index.keys() >= set(columns):
        return False
    types = [described[index[c]][1] for c in columns]
    if len(rows) > _FETCHED_ROWS or not all(_EXACT_IN_PYTHON.fullmatch(t) for t in types):
        return False
    row = "(" + ", ".join(f"cast(? as {t})" for t in types) + ")"
    values = [given.get(c) for given in rows for c in rows[0]]
    expected = connection.execute(f"values {', '.join([row] * len(rows))}", values).fetchall()
    chosen = [tuple(row[index[c]] for c in columns) for row in actual]
    return _settled(expected) and Counter(chosen) == Counter(expected)


def _settled(rows: Iterable[tuple[object, ...]]) -> bool:
    """Without the last day of Python's calendar, which also stands for DuckDB's infinity."""
    return not any(isinstance(v, date) and (v.year, v.month) == (9999, 12) for r in rows for v in r)


def _difference(
    connection: duckdb.DuckDBPyConnection,
    name: str,
    sql: str,
    rows: Sequence[Mapping[str, object]],
) -> TestOutcome:
    """The outcome of a test by DuckDB's own comparison, with the rows that differ."""
    connection.execute(f"create or replace temp table actual as\n{sql}")
    described = connection.execute("select * from actual limit 0").description or []
    types = {d[0].casefold(): (d[0], str(d[1])) for d in described}
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
    missing = _except(connection, wanted, found)
    extra = _except(connection, found, wanted)
    if not missing and not extra:
        return TestOutcome(name, TestKind.UNIT, TestStatus.PASS, compiled_sql=sql)
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


def _insert_literal(
    connection: duckdb.DuckDBPyConnection,
    table: str,
    columns: Sequence[str],
    rows: Sequence[Mapping[str, object]],
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
