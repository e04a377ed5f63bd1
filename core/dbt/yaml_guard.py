"""Strings of a YAML file that dbt would evaluate: refused, whoever wrote them."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from core.dbt.allowlist import Finding

_MARKS = ("{{", "{%", "{#")
_KEYS = {
    "": frozenset({"version", "models", "unit_tests"}),
    "models": frozenset({"name", "description", "config", "data_tests", "columns"}),
    "unit_tests": frozenset(
        {"name", "model", "description", "config", "overrides", "given", "expect"}
    ),
}
_CONFIG = frozenset({"meta", "tags", "severity", "enabled"})


def check_yaml(text: str) -> list[Finding]:
    """What :func:`read_yaml` finds wrong."""
    return read_yaml(text)[1]


def read_yaml(text: str) -> tuple[dict[str, Any], list[Finding]]:
    """The data of a model's YAML, and findings: unreadable, Jinja in a string, keys not ours.

    An unknown key matters because dbt ignores it in silence: ``unit_tests`` nested under a
    model would count as tests and never run.
    """
    import yaml

    try:
        if "*" in text and _has_alias(text):
            return {}, [Finding(0, "Anchors and aliases are not allowed in the YAML of a model.")]
        data = yaml.load(text, Loader=yaml.CSafeLoader)
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        mark = getattr(error, "problem_mark", None)
        problem = getattr(error, "problem", None) or str(error).split("\n")[0]
        return {}, [Finding(mark.line + 1 if mark else 0, f"The YAML cannot be read: {problem}.")]
    if data is None:
        return {}, []
    if not isinstance(data, dict):
        return {}, [Finding(1, "The YAML is not a properties file (a mapping at the top).")]
    return data, [Finding(0, message) for message in dict.fromkeys(_problems(data))]


def _has_alias(text: str) -> bool:
    """A few lines of aliases can stand for more data than any memory holds."""
    import yaml

    events = yaml.parse(text, Loader=yaml.CSafeLoader)
    return any(isinstance(event, yaml.AliasEvent) for event in events)


def _problems(data: dict[str, Any]) -> Iterator[str]:
    yield from _unknown(data, "")
    for section in ("models", "unit_tests"):
        for entry in data.get(section) or []:
            if isinstance(entry, dict):
                yield from _unknown(entry, section)
    yield from _same_names(data)
    yield from _fixture_sql(data)
    yield from _evaluated(data, "YAML")


def _unknown(entry: dict[str, Any], where: str) -> Iterator[str]:
    place = f"an entry of {where}" if where else "the top of the file"
    for key in entry:
        if key not in _KEYS[where]:
            yield f"The key '{key}' does not belong at {place}; dbt would pass over it."
    config = entry.get("config")
    for key in config if isinstance(config, dict) else ():
        if key not in _CONFIG:
            yield f"The configuration '{key}' is not allowed in the YAML of a model."


def _same_names(data: dict[str, Any]) -> Iterator[str]:
    seen: set[str] = set()
    for entry in data.get("unit_tests") or []:
        name = str(entry.get("name")) if isinstance(entry, dict) else ""
        if name in seen:
            yield f"Two unit tests are named '{name}'; dbt would run one of them."
        seen.add(name)


def _fixture_sql(data: dict[str, Any]) -> Iterator[str]:
    """Fixtures given as SQL read nothing and call only functions a model may call."""
    for entry in data.get("unit_tests") or []:
        given = entry.get("given") if isinstance(entry, dict) else None
        expect = entry.get("expect") if isinstance(entry, dict) else None
        for fixture in (*(given or []), expect):
            rows = fixture.get("rows") if isinstance(fixture, dict) else None
            if isinstance(rows, str):
                for message in _read_and_called(rows):
                    yield f"A fixture of unit test '{entry.get('name')}': {message}"


@lru_cache(maxsize=256)
def _read_and_called(sql: str) -> tuple[str, ...]:
    """What is wrong with a fixture's SQL; kept, as fixtures stay while a model is corrected."""
    from core.dbt.guard import check_sql
    from core.dbt.template import Rendered

    return tuple(finding.message for finding in check_sql(Rendered(sql, ()), ()))


def _evaluated(value: Any, path: str) -> Iterator[str]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _evaluated(key, path)
            yield from _evaluated(inner, str(key))
    elif isinstance(value, list):
        for inner in value:
            yield from _evaluated(inner, path)
    elif isinstance(value, str) and any(mark in value for mark in _MARKS):
        yield f"Jinja in '{path}' is not allowed: dbt would evaluate it."
