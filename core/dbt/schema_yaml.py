"""``_stg_<table>.yml``: the properties of one model, laid out for people, read by dbt."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from core.dbt.artifacts import (
    ArtifactRequest,
    Artifacts,
    RenderedUnitTest,
    SourceAddition,
)
from core.dbt.describe import (
    CompositeForeignKey,
    composite_foreign_keys,
    describe_column,
    foreign_keys,
    personal_data,
    plain_text,
)
from core.dbt.outcome import ExpectedTest, TestKind
from core.dbt.recency import RECENCY_PATH, RECENCY_SQL, recency_entry
from core.dbt.scenarios import is_moment
from core.dbt.unit_tests import render_unit_tests
from core.dbt.yaml_text import Row, checked, comment_lines, dump
from core.project.names import QualifiedName

_IDENTIFIER = re.compile(r"[A-Za-z_]\w*")


@dataclass
class _Tests:
    """Data tests as they are collected: by column, of the model, and what dbt will call them."""

    model: str
    by_column: dict[str, list[Any]] = field(default_factory=dict)
    of_model: list[Any] = field(default_factory=list)
    expected: list[ExpectedTest] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def add(self, column: str, test: str, arguments: Mapping[str, object] | None = None) -> None:
        """A generic test on a column, once."""
        present = self.by_column.setdefault(column, [])
        entry: Any = {test: {"arguments": dict(arguments)}} if arguments else test
        if entry in present:
            return
        present.append(entry)
        name = generic_test_name(test, self.model, {"column_name": column, **(arguments or {})})
        self.expected.append(ExpectedTest(name, TestKind.DATA, column))


def generic_test_name(test: str, model: str, arguments: Mapping[str, object]) -> str:
    """The name dbt gives a generic test without one of its own.

    The rule is ``dbt.parser.generic_test_builders.synthesize_generic_test_names``: argument
    values in the order of their names, everything but letters, digits and ``_`` replaced.
    """
    flat: list[str] = []
    for name in sorted(arguments):
        value = arguments[name]
        parts = value if isinstance(value, list | tuple) else [value]
        flat += [re.sub(r"[^0-9a-zA-Z_]+", "_", str(part)) for part in parts]
    return f"{test}_{model}_{'__'.join(flat)}"


def render_model_yaml(request: ArtifactRequest) -> Artifacts:
    """Render the YAML of one model."""
    tests = _Tests(request.model_name)
    _key_tests(request, tests)
    _relationships(request, tests)
    shared = _recency(request, tests)
    _assumptions(request, tests)
    unit_tests = render_unit_tests(request)
    model = _model(request, tests)
    expected = (*tests.expected, *_expected_unit_tests(unit_tests))
    return Artifacts(
        yaml_text=_text(model, unit_tests),
        expected_tests=expected,
        unit_tests=unit_tests,
        shared_files=shared,
        sources=tuple(_sources(request)),
        notes=tuple(dict.fromkeys((*tests.notes, *_scenario_notes(unit_tests)))),
    )


def _model(request: ArtifactRequest, tests: _Tests) -> dict[str, Any]:
    model: dict[str, Any] = {"name": request.model_name, "description": _description(request)}
    if tests.of_model:
        model["data_tests"] = tests.of_model
    columns = []
    for name in _column_names(request):
        column: dict[str, Any] = {"name": name}
        if not _IDENTIFIER.fullmatch(name):
            column["quote"] = True
        column["description"] = describe_column(request, name)
        personal = personal_data(request, name)
        if personal:
            column["config"] = {"meta": personal}
        if tests.by_column.get(name):
            column["data_tests"] = tests.by_column[name]
        columns.append(column)
    if columns:
        model["columns"] = columns
    return model


def _description(request: ArtifactRequest) -> str:
    text = f"Migrated from {request.writer}. Target: {request.table.display}."
    required = request.facts.required_vars
    if required:
        names = ", ".join(f"'{name}'" for name in required)
        text += f" Needs a value for the var{'s' if len(required) > 1 else ''} {names}."
    return plain_text(text)


def _column_names(request: ArtifactRequest) -> tuple[str, ...]:
    """The model's columns in its own spelling; the table's when the model hides them."""
    if request.facts.columns_complete and request.facts.columns:
        return tuple(c.name for c in request.facts.columns)
    return tuple(c.name for c in request.table.columns)


def _spelled(request: ArtifactRequest, column: str) -> str | None:
    """A table column as the model spells it; ``None`` when the model does not return it."""
    folded = column.casefold()
    return next((n for n in _column_names(request) if n.casefold() == folded), None)


def _key_tests(request: ArtifactRequest, tests: _Tests) -> None:
    key = request.table.key_columns
    spelled = [_spelled(request, column) for column in key]
    present = [name for name in spelled if name is not None]
    if len(present) < len(key):
        missing = [c for c, s in zip(key, spelled, strict=True) if s is None]
        tests.notes.append(
            f"The key column{'s' if len(missing) > 1 else ''} {', '.join(missing)} of "
            f"{request.table.display} {'are' if len(missing) > 1 else 'is'} not returned by the "
            "model, so the key is not tested."
        )
        present = []
    _unique(request.model_name, present, tests)
    for column in present:
        tests.add(column, "not_null")


def _unique(model: str, columns: list[str], tests: _Tests) -> None:
    if len(columns) == 1:
        tests.add(columns[0], "unique")
    elif columns:
        expression = f"concat_ws('|', {', '.join(_sql_name(c) for c in columns)})"
        name = _test_name("unique", model, columns)
        entry = {"unique": {"name": name, "arguments": {"column_name": expression}}}
        if entry not in tests.of_model:
            tests.of_model.append(entry)
            tests.expected.append(ExpectedTest(name, TestKind.DATA, ", ".join(columns)))


def _sql_name(column: str) -> str:
    return column if _IDENTIFIER.fullmatch(column) else f'"{column}"'


def _test_name(test: str, model: str, columns: Sequence[str]) -> str:
    """The name we give a test of several columns."""
    name = f"{test}_{model}_" + "_".join(re.sub(r"\W+", "_", c) for c in columns)
    if len(name) > 120:
        name = f"{test}_{model}_{hashlib.md5(name.encode()).hexdigest()[:8]}"
    return name


def _relationships(request: ArtifactRequest, tests: _Tests) -> None:
    for key in foreign_keys(request.table):
        column = _spelled(request, key.column)
        if column is None:
            continue
        to = _referenced(request, key.table.item_id)
        if to is None:
            tests.notes.append(_not_referenced(column, key.table))
            continue
        tests.add(column, "relationships", {"to": to, "field": key.referenced_column})
    for several in composite_foreign_keys(request.table):
        _composite_relationship(request, several, tests)


def _composite_relationship(
    request: ArtifactRequest, key: CompositeForeignKey, tests: _Tests
) -> None:
    """dbt's test with the columns as one text each side; NULL, as in SQL Server, where any is."""
    columns = [name for c in key.columns if (name := _spelled(request, c)) is not None]
    if len(columns) < len(key.columns):
        return
    to = _referenced(request, key.table.item_id)
    if to is None:
        tests.notes.append(_not_referenced(", ".join(columns), key.table))
        return
    arguments = {
        "column_name": _as_one(columns),
        "to": to,
        "field": _as_one(key.referenced_columns),
    }
    name = _test_name("relationships", request.model_name, columns)
    if name in {test.name for test in tests.expected}:
        name = _test_name("relationships", request.model_name, [*columns, key.table.name])
    tests.of_model.append({"relationships": {"name": name, "arguments": arguments}})
    tests.expected.append(ExpectedTest(name, TestKind.DATA, ", ".join(columns)))


