"""Prices, the limit of a run, and the ledger."""

from __future__ import annotations

import asyncio
import random
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.claude.budget import Budget, OverBudgetError
from core.claude.call import CallRecord, Reply
from core.claude.failure import ClaudeFailure, Kind
from core.claude.ledger import FILE, Ledger, spent
from core.claude.prices import Tokens, load_prices, plain_model
from core.project.clock import frozen_clock
from core.project.codes import Code, ProjectError
from core.project.settings_file import load_settings
from tests.core.claude.conftest import Notes, TestClock
from tests.core.claude.stub import Stub, flaky, good
from tests.core.claude.test_calls import ANSWER, ask, client, unheard


@pytest.mark.parametrize(
    "spelled",
    [
        "claude-opus-5-5",
        "anthropic.claude-opus-5-5",
        "us.anthropic.claude-opus-5-5-v1:0",
        "claude-opus-5-5@20261021",
        "claude-opus-5-5-20261021",
    ],
)
def test_a_model_has_one_price_however_it_is_spelled(spelled: str) -> None:
    assert plain_model(spelled) == "claude-opus-5-5"


def test_a_long_prompt_costs_what_its_tier_says() -> None:
    haiku = load_prices("api").of("claude-haiku-5-5")
    assert haiku is not None
    assert haiku.cost(Tokens(uncached=100_000, output=1_000)) == Decimal("0.0105")
    assert haiku.cost(Tokens(uncached=100_001, output=1_000)) == Decimal("0.0525005")


def test_an_unknown_price_is_not_zero() -> None:
    prices = load_prices("api")
    assert prices.of("claude-next-9") is None
    assert load_prices("bedrock").of("claude-opus-5-5") is None
    fable = prices.of("claude-fable-5-2")
    assert fable is not None
    assert fable.cost(Tokens(written_1h=10)) is None
    assert not fable.keeps_an_hour


def test_a_project_brings_its_own_prices(tmp_path: Path) -> None:
    (tmp_path / "claude-prices.toml").write_text(
        'as_of = "2027-01-01"\n[models.claude-next-9]\ninput = "1"\noutput = "2"\n'
    )
    prices = load_prices("bedrock", tmp_path)
    assert prices.as_of == "2027-01-01"
    assert prices.of("us.anthropic.claude-next-9-v1:0") is not None
    (tmp_path / "claude-prices.toml").write_text('[models.x]\ninput = "cheap"\n')
    with pytest.raises(ProjectError, match=r"claude-prices\.toml"):
        load_prices("api", tmp_path)


