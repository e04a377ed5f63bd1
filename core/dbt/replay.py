"""Scenario replay: every test-spec scenario through the materialization dbt really uses.

dbt runs the model once per branch (a first load, and a load into an existing table); the SQL it
sent is recorded and sent again for each scenario, with the scenario's rows in the inputs and
the prior rows in the target. So the table is what dbt would have left, at a tenth of the cost.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from core.dbt.database import MAX_EVIDENCE_ROWS, create_table, insert_rows, stored_rows
from core.dbt.facts import ModelFacts
from core.dbt.outcome import Row, ScenarioOutcome, ScenarioStatus, TestOutcome
from core.dbt.scenarios import clock_of, given_rows, listed_columns, parameters_of
from core.dbt.template import StubResolver, quoted
from core.dbt.values import Misfit, canonical, read_value
from core.dbt.verify import InputColumn, InputKind, InputRelation, VerifyRequest
from core.project.testspec import UnitTest

if TYPE_CHECKING:
    import duckdb

MAX_ROWS = 200_000
"""Rows of a target that are compared; a scenario with more is an error."""


@dataclass(frozen=True)
class Recording:
    """The statements dbt sent for a first load and for a load into an existing table.

    ``error`` says why there are none (dbt could not run the model).
    """

    full: tuple[str, ...] = ()
    incremental: tuple[str, ...] = ()
    error: str = ""


Recorder = Callable[[Mapping[str, object]], Recording]
"""Records the model with these values for its vars."""


def stub_name(relation: InputRelation) -> str:
    """Where an input's table is kept, as SQL."""
    stub = StubResolver()
    if relation.kind is InputKind.REF:
        return stub.ref(relation.name)
    return stub.source(relation.source, relation.name)


def set_clock(connection: duckdb.DuckDBPyConnection, moment: datetime) -> None:
    """Freeze ``{{ current_timestamp() }}`` at a moment."""
    spelled = moment.replace(tzinfo=None).isoformat(sep=" ")
    connection.execute(
        f"create or replace macro main.proc2dbt_now() as cast('{spelled}' as timestamp)"
    )


def create_inputs(
    connection: duckdb.DuckDBPyConnection, inputs: Sequence[InputRelation], model: str
) -> None:
    """Create every input empty, with the catalog's columns."""
    for relation in inputs:
        if relation.kind is InputKind.REF and relation.name == model:
            continue
        schema = stub_name(relation).rpartition('"."')[0] + '"'
        connection.execute(f"create schema if not exists {schema}")
        create_table(connection, stub_name(relation), relation.columns)


