"""Every guard through the real command: one sentence with its code, and never a traceback."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.core.pipeline.small_project import write_json, write_project, write_spec, write_table


def proc2dbt(
    *arguments: str, cwd: Path, timeout: float = 120, **environment: str
) -> subprocess.CompletedProcess[str]:
    """Run the command as a user does."""
    done = subprocess.run(
        [sys.executable, "-m", "tui", *arguments],
        cwd=cwd,
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])} | environment,
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )
    assert "Traceback" not in done.stderr + done.stdout
    return done


def rewrite(path: Path, change: Callable[[dict[str, Any]], None]) -> None:
    document = json.loads(path.read_text())
    change(document)
    write_json(path, document)


def manifest_missing(root: Path) -> None:
    (root / "manifest.json").unlink()


def manifest_corrupt(root: Path) -> None:
    (root / "manifest.json").write_text('{\n  "technology": "sql_server",\n  "dialect": tsql\n}\n')


def dbt_missing(root: Path) -> None:
    (root / "dbt/dbt_project.yml").unlink()


def catalog_missing(root: Path) -> None:
    (root / "catalog/tables/silver.customer.json").unlink()
    (root / "ddl/tables.sql").write_text("CREATE TABLE silver.Customer (Id INT)\nGO\n")


def catalog_corrupt(root: Path) -> None:
    rewrite(root / "catalog/tables/silver.customer.json", lambda d: d.update(columns="none"))


def no_writer(root: Path) -> None:
    write_table(root, "silver", "Customer", scoping={"status": "ambiguous_multi_writer"})


def no_profile(root: Path) -> None:
    write_table(root, "silver", "Customer", profile=None)


def no_spec(root: Path) -> None:
    (root / "test-specs/silver.customer.json").unlink()


def spec_in_error(root: Path) -> None:
    write_spec(root, "silver", "Customer", status="error", errors=["the sandbox was not there"])


def spec_corrupt(root: Path) -> None:
    write_spec(root, "silver", "Customer", unit_tests=[{"name": "x", "given": 3}])


def procedure_missing(root: Path) -> None:
    (root / "ddl/procedures.sql").write_text("CREATE PROCEDURE silver.usp_Other AS SELECT 1\nGO\n")


def other_dialect(root: Path) -> None:
    write_json(root / "manifest.json", {"technology": "snowflake", "dialect": "snowflake"})


def name_taken(root: Path) -> None:
    staging = root / "dbt/models/staging"
    staging.mkdir(parents=True)
    (staging / "stg_customer.sql").write_text("select 1 as id\n")


PROJECT_LEVEL = {
    "MANIFEST_NOT_FOUND": (manifest_missing, "manifest.json"),
    "MANIFEST_CORRUPT": (manifest_corrupt, "line 3 column 14"),
    "DBT_PROJECT_MISSING": (dbt_missing, "dbt/dbt_project.yml"),
}
ITEM_LEVEL = {
    "CATALOG_FILE_MISSING": (catalog_missing, "catalog/tables/silver.customer.json"),
    "CATALOG_FILE_CORRUPT": (catalog_corrupt, "columns"),
    "SCOPING_NOT_COMPLETED": (no_writer, "scoping.selected_writer"),
    "PROFILE_NOT_COMPLETED": (no_profile, "'profile'"),
    "TEST_SPEC_NOT_FOUND": (no_spec, "test-specs/silver.customer.json"),
    "TEST_SPEC_NOT_FOUND ": (spec_in_error, "the sandbox was not there"),
    "TEST_SPEC_CORRUPT": (spec_corrupt, "unit_tests[0]"),
    "PROCEDURE_NOT_FOUND": (procedure_missing, "usp_LoadCustomer"),
    "DIALECT_NOT_SUPPORTED": (other_dialect, "snowflake"),
    "MODEL_NAME_CONFLICT": (name_taken, "[model_names]"),
}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return write_project(tmp_path / "project", ["silver.Customer"])


@pytest.mark.parametrize("code", PROJECT_LEVEL)
def test_project_level_guards_stop_everything(code: str, root: Path) -> None:
    damage, named = PROJECT_LEVEL[code]
    damage(root)
    done = proc2dbt("--headless", "--in-place", "--json", "silver.Customer", cwd=root)
    assert done.returncode == 2
    assert done.stderr.startswith(f"{code}: ")
    assert named in done.stderr
    document = json.loads(done.stdout)
    assert document["errors"][0]["code"] == code
    assert document["items"][0]["status"] == "error"
    assert not (root / ".migration-runs").exists(), "guards touch no file"


@pytest.mark.parametrize("code", ITEM_LEVEL)
def test_item_level_guards_fail_their_item(code: str, root: Path) -> None:
    damage, named = ITEM_LEVEL[code]
    damage(root)
    done = proc2dbt("--headless", "--in-place", "--json", "silver.Customer", cwd=root)
    assert done.returncode == 1
    document = json.loads(done.stdout)
    (item,) = document["items"]
    (error,) = item["output"]["errors"]
    assert error["code"] == code.strip()
    assert named in error["message"]
    assert error["item_id"] == "silver.customer"
    assert error["severity"] == "error"


def test_two_tables_that_would_share_a_model_name(tmp_path: Path) -> None:
    root = write_project(tmp_path / "project", ["silver.Customer", "gold.Customer"])
    done = proc2dbt("--headless", "--in-place", "silver.Customer", cwd=root)
    assert done.returncode == 1
    assert "silver.Customer  error (MODEL_NAME_CONFLICT)" in done.stdout
    assert "gold.Customer" in done.stderr


def test_an_unknown_table_is_named_with_a_suggestion(root: Path) -> None:
    done = proc2dbt("--headless", "--in-place", "silver.Custmer", cwd=root)
    assert done.returncode == 1
    assert "TABLE_UNKNOWN" in done.stdout
    assert "silver.customer" in done.stderr


def test_without_tables_headless_is_a_usage_error(root: Path) -> None:
    done = proc2dbt("--headless", cwd=root)
    assert done.returncode == 2
    assert "Name the tables" in done.stderr


def test_an_unknown_setting_is_an_error_with_a_suggestion(root: Path) -> None:
    (root / "proc2dbt.toml").write_text("jbos = 3\n")
    done = proc2dbt("--headless", "--in-place", "silver.Customer", cwd=root)
    assert done.returncode == 2
    assert done.stderr.startswith("SETTINGS_INVALID: ")
    assert "jobs" in done.stderr


def test_nothing_is_sent_to_claude_without_consent(root: Path) -> None:
    done = proc2dbt(
        *("--headless", "--in-place", "--author", "claude", "silver.Customer"),
        cwd=root,
        ANTHROPIC_API_KEY="no-key",
    )
    assert done.returncode == 1
    assert "error (CONSENT_MISSING)" in done.stdout
    assert "--yes agrees" in done.stderr


def test_outside_a_repository_a_worktree_run_says_what_to_do(root: Path) -> None:
    done = proc2dbt("--headless", "silver.Customer", cwd=root)
    assert done.returncode == 2
    assert done.stderr.startswith("GIT_NOT_READY: ")
    assert "--in-place" in done.stderr


def test_resume_without_a_run_lists_what_there_is(root: Path) -> None:
    done = proc2dbt("--headless", "--resume", cwd=root)
    assert done.returncode == 2
    assert "there are no runs" in done.stderr


def test_names_in_any_case_and_quoting_are_one_table(root: Path) -> None:
    no_profile(root)
    done = proc2dbt(
        *("--headless", "--in-place", "[Silver].[CUSTOMER]", "silver.customer"), cwd=root
    )
    assert "1 table processed" in done.stdout


def test_explain_schema_and_config(root: Path) -> None:
    assert "EQUIVALENCE_GAP" in proc2dbt("explain", "equivalence_gap", cwd=root).stdout
    unknown = proc2dbt("explain", "EQUIVALENCE_GAPP", cwd=root)
    assert unknown.returncode == 2
    assert "EQUIVALENCE_GAP" in unknown.stderr
    schema = json.loads(proc2dbt("schema", "catalog", cwd=root).stdout)
    assert "columns" in schema["properties"]
    assert proc2dbt("schema", "nonsense", cwd=root).returncode == 2
    assert "author" in proc2dbt("config", cwd=root).stdout


@pytest.mark.parametrize(
    "arguments",
    [
        ("--headless", "--json"),
        ("--headless", "--json", "--nonsense"),
        ("--headless", "--json", "--resume"),
        ("--headless", "--json", "silver.Customer"),
    ],
)
def test_json_is_one_document_also_where_nothing_ran(
    arguments: tuple[str, ...], root: Path
) -> None:
    done = proc2dbt(*arguments, cwd=root)
    assert done.returncode == 2
    (error,) = json.loads(done.stdout)["errors"]
    assert error["message"] in done.stderr
