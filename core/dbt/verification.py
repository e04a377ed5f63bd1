"""One verification from beginning to end, inside a worker: guard, dbt's verdict, replay."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.dbt.database import create_table
from core.dbt.facts import FactsError, ModelFacts, read_facts
from core.dbt.guard import check_model
from core.dbt.outcome import (
    Phase,
    Progress,
    Row,
    ScenarioOutcome,
    TestKind,
    TestOutcome,
    TestStatus,
    Verification,
)
from core.dbt.scenarios import clock_of
from core.dbt.template import (
    MissingVarError,
    ModelTemplate,
    StubResolver,
    bind_vars,
    quoted,
)
from core.dbt.verify import InputColumn, InputRelation, VerifyRequest
from core.dbt.yaml_guard import read_yaml
from core.project.names import QualifiedName

if TYPE_CHECKING:
    from core.dbt.dbt_session import DbtResult
    from core.dbt.replay import Recording


def guard_request(request: VerifyRequest) -> tuple[ModelTemplate, Any] | Verification:
    """The model's template and its YAML's data, or the verification that says what is wrong."""
    started = time.perf_counter()
    known = {relation.key for relation in request.inputs}
    report = check_model(request.sql, known)
    data, wrong = read_yaml(request.yaml_text)
    errors = tuple(str(finding) for finding in (*report.findings, *wrong))
    if errors or report.template is None:
        seconds = time.perf_counter() - started
        return Verification(Phase.GUARD, False, errors=errors, seconds=seconds)
    return report.template, data


def guarded(request: VerifyRequest) -> ModelFacts | Verification:
    """The facts of a model that may be run, or the verification that says why it may not."""
    report = guard_request(request)
    if isinstance(report, Verification):
        return report
    facts = read_facts(request.sql, {r.key: duckdb_columns(r) for r in request.inputs})
    if isinstance(facts, FactsError):
        error = f"line {facts.line}: {facts.message}" if facts.line else facts.message
        return Verification(Phase.GUARD, False, errors=(error,))
    return facts


def duckdb_columns(relation: InputRelation) -> list[tuple[str, str]]:
    """Columns of an input with their DuckDB types."""
    from core.dbt.values import duckdb_type

    return [(c.name, duckdb_type(c.sql_type)) for c in relation.columns]


def verify_in(folder: Path, request: VerifyRequest, progress: Progress) -> Verification:
    """Verify one model in the mini-project in ``folder``."""
    started = time.perf_counter()
    facts = guarded(request)
    if isinstance(facts, Verification):
        return facts
    progress("guard passed")
    run = _Run(folder, request, facts, progress)
    try:
        verification = run.verify()
    finally:
        run.close()
    return replace(verification, seconds=time.perf_counter() - started)


@dataclass
class _Run:
    """The state of one verification."""

    folder: Path
    request: VerifyRequest
    facts: ModelFacts
    progress: Progress
    timings: dict[str, float] = field(default_factory=dict)
    connection: Any = None
    session: Any = None
    recordings: dict[str, Any] = field(default_factory=dict)
    compiled: dict[str, str] = field(default_factory=dict)

    def verify(self) -> Verification:
        from core.dbt.dbt_session import DbtSession

        clock = time.perf_counter
        started = clock()
        inputs = self._all_inputs()
        self.request = replace(self.request, inputs=inputs)
        self._write(self._sql_for_dbt())
        self._open_database()
        self.timings["prepare"] = clock() - started
        self.session = DbtSession(self.folder, self.progress)
        started = clock()
        done = self.session.test(self.request.model_name)
        self.timings["test"] = clock() - started
        if self.session.manifest is None:
            error = done.error or "dbt could not parse the model."
            return self._done(Phase.PARSE, compiled=False, errors=(error,))
        tests, errors = self._outcomes(done)
        scenarios: tuple[ScenarioOutcome, ...] = ()
        notes: tuple[str, ...] = ()
        compiled = not errors
        if self.request.replay:
            started = clock()
            scenarios, tests, notes, run_errors = self._replay(tests)
            errors = tuple(dict.fromkeys((*errors, *run_errors)))
            self.timings["replay"] = clock() - started
        return self._done(
            _phase(errors, tests, scenarios, compiled),
            compiled=compiled,
            errors=errors,
            tests=tests,
            scenarios=scenarios,
            notes=(*_warnings(done.warnings), *notes),
        )

    def _done(self, phase: Phase, *, compiled: bool, **found: Any) -> Verification:
        return Verification(
            phase=phase,
            compile_passed=compiled,
            compiled_sql=self.compiled.get("full", ""),
            compiled_incremental=self.compiled.get("incremental", ""),
            timings=dict(self.timings),
            **found,
        )

    # -- preparation -------------------------------------------------------------------------

    def _all_inputs(self) -> tuple[InputRelation, ...]:
        """The request's inputs and whatever else ``relationships`` tests refer to."""
        import yaml

        from core.dbt.miniproject import referenced_in_yaml

        relations = {r.key: r for r in self.request.inputs}
        stubs: dict[str, InputRelation] = {}
        data = yaml.load(self.request.yaml_text, Loader=yaml.CSafeLoader)
        for kind, source, name, column in referenced_in_yaml(data, self.request.model_name):
            table = QualifiedName(name, source or "ref")
            stub = InputRelation(kind, name, table, (), source)
            known = stubs.get(stub.key, stub)
            if column.casefold() not in {c.name.casefold() for c in known.columns}:
                columns = (*known.columns, InputColumn(column, "NVARCHAR(MAX)"))
                known = replace(known, columns=columns)
            stubs[stub.key] = known
        return (*relations.values(), *(s for key, s in stubs.items() if key not in relations))

    def _sql_for_dbt(self) -> str:
        """The model with the project's vars, except those that a scenario sets."""
        overridden = {
            name
            for scenario in self.request.spec.unit_tests
            for name in self._scenario_vars(scenario)
        }
        fixed = {k: v for k, v in self.request.vars.items() if k not in overridden}
        return bind_vars(self.request.sql, fixed) if fixed else self.request.sql

    def _scenario_vars(self, scenario: Any) -> Mapping[str, object]:
        from core.dbt.scenarios import parameters_of

        return parameters_of(self.facts, scenario).values

    def _write(self, sql: str) -> None:
        from core.dbt.miniproject import write_item

        request = self.request
        write_item(self.folder, request.model_name, sql, request.yaml_text, request.inputs)

    def _open_database(self) -> None:
        """Empty the database, create the inputs, and the target as the model makes it."""
        from core.dbt.database import connect, wipe
        from core.dbt.miniproject import DATABASE
        from core.dbt.replay import create_inputs, set_clock

        self.connection = connect(DATABASE)
        wipe(self.connection)
        set_clock(self.connection, self._clock())
        create_inputs(self.connection, self.request.inputs, self.request.model_name)
        self._create_target()

    def _clock(self) -> Any:
        spec = self.request.spec
        first = spec.unit_tests[0] if spec.unit_tests else None
        if first is not None:
            return clock_of(spec, first, self.request.clock)
        from datetime import datetime

        moment = self.request.clock or datetime(2024, 1, 1)
        return moment.replace(tzinfo=None)

    def _create_target(self) -> None:
        """An empty target with the model's own types; the catalog's if its SQL does not run."""
        import duckdb

        target = f"main.{quoted(self.request.model_name)}"
        resolver = StubResolver(values=self.request.vars, placeholder="0")
        text = self.facts.template.render(resolver, incremental=False).text
        try:
            self.connection.execute(f"create table {target} as select * from (\n{text}\n) limit 0")
        except (duckdb.Error, MissingVarError):
            create_table(self.connection, target, self.request.target.columns)

    # -- verdict -----------------------------------------------------------------------------

    def _outcomes(self, done: DbtResult) -> tuple[tuple[TestOutcome, ...], tuple[str, ...]]:
        from core.dbt.results import outcomes

        if done.error:
            return (), (done.error,)
        return outcomes(done.results, self.request.expected_tests, self.connection), ()

    def _replay(
        self, tests: tuple[TestOutcome, ...]
    ) -> tuple[
        tuple[ScenarioOutcome, ...], tuple[TestOutcome, ...], tuple[str, ...], tuple[str, ...]
    ]:
        from core.dbt.replay import Replay

        errors: list[str] = []
        if (
            not self.facts.required_vars
            or set(self.facts.required_vars) <= self.request.vars.keys()
        ):
            recording = self._record(self.request.vars)
            errors = [recording.error] if recording.error else []
        violations: list[tuple[str, str, tuple[Row, ...], bool]] = []
        replay = Replay(
            self.request,
            self.facts,
            self.connection,
            self._record,
            key_tests=[t for t in tests if _is_key_test(t)],
            violations=violations,
        )
        scenarios = replay.play_all()
        for scenario in scenarios:
            self.progress(f"replay {scenario.name}: {scenario.status}")
        tests, notes = _with_violations(tests, violations)
        return scenarios, tests, notes, tuple(errors)

    def _record(self, values: Mapping[str, object]) -> Recording:
        """What dbt sends for the model with these vars; recorded once for each text."""
        from core.dbt.replay import Recording

        text = bind_vars(self.request.sql, values) if values else self.request.sql
        known = self.recordings.get(text)
        if known is None:
            known = self._fresh_recording(text)
            self.recordings[text] = known
        assert isinstance(known, Recording)
        return known

    def _fresh_recording(self, text: str) -> Recording:
        from core.dbt.replay import Recording

        model = self.request.model_name
        written = self._sql_for_dbt() if not self.recordings else next(reversed(self.recordings))
        if text != written:
            self._write(text)
            parsed = self.session.parse()
            if parsed.error:
                return Recording(error=parsed.error)
        done, full = self.session.run(model, full_refresh=True)
        failure = _run_failure(done)
        if failure:
            return Recording(error=failure)
        self.compiled.setdefault("full", _compiled(done))
        if not self.facts.config.is_incremental:
            return Recording(tuple(full))
        done, incremental = self.session.run(model, full_refresh=False)
        failure = _run_failure(done)
        if failure:
            return Recording(error=failure)
        self.compiled.setdefault("incremental", _compiled(done))
        return Recording(tuple(full), tuple(incremental))

    def close(self) -> None:
        """Let go of the connection; dbt keeps the database open until the next item."""
        if self.connection is not None:
            self.connection.close()