@dataclass
class Replay:
    """The scenarios of one model, played one after the other on one connection."""

    request: VerifyRequest
    facts: ModelFacts
    connection: duckdb.DuckDBPyConnection
    record: Recorder
    key_tests: Sequence[TestOutcome] = ()
    violations: list[tuple[str, str, tuple[Row, ...], bool]] | None = None

    def play_all(self) -> tuple[ScenarioOutcome, ...]:
        """An outcome for every scenario, in the spec's order."""
        return tuple(self._timed(scenario) for scenario in self.request.spec.unit_tests)

    def _timed(self, scenario: UnitTest) -> ScenarioOutcome:
        import duckdb

        started = time.perf_counter()
        try:
            outcome = self._play(scenario)
        except duckdb.Error as error:
            self._rollback()
            message = str(error).split("\n\n")[0]
            outcome = ScenarioOutcome(scenario.name, ScenarioStatus.ERROR, message)
        seconds = time.perf_counter() - started
        return ScenarioOutcome(
            outcome.name,
            outcome.status,
            outcome.message,
            outcome.missing,
            outcome.unexpected,
            outcome.compared_columns,
            seconds,
        )

    def _rollback(self) -> None:
        import duckdb

        try:
            self.connection.execute("rollback")
        except duckdb.Error:
            return

    def _play(self, scenario: UnitTest) -> ScenarioOutcome:
        if scenario.expect is None:
            reason = "the specification has no expected rows"
            return ScenarioOutcome(scenario.name, ScenarioStatus.NO_EXPECTATION, reason)
        parameters = parameters_of(self.facts, scenario)
        prepared = self._prepare(scenario)
        reason = parameters.reason or prepared.reason
        if reason:
            return ScenarioOutcome(scenario.name, ScenarioStatus.NOT_REPLAYABLE, reason)
        recording = self.record({**self.request.vars, **parameters.values})
        if recording.error:
            return ScenarioOutcome(scenario.name, ScenarioStatus.ERROR, recording.error)
        set_clock(self.connection, clock_of(self.request.spec, scenario, self.request.clock))
        for relation in self.request.inputs:
            name = stub_name(relation)
            self.connection.execute(f"delete from {name}")
        if prepared.prior and recording.incremental:
            self._run(recording.full)
            self._insert_prior(prepared.prior)
            self._insert_inputs(prepared)
            self._run(recording.incremental)
        else:
            self._insert_inputs(prepared)
            self._run(recording.full)
        outcome = self._compare(scenario, prepared)
        self._check_keys(scenario, outcome, prepared)
        return outcome

    # -- before ------------------------------------------------------------------------------

    def _prepare(self, scenario: UnitTest) -> _Prepared:
        problems: list[str] = []
        rows: dict[str, list[dict[str, Any]]] = {}
        for relation in self.request.inputs:
            given = given_rows(scenario, relation.table, relation.columns)
            stored, wrong = stored_rows(given, relation.columns)
            rows[relation.key] = stored
            problems += [f"{relation.table.display}: {problem}" for problem in wrong]
        target = self.request.target
        given = given_rows(scenario, target.table, target.columns)
        prior, wrong = stored_rows(given, target.columns)
        problems += [f"{target.table.display}: {problem}" for problem in wrong]
        assert scenario.expect is not None
        expected, wrong = _typed_rows(scenario.expect.rows, target.columns)
        problems += [f"expected rows: {problem}" for problem in wrong]
        reason = "not replayable: " + "; ".join(problems[:3]) if problems else ""
        return _Prepared(rows, prior, expected, reason)

    def _insert_inputs(self, prepared: _Prepared) -> None:
        for relation in self.request.inputs:
            rows = prepared.inputs[relation.key]
            insert_rows(self.connection, stub_name(relation), relation.columns, rows)

    def _insert_prior(self, prior: list[dict[str, Any]]) -> None:
        """Put the prior rows into the table as the model itself made it."""
        table = self._target()
        self.connection.execute(f"delete from {table}")
        described = self.connection.execute(f"select * from {table} limit 0").description or []
        present = {d[0].casefold(): d[0] for d in described}
        columns = [
            InputColumn(present[c.name.casefold()], c.sql_type)
            for c in self.request.target.columns
            if c.name.casefold() in present
        ]
        rows = [{present.get(k.casefold(), k): v for k, v in row.items()} for row in prior]
        insert_rows(self.connection, table, columns, rows)

    def _target(self) -> str:
        return f"main.{quoted(self.request.model_name)}"

    def _run(self, statements: Sequence[str]) -> None:
        self._drop_temporary()
        for statement in statements:
            self.connection.execute(statement)

    def _drop_temporary(self) -> None:
        """Drop the temporary tables of an earlier scenario: dbt's live as long as a connection."""
        names = self.connection.execute(
            "select table_name from duckdb_tables() where temporary"
        ).fetchall()
        for (name,) in names:
            self.connection.execute(f"drop table if exists temp.{quoted(name)}")

    # -- after -------------------------------------------------------------------------------

    def _compare(self, scenario: UnitTest, prepared: _Prepared) -> ScenarioOutcome:
        cursor = self.connection.execute(f"select * from {self._target()}")
        names = [d[0] for d in cursor.description or []]
        rows = cursor.fetchmany(MAX_ROWS + 1)
        if len(rows) > MAX_ROWS:
            message = f"the model leaves more than {MAX_ROWS:,} rows"
            return ScenarioOutcome(scenario.name, ScenarioStatus.ERROR, message)
        skipped = self._not_compared(scenario)
        listed = listed_columns(prepared.expected)
        compared = [c for c in listed if c.casefold() not in skipped]
        index = {name.casefold(): number for number, name in enumerate(names)}
        absent = [c for c in compared if c.casefold() not in index]
        if absent:
            message = f"the model does not return {', '.join(absent)}"
            return ScenarioOutcome(
                scenario.name, ScenarioStatus.FAIL, message, compared_columns=tuple(compared)
            )
        actual = [{c: row[index[c.casefold()]] for c in compared} for row in rows]
        expected = [{c: row.get(c) for c in compared} for row in prepared.expected]
        missing, unexpected = self._difference(expected, actual, compared)
        if not missing and not unexpected:
            return ScenarioOutcome(
                scenario.name, ScenarioStatus.PASS, compared_columns=tuple(compared)
            )
        message = (
            f"{len(missing)} expected row{'s' if len(missing) != 1 else ''} missing, "
            f"{len(unexpected)} unexpected (the table holds {len(actual)}, "
            f"{len(expected)} expected)"
        )
        return ScenarioOutcome(
            scenario.name,
            ScenarioStatus.FAIL,
            message,
            tuple(missing[:MAX_EVIDENCE_ROWS]),
            tuple(unexpected[:MAX_EVIDENCE_ROWS]),
            tuple(compared),
        )

    def _difference(
        self, expected: list[dict[str, Any]], actual: list[dict[str, Any]], compared: list[str]
    ) -> tuple[list[Row], list[Row]]:
        types = {c.name.casefold(): c.sql_type for c in self.request.target.columns}

        def key(row: Mapping[str, object]) -> tuple[object, ...]:
            return tuple(canonical(row[c], types.get(c.casefold(), "")) for c in compared)

        return (
            _left_over(expected, Counter(key(row) for row in actual), key),
            _left_over(actual, Counter(key(row) for row in expected), key),
        )

    def _not_compared(self, scenario: UnitTest) -> set[str]:
        if scenario.captured_at is not None:
            return set()
        clocked = {*self.facts.clock_columns, *self.request.clock_columns}
        return {name.casefold() for name in clocked}

    def _check_keys(
        self, scenario: UnitTest, outcome: ScenarioOutcome, prepared: _Prepared
    ) -> None:
        """Run the model's unique and not_null tests on the table this scenario left.

        When the scenario passed and lists the tested columns, its expected rows break the test
        themselves: then the key of the catalog is wrong, not the model.
        """
        if self.violations is None:
            return
        compared = {c.casefold() for c in outcome.compared_columns}
        passed = outcome.status is ScenarioStatus.PASS
        for test in self.key_tests:
            cursor = self.connection.execute(test.compiled_sql)
            names = [d[0] for d in cursor.description or []]
            rows = [dict(zip(names, r, strict=True)) for r in cursor.fetchmany(MAX_EVIDENCE_ROWS)]
            tested = {c.strip().casefold() for c in test.column.split(",") if c.strip()}
            if rows:
                spec_breaks_it = passed and bool(tested) and tested <= compared
                found: tuple[Row, ...] = tuple(rows)
                self.violations.append((test.name, scenario.name, found, spec_breaks_it))


