"""Explanations, schemas and the pages in docs/ that are made from the code or checked by it."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from core.project.codes import Code
from core.project.explain import EXPLANATIONS, codes_page, explain, find_code, unknown_code
from core.project.guards import ModelNames, check_item, check_project
from core.project.project import MigrationProject
from core.project.schemas import SCHEMAS, json_schema, render_schema, unknown_schema

DOCS = Path(__file__).parents[3] / "docs"


@pytest.mark.parametrize("code", list(Code))
def test_every_code_is_explained(code: Code) -> None:
    entry = EXPLANATIONS[code]
    assert all(text.strip().endswith(".") for text in (entry.meaning, entry.cause, entry.remedy))
    text = explain(code.value.lower().replace("_", "-"))
    assert text is not None
    assert text.startswith(code.value)
    assert max(len(line) for line in text.splitlines()) <= 88


def test_codes_nobody_has() -> None:
    assert explain("NOPE") is None
    assert find_code(" table unknown ") is Code.TABLE_UNKNOWN
    assert "did you mean TABLE_UNKNOWN" in unknown_code("TABLE_UNKOWN")


def test_the_page_about_codes_is_current() -> None:
    assert (DOCS / "codes.md").read_text(encoding="utf-8") == codes_page()


@pytest.mark.parametrize("kind", list(SCHEMAS))
def test_schemas_describe_every_field(kind: str) -> None:
    schema = json.loads(render_schema(kind))
    assert schema["$schema"].endswith("2020-12/schema")
    assert all("description" in field for field in schema["properties"].values())


def test_what_schemas_say() -> None:
    assert set(json_schema("catalog")["required"]) == {"schema", "name", "columns"}
    kinds = json_schema("catalog")["$defs"]["ResolvedKind"]["enum"]
    assert len(kinds) == 8
    assert "catalog" in unknown_schema("catalogue")


def _example_files() -> dict[str, str]:
    """Each fenced block of the page that follows a line naming its file in backticks."""
    page = (DOCS / "project-files.md").read_text(encoding="utf-8")
    blocks = re.findall(r"^`([\w./-]+)`\n+```\w+\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    return dict(blocks)


def test_the_example_in_the_page_passes_every_guard(tmp_path: Path) -> None:
    files = _example_files()
    assert {"manifest.json", "ddl/procedures.sql", "dbt/dbt_project.yml"} < set(files)
    for file, text in files.items():
        path = tmp_path / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    project = MigrationProject.open(tmp_path)
    assert check_project(project) == []
    assert check_item(project, "silver.DimCustomer", ModelNames.of(project)) is None
    assert len(project.test_spec("silver.DimCustomer").unit_tests) == 2


def test_reading_a_project_needs_neither_dbt_nor_a_screen() -> None:
    code = (
        "import sys, core.project.status_text, core.project.scaffold, core.project.selection\n"
        "import core.project.settings_file, core.project.explain, core.project.schemas\n"
        "heavy = {'dbt', 'textual', 'rich', 'anthropic', 'duckdb', 'sqlglot', 'yaml'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_every_code_is_raised_somewhere_and_nothing_else_is() -> None:
    root = DOCS.parent
    named: set[str] = set()
    for package in ("core", "tui"):
        for file in (root / package).rglob("*.py"):
            if file.name not in ("codes.py", "explain.py"):
                named |= set(re.findall(r"\bCode\.([A-Z][A-Z_]+)\b", file.read_text("utf-8")))
    assert named == {code.name for code in Code}
