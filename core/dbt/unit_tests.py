"""dbt unit tests from test-spec scenarios. None is dropped; what dbt cannot judge says why.

dbt compares the rows a model's SELECT *emits*. For an incremental model with rows already in
its table that is not the table afterwards: such a scenario expects the specification's rows
minus the prior ones. Where the model rightly emits something else (unchanged rows again, say),
the test is kept but disabled: the replay of the scenario judges the table itself.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any
from uuid import UUID

from core.dbt.artifacts import ArtifactRequest, RenderedUnitTest
from core.dbt.facts import ModelFacts
from core.dbt.inputs import table_columns
from core.dbt.scenarios import (
    emitted_rows,
    given_rows,
    listed_columns,
    parameters_of,
    unread_tables,
)
from core.dbt.template import quoted
from core.dbt.values import Misfit, duckdb_type, read_value
from core.dbt.verify import InputColumn, InputKind, InputRelation
from core.project.testspec import UnitTest

_NAME = re.compile(r"[^A-Za-z0-9_]+")
_IDENTIFIER = re.compile(r"[A-Za-z_]\w*")
_JINJA = ("{{", "{%", "{#")
_INT64 = 2**63


@dataclass
class _Scenario:
    """One scenario on its way into YAML; ``problems`` collect why dbt cannot judge it."""

    test: UnitTest
    problems: list[str]
    remarks: list[str]


def render_unit_tests(request: ArtifactRequest) -> tuple[RenderedUnitTest, ...]:
    """Every scenario of the spec, in its order."""
    names = _names([test.name for test in request.spec.unit_tests])
    return tuple(
        _render(request, test, name)
        for test, name in zip(request.spec.unit_tests, names, strict=True)
    )


def _names(scenarios: Sequence[str]) -> list[str]:
    """Names dbt accepts, unique within the model (of two equal ones dbt would run one)."""
    taken: set[str] = set()
    names = []
    for scenario in scenarios:
        base = _NAME.sub("_", scenario).strip("_") or "scenario"
        name, number = base, 2
        while name.casefold() in taken:
            name, number = f"{base}_{number}", number + 1
        taken.add(name.casefold())
        names.append(name)
    return names


def _render(request: ArtifactRequest, test: UnitTest, name: str) -> RenderedUnitTest:
    if test.expect is None:
        comment = f"Scenario {_one_line(test.name)}: the specification has no expected rows."
        return RenderedUnitTest(test.name, name, "comment", comment=comment)
    scenario = _Scenario(test, [], [])
    prior = given_rows(test, request.table.qualified, table_columns(request.table))
    emits_delta = request.facts.config.is_incremental and bool(prior)
    body: dict[str, Any] = {"name": name, "model": request.model_name}
    description = _description(request, test, name)
    if description:
        body["description"] = description
    overrides = _overrides(request.facts, scenario, emits_delta)
    if overrides:
        body["overrides"] = overrides
    body["given"] = list(_given(request, scenario, prior, emits_delta))
    body["expect"] = {"rows": _expected(request, scenario, prior if emits_delta else [])}
    rendering = "emitted" if emits_delta else "as_is"
    if emits_delta:
        scenario.remarks.append(
            "dbt compares the rows the model emits: the specification's rows minus the prior "
            "rows. The replay compares the whole table."
        )
    if test.name in request.replay_only:
        scenario.problems.append(
            "the model rightly emits other rows than those that changed; "
            "the replay of this scenario compares the whole table"
        )
    for table in unread_tables(test, request.inputs, request.table.qualified):
        scenario.remarks.append(f"The rows given for {table} are left out: the model reads none.")
    if scenario.problems:
        rendering = "disabled"
        body["config"] = {"enabled": False}
        reasons = "; ".join(dict.fromkeys(scenario.problems))
        scenario.remarks.append(f"Disabled: {reasons}.")
    return RenderedUnitTest(test.name, name, rendering, body, " ".join(scenario.remarks))


def _description(request: ArtifactRequest, test: UnitTest, name: str) -> str:
    branches = [
        b.description
        for b in request.spec.branch_manifest
        if test.name in b.scenarios and b.description
    ]
    parts = ([test.name] if test.name != name else []) + branches
    return _one_line("; ".join(parts))


def _one_line(text: str) -> str:
    """Text for a description or comment; dbt evaluates Jinja there, so none is left."""
    for opening in _JINJA:
        text = text.replace(opening, opening[0] + " " + opening[1])
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


def _overrides(facts: ModelFacts, scenario: _Scenario, emits_delta: bool) -> dict[str, Any]:
    macros: dict[str, Any] = {}
    if facts.config.is_incremental:
        macros["is_incremental"] = emits_delta
    moment = scenario.test.captured_at
    if moment is not None and facts.uses_clock:
        naive = moment.replace(tzinfo=None).isoformat(sep=" ")
        macros["current_timestamp"] = f"cast('{naive}' as timestamp)"
    overrides: dict[str, Any] = {"macros": macros} if macros else {}
    parameters = parameters_of(facts, scenario.test)
    if parameters.values:
        overrides["vars"] = dict(parameters.values)
        if any(_has_jinja(value) for value in parameters.values.values()):
            scenario.problems.append("a parameter's value looks like Jinja")
    if parameters.reason:
        scenario.problems.append(parameters.reason)
    return overrides


def _has_jinja(value: object) -> bool:
    return isinstance(value, str) and any(mark in value for mark in _JINJA)


def _given(
    request: ArtifactRequest,
    scenario: _Scenario,
    prior: Sequence[Mapping[str, object]],
    emits_delta: bool,
) -> Iterator[dict[str, Any]]:
    used = {f"ref:{use.name}" for use in request.facts.refs}
    used |= {f"source:{use.source}.{use.table}" for use in request.facts.sources}
    for relation in request.inputs:
        if relation.key in used:
            rows = given_rows(scenario.test, relation.table, relation.columns)
            what = relation.table.display
            yield {
                "input": input_of(relation),
                "rows": _rows(rows, relation.columns, what, scenario),
            }
    if request.facts.uses_this and (emits_delta or request.facts.config.is_incremental):
        target = table_columns(request.table)
        rows = [dict(row) for row in prior] if emits_delta else []
        shown = _rows(rows, target, "the target", scenario)
        yield {"input": "this", "format": "sql", "rows": _prior_sql(request, shown)}


def _prior_sql(request: ArtifactRequest, rows: Sequence[Mapping[str, object]]) -> str:
    """The prior rows as SQL: unlike ``dict`` rows it does not need the table to exist.

    dbt looks up the columns of a ``dict`` fixture's relation, and on the first ``dbt build`` of
    a fresh warehouse an incremental model's own table is not there yet.
    """
    types = {c.name: duckdb_type(c.sql_type) for c in request.table.columns}
    known = {name.casefold() for name in types}
    for fact in request.facts.columns:
        if fact.name.casefold() not in known:
            types[fact.name] = fact.type or "varchar"
    selects = [
        "select " + ", ".join(_typed(row.get(n), n, t) for n, t in types.items()) for row in rows
    ]
    if not selects:
        selects = ["select " + ", ".join(_typed(None, n, t) for n, t in types.items())]
        selects[0] += " where 1 = 0"
    return "\nunion all\n".join(selects)


def _typed(value: object, name: str, type_: str) -> str:
    spelled = name if _IDENTIFIER.fullmatch(name) else quoted(name)
    return f"cast({_literal(value)} as {type_.lower()}) as {spelled}"


def _literal(value: object) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool | int | float):
        return str(value).lower()
    return "'" + str(value).replace("'", "''") + "'"


def input_of(relation: InputRelation) -> str:
    """How YAML names a relation: ``ref('x')`` or ``source('s', 't')``."""
    if relation.kind is InputKind.REF:
        return f"ref('{relation.name}')"
    return f"source('{relation.source}', '{relation.name}')"


def _expected(
    request: ArtifactRequest, scenario: _Scenario, prior: Sequence[Mapping[str, object]]
) -> list[dict[str, Any]]:
    assert scenario.test.expect is not None
    rows: list[Mapping[str, object]] = list(scenario.test.expect.rows)
    skipped: frozenset[str] = frozenset()
    if scenario.test.captured_at is None:
        listed = {name.casefold() for name in listed_columns(rows)}
        clocked = [c for c in request.facts.clock_columns if c.casefold() in listed]
        skipped = frozenset(c.casefold() for c in clocked)
        if clocked:
            scenario.remarks.append(
                f"Not compared, as the clock feeds them and the specification does not say when "
                f"it was captured: {', '.join(clocked)}."
            )
    columns = table_columns(request.table)
    if prior:
        rows = emitted_rows(rows, prior, columns, skipped)
    kept = [{k: v for k, v in row.items() if k.casefold() not in skipped} for row in rows]
    spelled = {c.name.casefold(): c.name for c in request.facts.columns}
    rendered = _rows(kept, columns, "the expected rows", scenario)
    return [{spelled.get(k.casefold(), k): v for k, v in row.items()} for row in rendered]


def _rows(
    rows: Sequence[Mapping[str, object]],
    columns: Sequence[InputColumn],
    what: str,
    scenario: _Scenario,
) -> list[dict[str, Any]]:
    """Rows with the same keys everywhere; values in the one spelling YAML 1.1 reads rightly."""
    by_folded = {c.name.casefold(): c for c in columns}
    listed = listed_columns(rows)
    rendered = []
    for row in rows:
        folded = {name.casefold(): value for name, value in row.items()}
        cells: dict[str, Any] = {}
        for name in listed:
            column = by_folded.get(name.casefold())
            spelled = column.name if column else name
            cells[spelled] = _cell(folded.get(name.casefold()), column, what, spelled, scenario)
        rendered.append(cells)
    return rendered


def _cell(
    value: object, column: InputColumn | None, what: str, name: str, scenario: _Scenario
) -> object:
    if column is None:
        scenario.problems.append(f"{what} has no column '{_one_line(name)}'")
        return yaml_value(value)
    read = read_value(value, column.sql_type)
    if isinstance(read, Misfit):
        scenario.problems.append(f"{what}, column '{_one_line(name)}': {_one_line(read.reason)}")
        return yaml_value(value)
    if _has_jinja(read):
        scenario.problems.append(f"{what}, column '{_one_line(name)}' holds text that is Jinja")
        return _one_line(str(read))
    return yaml_value(read)


def yaml_value(value: object) -> object:
    """A stored value as a scalar that PyYAML and dbt read back exactly."""
    match value:
        case None | bool() | str():
            return value
        case int():
            return value if -_INT64 <= value < _INT64 else str(value)
        case float():
            # nan, inf, and 1e-07, which YAML 1.1 reads as a word
            return value if set(repr(value)) <= set("-.0123456789") else str(value)
        case Decimal():
            return format(value, "f")
        case datetime():
            return value.isoformat(sep=" ")
        case date() | time():
            return value.isoformat()
        case bytes():
            return "".join(f"\\x{byte:02X}" for byte in value)
        case UUID():
            return str(value)
    return str(value)