@dataclass(frozen=True)
class _Prepared:
    """A scenario's rows as they are stored; ``reason`` says why it cannot be played."""

    inputs: Mapping[str, list[dict[str, Any]]]
    prior: list[dict[str, Any]]
    expected: list[dict[str, Any]]
    reason: str


def _typed_rows(
    rows: Sequence[Mapping[str, object]], columns: Sequence[InputColumn]
) -> tuple[list[dict[str, Any]], list[str]]:
    """Expected rows with typed values, all with the same columns; a column unknown to the
    catalog keeps its value as it is."""
    by_folded = {c.name.casefold(): c for c in columns}
    listed = listed_columns(rows)
    problems: list[str] = []
    typed = []
    for row in rows:
        folded = {name.casefold(): value for name, value in row.items()}
        cells: dict[str, Any] = {}
        for name in listed:
            value = folded.get(name.casefold())
            column = by_folded.get(name.casefold())
            read = read_value(value, column.sql_type) if column else value
            if isinstance(read, Misfit):
                problems.append(f"column '{name}': {read.reason}")
            cells[name] = read
        typed.append(cells)
    return typed, list(dict.fromkeys(problems))


def _left_over(
    rows: Sequence[Row],
    others: Counter[tuple[object, ...]],
    key: Callable[[Mapping[str, object]], tuple[object, ...]],
) -> list[Row]:
    """The rows that have no partner among ``others``."""
    left: list[Row] = []
    for row in rows:
        found = key(row)
        if others[found] > 0:
            others[found] -= 1
        else:
            left.append(row)
    return left
