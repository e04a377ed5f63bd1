"""How long one edit of a model takes to verify: a cold ``dbt test`` against the warm workers.

    python -m bench.dbt_verify [--models 10,100,1000] [--cold 3] [--warm 9]

Both sides verify the same edits of the same two items, in turn, in one run on one machine. The
cold side is the ``dbt`` command as a process on a DuckDB file, its partial parse already saved.
The warm side is printed in its parts: pre-check, dbt's verdict, replay. Beside the wall time
stands the CPU time of the processes that do the work, which says more on a busy machine.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable
from dataclasses import dataclass, replace
from pathlib import Path

import duckdb

from core.dbt.outcome import Verification
from core.dbt.pool import WorkerPool
from core.dbt.recency import RECENCY_PATH, RECENCY_SQL
from core.dbt.sources import SOURCES_PATH, add_sources
from core.dbt.values import duckdb_type
from tests.core.dbt.items import Assumed, Item, build_item

DBT = str(Path(sys.executable).with_name("dbt"))
ITEMS = {"2 unit + 5 data tests": (1, 2), "8 unit + 5 data tests": (2, 8)}
TARGETS = {(10, 0): 10.0, (1000, 0): 30.0, (10, 1): 6.0, (1000, 1): 20.0}
KEY_IS_SET = (Assumed("not_null", "every line has an order", columns=("OrderNumber",)),)


FILLER_COLUMNS = [f"attribute_{number}" for number in range(1, 14)]
FILLER_SQL = """\
{{ config(materialized='view') }}

with earlier as (

    select * from BEFORE

),

final as (

    select
        id,
        id + 1 as next_id,
        'x' as name,
        COLUMNS
    from earlier

)

select * from final
""".replace("COLUMNS", ",\n        ".join(f"{n} as {c}" for n, c in enumerate(FILLER_COLUMNS)))

FILLER_YAML = """\
version: 2
models:
  - name: filler_N
    description: model number N
    columns:
      - name: id
        description: the id
        data_tests: [unique, not_null]
      - name: next_id
        description: the id after it
        data_tests: [not_null]
      - name: name
        description: a name
        data_tests: [not_null]
""" + "".join(
    f"      - name: {column}\n        description: the attribute\n"
    + ("        data_tests: [not_null]\n" if column == "attribute_1" else "")
    for column in FILLER_COLUMNS
)


def write_filler(folder: Path, count: int) -> None:
    """``count`` models of the item's kind: a ref, 16 described columns, five data tests each."""
    for number in range(count):
        before = f"{{{{ ref('filler_{number - 1}') }}}}" if number % 10 else "(select 1 as id)"
        group = folder / "models" / f"group_{number // 50}"
        group.mkdir(parents=True, exist_ok=True)
        (group / f"filler_{number}.sql").write_text(FILLER_SQL.replace("BEFORE", before))
        (group / f"_filler_{number}.yml").write_text(
            FILLER_YAML.replace("filler_N", f"filler_{number}")
        )


def write_cold_project(folder: Path, items: list[Item], models: int) -> None:
    """The project in which a developer would run ``dbt test --select``."""
    write_filler(folder, models - len(items) - 1)
    staging = folder / "models" / "staging"
    staging.mkdir(parents=True, exist_ok=True)
    (folder / "dbt_project.yml").write_text(
        "name: shop\nversion: '1.0'\nprofile: shop\nmodel-paths: [models]\ntest-paths: [tests]\n"
        "flags:\n  send_anonymous_usage_stats: false\n"
        "  require_generic_test_arguments_property: true\n"
    )
    (folder / "profiles.yml").write_text(
        "shop:\n  target: dev\n  outputs:\n    dev:\n      type: duckdb\n"
        f"      path: {folder / 'shop.duckdb'}\n      threads: 1\n"
    )
    (staging / "stg_dimcustomer.sql").write_text(
        "{{ config(materialized='table') }}\nselect 1 as CustomerId, 'x' as CustomerName\n"
    )
    sources = [addition for item in items for addition in item.artifacts.sources]
    (folder / SOURCES_PATH).write_text(add_sources(None, sources))
    (folder / RECENCY_PATH).parent.mkdir(parents=True, exist_ok=True)
    (folder / RECENCY_PATH).write_text(RECENCY_SQL)
    for item in items:
        write_edit(folder, item, 0)
    source = next(r for r in items[0].inputs if r.source)
    columns = ", ".join(f'"{c.name}" {duckdb_type(c.sql_type)}' for c in source.columns)
    with duckdb.connect(str(folder / "shop.duckdb")) as connection:
        connection.execute(f"create schema bronze; create table bronze.OrderLine ({columns})")
    names = [item.model_name for item in items]
    dbt(folder, "run", "--select", "stg_dimcustomer", *names)


def edited(item: Item, edit: int) -> tuple[str, str]:
    """SQL and YAML of an item after an edit that changes both and no meaning."""
    sql = item.sql.replace("-- order lines of batch", f"-- edit {edit}, order lines of batch")
    yaml_text = item.request.yaml_text.replace("Migrated from", f"Edit {edit}. Migrated from")
    return sql, yaml_text


def write_edit(folder: Path, item: Item, edit: int) -> None:
    sql, yaml_text = edited(item, edit)
    staging = folder / "models" / "staging"
    (staging / f"{item.model_name}.sql").write_text(sql)
    (staging / f"_{item.model_name}.yml").write_text(yaml_text)


