"""``--target`` against a DuckDB file of one's own; profiles missing, broken, of other types."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import duckdb
import pytest

from core.dbt.pool import WorkerPool
from core.dbt.profiles import FoundProfile, find_profile
from core.dbt.recency import RECENCY_PATH, RECENCY_SQL
from core.dbt.sources import SOURCES_PATH, add_sources
from core.dbt.values import duckdb_type
from core.dbt.verify import TargetCheck, TargetRequest
from core.project.codes import Code
from core.project.dbtfiles import DbtProjectFiles
from tests.core.dbt.items import Item, build_item, shop_sql

OTHERS = """
    snow:
      type: snowflake
      account: x
    odd:
      type: nosuchadapter
    broken: 17
"""


def warehouse(root: Path, item: Item) -> TargetRequest:
    """The item's dbt project with its files written and a DuckDB file with its source."""
    dbt = root / "dbt"
    staging = dbt / "models" / "staging"
    (staging / f"{item.model_name}.sql").write_text(item.sql)
    (staging / f"_{item.model_name}.yml").write_text(item.request.yaml_text)
    (dbt / SOURCES_PATH).write_text(add_sources(None, item.artifacts.sources))
    (dbt / RECENCY_PATH).parent.mkdir(parents=True)
    (dbt / RECENCY_PATH).write_text(RECENCY_SQL)
    file = root / "warehouse.duckdb"
    (dbt / "profiles.yml").write_text(
        "shop:\n  target: dev\n  outputs:\n    dev:\n      type: duckdb\n"
        "      path: \"{{ env_var('SHOP_DB') }}\"\n" + OTHERS
    )
    source = next(r for r in item.inputs if r.source)
    columns = ", ".join(f'"{c.name}" {duckdb_type(c.sql_type)}' for c in source.columns)
    with duckdb.connect(str(file)) as connection:
        connection.execute(f"create schema bronze; create table bronze.OrderLine ({columns})")
        connection.execute("create table stg_dimcustomer (CustomerId int, CustomerName varchar)")
    return TargetRequest(
        item_id=item.request.item_id,
        model_name=item.model_name,
        dbt_root=dbt,
        target="dev",
        expected_tests=item.request.expected_tests,
        profiles_dir=str(dbt),
        env={"SHOP_DB": str(file)},
        deadline_s=120,
    )


async def test_a_green_model_is_built_on_the_target(pool: WorkerPool, tmp_path: Path) -> None:
    request = warehouse(tmp_path, build_item(tmp_path, 1, "merge"))
    assert (await pool.check_target(request)).ok
    found = await pool.verify_on_target(request, lambda line: None)
    assert found.tests_passed, found
    assert found.where == "target dev"
    with duckdb.connect(str(tmp_path / "warehouse.duckdb")) as connection:
        assert connection.execute("select count(*) from stg_factorderline1").fetchone() == (0,)


async def test_a_red_model_is_red_there_too(pool: WorkerPool, tmp_path: Path) -> None:
    sql = shop_sql(1, "table").replace("l.Quantity,", "l.Quantity + 1 as Quantity,")
    request = warehouse(tmp_path, build_item(tmp_path, 1, "table", sql=sql))
    found = await pool.verify_on_target(request, lambda line: None)
    assert not found.tests_passed
    assert found.lost == ""
    assert any(not test.ok for test in found.tests)


_HOLD = "import duckdb, sys; c = duckdb.connect(sys.argv[1]); print('held', flush=True); input()"


