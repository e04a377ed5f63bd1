"""Interrupted runs: what is in the way of a new one, what is taken up, what is not done twice."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from core.generation.author import Job
from core.git.worktree import open_in_place
from core.pipeline.closing import Closing, close_run, write_shared_files
from core.pipeline.open import (
    Invocation,
    OpenRun,
    find_resumable,
    load_run,
    require_startable,
    take_up,
)
from core.pipeline.plan import plan_run
from core.pipeline.ports import Prepared
from core.pipeline.result import ItemStatus
from core.pipeline.state import ItemPhase, RunPhase
from core.project.codes import Code, ProjectError
from core.project.project import MigrationProject
from core.project.settings import Settings
from tests.core.pipeline.conftest import Runs, result, ticking_clock
from tests.core.pipeline.fakes import FakeBench, ScriptedAuthor, fake_parts
from tests.core.pipeline.test_run import until

SOURCES = "dbt/models/staging/_sources.yml"
TWO = ("silver.customer", "silver.store")


def again(root: Path, author: ScriptedAuthor, run_id: str | None = None) -> OpenRun:
    found = find_resumable(root, run_id)
    started = found.state.started
    assert started is not None
    plan = plan_run(
        MigrationProject.open(root),
        found.item_ids,
        Settings(author="scripted", jobs=1),
        existing_models=started.existing_models,
    )
    invocation = Invocation("proc2dbt --headless", "Ada")
    parts = fake_parts(author, FakeBench(hangs=False))
    return take_up(found, plan, parts, root, ticking_clock(), invocation)


async def interrupted(runs: Runs, author: ScriptedAuthor) -> OpenRun:
    """A run of two items whose second one was under way when it was stopped."""
    run = runs.start(tables=TWO, parts=fake_parts(author), jobs=1)
    state = run.controller
    await until(lambda: state.state.items[TWO[0]].phase is ItemPhase.DONE)
    await until(lambda: state.state.items[TWO[1]].attempts)
    await run.controller.interrupt("Ctrl-C")
    run.release()
    return run


async def test_ctrl_c_leaves_a_run_that_can_be_taken_up(runs: Runs) -> None:
    author = ScriptedAuthor({TWO[1]: ["hang", "never"]})
    first = await interrupted(runs, author)
    assert first.controller.state.phase is RunPhase.INTERRUPTED
    with pytest.raises(ProjectError, match="not finished") as caught:
        require_startable(open_in_place(runs.root), discard=False)
    assert caught.value.diagnostic.code is Code.RUN_UNFINISHED
    assert first.controller.stream.run_id in str(caught.value)
    require_startable(open_in_place(runs.root), discard=True)


async def test_finished_items_are_not_done_again(runs: Runs) -> None:
    await interrupted(runs, ScriptedAuthor({TWO[1]: ["hang"]}))
    author = ScriptedAuthor()
    run = again(runs.root, author)
    await runs.finish(run)
    assert TWO[0] not in [job.item_id for job in author.jobs]
    assert result(run, TWO[0]).status is ItemStatus.OK


async def test_a_finished_draft_is_read_back_instead_of_paid_for_twice(runs: Runs) -> None:
    await interrupted(runs, ScriptedAuthor({TWO[1]: ["hang"]}))
    author = ScriptedAuthor()
    run = again(runs.root, author)
    await runs.finish(run)
    assert "hang" in (runs.root / "dbt/models/staging/stg_store.sql").read_text()
    assert author.jobs == []


async def test_a_draft_is_asked_for_again_when_the_procedure_changed(runs: Runs) -> None:
    await interrupted(runs, ScriptedAuthor({TWO[1]: ["hang"]}))
    ddl = runs.root / "ddl/procedures.sql"
    ddl.write_text(ddl.read_text().replace("SET NOCOUNT ON", "SET NOCOUNT ON -- changed"))
    author = ScriptedAuthor()
    run = again(runs.root, author)
    await runs.finish(run)
    assert [job.item_id for job in author.jobs] == [TWO[1]]
    assert result(run, TWO[1]).status is ItemStatus.OK


async def test_a_cancelled_item_of_a_finished_run_is_taken_up(runs: Runs) -> None:
    run = runs.start({TWO[1]: ["hang"]}, tables=TWO, jobs=2)
    await until(lambda: run.controller.state.items[TWO[1]].attempts)
    run.controller.cancel(TWO[1])
    await runs.finish(run)
    assert result(run, TWO[1]).status is ItemStatus.ERROR
    (runs.root / ".migration-runs/attempts/silver.store/1.sql").unlink()
    resumed = again(runs.root, ScriptedAuthor())
    await runs.finish(resumed)
    assert resumed.controller.stream.run_id == run.controller.stream.run_id
    assert result(resumed, TWO[1]).status is ItemStatus.OK


async def test_a_revision_asked_for_before_the_kill_is_done_after_it(runs: Runs) -> None:
    gate = asyncio.Event()
    author = ScriptedAuthor({"silver.customer": ["good 0", "good 1"]})
    bench = FakeBench()
    run = runs.start(parts=fake_parts(author, bench), interactive=True)
    await run.controller.idle()
    bench.gate = gate
    run.controller.revise("silver.customer", "use a left join")
    await until(lambda: len(bench.verified) == 2)
    await run.controller.interrupt("killed")
    run.release()
    second = ScriptedAuthor({"silver.customer": ["good 0", "good 1"]})
    resumed = again(runs.root, second)
    await runs.finish(resumed)
    assert second.failures[0][1].feedback == ("use a left join",)
    assert "good 1" in (runs.root / "dbt/models/staging/stg_customer.sql").read_text()


async def test_history_opens_a_run_from_its_journal(runs: Runs) -> None:
    run = runs.start({TWO[0]: ["red", "good"]}, tables=TWO)
    await runs.finish(run)
    state = load_run(runs.root / ".migration-runs")
    assert state == run.controller.state
    item = state.items[TWO[0]]
    assert [a.attempt for a in item.attempts] == [1, 2]
    assert item.corrections[0].kind == "tests"
    assert state.totals.ok == 2


async def test_resume_names_the_runs_there_are(runs: Runs) -> None:
    run = runs.start()
    await runs.finish(run)
    with pytest.raises(ProjectError) as caught:
        find_resumable(runs.root)
    assert run.controller.stream.run_id in str(caught.value)
    with pytest.raises(ProjectError, match="There is no run 20200101"):
        find_resumable(runs.root, "20200101T000000Z-0000")


async def test_closing_twice_changes_nothing(runs: Runs) -> None:
    run = runs.start(tables=TWO)
    summary = await runs.finish(run)
    resumed = again(runs.root, ScriptedAuthor(), run.controller.stream.run_id)
    await resumed.controller.idle()
    once_more = await close_run(resumed.controller, Closing())
    resumed.release()
    assert once_more == summary


async def test_shared_files_written_before_a_kill_are_still_of_the_run(runs: Runs) -> None:
    """What the bench merges into a shared file must not hide that this run wrote it."""
    run = runs.start(tables=TWO)
    await run.controller.idle()
    assert await write_shared_files(run.controller) == []
    written = (runs.root / SOURCES).read_text()
    await run.controller.interrupt("kill -9 after the shared files")
    run.release()

    resumed = again(runs.root, ScriptedAuthor())
    seen: list[bool] = []
    shared_files = FakeBench.shared_files

    class Bench(FakeBench):
        def shared_files(self, wanted: Sequence[tuple[Job, Prepared]]) -> Mapping[str, str]:
            seen.append((runs.root / SOURCES).exists())
            return shared_files(self, wanted)

    resumed.controller.parts = replace(resumed.controller.parts, bench=Bench(hangs=False))
    await runs.finish(resumed)
    assert seen
    assert not any(seen), "merged into what was there before the run, not into its own"
    assert (runs.root / SOURCES).read_text() == written
