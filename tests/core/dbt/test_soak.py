"""Long suites: 200 different items through one pool, and a sample compared with cold dbt."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import duckdb
import pytest

from bench.dbt_verify import DBT
from core.dbt.outcome import TestKind
from core.dbt.pool import WorkerPool
from core.dbt.recency import RECENCY_PATH, RECENCY_SQL
from core.dbt.sources import SOURCES_PATH, add_sources
from core.dbt.values import duckdb_type
from tests.core.dbt.items import CONFIGS, Item, build_item, shop_sql

pytestmark = pytest.mark.slow

KINDS = list(CONFIGS)
FLAWS = {
    "pass": ("l.Quantity,", "l.Quantity,"),
    "fail": ("l.Quantity,", "l.Quantity + 1 as Quantity,"),
    "error": ("l.Quantity,", "l.Quantty as Quantity,"),
}


def varied(root: Path, number: int) -> Item:
    """Item ``number``: one of four materializations, one of three outcomes."""
    kind = KINDS[number % 4]
    good, flawed = FLAWS[list(FLAWS)[number % 3]]
    sql = shop_sql(number, kind).replace(good, flawed)
    return build_item(root, number, kind, sql=sql)


def resident_mb(pid: int | None) -> float:
    text = Path(f"/proc/{pid}/status").read_text()
    return int(text.split("VmRSS:")[1].split()[0]) / 1024


def open_files(pid: int | None) -> int:
    return len(list(Path(f"/proc/{pid}/fd").iterdir()))


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="memory is read from /proc")
async def test_two_hundred_items_leak_nothing(tmp_path: Path) -> None:
    pool = WorkerPool(jobs=1)
    pool.start_early()
    memory = []
    for number in range(200):
        found = await pool.verify(varied(tmp_path / str(number), number).request, lambda line: None)
        assert found.lost == ""
        assert found.tests_passed is (number % 3 == 0), found
        worker = pool._idle[0].process.pid
        memory.append(resident_mb(worker))
        if number % 20 == 19:
            files = open_files(worker)
            print(f"{number + 1} items: {memory[-1]:.0f} MB, {files} open files")
    await pool.aclose()
    assert memory[-1] - memory[19] < 40


def cold_results(root: Path, items: list[Item]) -> dict[str, str]:
    """Test name to status of one cold ``dbt test`` over all items, tables in place."""
    dbt = root / "dbt"
    staging = dbt / "models" / "staging"
    for item in items:
        (staging / f"{item.model_name}.sql").write_text(item.sql)
        (staging / f"_{item.model_name}.yml").write_text(item.request.yaml_text)
    (dbt / SOURCES_PATH).write_text(add_sources(None, items[0].artifacts.sources))
    (dbt / RECENCY_PATH).parent.mkdir(parents=True, exist_ok=True)
    (dbt / RECENCY_PATH).write_text(RECENCY_SQL)
    file = root / "cold.duckdb"
    (dbt / "profiles.yml").write_text(
        f"shop:\n  target: d\n  outputs:\n    d: {{type: duckdb, path: '{file}'}}\n"
    )
    source = next(r for r in items[0].inputs if r.source)
    with duckdb.connect(str(file)) as connection:
        columns = ", ".join(f'"{c.name}" {duckdb_type(c.sql_type)}' for c in source.columns)
        connection.execute(f"create schema bronze; create table bronze.OrderLine ({columns})")
        connection.execute("create table stg_dimcustomer (CustomerId int, CustomerName varchar)")
        for item in items:
            target = item.request.target.columns
            columns = ", ".join(f'"{c.name}" {duckdb_type(c.sql_type)}' for c in target)
            connection.execute(f"create table {item.model_name} ({columns})")
    names = [item.model_name for item in items]
    places = ["--project-dir", str(dbt), "--profiles-dir", str(dbt)]
    subprocess.run(
        [DBT, "test", "--select", *names, *places], capture_output=True, check=False, cwd=dbt
    )
    results = json.loads((dbt / "target" / "run_results.json").read_text())["results"]
    return {".".join(r["unique_id"].split(".")[2:]): r["status"] for r in results}


async def test_fifty_items_end_as_in_cold_dbt(pool: WorkerPool, tmp_path: Path) -> None:
    """Passes, failures and errors: every test of 50 items, by name and status."""
    items = [varied(tmp_path, number) for number in range(50)]
    cold = cold_results(tmp_path, items)
    compared = 0
    for item in items:
        found = await pool.verify(replace(item.request, replay=False), lambda line: None)
        for test in found.tests:
            prefix = f"{item.model_name}." if test.kind is TestKind.UNIT else ""
            matching = [
                v
                for k, v in cold.items()
                if k == prefix + test.name or k.startswith(test.name + ".")
            ]
            assert matching == [test.status.value], (item.model_name, test)
            compared += 1
    print(f"{compared} tests of {len(items)} items end alike")
    assert compared >= 250
