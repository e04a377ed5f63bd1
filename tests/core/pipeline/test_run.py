"""Several items at once: order, steering, isolation, decisions, and what ends up committed."""

from __future__ import annotations

import asyncio

import pytest

from core.pipeline.closing import Closing, close_run
from core.pipeline.decisions import DecisionError
from core.pipeline.open import OpenRun
from core.pipeline.result import ItemStatus
from core.pipeline.state import ItemPhase
from core.pipeline.summary import exit_code, printed
from core.project.codes import Code
from tests.core.pipeline.conftest import Runs, result
from tests.core.pipeline.fakes import FakeBench, ScriptedAuthor, fake_parts

TABLES = tuple(f"silver.t{n}" for n in range(8))


def statuses(run: OpenRun) -> dict[str, str]:
    return {i: s.status.value if s.status else "" for i, s in run.controller.state.items.items()}


def open_gate(bench: FakeBench) -> None:
    assert bench.gate is not None
    bench.gate.set()


async def until(condition: object) -> None:
    """Let the loop and its threads go on until ``condition()`` holds."""
    assert callable(condition)
    for _ in range(10_000):
        if condition():
            return
        await asyncio.sleep(0.001)
    raise AssertionError("it never happened")


async def test_items_run_in_parallel_up_to_jobs(runs: Runs) -> None:
    bench, author = FakeBench(asyncio.Event()), ScriptedAuthor()
    run = runs.start(tables=TABLES, parts=fake_parts(author, bench), jobs=3)
    await until(lambda: bench.running == 3)
    assert [job.item_id for job in author.jobs] == list(TABLES[:3]), "first come, first served"
    open_gate(bench)
    await runs.finish(run)
    assert bench.most_running == 3
    assert set(statuses(run).values()) == {"ok"}


async def test_one_items_failure_touches_no_other(runs: Runs) -> None:
    scripts = {TABLES[0]: ["crash"], TABLES[1]: ["lost"], TABLES[2]: ["refuse: no"]}
    run = runs.start(scripts, tables=TABLES)
    summary = await runs.finish(run)
    assert (summary.ok, summary.partial, summary.error) == (5, 0, 3)
    assert exit_code(summary) == 1


async def test_cancelling_one_item(runs: Runs) -> None:
    scripts = {TABLES[0]: ["hang"], TABLES[7]: ["hang"]}
    run = runs.start(scripts, tables=TABLES, jobs=1)
    controller = run.controller
    await until(lambda: controller.state.items[TABLES[0]].phase is ItemPhase.RUNNING)
    controller.cancel(TABLES[7])
    controller.cancel(TABLES[0], by="Bob")
    await runs.finish(run)
    assert [d.code for d in result(run, TABLES[0]).output.errors] == [Code.CANCELLED]
    assert "Bob" in result(run, TABLES[0]).output.errors[0].message
    assert [d.code for d in result(run, TABLES[7]).output.errors] == [Code.CANCELLED]
    assert result(run, TABLES[3]).status is ItemStatus.OK


async def test_pause_admits_nothing_and_resume_goes_on(runs: Runs) -> None:
    bench = FakeBench(asyncio.Event())
    run = runs.start(tables=TABLES, parts=fake_parts(ScriptedAuthor(), bench), jobs=2)
    controller = run.controller
    await until(lambda: bench.running == 2)
    controller.pause()
    open_gate(bench)
    await until(lambda: controller.state.totals.running == 0)
    started = len(bench.verified)
    for _ in range(50):
        await asyncio.sleep(0)
    assert len(bench.verified) == started == 2
    assert controller.state.phase.value == "paused"
    controller.resume()
    await runs.finish(run)
    assert len(bench.verified) == len(TABLES)


async def test_drain_finishes_what_runs_and_leaves_the_rest(runs: Runs) -> None:
    bench = FakeBench(asyncio.Event())
    run = runs.start(tables=TABLES, parts=fake_parts(ScriptedAuthor(), bench), jobs=2)
    await until(lambda: bench.running == 2)
    run.controller.drain()
    open_gate(bench)
    await run.controller.idle()
    assert run.controller.state.totals.done == 2
    assert run.controller.state.totals.queued == 6
    await run.controller.interrupt("drained")
    run.release()


async def test_concurrency_changes_live(runs: Runs) -> None:
    bench = FakeBench(asyncio.Event())
    run = runs.start(tables=TABLES, parts=fake_parts(ScriptedAuthor(), bench), jobs=1)
    await until(lambda: bench.running == 1)
    run.controller.set_jobs(4)
    await until(lambda: bench.running == 4)
    open_gate(bench)
    await runs.finish(run)
    assert run.controller.state.jobs == 4


async def test_a_model_of_the_same_run_can_be_referenced_once_it_is_accepted(runs: Runs) -> None:
    runs.write(["silver.Sales", "silver.Customer"], {"silver.Sales": ["[silver].[Customer]"]})
    author = ScriptedAuthor()
    run = runs.start(tables=("silver.sales", "silver.customer"), parts=fake_parts(author))
    await runs.finish(run)
    order = [job.item_id for job in author.jobs]
    assert order == ["silver.customer", "silver.sales"], "the referenced table goes first"
    assert author.jobs[1].existing_models == {"silver.customer": "stg_customer"}
    assert author.jobs[0].existing_models == {}


async def test_a_table_that_failed_is_read_as_a_source(runs: Runs) -> None:
    runs.write(["silver.Sales", "silver.Customer"], {"silver.Sales": ["silver.Customer"]})
    author = ScriptedAuthor({"silver.customer": ["refuse: no"]})
    run = runs.start(tables=("silver.sales", "silver.customer"), parts=fake_parts(author))
    await runs.finish(run)
    assert author.jobs[1].existing_models == {}