def _phase(
    errors: tuple[str, ...],
    tests: tuple[TestOutcome, ...],
    scenarios: tuple[ScenarioOutcome, ...],
    compiled: bool,
) -> Phase:
    if not compiled:
        return Phase.COMPILE
    if errors or not all(t.ok for t in tests):
        return Phase.TEST
    return Phase.DONE if all(s.ok for s in scenarios) else Phase.REPLAY


def _warnings(warnings: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(f"dbt warns: {warning}" for warning in warnings)


def _is_key_test(test: TestOutcome) -> bool:
    return (
        test.kind is TestKind.DATA
        and bool(test.compiled_sql)
        and test.name.startswith(("unique_", "not_null_"))
        and test.status in (TestStatus.PASS, TestStatus.FAIL)
    )


def _with_violations(
    tests: tuple[TestOutcome, ...], violations: list[tuple[str, str, tuple[Row, ...], bool]]
) -> tuple[tuple[TestOutcome, ...], tuple[str, ...]]:
    """Key tests that a scenario's table breaks have failed; those the spec breaks are noted."""
    failed: dict[str, TestOutcome] = {}
    notes = []
    by_name = {t.name: t for t in tests}
    for name, scenario, rows, spec_breaks_it in violations:
        if spec_breaks_it:
            notes.append(f"the expected rows of scenario {scenario} break {name} themselves")
        elif name not in failed:
            failed[name] = replace(
                by_name[name],
                status=TestStatus.FAIL,
                message=f"{len(rows)} rows on the table after scenario {scenario}",
                failures=len(rows),
                failing_rows=rows,
            )
    return tuple(failed.get(t.name, t) for t in tests), tuple(dict.fromkeys(notes))


def _run_failure(done: Any) -> str:
    from core.dbt.dbt_session import plain

    if done.error:
        return str(done.error)
    for result in done.results:
        if str(result.status) not in ("success", "pass"):
            return plain(str(result.message or "dbt could not run the model"))
    return "" if done.results else "dbt did not run the model"


def _compiled(done: Any) -> str:
    return str(getattr(done.results[0].node, "compiled_code", "") or "").strip()
