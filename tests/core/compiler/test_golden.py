"""The models in ``golden/`` are what the compiler writes, byte for byte, and dbt builds them."""

from __future__ import annotations

import re
from pathlib import Path

import duckdb
import pytest

from core.tsql.schema import ObjectName
from core.tsql.types import duckdb_storage
from tests.core.compiler import golden_models
from tests.core.compiler.golden_models import Golden

_SOURCE = re.compile(r"source\('([^']+)', '([^']+)'\)")
_REQUIRED = re.compile(r"('?)\{\{ var\('(\w+)'\) \}\}")


def test_models_are_as_they_were_read() -> None:
    written = {f"{golden.name}.sql": golden.sql for golden in golden_models.models()}
    kept = {p.name: p.read_text(encoding="utf-8") for p in golden_models.FOLDER.glob("*.sql")}
    assert sorted(written) == sorted(kept)
    for name, text in written.items():
        assert text == kept[name], name


def test_there_are_enough_of_them_and_none_twice() -> None:
    goldens = golden_models.models()
    assert len(goldens) >= 40
    assert len({golden.sql for golden in goldens}) == len(goldens)


@pytest.mark.slow
def test_dbt_builds_them_all_twice(tmp_path: Path) -> None:
    """One dbt project of all of them: a first run, and one onto what it left."""
    from dbt.cli.main import dbtRunner

    goldens = golden_models.models()
    variables = _write_project(tmp_path, goldens)
    runner = dbtRunner()
    arguments = ["--project-dir", str(tmp_path), "--profiles-dir", str(tmp_path), "--quiet"]
    for number in (1, 2):
        result = runner.invoke(["run", *arguments, "--vars", str(variables)])
        runs = list(result.result or ())
        failed = [f"{run.node.name}: {run.message}" for run in runs if run.status != "success"]
        assert not failed, (number, "\n".join(failed))
        assert result.success, (number, result.exception)
        assert len(runs) == len(goldens)


def _write_project(folder: Path, goldens: list[Golden]) -> dict[str, object]:
    """The project with its DuckDB, all source tables empty; gives the vars to set.

    Each model's sources get names of their own: two warehouses may have a table of one name.
    """
    variables: dict[str, object] = {}
    sources: dict[str, set[str]] = {}
    (folder / "models").mkdir()
    with duckdb.connect(str(folder / "warehouse.duckdb")) as connection:
        for number, golden in enumerate(goldens):
            text = golden.sql
            for schema, name in sorted(set(_SOURCE.findall(text))):
                own = f"s{number}_{schema}"
                sources.setdefault(own, set()).add(name)
                table = golden.schema.table(ObjectName(name, schema))
                assert table is not None, (golden.name, schema, name)
                columns = ", ".join(f'"{c.name}" {duckdb_storage(c.type)}' for c in table.columns)
                connection.execute(f'create schema if not exists "{own}"')
                connection.execute(f'create table "{own}"."{name}" ({columns})')
                text = text.replace(f"source('{schema}', ", f"source('{own}', ")
            for quote, variable in _REQUIRED.findall(text):
                variables[variable] = "2024-01-01" if quote else 1
            (folder / "models" / f"{golden.name}.sql").write_text(text, encoding="utf-8")
    listed = "".join(
        f"  - name: {schema}\n    tables:\n"
        + "".join(f"      - name: {t}\n" for t in sorted(names))
        for schema, names in sorted(sources.items())
    )
    (folder / "models" / "sources.yml").write_text(f"version: 2\nsources:\n{listed}")
    (folder / "dbt_project.yml").write_text(
        "name: goldens\nversion: '1.0'\nprofile: goldens\nflags:\n"
        "  send_anonymous_usage_stats: false\n"
    )
    path = folder / "warehouse.duckdb"
    (folder / "profiles.yml").write_text(
        "goldens:\n  target: dev\n  outputs:\n"
        f"    dev: {{type: duckdb, path: '{path}', threads: 1}}\n"
    )
    return variables
