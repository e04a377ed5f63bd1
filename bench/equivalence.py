"""Equivalence over the demo: verdict, CPU time, milliseconds per data set, mutation score.

python -m bench.equivalence [TABLE ...]
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
import time
from pathlib import Path

from core.dbt.pool import WorkerPool
from core.demo import copy_demo
from core.pipeline.checking import check_tables
from core.pipeline.plan import plan_run
from core.project.project import MigrationProject
from core.project.settings import Settings


async def main(words: list[str]) -> None:
    """Check the demo's tables one after the other and print a line for each."""
    root = Path(tempfile.mkdtemp()) / "retail"
    copy_demo(root)
    project = MigrationProject.open(root)
    settings = Settings()
    items = [i for i in project.tables() if project.table(i).writer is not None]
    items = [i for i in items if not words or any(w.lower() in i for w in words)]
    plan = plan_run(project, items, settings)
    pool = WorkerPool(1)
    killed = mutants = 0
    try:
        for item in items:
            started = time.perf_counter()
            result = (await check_tables(plan, [item], settings.equivalence, pool))[item]
            seconds = time.perf_counter() - started
            trials = result.report.get("trials", 0)
            score = result.report.get("mutation", {})
            killed += score.get("killed", 0)
            mutants += score.get("mutants", 0)
            each = f"{1000 * seconds / trials:.0f} ms/set" if trials else ""
            print(f"{item:32} {result.verdict.value:17} {seconds:6.1f} s wall {each}")
            print(f"    {result.sentence}")
            for survivor in score.get("survivors", ()):
                print(f"    survivor: {survivor['kind']}: {survivor['text']}")
    finally:
        await pool.aclose()
    print(f"mutants told apart: {killed} of {mutants}")


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1:]))
