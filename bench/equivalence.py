"""Equivalence over the demo: verdict, CPU and wall time per item and data set, mutation score.

python -m bench.equivalence [TABLE ...]

The comparisons run in this process, in a mini-project as a warm worker has one, so that their
processor time can be told; what dbt needs once for its imports is spent before the first.
"""

from __future__ import annotations

import asyncio
import os
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

from core.dbt.launch import work_folder
from core.dbt.miniproject import copy_base
from core.dbt.pool import WorkerPool
from core.dbt.worker_preload import WORK_ENV, warm_up
from core.demo import copy_demo
from core.equivalence.subject import Subject
from core.equivalence.task import CompareTask
from core.pipeline import checking
from core.pipeline.plan import plan_run
from core.project.project import MigrationProject
from core.project.settings import Settings


async def subjects(words: list[str]) -> list[Subject]:
    """The demo's tables with a model, or whose procedure compiles."""
    root = Path(tempfile.mkdtemp()) / "retail"
    copy_demo(root)
    project = MigrationProject.open(root)
    settings = Settings()
    items = [i for i in project.tables() if project.table(i).writer is not None]
    items = [i for i in items if not words or any(w.lower() in i for w in words)]
    plan = plan_run(project, items, settings)
    pool = WorkerPool(1)
    found = []
    try:
        for item in items:
            if item in plan.refused:
                print(f"{item:32} {plan.refused[item].message}")
                continue
            job = plan.job(item, {k: v for k, v in plan.existing_models.items() if k != item})
            subject = await checking._subject(job, plan, settings.equivalence, pool)
            if isinstance(subject, str):
                print(f"{item:32} {subject}")
            else:
                found.append(subject)
    finally:
        await pool.aclose()
    return found


def main(words: list[str]) -> None:
    """Check the demo's tables one after the other and print a line for each."""
    wanted = asyncio.run(subjects(words))
    os.environ.setdefault(WORK_ENV, str(work_folder()))
    folder = Path(tempfile.mkdtemp(dir=work_folder()))
    copy_base(warm_up(), folder)
    os.chdir(folder)
    killed = mutants = 0
    spent = []
    for subject in wanted:
        started, cpu_started = time.perf_counter(), time.process_time()
        result = CompareTask(subject).run(folder, lambda line: None)
        cpu, wall = time.process_time() - cpu_started, time.perf_counter() - started
        spent.append(cpu)
        trials = result.report.get("trials", 0)
        score = result.report.get("mutation", {})
        killed += score.get("killed", 0)
        mutants += score.get("mutants", 0)
        print(f"{subject.item_id:32} {result.verdict.value:17} {cpu:5.1f} s CPU {wall:6.1f} s wall")
        if trials:
            sets = f"{1000 * cpu / trials:.0f} ms CPU, {1000 * wall / trials:.0f} ms wall"
            print(f"    per data set ({trials}, mutants included): {sets}")
        print(f"    {result.sentence}")
        for survivor in score.get("survivors", ()):
            print(f"    survivor: {survivor['kind']}: {survivor['text']}")
        sys.stdout.flush()
    if spent:
        print(f"CPU per item: median {median(spent):.1f} s, most {max(spent):.1f} s")
    print(f"mutants told apart: {killed} of {mutants}")


if __name__ == "__main__":
    main(sys.argv[1:])
