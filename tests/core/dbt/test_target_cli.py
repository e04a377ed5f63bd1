"""``--target`` as a user runs it: red, file locked, adapter missing, wrong dialect."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import duckdb
import pytest

from tests.core.pipeline.small_project import write_project
from tests.e2e.test_guards import proc2dbt

PROFILES = """\
small:
  target: dev
  outputs:
    dev: {{type: duckdb, path: '{path}'}}
    cloud: {{type: snowflake, account: x}}
    odd: {{type: nosuchadapter}}
"""
_HOLD = "import duckdb, sys; c = duckdb.connect(sys.argv[1]); print('held', flush=True); input()"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = write_project(tmp_path / "project", ["silver.Customer"])
    (root / "dbt/profiles.yml").write_text(PROFILES.format(path=tmp_path / "warehouse.duckdb"))
    return root


def fill(root: Path, rows: str) -> Path:
    """The warehouse with these customers; its file."""
    file = root.parent / "warehouse.duckdb"
    with duckdb.connect(str(file)) as warehouse:
        warehouse.execute("create schema bronze")
        warehouse.execute(f"create table bronze.Customer as {rows}")
    return file


def run(root: Path, target: str) -> tuple[subprocess.CompletedProcess[str], dict[str, Any]]:
    """The command's ending and the one item of its document."""
    done = proc2dbt(
        *("--headless", "--in-place", "--json", "--target", target, "silver.Customer"),
        cwd=root,
        timeout=400,
    )
    (item,) = json.loads(done.stdout)["items"]
    return done, item


@pytest.mark.parametrize(
    ("target", "words"),
    [("cloud", "adapter 'snowflake'"), ("odd", "adapter 'nosuchadapter'")],
)
def test_another_dialect_and_a_missing_adapter_are_refused(
    root: Path, target: str, words: str
) -> None:
    done, item = run(root, target)
    assert done.returncode == 2
    assert done.stderr.startswith("DIALECT_NOT_SUPPORTED: ")
    assert words in done.stderr
    assert item["status"] == "error"


@pytest.mark.slow
def test_a_warehouse_whose_rows_break_a_test_is_red(root: Path) -> None:
    file = fill(root, "select * from (values (1, 'a'), (1, 'b')) as v(Id, Name)")
    done, item = run(root, "dev")
    assert item["output"]["execution"]["where"] == "embedded duckdb and target dev", done.stderr
    assert done.returncode != 0
    assert item["status"] != "ok"
    told = json.dumps(item)
    assert "unique_stg_customer_Id" in told
    with duckdb.connect(str(file)) as warehouse:
        assert warehouse.execute("select count(*) from stg_customer").fetchone() == (2,)


@pytest.mark.slow
def test_a_locked_warehouse_is_a_failed_connection(root: Path) -> None:
    file = fill(root, "select 1 as Id, 'a' as Name")
    holder = subprocess.Popen(
        [sys.executable, "-c", _HOLD, str(file)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    try:
        assert holder.stdout is not None
        holder.stdout.readline()
        done, item = run(root, "dev")
    finally:
        holder.communicate(b"\n")
    assert done.returncode == 2
    assert done.stderr.startswith("DBT_CONNECTION_FAILED: ")
    assert "in use by another process" in done.stderr
    assert item["status"] == "error"
