"""``--target NAME``: guards of the profile, and a run against a DuckDB file of the project."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.core.pipeline.small_project import write_project
from tests.e2e.test_guards import proc2dbt

PROFILES = """\
small:
  target: dev
  outputs:
    dev:
      type: duckdb
      path: {path}
    cloud:
      type: snowflake
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = write_project(tmp_path / "project", ["silver.Customer"])
    (root / "dbt/profiles.yml").write_text(PROFILES.format(path=tmp_path / "warehouse.duckdb"))
    return root


@pytest.mark.parametrize(
    ("target", "code"), [("nowhere", "DBT_PROFILE_MISSING"), ("cloud", "DIALECT_NOT_SUPPORTED")]
)
def test_a_target_that_cannot_be_used_fails_every_item(root: Path, target: str, code: str) -> None:
    done = proc2dbt(
        *("--headless", "--in-place", "--json", "--target", target, "silver.Customer"), cwd=root
    )
    assert done.returncode == 2
    assert done.stderr.startswith(f"{code}: ")
    assert json.loads(done.stdout)["items"][0]["status"] == "error"
    assert not (root / ".migration-runs").exists()


def test_profiles_are_found_where_dbt_finds_them(root: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (root / "dbt/profiles.yml").rename(elsewhere / "profiles.yml")
    arguments = ("--headless", "--dry-run", "--target", "dev", "silver.Customer")
    missing = proc2dbt(*arguments, cwd=root, HOME=str(tmp_path), DBT_PROFILES_DIR="")
    assert missing.stderr.startswith("DBT_PROFILE_MISSING: ")
    found = proc2dbt(*arguments, cwd=root, HOME=str(tmp_path), DBT_PROFILES_DIR=str(elsewhere))
    assert found.returncode == 0, found.stderr


@pytest.mark.slow
def test_a_warehouse_that_does_not_answer(root: Path) -> None:
    (root.parent / "warehouse.duckdb").write_text("this is no database")
    done = proc2dbt(
        *("--headless", "--in-place", "--target", "dev", "silver.Customer"), cwd=root, timeout=300
    )
    assert done.returncode == 2
    assert done.stderr.startswith("DBT_CONNECTION_FAILED: ")
    assert not (root / ".migration-runs").exists()


@pytest.mark.slow
def test_the_model_is_built_and_tested_on_the_target(root: Path) -> None:
    import duckdb

    with duckdb.connect(str(root.parent / "warehouse.duckdb")) as warehouse:
        warehouse.execute("create schema bronze")
        warehouse.execute("create table bronze.Customer as select 1 as Id, 'a' as Name")
    done = proc2dbt(
        *("--headless", "--in-place", "--json", "--target", "dev", "silver.Customer"),
        cwd=root,
        timeout=300,
    )
    document = json.loads(done.stdout)
    (item,) = document["items"]
    assert item["output"]["execution"]["where"] == "embedded duckdb and target dev", done.stderr
    assert done.returncode == 0, done.stderr
    with duckdb.connect(str(root.parent / "warehouse.duckdb")) as warehouse:
        found = warehouse.execute("select count(*) from stg_customer").fetchone()
    assert found == (1,)