def _as_one(columns: Sequence[str]) -> str:
    return " || '|' || ".join(f"cast({_sql_name(c)} as varchar)" for c in columns)


def _not_referenced(column: str, table: QualifiedName) -> str:
    return (
        f"No relationships test on {column}: {table.display} is neither a model nor a "
        "declared source of the project."
    )


def _referenced(request: ArtifactRequest, item_id: str) -> str | None:
    if item_id == request.table.item_id:
        return f"ref('{request.model_name}')"
    model = request.models.get(item_id)
    if model:
        return f"ref('{model}')"
    table = QualifiedName.parse(item_id)
    seed = request.dbt.seed_for(table)
    if seed:
        return f"ref('{seed}')"
    source = request.dbt.source_for(table)
    if source is None or "'" in source.source_name + source.table_name:
        return None
    return f"source('{source.source_name}', '{source.table_name}')"


def _recency(request: ArtifactRequest, tests: _Tests) -> dict[str, str]:
    """The recency test of an incremental model's watermark; returns the shared file it needs."""
    if not request.facts.config.is_incremental:
        return {}
    profile = request.table.profile
    watermark = (profile.watermark.column if profile else "") or request.facts.watermark_column
    column = _spelled(request, watermark) if watermark else None
    catalog = request.table.column(watermark) if watermark else None
    if column is None or not _IDENTIFIER.fullmatch(column):
        return {}
    if catalog is None or not is_moment(catalog.sql_type):
        tests.notes.append(f"No recency test on {column}: it does not hold a date.")
        return {}
    utils = request.dbt.has_dbt_utils
    name, entry = recency_entry(request.model_name, column, utils)
    tests.of_model.append(entry)
    tests.expected.append(ExpectedTest(name, TestKind.DATA, column))
    return {} if utils else {RECENCY_PATH: RECENCY_SQL}


