"""What a person does with the app, by keys: select, run, watch, decide, finish."""

from __future__ import annotations

import asyncio

from core.pipeline.state import RunPhase
from core.project.codes import Code
from tests.tui.kit import AT_THE_KEYBOARD, Kit, git

CUSTOMER, SALES, STORE = "silver.customer", "silver.sales", "silver.store"


async def test_select_run_approve_and_commit(kit: Kit) -> None:
    kit.commit = True
    async with kit.with_git().open() as app:
        assert "3 tables" in app.text
        assert "3 ready" in app.text
        await app.press("space", "space")
        assert "2 selected" in app.text
        await app.started("r")
        await app.done()
        assert "2/2 done" in app.text
        await app.press("S")
        await app.press("A", "a")
        await app.shows("Approve 2 tables?")
        assert "silver.Customer" in app.text
        await app.press("y")
        await app.until(lambda: app.state.items[SALES].accepted)
        assert app.state.items[CUSTOMER].decisions[-1].by == AT_THE_KEYBOARD
        await app.press("C")
        await app.shows("one commit each")
        await app.shows("| Table")
        assert git(kit.root, "log", "--format=%s") == "as extracted\n", "nothing before the key"
        await app.press("y")
        await app.until(lambda: app.state.finished)
        await app.until(lambda: app.name == "SummaryScreen")
    subjects = git(kit.root, "log", "--format=%s").splitlines()
    assert "generate-model(silver.Customer): generate stg_customer with table materialization" in (
        subjects
    )
    assert len(subjects) == 4, "the shared files, two tables, and what was there"


async def test_all_ready_tables_are_selected_at_once(kit: Kit) -> None:
    async with kit.write().open() as app:
        await app.press("a")
        assert "3 selected" in app.text
        await app.press("a")
        assert "selected" not in app.text.splitlines()[0]


async def test_a_failing_table_says_why_and_can_be_retried_in_its_group(kit: Kit) -> None:
    kit.scripts = {CUSTOMER: ["refuse: a cursor"], SALES: ["refuse: a cursor"]}
    kit.author.scripts = kit.scripts
    async with kit.write().open() as app:
        await app.started("a", "r")
        await app.done()
        assert "✗ 2 failed" in app.text
        assert "a cursor" in app.text, "the pane says why there is no model"
        await app.press("a")
        assert "no model that could be accepted" in app.toasts()
        await app.press("f")
        await app.shows("Failures by cause")
        assert "2 tables: " in app.text
        kit.author.scripts = {}
        await app.press("1")
        await app.shows("Retry 2 tables")
        await app.press("f")
        await app.until(lambda: app.state.totals.ok == 3)
        assert app.state.items[CUSTOMER].retries == 1


async def test_a_partial_table_is_overridden_with_a_reason(kit: Kit) -> None:
    kit.author.scripts = {CUSTOMER: ["gap", "gap", "gap", "gap", "gap"]}
    async with kit.write().open() as app:
        await app.started("r")
        await app.done()
        await app.press("S", "a")
        assert "accepting it is an override" in app.toasts()
        await app.press("O")
        await app.shows("Override silver.Customer")
        await app.press("enter")
        assert app.name == "Words", "a reason is needed"
        await app.type("known rounding")
        await app.press("enter")
        await app.until(lambda: app.state.items[CUSTOMER].accepted)
        decision = app.state.items[CUSTOMER].decisions[-1]
        assert (decision.action, decision.reason) == ("override", "known rounding")
        await app.press("u")
        await app.until(lambda: app.state.items[CUSTOMER].accepted is None)
        assert app.state.items[CUSTOMER].needs_person


async def test_reject_restores_at_the_end(kit: Kit) -> None:
    async with kit.write().open() as app:
        await app.started("r")
        await app.done()
        model = kit.root / "dbt/models/staging/stg_customer.sql"
        assert model.exists()
        await app.press("S", "x")
        await app.shows("Reject silver.Customer")
        await app.press("enter")
        await app.until(lambda: app.state.items[CUSTOMER].accepted is False)
        await app.press("C")
        await app.shows("restore")
        await app.press("y")
        await app.until(lambda: app.state.finished)
        assert not model.exists()


async def test_revise_in_words(kit: Kit) -> None:
    kit.author.scripts = {CUSTOMER: ["first", "second"]}
    async with kit.write().open() as app:
        await app.started("r")
        await app.done()
        await app.press("v")
        await app.shows("Revise silver.Customer")
        await app.type("use a window")
        await app.press("enter")
        await app.until(lambda: len(app.state.items[CUSTOMER].attempts) == 2)
        await app.done()
        assert kit.author.failures[-1][1].feedback == ("use a window",)
        await app.press("left_square_bracket")
        assert "version 1/2" in app.text
        await app.press("right_square_bracket")
        assert "- select 1 as id -- first" in app.text
        assert "+ select 1 as id -- second" in app.text