@dataclass(frozen=True)
class Cost:
    """Seconds one verification took."""

    wall: float
    cpu: float


def worker_cpu(pool: WorkerPool) -> float:
    """CPU seconds the pool's one worker has used (0 where the system does not tell)."""
    try:
        text = Path(f"/proc/{pool.workers[0]}/stat").read_text()
    except OSError:
        return 0.0
    fields = text.rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def dbt(folder: Path, *arguments: str) -> Cost:
    """Run dbt as a process; it has to succeed."""
    places = ["--project-dir", str(folder), "--profiles-dir", str(folder)]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    started = time.perf_counter()
    done = subprocess.run(
        [DBT, "--no-use-colors", *arguments, *places],
        capture_output=True,
        text=True,
        check=False,
        cwd=folder,
        stdin=subprocess.DEVNULL,
    )
    seconds = time.perf_counter() - started
    if done.returncode != 0:
        raise SystemExit(f"dbt {arguments[0]} failed:\n{done.stdout[-3000:]}{done.stderr[-2000:]}")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Cost(seconds, cpu)


async def warm_costs(pool: WorkerPool, item: Item, edit: int) -> dict[str, Cost]:
    """The cost of one edit in the warm workers, by part."""
    sql, yaml_text = edited(item, edit)
    request = replace(item.request, sql=sql, yaml_text=yaml_text)
    costs: dict[str, Cost] = {}

    async def timed(part: str, asked: Awaitable[Verification]) -> Verification:
        cpu, started = worker_cpu(pool), time.perf_counter()
        found = await asked
        if not found.tests_passed:
            raise SystemExit(f"{item.model_name} does not pass: {found}")
        costs[part] = Cost(time.perf_counter() - started, worker_cpu(pool) - cpu)
        return found

    await timed("pre-check", pool.precheck(request))
    await timed("dbt verdict", pool.verify(replace(request, replay=False), _quietly))
    whole = await timed("with replay", pool.verify(request, _quietly))
    both, verdict = costs.pop("with replay"), costs["dbt verdict"]
    costs["replay"] = Cost(whole.timings["replay"], max(0.0, both.cpu - verdict.cpu))
    return costs


def _quietly(line: str) -> None:
    return


def median(costs: list[Cost]) -> Cost:
    """The medians of wall and CPU time."""
    return Cost(
        statistics.median(cost.wall for cost in costs),
        statistics.median(cost.cpu for cost in costs),
    )


def times(reference: float, seconds: float) -> str:
    """How many times faster, in a column of its own."""
    return f"{reference / seconds:6.1f}x" if seconds else f"{'':7}"


async def measure(models: list[int], cold: int, warm: int) -> None:
    root = Path(tempfile.mkdtemp(prefix="proc2dbt-bench-"))
    items = [
        build_item(root / f"item{number}", number, "merge", count=count, assumptions=KEY_IS_SET)
        for number, count in ITEMS.values()
    ]
    pool = WorkerPool(jobs=1)
    pool.start_early()
    await pool.verify(items[0].request, _quietly)
    medians: dict[tuple[int, int, str], Cost] = {}
    for count in models:
        folder = root / f"cold{count}"
        write_cold_project(folder, items, count)
        for index, (name, item) in enumerate(zip(ITEMS, items, strict=True)):
            cold_costs: list[Cost] = []
            parts: dict[str, list[Cost]] = {}
            for edit in range(1, max(cold, warm) + 1):
                if edit <= cold:
                    write_edit(folder, item, edit)
                    cold_costs.append(dbt(folder, "test", "--select", item.model_name))
                if edit <= warm:
                    for part, cost in (await warm_costs(pool, item, edit)).items():
                        parts.setdefault(part, []).append(cost)
            reference = median(cold_costs)
            print(f"\n{count} models, {name} (medians of {cold} cold, {warm} warm)")
            print(f"  {'cold dbt test':14} {reference.wall * 1000:9.0f} ms wall", end="")
            print(f"            {reference.cpu * 1000:9.0f} ms cpu")
            for part, found in parts.items():
                medians[count, index, part] = cost = median(found)
                goal = 50.0 if part == "pre-check" else TARGETS.get((count, index), 0.0)
                wanted = f"   wanted {goal:.0f}x" if goal and part != "replay" else ""
                walls, cpus = times(reference.wall, cost.wall), times(reference.cpu, cost.cpu)
                print(
                    f"  {part:14} {cost.wall * 1000:9.1f} ms wall {walls}"
                    f"  {cost.cpu * 1000:9.0f} ms cpu {cpus}{wanted}",
                    flush=True,
                )
    await pool.aclose()
    if len(models) > 1:
        print()
        for index, name in enumerate(ITEMS):
            low, high = (medians[n, index, "dbt verdict"] for n in (models[0], models[-1]))
            print(
                f"verdict at {models[-1]} models / at {models[0]}: {high.wall / low.wall:.2f}"
                f"   (wanted at most 1.2; {name})"
            )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--models", default="10,100,1000")
    parser.add_argument("--cold", type=int, default=3)
    parser.add_argument("--warm", type=int, default=9)
    chosen = parser.parse_args()
    models = [int(n) for n in chosen.models.split(",")]
    asyncio.run(measure(models, chosen.cold, chosen.warm))


if __name__ == "__main__":
    main()