def _assumptions(request: ArtifactRequest, tests: _Tests) -> None:
    for assumption in request.assumptions:
        columns = [_spelled(request, c) for c in assumption.columns]
        of_model = not assumption.relation and all(columns) and columns
        if of_model and assumption.kind == "unique":
            _unique(request.model_name, [c for c in columns if c], tests)
        elif of_model and assumption.kind == "not_null":
            for column in columns:
                tests.add(str(column), "not_null")
        else:
            about = f" ({assumption.relation})" if assumption.relation else ""
            tests.notes.append(f"Assumed{about}: {assumption.text}")


def _expected_unit_tests(unit_tests: tuple[RenderedUnitTest, ...]) -> Iterator[ExpectedTest]:
    for test in unit_tests:
        if test.rendering != "comment":
            yield ExpectedTest(test.name, TestKind.UNIT, enabled=test.rendering != "disabled")


def _scenario_notes(unit_tests: tuple[RenderedUnitTest, ...]) -> Iterator[str]:
    for test in unit_tests:
        if test.rendering in ("disabled", "comment"):
            yield f"Scenario {test.scenario}: {test.comment}"


def _sources(request: ArtifactRequest) -> Iterator[SourceAddition]:
    """Sources the model reads that no file of the project declares, spelled exactly so."""
    declared = {(s.source_name, s.table_name) for s in request.dbt.sources}
    for use in request.facts.sources:
        if (use.source, use.table) not in declared:
            yield SourceAddition(use.source, use.table)


def _text(model: dict[str, Any], unit_tests: tuple[RenderedUnitTest, ...]) -> str:
    data: dict[str, Any] = {"version": 2, "models": [model]}
    text = "version: 2\n\n" + dump({"models": [model]})
    bodies = [test for test in unit_tests if test.body]
    if bodies:
        data["unit_tests"] = [test.body for test in bodies]
        text += "\nunit_tests:\n"
    elif unit_tests:
        text += "\n"
    entries = []
    for test in unit_tests:
        entry = comment_lines(test.comment, 2) if test.comment else ""
        if test.body:
            entry += dump([_flow_rows(test.body)])
        entries.append(entry)
    return checked(text + "\n".join(entries), data)


def _flow_rows(body: Mapping[str, Any]) -> dict[str, Any]:
    """The unit test with its rows on one line each."""
    laid_out = dict(body)
    laid_out["given"] = [
        {**entry, "rows": [Row(row) for row in entry["rows"]]}
        if isinstance(entry["rows"], list)
        else entry
        for entry in body["given"]
    ]
    laid_out["expect"] = {"rows": [Row(row) for row in body["expect"]["rows"]]}
    return laid_out
