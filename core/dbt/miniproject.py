"""The mini-project a worker keeps: constant macros and tests, and one model with stubs around it.

The cost of a dbt invocation grows with the project; this one has the model, a one-line stub
for each ``ref`` and a declaration for each source, whatever the size of the user's project.
Relations live in the schemas by which ``core.dbt.template.StubResolver`` names them, so dbt,
pre-check and replay read the same tables.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from core.dbt.guard import LOCKED_CONFIG
from core.dbt.recency import RECENCY_PATH, RECENCY_SQL
from core.dbt.verify import InputKind, InputRelation
from core.dbt.yaml_text import dump

DATABASE = ":memory:dbt/memory"
"""A *named* in-memory database: every connection of the process sees it; dbt calls it memory."""

PROJECT_FILES: Mapping[str, str] = {
    "dbt_project.yml": """\
name: proc2dbt_mini
version: '1.0'
profile: proc2dbt
model-paths: [models]
macro-paths: [macros]
test-paths: [tests]
snapshot-paths: [snapshots]
packages-install-path: packages
models:
  proc2dbt_mini:
    refs:
      +schema: __ref
flags:
  send_anonymous_usage_stats: false
  require_generic_test_arguments_property: true
""",
    "macros/proc2dbt.sql": """\
{% macro generate_schema_name(custom_schema_name, node) -%}
    {{ custom_schema_name or target.schema }}
{%- endmacro %}

{% macro duckdb__current_timestamp() -%}
    proc2dbt_now()
{%- endmacro %}

{% macro duckdb__snapshot_get_time() -%}
    proc2dbt_now()
{%- endmacro %}
""",
    RECENCY_PATH: RECENCY_SQL,
    "packages/dbt_utils/dbt_project.yml": "name: dbt_utils\nversion: '1.0'\n",
    "packages/dbt_utils/macros/tests.sql": """\
{% test recency(model, field, datepart, interval, ignore_time_component=false,
                group_by_columns=[]) %}
select max({{ field }}) as newest
from {{ model }}
having max({{ field }}) < {{ dbt.dateadd(datepart, interval * -1, dbt.current_timestamp()) }}
{% endtest %}

{% test unique_combination_of_columns(model, combination_of_columns) %}
select {{ combination_of_columns | join(', ') }}
from {{ model }}
group by {{ combination_of_columns | join(', ') }}
having count(*) > 1
{% endtest %}
""",
}

_RELATIONSHIP_TO = re.compile(r"(?:ref\('(?P<ref>\w+)'\)|source\('(?P<s>[^']+)', '(?P<t>[^']+)'\))")

_PART_OF_KEY = re.compile(r'cast\((?:"([^"]+)"|(\w+)) as varchar\)')


def write_base(folder: Path) -> None:
    """Write everything that does not change from item to item."""
    for name, text in PROJECT_FILES.items():
        _write(folder / name, text)
    write_profile(folder, "proc2dbt")
    (folder / "models").mkdir(parents=True, exist_ok=True)
    (folder / "snapshots").mkdir(exist_ok=True)


def write_profile(folder: Path, name: str) -> None:
    """The profile of the embedded database, under the name a project asks for."""
    output = {
        "type": "duckdb",
        "path": DATABASE,
        "schema": "main",
        "threads": 1,
        "keep_open": True,
        "config_options": dict(LOCKED_CONFIG),
    }
    profile = {name: {"target": "embedded", "outputs": {"embedded": output}}}
    _write(folder / "profiles.yml", dump(profile))


def copy_base(base: Path, folder: Path) -> None:
    """Give a worker its own copy, with the parse that was saved there."""
    shutil.copytree(base, folder, dirs_exist_ok=True, ignore=shutil.ignore_patterns("logs"))


def write_item(
    folder: Path, model: str, sql: str, yaml_text: str, inputs: Iterable[InputRelation]
) -> None:
    """Replace the model, its YAML and its stubs; files that stay the same are not touched."""
    wanted = {f"models/{model}.sql": sql, f"models/{model}.yml": yaml_text}
    relations = list(inputs)
    for relation in relations:
        if relation.kind is InputKind.REF and relation.name != model:
            wanted[f"models/refs/{relation.name}.sql"] = "select 1 as id\n"
    sources = source_declarations(relations)
    if sources:
        wanted["models/_sources.yml"] = dump({"version": 2, "sources": sources})
    for path in [p for p in (folder / "models").rglob("*") if p.is_file()]:
        if path.relative_to(folder).as_posix() not in wanted:
            path.unlink()
    for name, text in wanted.items():
        path = folder / name
        if not path.is_file() or path.read_text(encoding="utf-8") != text:
            _write(path, text)


def source_declarations(relations: Iterable[InputRelation]) -> list[dict[str, Any]]:
    """``sources:`` entries whose schemas are the stub names."""
    by_source: dict[str, list[dict[str, Any]]] = {}
    for relation in relations:
        if relation.kind is InputKind.SOURCE:
            by_source.setdefault(relation.source, []).append({"name": relation.name})
    return [
        {"name": source, "schema": f"__src:{source}", "tables": tables}
        for source, tables in by_source.items()
    ]


def referenced_in_yaml(data: Any, model: str) -> Iterator[tuple[InputKind, str, str, str]]:
    """Relations of ``relationships`` tests: kind, source, name, and a field that must exist."""
    for entry in _dicts(data.get("models") if isinstance(data, dict) else None):
        of_columns = [t for c in _dicts(entry.get("columns")) for t in _dicts(c.get("data_tests"))]
        for test in (*_dicts(entry.get("data_tests")), *of_columns):
            arguments = (test.get("relationships") or {}).get("arguments") or {}
            match = _RELATIONSHIP_TO.fullmatch(str(arguments.get("to", "")))
            if match is None or match["ref"] == model:
                continue
            kind = InputKind.REF if match["ref"] else InputKind.SOURCE
            for field in _fields(str(arguments.get("field", ""))):
                yield kind, match["s"] or "", match["ref"] or match["t"], field


def _fields(expression: str) -> list[str]:
    """The columns of a ``field``: itself, or those of a key of several columns."""
    several = [quoted or plain for quoted, plain in _PART_OF_KEY.findall(expression)]
    return several or [expression]


def _dicts(value: Any) -> list[dict[str, Any]]:
    return [entry for entry in value if isinstance(entry, dict)] if isinstance(value, list) else []


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