@given(
    prompt=st.integers(0, 400_000),
    output=st.integers(0, 128_000),
    shares=st.lists(st.integers(0, 100), min_size=4, max_size=4),
    model=st.sampled_from(["claude-opus-5-5", "claude-sonnet-5-5", "claude-haiku-5-5"]),
)
def test_no_split_of_a_prompt_costs_more_than_the_worst_case(
    prompt: int, output: int, shares: list[int], model: str
) -> None:
    price = load_prices("api").of(model)
    assert price is not None
    whole = sum(shares) or 1
    parts = [prompt * share // whole for share in shares]
    cost = price.cost(Tokens(*parts, output=output))
    assert cost is not None
    assert cost <= price.most(prompt, output)


async def test_reservations_wait_for_each_other_and_never_exceed_the_limit() -> None:
    budget = Budget(Decimal("1.00"))
    dice = random.Random(3)
    outcomes = []

    async def call() -> None:
        try:
            async with budget.reserve(Decimal("0.30")) as held:
                await asyncio.sleep(0)
                assert budget.left is not None
                assert budget.left >= 0
                held.cost = Decimal(dice.randrange(0, 31)) / 100
            outcomes.append("ok")
        except OverBudgetError:
            outcomes.append("over")

    await asyncio.gather(*(call() for _ in range(40)))
    assert budget.spent <= Decimal("1.00")
    assert "ok" in outcomes
    assert "over" in outcomes


async def test_eight_calls_at_once_stay_below_the_limit_to_the_cent(
    notes: Notes, clock: TestClock, tmp_path: Path
) -> None:
    limit = Decimal("0.50")
    dice = random.Random(11)
    ledger = Ledger(tmp_path / FILE, frozen_clock(datetime(2026, 1, 5, tzinfo=UTC)))
    steady = flaky(lambda call: good(ANSWER, output_tokens=dice.randrange(500, 4_000)), 0.3)
    with Stub(steady) as stub:
        async with client(stub, notes, clock, parallel=8, limit=limit) as claude:
            answers = await asyncio.gather(*(claude.ask(ask(n), unheard) for n in range(40)))
    for record in notes.records:
        ledger.append(record)
    stopped = [answer for answer in answers if isinstance(answer, ClaudeFailure)]
    assert any(isinstance(answer, Reply) for answer in answers)
    assert {failure.kind for failure in stopped} == {Kind.BUDGET_REACHED}
    assert all("--resume" in failure.sentence for failure in stopped)
    assert spent(tmp_path / FILE) == claude.budget.spent <= limit
    assert all(r.cost is not None and r.cost <= (r.reserved or 0) for r in notes.records)


async def test_a_server_that_reports_more_than_was_allowed_ends_a_limited_run(
    notes: Notes, clock: TestClock, tmp_path: Path
) -> None:
    lines: list[str] = []
    with Stub(lambda call: good(ANSWER, output_tokens=5_000_000)) as stub:
        async with client(stub, notes, clock, parallel=1, limit=Decimal(2)) as claude:
            first = await claude.ask(ask(0), lines.append)
            second = await claude.ask(ask(1), unheard)
    assert isinstance(first, Reply)
    assert isinstance(second, ClaudeFailure)
    assert second.kind is Kind.BUDGET_REACHED
    assert stub.host in second.sentence
    assert "$100.0" in second.sentence
    assert second.sentence in lines
    assert len(stub.calls) == 1
    [record] = notes.records
    assert record.cost == record.reserved == claude.budget.spent
    assert record.reported is not None
    assert record.reported > 100
    assert record.tokens.output == 5_000_000
    ledger = Ledger(tmp_path / FILE, frozen_clock(datetime(2026, 1, 5, tzinfo=UTC)))
    ledger.append(record)
    assert spent(tmp_path / FILE) <= Decimal(2)
    assert f'"reported_usd": "{record.reported:f}"' in (tmp_path / FILE).read_text()


async def test_without_a_limit_what_a_server_reports_is_booked(
    notes: Notes, clock: TestClock
) -> None:
    with Stub(lambda call: good(ANSWER, output_tokens=5_000_000)) as stub:
        async with client(stub, notes, clock) as claude:
            answers = [await claude.ask(ask(n), unheard) for n in range(2)]
    assert all(isinstance(answer, Reply) for answer in answers)
    assert all(record.cost is not None and record.cost > 100 for record in notes.records)


async def test_an_answer_that_breaks_off_is_never_booked_for_more_than_was_reserved(
    notes: Notes, clock: TestClock
) -> None:
    # Blanks: many characters to a token.
    wide = good({"answer": " " * 40_000}, ends="clean")
    with Stub([wide, good(ANSWER)]) as stub:
        async with client(stub, notes, clock, limit=Decimal(2)) as claude:
            answer = await claude.ask(ask(), unheard)
    assert isinstance(answer, Reply)
    cut, whole = notes.records
    assert cut.tokens.estimated
    assert cut.tokens.output == ask().max_tokens
    assert cut.reported is None
    assert whole.outcome == "ok"


async def test_without_a_price_there_is_no_limit_to_keep(notes: Notes, clock: TestClock) -> None:
    with Stub(lambda call: good(ANSWER)) as stub:
        async with client(stub, notes, clock, limit=Decimal(5)) as claude:
            refused = await claude.ask(ask(model="claude-next-9"), unheard)
        assert isinstance(refused, ClaudeFailure)
        assert refused.kind is Kind.PRICE_UNKNOWN
        assert stub.calls == []
        async with client(stub, notes, clock) as claude:
            answer = await claude.ask(ask(model="claude-next-9"), unheard)
    assert isinstance(answer, Reply)
    assert notes.records[-1].cost is None


def test_a_ledger_is_summed_exactly_and_survives_a_kill(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / FILE, frozen_clock(datetime(2026, 1, 5, tzinfo=UTC)))
    for _ in range(10):
        ledger.append(
            CallRecord("draft", "a.b", "claude-opus-5-5", "", Tokens(), Decimal("0.1"), 1.0, "ok")
        )
    with (tmp_path / FILE).open("a") as file:
        file.write('{"at": "2026-01-05T00:00:00", "cost_u')
    assert spent(tmp_path / FILE) == Decimal(1)
    assert spent(tmp_path / "none") == 0


async def test_a_limit_of_nothing_sends_nothing(notes: Notes, clock: TestClock) -> None:
    with Stub(lambda call: good(ANSWER)) as stub:
        async with client(stub, notes, clock, limit=Decimal(0)) as claude:
            refused = await claude.ask(ask(), unheard)
    assert isinstance(refused, ClaudeFailure)
    assert refused.kind is Kind.BUDGET_REACHED
    assert stub.asked == 0


@pytest.mark.parametrize("limit", [-1.0, float("nan"), float("inf"), float("-inf")])
def test_a_limit_that_is_none_is_refused(limit: float, tmp_path: Path) -> None:
    with pytest.raises(ProjectError) as caught:
        load_settings(tmp_path, {}, flags={"max_cost": limit})
    assert caught.value.diagnostic.code is Code.SETTINGS_INVALID
    assert "max_cost" in caught.value.diagnostic.message


def test_two_ledgers_in_one_file_lose_no_line(tmp_path: Path) -> None:
    clock = frozen_clock(datetime(2026, 1, 5, tzinfo=UTC))
    ledgers = [Ledger(tmp_path / FILE, clock) for _ in range(2)]
    record = CallRecord("draft", "a.b", "m" * 200, "", Tokens(), Decimal("0.01"), 1.0, "ok")

    def write(ledger: Ledger) -> None:
        for _ in range(200):
            ledger.append(record)

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(write, ledgers))
    assert spent(tmp_path / FILE) == Decimal(4)