async def test_tables_that_read_each_other_do_not_wait_for_ever(runs: Runs) -> None:
    runs.write(["silver.A", "silver.B"], {"silver.A": ["silver.B"], "silver.B": ["silver.A"]})
    author = ScriptedAuthor()
    run = runs.start(tables=("silver.a", "silver.b"), parts=fake_parts(author))
    await runs.finish(run)
    assert [dict(job.existing_models) for job in author.jobs] == [{}, {"silver.a": "stg_a"}]


async def test_an_item_that_refs_a_rejected_one_is_named_and_left_out(runs: Runs) -> None:
    runs.write(["silver.Sales", "silver.Customer"], {"silver.Sales": ["silver.Customer"]})
    author = ScriptedAuthor({"silver.sales": ["good ref(stg_customer)"]})
    run = runs.start(
        tables=("silver.sales", "silver.customer"), parts=fake_parts(author), interactive=True
    )
    controller = run.controller
    await controller.idle()
    controller.approve(["silver.sales", "silver.customer"])
    controller.undo("silver.customer")
    controller.reject(["silver.customer"], "not now")
    summary = await close_run(controller, Closing())
    run.release()
    assert any("silver.Sales is not committed" in note for note in summary.notes)
    staging = runs.root / "dbt/models/staging"
    assert not (staging / "stg_customer.sql").exists(), "a rejected item's files are removed"
    assert "Customer" not in (staging / "_sources.yml").read_text()


async def test_decisions_are_recorded_with_who_when_and_why(runs: Runs) -> None:
    run = runs.start({"silver.customer": ["gap 0", "gap 1"]}, interactive=True)
    controller = run.controller
    await controller.idle()
    assert controller.state.items["silver.customer"].needs_person == "awaiting approval"
    with pytest.raises(DecisionError, match="override"):
        controller.approve(["silver.customer"])
    with pytest.raises(DecisionError, match="reason"):
        controller.override(["silver.customer"], " ")
    controller.override(["silver.customer"], "the row is test data")
    decision = result(run).output.decision
    assert decision is not None
    assert (decision.action, decision.by, decision.reason) == (
        "override",
        "Ada <ada@example.com>",
        "the row is test data",
    )
    controller.undo("silver.customer")
    assert result(run).output.decision is None
    assert controller.state.items["silver.customer"].accepted is None
    await controller.interrupt("test over")
    run.release()


async def test_a_revision_in_words_goes_to_the_author(runs: Runs) -> None:
    author = ScriptedAuthor({"silver.customer": ["good 0", "good 1"]})
    run = runs.start(parts=fake_parts(author), interactive=True)
    controller = run.controller
    await controller.idle()
    controller.revise("silver.customer", "name the CTE after the table")
    await controller.idle()
    assert author.failures[0][1].feedback == ("name the CTE after the table",)
    state = controller.state.items["silver.customer"]
    assert [a.attempt for a in state.attempts] == [1, 2]
    assert state.attempts[1].cause == "person"
    assert result(run).output.execution.self_correction_iterations == 0
    model = runs.root / "dbt/models/staging/stg_customer.sql"
    assert "good 1" in model.read_text()
    await controller.interrupt("test over")
    run.release()


async def test_a_persons_own_text_is_verified_and_never_corrected(runs: Runs) -> None:
    author = ScriptedAuthor({"silver.customer": ["good 0", "good 1"]})
    run = runs.start(parts=fake_parts(author), interactive=True)
    controller = run.controller
    await controller.idle()
    controller.edit("silver.customer", "-- mine\nselect 2 as id -- red\n")
    await controller.idle()
    assert result(run).status is ItemStatus.PARTIAL
    assert author.failures == []
    assert result(run).output.decision is not None
    assert result(run).output.decision.action == "edit"
    model = runs.root / "dbt/models/staging/stg_customer.sql"
    assert "mine" in model.read_text()
    await controller.interrupt("test over")
    run.release()


async def test_retrying_a_failed_item_with_a_fresh_author(runs: Runs) -> None:
    author = ScriptedAuthor({"silver.customer": ["refuse: not today"]})
    run = runs.start(parts=fake_parts(author), interactive=True)
    await run.controller.idle()
    author.scripts = {}
    run.controller.retry(["silver.customer"])
    await run.controller.idle()
    assert result(run).status is ItemStatus.OK
    assert run.controller.state.items["silver.customer"].retries == 1
    await run.controller.interrupt("test over")
    run.release()


async def test_the_printed_summary(runs: Runs) -> None:
    runs.write(["silver.DimCustomer", "silver.FactInternetSales"])
    run = runs.start(
        {"silver.factinternetsales": ["gap 0", "gap 1"]},
        tables=("silver.dimcustomer", "silver.factinternetsales"),
    )
    summary = await runs.finish(run)
    assert printed(summary) == (
        "generate-model complete -- 2 tables processed\n"
        "\n"
        "  ok silver.DimCustomer        ok\n"
        "  ~  silver.FactInternetSales  partial (EQUIVALENCE_GAP)\n"
        "\n"
        "  ok: 1 | partial: 1\n"
    )


async def test_a_persons_uncommitted_model_is_not_overwritten(runs: Runs) -> None:
    first = await runs.one("good")
    assert first.status is ItemStatus.OK
    model = runs.root / "dbt/models/staging/stg_customer.sql"
    model.write_text("-- edited by hand\n")
    second = await runs.one("good again")
    assert [d.code for d in second.output.errors] == [Code.GIT_NOT_READY]
    assert model.read_text() == "-- edited by hand\n"