async def test_an_edited_model_is_verified_at_once(kit: Kit) -> None:
    async with kit.write().open() as app:

        async def edit(text: str, _name: str, _line: int) -> str:
            return text + "-- by hand\n"

        app.app.edit_with = edit
        await app.started("r")
        await app.done()
        verified = len(kit.bench.verified)
        await app.press("e")
        await app.until(lambda: len(app.state.items[CUSTOMER].attempts) == 2)
        await app.done()
        assert len(kit.bench.verified) == verified + 1
        assert "edited by hand" in app.text
        text = (kit.root / "dbt/models/staging/stg_customer.sql").read_text(encoding="utf-8")
        assert text.endswith("-- by hand\n")


async def test_cancel_one_while_others_go_on(kit: Kit) -> None:
    kit.author.scripts = {CUSTOMER: ["hang"]}
    async with kit.write().open() as app:
        await app.started("a", "r")
        await app.until(lambda: app.state.totals.done == 2)
        assert app.state.totals.running == 1
        await app.press("c")
        await app.done()
        assert app.state.items[CUSTOMER].codes == (Code.CANCELLED.value,)
        assert "cancelled" in app.text
        assert app.state.totals.ok == 2


async def test_pause_drain_and_concurrency(kit: Kit) -> None:
    kit.bench.gate = asyncio.Event()
    async with kit.write().open() as app:
        await app.started("a", "r")
        await app.until(lambda: kit.bench.running == 2)
        await app.press("p")
        assert "paused" in app.text
        await app.press("p")
        await app.press("plus")
        assert app.state.jobs == 3
        await app.until(lambda: kit.bench.running == 3)
        await app.press("minus")
        assert app.state.jobs == 2
        await app.press("D")
        assert app.state.phase is RunPhase.DRAINING
        kit.bench.gate.set()
        await app.done()


async def test_a_worker_that_dies_is_reported_and_the_app_lives(kit: Kit) -> None:
    kit.author.scripts = {CUSTOMER: ["lost"]}
    async with kit.write().open() as app:
        await app.started("a", "r")
        await app.done()
        assert "worker" in app.state.items[CUSTOMER].reason
        assert app.state.totals.ok == 2
        await app.press("3")
        assert "worker" in app.text


async def test_n_jumps_to_what_needs_a_person(kit: Kit) -> None:
    kit.author.scripts = {CUSTOMER: ["hang"]}
    async with kit.write().open() as app:
        await app.started("a", "r")
        await app.until(lambda: app.state.totals.done == 2)
        await app.press("n")
        assert app.app.screen.rows.current == SALES  # type: ignore[attr-defined]
        await app.press("n")
        assert app.app.screen.rows.current == STORE  # type: ignore[attr-defined]
        await app.press("N")
        assert app.app.screen.rows.current == SALES  # type: ignore[attr-defined]


async def test_quitting_asks_and_the_run_can_be_taken_up(kit: Kit) -> None:
    kit.author.scripts = {CUSTOMER: ["hang"]}
    kit.with_git()
    async with kit.open() as app:
        await app.started("a", "r")
        await app.until(lambda: app.state.totals.done == 2)
        await app.press("q")
        await app.shows("Leave the run?")
        await app.press("escape")
        assert app.name == "RunScreen"
        await app.press("q", "q")
        await app.until(lambda: app.app.return_code is not None)
    kit.author.scripts = {}
    async with kit.open() as app:
        assert "unfinished run" in app.text
        await app.press("h")
        await app.shows("unfinished")
        await app.press("R")
        await app.until(lambda: app.name == "RunScreen")
        await app.done()
        assert app.state.totals.ok == 3
        assert app.state.takeovers == 1


async def test_a_new_run_over_an_unfinished_one_asks(kit: Kit) -> None:
    kit.author.scripts = {CUSTOMER: ["hang"]}
    kit.write()
    async with kit.open() as app:
        await app.started("a", "r")
        await app.until(lambda: app.state.totals.done == 2)
        await app.press("q", "q")
        await app.until(lambda: app.app.return_code is not None)
    kit.author.scripts = {}
    async with kit.open() as app:
        await app.press("a", "r")
        await app.shows("There is an unfinished run")
        await app.press("d")
        await app.until(lambda: app.name == "RunScreen")
        await app.done()
        assert app.state.takeovers == 0
        assert app.state.totals.ok == 3


async def test_resume_given_on_the_command_line(kit: Kit) -> None:
    kit.author.scripts = {CUSTOMER: ["hang"]}
    kit.write()
    async with kit.open() as app:
        await app.started("a", "r")
        await app.until(lambda: app.state.totals.done == 2)
        await app.press("q", "q")
        await app.until(lambda: app.app.return_code is not None)
    kit.author.scripts = {}
    async with kit.open(resume="") as app:
        await app.until(lambda: app.name == "RunScreen")
        await app.done()
        assert app.state.totals.ok == 3


async def test_quick_keys_between_the_screens_of_a_run(kit: Kit) -> None:
    async with kit.write().open() as app:
        await app.started("a", "r")
        await app.done()
        for _ in range(8):
            for key in "Sw":
                app.app.simulate_key(key)
        await app.settle()
        await app.until(lambda: app.name == "RunScreen")
        await app.press("S")
        await app.until(lambda: app.name == "SummaryScreen")
        assert "silver.Customer" in app.text
