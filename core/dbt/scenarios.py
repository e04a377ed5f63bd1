"""What a test-spec scenario means for a model: its vars, its clock, its rows by relation.

Unit tests (``unit_tests``) and replay (``replay``) read scenarios through this module, so that
they agree.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from core.dbt.facts import ModelFacts
from core.dbt.values import canonical, column_type, read_value
from core.dbt.verify import InputColumn, InputRelation
from core.project.names import QualifiedName
from core.project.testspec import TestSpec, UnitTest
from core.tsql.types import TypeName


@dataclass(frozen=True)
class Parameters:
    """Values for the model's vars in one scenario, and required ones that have no value."""

    values: Mapping[str, object]
    missing: tuple[str, ...] = ()

    @property
    def reason(self) -> str:
        """Why the scenario cannot be played, or nothing."""
        if not self.missing:
            return ""
        return "not replayable: " + ", ".join(f"@{p} has no value" for p in self.missing)


def parameters_of(facts: ModelFacts, scenario: UnitTest) -> Parameters:
    """Match a scenario's parameters to the model's vars, named ``<procedure>_<parameter>``."""
    given = {name.lstrip("@").casefold(): value for name, value in scenario.parameters.items()}
    procedure = scenario.procedure.name.casefold() if scenario.procedure else ""
    values: dict[str, object] = {}
    missing: list[str] = []
    for var in dict.fromkeys(use.name for use in facts.vars):
        parameter = _parameter_of(var.casefold(), procedure, given)
        if parameter is not None:
            values[var] = _var_value(given[parameter])
        elif var in facts.required_vars:
            missing.append(_spoken_parameter(var, procedure))
    return Parameters(values, tuple(missing))


def _parameter_of(var: str, procedure: str, given: Mapping[str, object]) -> str | None:
    wanted = _spoken_parameter(var, procedure)
    if wanted in given:
        return wanted
    ending = [name for name in given if var == name or var.endswith("_" + name)]
    return max(ending, key=len, default=None)


def _spoken_parameter(var: str, procedure: str) -> str:
    prefix = procedure + "_"
    return var[len(prefix) :] if procedure and var.casefold().startswith(prefix) else var


def _var_value(value: object) -> object:
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    return value


def clock_of(spec: TestSpec, scenario: UnitTest, fallback: datetime | None) -> datetime:
    """The moment to play a scenario at: naive, as the server's clock showed it."""
    moment = spec.clock_of(scenario, fallback) or datetime(2024, 1, 1, tzinfo=UTC)
    return moment.astimezone(UTC).replace(tzinfo=None)


def given_rows(
    scenario: UnitTest, table: QualifiedName, columns: Sequence[InputColumn]
) -> list[dict[str, Any]]:
    """The rows a scenario gives one table, however often it names it.

    A column that a row leaves out was NULL or its default: constant defaults of the catalog are
    filled in; one that the clock or a function feeds stays out.
    """
    defaults = {c.name: value for c in columns if (value := constant_default(c.default))}
    rows = []
    for given in scenario.given:
        if given.table.key != table.key:
            continue
        for row in given.rows:
            named = {name.casefold() for name in row}
            filled = {n: v[0] for n, v in defaults.items() if n.casefold() not in named}
            rows.append({**row, **filled})
    return rows


_CONSTANT = re.compile(r"N?'(?P<text>(?:[^']|'')*)'|(?P<number>[+-]?(?:\d+\.?\d*|\.\d+))", re.I)


def constant_default(default: str) -> tuple[str] | None:
    """The value of a DEFAULT that is a literal (``((0))``, ``(N'x')``), boxed; else ``None``."""
    bare = default.strip()
    while bare.startswith("(") and bare.endswith(")"):
        bare = bare[1:-1].strip()
    match = _CONSTANT.fullmatch(bare)
    if match is None:
        return None
    text = match["text"]
    return (text.replace("''", "'") if text is not None else match["number"],)


def unread_tables(
    scenario: UnitTest, inputs: Iterable[InputRelation], target: QualifiedName
) -> tuple[str, ...]:
    """Tables a scenario gives rows for that the model does not read."""
    read = {relation.table.key for relation in inputs} | {target.key}
    unread = (g.table.display for g in scenario.given if g.table.key not in read and g.rows)
    return tuple(dict.fromkeys(unread))


def listed_columns(rows: Sequence[Mapping[str, object]]) -> list[str]:
    """The columns any row lists, in the order of their first appearance."""
    folded: dict[str, str] = {}
    for row in rows:
        for name in row:
            folded.setdefault(name.casefold(), name)
    return list(folded.values())


def emitted_rows(
    expected: Sequence[Mapping[str, object]],
    prior: Sequence[Mapping[str, object]],
    columns: Sequence[InputColumn],
    skipped: frozenset[str] = frozenset(),
) -> list[Mapping[str, object]]:
    """The expected rows minus the prior rows as bags, over the columns the spec lists."""
    types = {c.name.casefold(): c.sql_type for c in columns}
    compared = [c for c in listed_columns(expected) if c.casefold() not in skipped]
    left = Counter(_bag_key(row, compared, types) for row in prior)
    kept: list[Mapping[str, object]] = []
    for row in expected:
        key = _bag_key(row, compared, types)
        if left[key] > 0:
            left[key] -= 1
        else:
            kept.append(row)
    return kept


def _bag_key(
    row: Mapping[str, object], columns: Sequence[str], types: Mapping[str, str]
) -> tuple[object, ...]:
    folded = {name.casefold(): value for name, value in row.items()}
    key = []
    for column in columns:
        sql_type = types.get(column.casefold(), "")
        key.append(canonical(read_value(folded.get(column.casefold()), sql_type), sql_type))
    return tuple(key)


def is_moment(sql_type: str) -> bool:
    """Whether a column of this type holds a date or a moment."""
    parsed = column_type(sql_type)
    return parsed is not None and parsed.is_datetime and parsed.name is not TypeName.TIME
