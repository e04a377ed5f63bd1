"""``init-dbt`` makes a dbt project and touches nothing that is there."""

from __future__ import annotations

from pathlib import Path

import yaml

from core.project.guards import check_project
from core.project.names import QualifiedName
from core.project.project import MigrationProject
from core.project.scaffold import init_dbt, render_scaffolded
from tests.core.project.builder import ProjectBuilder


def bare(root: Path) -> ProjectBuilder:
    builder = ProjectBuilder(root).source("bronze.Customer").source("bronze.[Order Lines]")
    return builder.source("crm.on").ready("silver.DimCustomer").without("dbt/dbt_project.yml")


def test_a_project_from_nothing(tmp_path: Path) -> None:
    root = bare(tmp_path).write()
    done = init_dbt(MigrationProject.open(root))
    assert done.left == ()
    assert "dbt/dbt_project.yml" in done.written
    project = MigrationProject.open(root)
    assert check_project(project, "dev") == []
    assert project.dbt.project_name == "adventureworksdw"
    declared = {(s.source_name, s.table_name) for s in project.dbt.sources}
    assert declared == {("bronze", "Customer"), ("bronze", "Order Lines"), ("crm", "on")}
    assert project.dbt.source_for(QualifiedName("ORDER LINES", "Bronze")) is not None
    for file in done.written:
        if file.endswith(".yml"):
            assert yaml.safe_load((root / file).read_text())


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    builder = bare(tmp_path).file("dbt/profiles.yml", "mine: {}\n")
    builder.file("dbt/models/sources.yml", "sources:\n  - name: bronze\n    tables: []\n")
    builder.file("dbt/models/staging/_sources.yml", "# mine\n")
    root = builder.write()
    done = init_dbt(MigrationProject.open(root))
    assert (root / "dbt/profiles.yml").read_text() == "mine: {}\n"
    assert (root / "dbt/models/staging/_sources.yml").read_text() == "# mine\n"
    assert {file for file, _ in done.left} == {
        "dbt/profiles.yml",
        "dbt/models/staging/_sources.yml",
    }
    assert "bronze.Customer" in done.notes[-1]
    before = {path: path.read_bytes() for path in root.rglob("*") if path.is_file()}
    again = init_dbt(MigrationProject.open(root))
    assert again.written == ()
    assert before == {path: path.read_bytes() for path in root.rglob("*") if path.is_file()}
    assert "left   dbt/dbt_project.yml (it exists)" in render_scaffolded(again)


def test_sources_declared_elsewhere_are_not_declared_twice(tmp_path: Path) -> None:
    declared = "sources:\n  - name: bronze\n    tables:\n      - name: Customer\n"
    root = bare(tmp_path).file("dbt/models/raw/src.yml", declared).write()
    done = init_dbt(MigrationProject.open(root))
    assert "dbt/models/staging/_sources.yml" in dict(done.left)


def test_broken_catalog_files_are_named(tmp_path: Path) -> None:
    root = bare(tmp_path).file("catalog/tables/bronze.customer.json", "{").write()
    done = init_dbt(MigrationProject.open(root))
    assert any("bronze.customer.json line 1" in note for note in done.notes)
