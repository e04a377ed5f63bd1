"""What is known about a dbt project from its files alone."""

from __future__ import annotations

from pathlib import Path

from core.project.dbtfiles import DbtProjectFiles
from core.project.names import QualifiedName


def project(root: Path, **files: str) -> DbtProjectFiles:
    defaults = {"dbt_project.yml": "name: shop\nprofile: p\nmodel-paths: [models, '../outside']\n"}
    for file, text in {**defaults, **files}.items():
        path = root / "dbt" / file.replace("__", "/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return DbtProjectFiles(root / "dbt")


def test_models_and_seeds(tmp_path: Path) -> None:
    files = {
        "models/staging/stg_a.sql": "select 1",
        "models/py_model.py": "",
        "models/readme.md": "",
        "seeds/Calendar.csv": "a\n1\n",
    }
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "evil.sql").write_text("select 1")
    dbt = project(tmp_path, **files)
    assert dbt.models == {
        "py_model": "models/py_model.py",
        "stg_a": "models/staging/stg_a.sql",
    }
    assert dbt.seed_for(QualifiedName("calendar", "ref")) == "Calendar"
    assert dbt.project_name == "shop"
    assert "out of the dbt project" in dbt.problems[0]


def test_sources_keep_the_spelling_of_the_project(tmp_path: Path) -> None:
    sources = (
        "sources:\n"
        "  - name: crm\n    schema: Bronze\n    tables:\n"
        "      - name: customers\n        identifier: Customer\n"
        "      - name: Orders\n"
        "  - name: empty\n    tables:\n"
    )
    dbt = project(tmp_path, **{"models/a/sources.yaml": sources, "models/b.yml": "models: []\n"})
    found = dbt.source_for(QualifiedName("CUSTOMER", "bronze"))
    assert found is not None
    assert (found.source_name, found.table_name, found.file) == (
        "crm",
        "customers",
        "models/a/sources.yaml",
    )
    assert dbt.source_for(QualifiedName("orders", "BRONZE")) is not None
    assert dbt.source_for(QualifiedName("orders", "silver")) is None


def test_broken_yaml_is_named_and_passed_over(tmp_path: Path) -> None:
    dbt = project(tmp_path, **{"models/x.yml": "sources: [\n", "models/y.yml": "sources: 3\n"})
    assert dbt.sources == ()
    assert dbt.problems[-1].startswith("models/x.yml line")


def test_packages(tmp_path: Path) -> None:
    assert not project(tmp_path).has_dbt_utils
    declared = "packages:\n  - package: dbt-labs/dbt_utils\n    version: 1.1.1\n"
    assert project(tmp_path, **{"packages.yml": declared}).has_dbt_utils


def test_a_folder_that_is_no_dbt_project(tmp_path: Path) -> None:
    dbt = DbtProjectFiles(tmp_path / "nothing")
    assert not dbt.exists
    assert (dbt.models, dbt.sources, dbt.seeds, dbt.packages) == ({}, (), {}, ())
