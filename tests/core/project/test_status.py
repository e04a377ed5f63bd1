"""The dashboard: how far each table is, what blocks it, and what to do next."""

from __future__ import annotations

import json
from pathlib import Path

from core.project.codes import Code
from core.project.project import MigrationProject
from core.project.status import LastRun, Mark, Role, Stage, project_status
from core.project.status_text import render_status, render_table, status_document
from tests.core.project.builder import ProjectBuilder


def builder(root: Path) -> ProjectBuilder:
    return ProjectBuilder(root).source("bronze.Customer").ready("silver.DimCustomer")


def test_every_stage_of_a_finished_table(tmp_path: Path) -> None:
    made = builder(tmp_path).file("dbt/models/staging/stg_dimcustomer.sql", "select 1")
    made.file(
        "dbt/models/staging/_stg_dimcustomer.yml",
        "models:\n  - name: stg_dimcustomer\n"
        '    description: "Migrated from silver.p. Target: silver.DimCustomer."\n',
    )
    status = project_status(MigrationProject.open(made.write()))
    source, target = status.tables
    assert source.role is Role.SOURCE
    assert set(target.marks.values()) == {Mark.DONE}
    assert target.is_ready
    assert status.next_step.sentence.startswith("Nothing")


def test_the_next_step_is_what_makes_most_tables_ready(tmp_path: Path) -> None:
    made = builder(tmp_path)
    for name in ("silver.A", "silver.B"):
        made.ready(name).without(f"test-specs/{name.lower()}.json")
    made.ready("silver.C").edit("catalog/tables/silver.c.json", lambda c: c.pop("profile"))
    status = project_status(MigrationProject.open(made.write()))
    assert status.next_step.unblocks == ("silver.a", "silver.b")
    assert "test-specs/silver.a.json" in status.next_step.sentence
    by_id = {table.item_id: table for table in status.tables}
    assert by_id["silver.a"].first_missing_file == "test-specs/silver.a.json"
    assert by_id["silver.c"].marks[Stage.PROFILE] is Mark.MISSING


def test_a_project_problem_comes_first(tmp_path: Path) -> None:
    made = builder(tmp_path).without("dbt/dbt_project.yml")
    status = project_status(MigrationProject.open(made.write()))
    assert status.project_problems[0].code is Code.DBT_PROJECT_MISSING
    assert "init-dbt" in status.next_step.sentence
    assert "DBT_PROJECT_MISSING" in render_status(status)


def test_an_empty_folder_has_a_dashboard_too(tmp_path: Path) -> None:
    status = project_status(MigrationProject.open(tmp_path))
    assert status.project_problems[0].code is Code.MANIFEST_NOT_FOUND
    assert "manifest.json" in render_status(status)


def test_a_table_known_from_the_ddl_only(tmp_path: Path) -> None:
    made = builder(tmp_path).ddl("tables", "CREATE TABLE [silver].[DimNew] (Id int)")
    status = project_status(MigrationProject.open(made.write()))
    new = next(table for table in status.tables if table.item_id == "silver.dimnew")
    assert new.display == "silver.DimNew"
    assert new.marks[Stage.CATALOG] is Mark.MISSING
    assert new.first_missing_file == "catalog/tables/silver.dimnew.json"


def test_broken_files_are_marked_not_raised(tmp_path: Path) -> None:
    made = builder(tmp_path).file("test-specs/silver.dimcustomer.json", "{")
    made.ready("silver.B").file("catalog/tables/silver.b.json", "[]")
    status = project_status(MigrationProject.open(made.write()))
    by_id = {table.item_id: table for table in status.tables}
    assert by_id["silver.dimcustomer"].marks[Stage.TEST_SPEC] is Mark.BROKEN
    assert by_id["silver.b"].marks[Stage.CATALOG] is Mark.BROKEN


def test_last_runs_and_notes_are_shown(tmp_path: Path) -> None:
    run = LastRun("partial", "r1", codes=("EQUIVALENCE_GAP",), notes=("reads source() of gold.x",))
    opened = MigrationProject.open(builder(tmp_path).write())
    status = project_status(opened, last_runs={"silver.dimcustomer": run})
    text = render_status(status)
    assert "~  silver.DimCustomer" in text
    assert "partial (EQUIVALENCE_GAP)" in text
    assert "reads source() of gold.x" in text
    assert "reads source() of gold.x" in render_table(status.targets[0])
    document = json.loads(json.dumps(status_document(status)))
    assert document["totals"] == {"tables": 2, "targets": 1, "ready": 1, "with_model": 0}
    assert document["tables"][1]["last_run"]["codes"] == ["EQUIVALENCE_GAP"]


def test_a_model_on_an_unmerged_branch_is_to_be_merged_not_made_again(tmp_path: Path) -> None:
    opened = MigrationProject.open(builder(tmp_path).ready("silver.DimStore").write())
    run = LastRun("ok", "r1", branch="feature/generate-model-silver-dimcustomer")
    one = {"silver.dimcustomer": run}
    status = project_status(opened, last_runs=one)
    assert status.next_step.unblocks == ("silver.dimstore",)
    assert "ok, to merge" in render_status(status)
    customer = next(t for t in status.targets if t.item_id == "silver.dimcustomer")
    assert run.branch in render_table(customer)
    both = project_status(opened, last_runs=one | {"silver.dimstore": run})
    assert both.next_step.sentence == f"Merge {run.branch}: the models of 2 tables are there."


def test_the_dashboard_as_it_is_printed(tmp_path: Path) -> None:
    root = tmp_path / "retail"
    made = builder(root).ready("gold.FactSales").without("test-specs/gold.factsales.json")
    text = render_status(project_status(MigrationProject.open(made.write())))
    assert text.splitlines() == [
        "retail (sql_server / tsql, AdventureWorksDW)",
        "",
        "                         catalog  scoping  profile  test spec  procedure  model  last run",
        "  x  gold.FactSales      ok       ok       ok       -          ok         -",
        "       TEST_SPEC_NOT_FOUND: gold.factsales has no test spec: create "
        "test-specs/gold.factsales.json",
        "         (see `proc2dbt schema test-spec`).",
        "     silver.DimCustomer  ok       ok       ok       ok         ok         -",
        "",
        "  tables: 3 | sources: 1 | ready: 1 | blocked: 1",
        "",
        "  next: Provide the test spec of gold.FactSales (first: test-specs/gold.factsales.json).",
    ]


def test_a_table_nobody_loads_waits_for_nothing(tmp_path: Path) -> None:
    scoping = {"status": "no_writer_found", "candidates": None}
    made = builder(tmp_path).table("etl.LoadLog", scoping=scoping).table("etl.New", scoping=None)
    status = project_status(MigrationProject.open(made.write()))
    roles = {table.item_id: table.role for table in status.tables}
    assert roles["etl.loadlog"] is Role.UNLOADED
    assert roles["etl.new"] is Role.TARGET
    assert "without a writer: 1" in render_status(status)
