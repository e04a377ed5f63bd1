"""Every guard code, from a project on disk that deserves it."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from core.project.codes import Code, Diagnostic
from core.project.guards import ModelNames, check_item, check_project, item_problems
from core.project.project import MigrationProject
from tests.core.project.builder import ProjectBuilder

TABLE = "silver.DimCustomer"
CATALOG = "catalog/tables/silver.dimcustomer.json"
SPEC = "test-specs/silver.dimcustomer.json"


def finished(root: Path) -> ProjectBuilder:
    return ProjectBuilder(root).source("bronze.DimCustomer").ready(TABLE)


def item_check(root: Path, name: str = TABLE, **configured: str) -> Diagnostic | None:
    project = MigrationProject.open(root)
    return check_item(project, name, ModelNames.of(project, configured))


def assert_one_sentence(message: str) -> None:
    assert message.endswith(".")
    assert "\n" not in message
    assert "Traceback" not in message
    assert "pydantic" not in message.lower()


def test_a_finished_project_passes(tmp_path: Path) -> None:
    root = finished(tmp_path).write()
    assert check_project(MigrationProject.open(root)) == []
    assert item_check(root) is None


def test_no_manifest(tmp_path: Path) -> None:
    root = finished(tmp_path).without("manifest.json").write()
    [problem] = check_project(MigrationProject.open(root))
    assert problem.code is Code.MANIFEST_NOT_FOUND
    assert "manifest.json" in problem.message
    assert_one_sentence(problem.message)


def test_a_broken_manifest_comes_before_a_missing_dbt_project(tmp_path: Path) -> None:
    builder = finished(tmp_path).without("dbt/dbt_project.yml")
    root = builder.file("manifest.json", '{\n  "technology": "sql_server",\n  oops\n}').write()
    [problem] = check_project(MigrationProject.open(root))
    assert problem.code is Code.MANIFEST_CORRUPT
    assert "manifest.json line 3 column 3" in problem.message


def test_a_manifest_without_a_technology_names_the_field(tmp_path: Path) -> None:
    root = finished(tmp_path).manifest(technology=None, dialect=None).write()
    [problem] = check_project(MigrationProject.open(root))
    assert problem.code is Code.MANIFEST_CORRUPT
    assert "technology" in problem.message


def test_no_dbt_project(tmp_path: Path) -> None:
    root = finished(tmp_path).without("dbt/dbt_project.yml").write()
    [problem] = check_project(MigrationProject.open(root))
    assert problem.code is Code.DBT_PROJECT_MISSING
    assert "dbt/dbt_project.yml" in problem.message


@pytest.mark.parametrize("text", ["", "- a\n", "name: [\n"])
def test_a_dbt_project_that_cannot_be_read(tmp_path: Path, text: str) -> None:
    root = finished(tmp_path).file("dbt/dbt_project.yml", text).write()
    [problem] = check_project(MigrationProject.open(root))
    assert problem.code is Code.DBT_PROJECT_MISSING
    assert "dbt/dbt_project.yml" in problem.message


PROFILE = "warehouse:\n  target: dev\n  outputs:\n    dev: {type: duckdb, path: x.duckdb}\n"


@pytest.mark.parametrize(
    ("profiles", "target", "code", "words"),
    [
        (None, "dev", Code.DBT_PROFILE_MISSING, "profiles.yml"),
        (": : [", "dev", Code.DBT_PROFILE_MISSING, "not readable YAML"),
        ("other: {}\n", "dev", Code.DBT_PROFILE_MISSING, "'warehouse'"),
        (PROFILE, "prod", Code.DBT_PROFILE_MISSING, "'prod'"),
        (PROFILE.replace("duckdb,", "snowflake,"), "dev", Code.DIALECT_NOT_SUPPORTED, "snowflake"),
        (PROFILE.replace("type: duckdb, ", ""), "dev", Code.DBT_PROFILE_MISSING, "'type'"),
    ],
)
def test_profiles_are_needed_for_a_target(
    tmp_path: Path, profiles: str | None, target: str, code: Code, words: str
) -> None:
    builder = finished(tmp_path)
    if profiles is not None:
        builder.file("dbt/profiles.yml", profiles)
    project = MigrationProject.open(builder.write())
    assert check_project(project) == []
    [problem] = check_project(project, target, {})
    assert problem.code is code
    assert words in problem.message
    assert_one_sentence(problem.message)


def test_a_usable_profile_is_found_where_dbt_looks(tmp_path: Path) -> None:
    elsewhere = tmp_path / "home" / ".dbt"
    elsewhere.mkdir(parents=True)
    (elsewhere / "profiles.yml").write_text(PROFILE)
    project = MigrationProject.open(finished(tmp_path / "project").write())
    assert check_project(project, "dev", {"HOME": str(tmp_path / "home")}) == []
    assert check_project(project, "dev", {"DBT_PROFILES_DIR": str(elsewhere)}) == []


def test_an_unknown_table_is_offered_its_neighbour(tmp_path: Path) -> None:
    problem = item_check(finished(tmp_path).write(), "silver.DimCustomr")
    assert problem is not None
    assert problem.code is Code.TABLE_UNKNOWN
    assert "did you mean silver.dimcustomer" in problem.message


Spoil = Callable[[ProjectBuilder], ProjectBuilder]


@pytest.mark.parametrize(
    ("spoil", "code", "words"),
    [
        (lambda b: b.without(CATALOG), Code.CATALOG_FILE_MISSING, [CATALOG]),
        (
            lambda b: b.edit(CATALOG, lambda c: c["columns"][1].pop("sql_type")),
            Code.CATALOG_FILE_CORRUPT,
            [CATALOG, "line", "columns[1].sql_type"],
        ),
        (
            lambda b: b.edit(CATALOG, lambda c: c.update(columns=[])),
            Code.CATALOG_FILE_CORRUPT,
            [CATALOG, "columns"],
        ),
        (
            lambda b: b.edit(CATALOG, lambda c: c.update(name="DimOther")),
            Code.CATALOG_FILE_CORRUPT,
            [CATALOG, "name", "silver.DimOther"],
        ),
        (
            lambda b: b.edit(CATALOG, lambda c: c.pop("scoping")),
            Code.SCOPING_NOT_COMPLETED,
            [CATALOG, "scoping"],
        ),
        (
            lambda b: b.edit(CATALOG, lambda c: c.update(scoping={"status": "no_writer_found"})),
            Code.SCOPING_NOT_COMPLETED,
            [CATALOG, "selected_writer", "no_writer_found"],
        ),
        (
            lambda b: b.edit(CATALOG, lambda c: c.pop("profile")),
            Code.PROFILE_NOT_COMPLETED,
            [CATALOG, "profile"],
        ),
        (
            lambda b: b.edit(CATALOG, lambda c: c["profile"].update(status="partial")),
            Code.PROFILE_NOT_COMPLETED,
            [CATALOG, "profile.status", "partial"],
        ),
        (
            lambda b: b.edit(CATALOG, lambda c: c["profile"].update(classification=None)),
            Code.PROFILE_NOT_COMPLETED,
            [CATALOG, "profile.classification.resolved_kind"],
        ),
        (
            lambda b: b.edit(CATALOG, lambda c: c["profile"].update(status="In Progress")),
            Code.PROFILE_NOT_COMPLETED,
            [CATALOG, "profile.status", "in progress"],
        ),
        (lambda b: b.without(SPEC), Code.TEST_SPEC_NOT_FOUND, [SPEC]),
        (
            lambda b: b.edit(
                SPEC, lambda s: s.update(status="error", errors=[{"message": "no sandbox"}])
            ),
            Code.TEST_SPEC_NOT_FOUND,
            [SPEC, "status", "no sandbox"],
        ),
        (
            lambda b: b.edit(SPEC, lambda s: s["unit_tests"][0].update(given="none")),
            Code.TEST_SPEC_CORRUPT,
            [SPEC, "unit_tests[0].given"],
        ),
        (
            lambda b: b.edit(SPEC, lambda s: s["unit_tests"][0].update(target_table="silver.X")),
            Code.TEST_SPEC_CORRUPT,
            [SPEC, "unit_tests[0].target_table", "silver.X"],
        ),
        (
            lambda b: b.edit(CATALOG, lambda c: c["scoping"].update(selected_writer="silver.p")),
            Code.PROCEDURE_NOT_FOUND,
            ["silver.p", "ddl/procedures.sql", "scoping.selected_writer"],
        ),
        (
            lambda b: b.manifest(technology="snowflake", dialect="snowflake"),
            Code.DIALECT_NOT_SUPPORTED,
            ["manifest.json", "snowflake"],
        ),
        (
            lambda b: b.ready("gold.DimCustomer"),
            Code.MODEL_NAME_CONFLICT,
            ["gold.DimCustomer", "silver.DimCustomer", "[model_names]"],
        ),
        (
            lambda b: b.file("dbt/models/marts/stg_dimcustomer.sql", "select 1"),
            Code.MODEL_NAME_CONFLICT,
            ["dbt/models/marts/stg_dimcustomer.sql", "[model_names]", "stg_silver_dimcustomer"],
        ),
    ],
)
def test_item_guards(tmp_path: Path, spoil: Spoil, code: Code, words: list[str]) -> None:
    problem = item_check(spoil(finished(tmp_path)).write())
    assert problem is not None
    assert problem.code is code
    assert problem.item_id == "silver.dimcustomer"
    assert_one_sentence(problem.message)
    for word in words:
        assert word in problem.message


def test_guards_are_checked_in_the_order_of_the_contract(tmp_path: Path) -> None:
    builder = finished(tmp_path).without(SPEC).ready("gold.DimCustomer")
    builder.edit(CATALOG, lambda c: (c.pop("scoping"), c.pop("profile")))
    project = MigrationProject.open(builder.write())
    found = [p.code for p in item_problems(project, TABLE, ModelNames.of(project))]
    assert found == [
        Code.SCOPING_NOT_COMPLETED,
        Code.PROFILE_NOT_COMPLETED,
        Code.TEST_SPEC_NOT_FOUND,
        Code.MODEL_NAME_CONFLICT,
    ]


def test_a_generated_model_is_not_in_the_way_of_its_own_table(tmp_path: Path) -> None:
    builder = finished(tmp_path).file("dbt/models/staging/stg_dimcustomer.sql", "select 1")
    described = (
        "models:\n  - name: stg_dimcustomer\n    description: >\n"
        "      Migrated from silver.usp_load_DimCustomer. Target: {}.\n"
    )
    builder.file("dbt/models/staging/_stg_dimcustomer.yml", described.format("SILVER.DimCustomer"))
    assert item_check(builder.write()) is None
    builder.file("dbt/models/staging/_stg_dimcustomer.yml", described.format("gold.DimCustomer"))
    problem = item_check(builder.write())
    assert problem is not None
    assert problem.code is Code.MODEL_NAME_CONFLICT
    assert "gold.DimCustomer" in problem.message


def test_the_setting_resolves_a_model_name_conflict(tmp_path: Path) -> None:
    root = finished(tmp_path).ready("gold.DimCustomer").write()
    names = {"gold.dimcustomer": "stg_gold_dimcustomer"}
    assert item_check(root, "silver.DimCustomer", **names) is None
    assert item_check(root, "gold.DimCustomer", **names) is None


def test_a_source_of_the_same_name_is_no_rival(tmp_path: Path) -> None:
    assert item_check(finished(tmp_path).source("landing.DimCustomer").write()) is None


def test_a_partial_test_spec_and_one_without_scenarios_proceed(tmp_path: Path) -> None:
    builder = finished(tmp_path).edit(SPEC, lambda s: s.update(status="partial"))
    assert item_check(builder.write()) is None
    builder.edit(SPEC, lambda s: s.update(status="ok", unit_tests=[]))
    assert item_check(builder.write()) is None


@pytest.mark.parametrize(
    ("technology", "dialect", "passes"),
    [
        ("mssql", None, True),
        ("SQL_Server", "TSQL", True),
        (None, "T-SQL", True),
        ("fabric_warehouse", None, True),
        ("fabric_lakehouse", "tsql", True),
        ("fabric_lakehouse", "spark", False),
        ("oracle", "plsql", False),
        ("snowflake", None, False),
    ],
)
def test_dialects(
    tmp_path: Path, technology: str | None, dialect: str | None, passes: bool
) -> None:
    problem = item_check(
        finished(tmp_path).manifest(technology=technology, dialect=dialect).write()
    )
    assert (problem is None) is passes
    if problem is not None:
        assert problem.code is Code.DIALECT_NOT_SUPPORTED


def test_names_may_be_spelled_differently_in_every_file(tmp_path: Path) -> None:
    builder = ProjectBuilder(tmp_path).source("bronze.Customer")
    builder.table("silver.dimcustomer", writer="[SILVER].[USP_LOAD_DIMCUSTOMER]")
    builder.edit(CATALOG, lambda c: c.update(schema="[Silver]", name="[DimCustomer]"))
    builder.spec("SILVER.DIMCUSTOMER", expect=[], procedure="Silver.Usp_Load_DimCustomer")
    builder.edit(SPEC, lambda s: s.update(item_id="Silver.DimCustomer"))
    builder.procedure("create proc silver.usp_load_dimcustomer as truncate table x")
    root = builder.write()
    for name in ("[Silver].[DimCustomer]", "silver.dimcustomer", "SILVER.DIMCUSTOMER"):
        assert item_check(root, name) is None
    project = MigrationProject.open(root)
    assert project.tables() == ("bronze.customer", "silver.dimcustomer")
    assert project.table("SILVER.dimCUSTOMER").display == "Silver.DimCustomer"


def test_a_folder_and_an_unreadable_file_are_errors_of_their_own(tmp_path: Path) -> None:
    builder = finished(tmp_path).without(CATALOG)
    root = builder.write()
    (root / CATALOG).mkdir()
    problem = item_check(root)
    assert problem is not None
    assert problem.code is Code.CATALOG_FILE_CORRUPT
    assert "not a file" in problem.message


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_without_permission(tmp_path: Path) -> None:
    root = finished(tmp_path).write()
    (root / SPEC).chmod(0)
    problem = item_check(root)
    assert problem is not None
    assert problem.code is Code.TEST_SPEC_CORRUPT
    assert "may not read" in problem.message


def test_a_link_out_of_the_project_is_refused(tmp_path: Path) -> None:
    root = finished(tmp_path / "project").write()
    outside = tmp_path / "secret.json"
    outside.write_text((root / CATALOG).read_text())
    (root / CATALOG).unlink()
    (root / CATALOG).symlink_to(outside)
    problem = item_check(root)
    assert problem is not None
    assert problem.code is Code.CATALOG_FILE_CORRUPT
    assert "leads out of the project" in problem.message


def test_names_with_dots_and_control_characters(tmp_path: Path) -> None:
    builder = finished(tmp_path).ready("silver.[dim.x]")
    root = builder.ddl("tables", "CREATE TABLE [a.b].[c\x1b[31m] (i int)").write()
    assert item_check(root, "silver.[dim.x]") is None
    assert item_check(root, "silver.dim.x") is None
    problem = item_check(root, "a.b.c\x1b[31m")
    assert problem is not None
    assert problem.code is Code.CATALOG_FILE_MISSING
    assert problem.message.isprintable()


def test_an_encrypted_procedure_says_so(tmp_path: Path) -> None:
    builder = finished(tmp_path).edit(
        CATALOG, lambda c: c["scoping"].update(selected_writer="silver.usp_secret")
    )
    builder.procedure("/* Object: [silver].[usp_secret]: the text is encrypted */")
    problem = item_check(builder.write())
    assert problem is not None
    assert problem.code is Code.PROCEDURE_NOT_FOUND
    assert "encrypted" in problem.message
