"""Compiling in worker processes: the same answer as here, and nothing that a stranger's text does
to the compiler reaches further than its own item."""

from __future__ import annotations

from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path

import pytest

from core.compiler.result import Compiled, Unsupported
from core.dbt.pool import WorkerPool
from core.generation.author import Draft, Job, Refusal
from core.generation.compiler_author import CompilerAuthor
from core.generation.compiling import PooledCompiler, compile_here
from core.pipeline.plan import plan_run
from core.project.codes import Code
from core.project.project import MigrationProject
from core.project.settings import Settings
from tests.core.generation.compile_tasks import Deadly, Defective, Endless, as_task
from tests.core.pipeline.small_project import write_project


@pytest.fixture
def job(tmp_path: Path) -> Job:
    root = write_project(tmp_path / "project", ["silver.Customer", "silver.Store"])
    project = MigrationProject.open(root)
    return plan_run(project, ["silver.customer"], Settings()).job("silver.customer", {})


@pytest.fixture
async def pool() -> AsyncIterator[WorkerPool]:
    pool = WorkerPool(1)
    yield pool
    await pool.aclose()


def quiet(line: str) -> None:
    assert line


@pytest.mark.parametrize("collation", ["assume-consistent", "preserve"])
async def test_a_worker_compiles_what_this_process_compiles(
    job: Job, pool: WorkerPool, collation: str
) -> None:
    job = Job(**{**job.__dict__, "collation": collation})
    here = await compile_here(job, frozenset())
    assert isinstance(here, Compiled)
    assert await PooledCompiler(pool)(job, frozenset()) == here


async def test_a_compilation_without_end_costs_its_item_only(job: Job, pool: WorkerPool) -> None:
    endless = PooledCompiler(pool, 0.2, partial(as_task, Endless))
    refusal = await CompilerAuthor(endless).draft(job, quiet)
    assert isinstance(refusal, Refusal)
    assert refusal.code == Code.DEADLINE_EXCEEDED
    assert refusal.author == "compiler"
    assert "did not finish within 0.2 seconds" in refusal.reason
    assert isinstance(await CompilerAuthor(PooledCompiler(pool)).draft(job, quiet), Draft)


async def test_a_compilation_that_kills_its_process_costs_its_item_only(
    job: Job, pool: WorkerPool
) -> None:
    deadly = PooledCompiler(pool, task_of=partial(as_task, Deadly))
    refusal = await CompilerAuthor(deadly).draft(job, quiet)
    assert isinstance(refusal, Refusal)
    assert refusal.code == Code.WORKER_LOST
    assert isinstance(await CompilerAuthor(PooledCompiler(pool)).draft(job, quiet), Draft)


async def test_a_defect_of_the_compiler_is_said_and_no_crash(job: Job, pool: WorkerPool) -> None:
    defective = PooledCompiler(pool, task_of=partial(as_task, Defective))
    refusal = await CompilerAuthor(defective).draft(job, quiet)
    assert isinstance(refusal, Refusal)
    assert not refusal.code
    assert "RecursionError: too deep" in refusal.reason


async def test_what_the_compiler_refuses_arrives_with_its_line(job: Job, pool: WorkerPool) -> None:
    text = job.procedure.text.replace("AS", "AS\nEXEC (@unknown_text)", 1)
    source = type(job.procedure)(**{**job.procedure.__dict__, "text": text})
    answer = await PooledCompiler(pool)(Job(**{**job.__dict__, "procedure": source}), frozenset())
    assert isinstance(answer, Unsupported)
    assert answer.line