async def test_a_locked_database_is_a_failed_connection(pool: WorkerPool, tmp_path: Path) -> None:
    request = warehouse(tmp_path, build_item(tmp_path, 1, "table"))
    holder = subprocess.Popen(  # noqa: ASYNC220 - starts at once
        [sys.executable, "-c", _HOLD, str(tmp_path / "warehouse.duckdb")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    try:
        assert holder.stdout is not None
        holder.stdout.readline()
        check = await pool.check_target(request)
        assert check.code is Code.DBT_CONNECTION_FAILED
        assert "in use by another process" in check.message
        found = await pool.verify_on_target(request, lambda line: None)
        assert found.lost_code == "DBT_CONNECTION_FAILED"
        assert "in use by another process" in found.lost
    finally:
        holder.communicate(b"\n")


@pytest.mark.parametrize(
    ("target", "code", "words"),
    [
        ("snow", Code.DIALECT_NOT_SUPPORTED, "type 'snowflake'"),
        ("odd", Code.DIALECT_NOT_SUPPORTED, "type 'nosuchadapter'"),
        ("broken", Code.DBT_PROFILE_MISSING, "no target 'broken'"),
        ("prod", Code.DBT_PROFILE_MISSING, "no target 'prod'"),
    ],
)
def test_a_target_that_cannot_be_used_is_refused_before_any_work(
    tmp_path: Path, target: str, code: Code, words: str
) -> None:
    warehouse(tmp_path, build_item(tmp_path, 1, "table"))
    found = find_profile(DbtProjectFiles(tmp_path / "dbt"), target, {})
    assert isinstance(found, TargetCheck)
    assert found.code is code
    assert words in found.message


def test_an_adapter_that_is_not_installed_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import importlib.metadata

    def distribution(name: str) -> object:
        raise importlib.metadata.PackageNotFoundError(name)

    warehouse(tmp_path, build_item(tmp_path, 1, "table"))
    monkeypatch.setattr(importlib.metadata, "distribution", distribution)
    found = find_profile(DbtProjectFiles(tmp_path / "dbt"), "dev", {})
    assert isinstance(found, TargetCheck)
    assert found.code is Code.DIALECT_NOT_SUPPORTED
    assert "needs the adapter dbt-duckdb, which is not installed" in found.message


def test_profiles_are_looked_for_where_dbt_looks(tmp_path: Path) -> None:
    dbt = tmp_path / "dbt"
    dbt.mkdir()
    (dbt / "dbt_project.yml").write_text("name: shop\nprofile: shop\n")
    env = {"HOME": str(tmp_path / "home")}
    files = DbtProjectFiles(dbt)
    missing = find_profile(files, "dev", env)
    assert isinstance(missing, TargetCheck)
    assert missing.code is Code.DBT_PROFILE_MISSING
    text = "shop:\n  outputs:\n    dev: {type: duckdb, path: x}\n"
    for folder in (tmp_path / "home" / ".dbt", dbt, tmp_path / "own"):
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "profiles.yml").write_text(text)
        if folder.name == "own":
            env["DBT_PROFILES_DIR"] = str(folder)
        found = find_profile(files, "dev", env)
        assert isinstance(found, FoundProfile)
        assert found.profiles_dir == folder
    (tmp_path / "own" / "profiles.yml").write_text("shop: [\n")
    broken = find_profile(files, "dev", env)
    assert isinstance(broken, TargetCheck)
    assert "not readable YAML" in broken.message


async def test_a_profile_of_another_type_does_not_touch_the_default_verification(
    pool: WorkerPool, tmp_path: Path
) -> None:
    item = build_item(tmp_path, 1, "table")
    (tmp_path / "dbt" / "profiles.yml").write_text("shop: {target: p, outputs: {p: {type: [}}}")
    assert (await pool.verify(item.request, lambda line: None)).tests_passed


async def test_a_missing_file_is_a_failed_connection(pool: WorkerPool, tmp_path: Path) -> None:
    request = warehouse(tmp_path, build_item(tmp_path, 1, "table"))
    elsewhere = replace(request, env={"SHOP_DB": str(tmp_path / "no" / "such" / "folder.duckdb")})
    check = await pool.check_target(elsewhere)
    assert check.code is Code.DBT_CONNECTION_FAILED
    assert check.message.count("\n") == 0
