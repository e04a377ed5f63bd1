"""Is the YAML complete, and does it carry every scenario of the test spec unaltered?

The YAML is compared with what ``core.dbt.artifacts`` renders from the same SQL, catalog and
test spec: the rendering rules live there and only there.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import yaml

from core.dbt.artifacts import Artifacts
from core.project.catalog import CatalogTable
from core.project.codes import Code, Severity
from core.review.verdict import Issue

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""The loader dbt uses: the one in C where it is built, which is ten times as fast."""


def read_yaml(text: str) -> Mapping[str, Any] | str:
    """The YAML as dbt reads it, or one sentence why it cannot be read."""
    try:
        data = yaml.load(text, Loader=_LOADER)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f" (line {mark.line + 1})" if mark is not None else ""
        return f"The schema YAML cannot be read{where}."
    return data if isinstance(data, dict) else "The schema YAML is not a mapping."


def integration_issues(
    text: str, model_name: str, table: CatalogTable, expected: Artifacts, writer: str
) -> Iterator[Issue]:
    """All findings about descriptions, data tests and unit tests."""
    data = read_yaml(text)
    if isinstance(data, str):
        yield _issue(Code.MISSING_UNIT_TESTS_BLOCK, data, "Render the YAML anew.")
        return
    wanted = data if text == expected.yaml_text else read_yaml(expected.yaml_text)
    assert not isinstance(wanted, str)
    model = _named(data.get("models"), model_name)
    if model is None:
        yield _issue(
            Code.MISSING_DESCRIPTION,
            f"The YAML has no entry for {model_name}.",
            "Describe the model.",
        )
    else:
        yield from _descriptions(model, table, writer)
        yield from _data_tests(model, _named(wanted.get("models"), model_name) or {})
    yield from _unit_tests(data, wanted, expected)


def _issue(code: Code, message: str, fix: str, evidence: str = "") -> Issue:
    return Issue(code=code, message=message, fix=fix, evidence=evidence)


def _named(entries: object, name: str) -> Mapping[str, Any] | None:
    if isinstance(entries, list):
        for entry in entries:
            if isinstance(entry, dict) and str(entry.get("name")).casefold() == name.casefold():
                return entry
    return None


def _descriptions(model: Mapping[str, Any], table: CatalogTable, writer: str) -> Iterator[Issue]:
    description = str(model.get("description") or "")
    origin = f"Migrated from {writer}. Target: {table.display}."
    if not description.strip():
        yield _issue(Code.MISSING_DESCRIPTION, "The model has no description.", f"Say: {origin}")
    elif origin.casefold() not in description.casefold():
        yield _issue(
            Code.MISSING_DESCRIPTION,
            "The model's description does not say where it was migrated from.",
            f"Say: {origin}",
            description[:120],
        )
    for column in table.columns:
        entry = _named(model.get("columns"), column.name)
        if entry is None or not str(entry.get("description") or "").strip():
            yield _issue(
                Code.MISSING_DESCRIPTION,
                f"Column {column.name} has no description.",
                f"Describe {column.name}.",
                column.name,
            )


def _tests(entry: Mapping[str, Any]) -> list[Any]:
    tests = entry.get("data_tests") or entry.get("tests") or []
    return tests if isinstance(tests, list) else []


def _data_tests(model: Mapping[str, Any], wanted: Mapping[str, Any]) -> Iterator[Issue]:
    """Every data test that the catalog asks for is there, on the model and on each column."""
    places = [("the model", model, wanted)]
    for column in wanted.get("columns") or []:
        entry = _named(model.get("columns"), str(column.get("name"))) or {}
        places.append((f"column {column.get('name')}", entry, column))
    for place, given, expected in places:
        have = {_test_key(test) for test in _tests(given)}
        for test in _tests(expected):
            if _test_key(test) in have:
                continue
            name = _test_name(test)
            yield Issue(
                code=Code.MISSING_SCHEMA_TESTS,
                message=f"The {name} test on {place} is missing.",
                severity=Severity.ERROR if name in ("unique", "not_null") else Severity.WARNING,
                evidence=name,
                fix=f"Add {name} to {place}.",
            )


def _test_name(test: object) -> str:
    return str(next(iter(test))) if isinstance(test, dict) and test else str(test)


def _test_key(test: object) -> str:
    """A test by name and the arguments that decide what it checks."""
    name = _test_name(test)
    body = test.get(name) if isinstance(test, dict) else None
    if not isinstance(body, dict):
        return name
    arguments = body.get("arguments")
    if not isinstance(arguments, dict):
        return name
    decisive = {k: arguments[k] for k in ("to", "field", "column_name") if k in arguments}
    return name + (str(sorted(decisive.items())) if decisive else "")


# --- unit tests -----------------------------------------------------------------------------


def _unit_tests(
    data: Mapping[str, Any], wanted: Mapping[str, Any], expected: Artifacts
) -> Iterator[Issue]:
    rendered = [entry for entry in wanted.get("unit_tests") or [] if isinstance(entry, dict)]
    if rendered and not data.get("unit_tests"):
        yield _issue(
            Code.MISSING_UNIT_TESTS_BLOCK,
            f"The YAML has no unit_tests, the test spec has {len(rendered)}.",
            "Render every scenario of the test spec as a unit test.",
        )
        return
    for entry in rendered:
        name = str(entry["name"])
        given = _named(data.get("unit_tests"), name)
        if given is None:
            yield _issue(
                Code.SCENARIO_DROPPED,
                f"Scenario {name} of the test spec has no unit test.",
                f"Render {name} as a unit test.",
                name,
            )
        else:
            yield from _altered(name, given, entry)


def _altered(name: str, given: Mapping[str, Any], wanted: Mapping[str, Any]) -> Iterator[Issue]:
    have, need = _inputs(given), _inputs(wanted)
    for relation in sorted(have.keys() ^ need.keys()):
        there = "is given but not read" if relation in have else "is read but not given"
        yield _issue(
            Code.INPUT_REF_MISMATCH,
            f"In unit test {name}, {relation} {there}.",
            "Give exactly the relations that the model reads.",
            relation,
        )
    for relation in sorted(have.keys() & need.keys()):
        if have[relation] != need[relation]:
            yield _scenario_altered(name, f"the rows given for {relation}")
    if _rows(given.get("expect") or {}) != _rows(wanted.get("expect") or {}):
        yield _scenario_altered(name, "the expected rows")
    if _settings(given) != _settings(wanted):
        yield _scenario_altered(name, "its overrides or whether it is enabled")


def _scenario_altered(name: str, what: str) -> Issue:
    return _issue(
        Code.SCENARIO_ALTERED,
        f"Unit test {name} differs from the test spec in {what}.",
        "Test-spec scenarios are ground truth: render them unaltered.",
        name,
    )


def _inputs(entry: Mapping[str, Any]) -> dict[str, Any]:
    inputs = {}
    for given in entry.get("given") or []:
        if isinstance(given, dict):
            key = "".join(str(given.get("input")).split()).replace('"', "'").casefold()
            inputs[key] = _rows(given)
    return inputs


def _rows(holder: object) -> Any:
    if not isinstance(holder, dict):
        return None
    rows = holder.get("rows")
    if not isinstance(rows, list):
        return rows
    return sorted(
        sorted((str(k).casefold(), type(v).__name__, str(v)) for k, v in row.items())
        for row in rows
        if isinstance(row, dict)
    )


def _settings(entry: Mapping[str, Any]) -> tuple[str, str]:
    config = entry.get("config") or {}
    return str(entry.get("overrides") or {}), str(config.get("enabled", True))
