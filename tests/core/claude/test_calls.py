"""Every way in which a call can go: an answer, or a typed failure with a sentence; none hangs."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from decimal import Decimal

import pytest

from core.claude.budget import Budget
from core.claude.call import Answered, Ask, Reply
from core.claude.client import TRIES, Claude
from core.claude.connection import Route
from core.claude.failure import ClaudeFailure, Kind
from core.claude.prices import load_prices
from tests.core.claude.conftest import Notes, TestClock
from tests.core.claude.stub import (
    Reaction,
    Stub,
    good,
    page,
    refusal,
    reset,
    silence,
    status,
    truncated,
)

SCHEMA = {
    "type": "object",
    "properties": {"answer": {"type": "string"}},
    "required": ["answer"],
    "additionalProperties": False,
}
ANSWER = {"answer": "yes, " + "and more of it " * 200}


def ask(number: int = 0, *, max_tokens: int = 4_000, model: str = "claude-opus-5-5") -> Ask:
    cached = {"type": "ephemeral", "ttl": "1h"}
    return Ask(
        purpose="draft",
        item_id=f"silver.t{number}",
        model=model,
        max_tokens=max_tokens,
        system=({"type": "text", "text": "rules " * 500, "cache_control": cached},),
        content=({"type": "text", "text": f"the question {number}"},),
        schema=SCHEMA,
        effort="medium",
    )


@asynccontextmanager
async def client(
    stub_or_url: Stub | str,
    notes: Notes,
    clock: TestClock,
    *,
    limit: Decimal | None = None,
    read_seconds: float = 5.0,
    answer_seconds: float = 30.0,
    parallel: int = 4,
    longest_wait: float = 300.0,
) -> AsyncIterator[Claude]:
    url = stub_or_url if isinstance(stub_or_url, str) else stub_or_url.url
    claude = Claude(
        Route(base_url=url, read_seconds=read_seconds, answer_seconds=answer_seconds),
        load_prices("api"),
        Budget(limit),
        notes,
        parallel=parallel,
        longest_wait=longest_wait,
        waits=clock.waits,
    )
    try:
        yield claude
    finally:
        await claude.aclose()


def unheard(line: str) -> None:
    return None


async def once(
    reactions: Sequence[Reaction],
    notes: Notes,
    clock: TestClock,
    *,
    said: Callable[[str], None] = unheard,
    read_seconds: float = 5.0,
    answer_seconds: float = 30.0,
) -> tuple[Answered, Stub]:
    with Stub(reactions) as stub:
        async with (
            asyncio.timeout(30),
            client(
                stub, notes, clock, read_seconds=read_seconds, answer_seconds=answer_seconds
            ) as claude,
        ):
            return await claude.ask(ask(), said), stub


async def test_an_answer_arrives_with_its_cost(notes: Notes, clock: TestClock) -> None:
    lines: list[str] = []
    answer, _ = await once([good(ANSWER, thinking=True)], notes, clock, said=lines.append)
    assert isinstance(answer, Reply)
    assert answer.stop_reason == "end_turn"
    assert answer.request_id == "req_1"
    assert '"answer": "yes, ' in answer.text
    assert lines[0] == "thinking"
    assert lines[1].startswith("writing ")
    [record] = notes.records
    assert (record.outcome, record.model, record.tokens.written_1h) == (
        "ok",
        "claude-opus-5-5",
        750,
    )
    expected = (750 * 8 + record.tokens.uncached * 4 + record.tokens.output * 20) / Decimal(10**6)
    assert record.cost == expected
    assert record.reserved is not None
    assert record.reserved > expected


async def test_the_request_is_what_the_current_api_takes(notes: Notes, clock: TestClock) -> None:
    _, stub = await once([good(ANSWER)], notes, clock)
    [body] = stub.calls
    assert body["stream"] is True
    assert body["output_config"]["format"] == {"type": "json_schema", "schema": SCHEMA}
    assert body["output_config"]["effort"] == "medium"
    assert not {"temperature", "tools", "tool_choice", "thinking", "top_p"} & body.keys()
    assert [m["role"] for m in body["messages"]] == ["user"]
    assert stub.headers[0]["authorization"] == "Bearer sk-ant-test-0123456789"


PASSING: dict[str, Reaction] = {
    "529": status(529, "overloaded_error"),
    "500": status(500),
    "504": status(504, "timeout_error"),
    "408": status(408),
    "409": status(409),
    "a proxy's 502 page": page(502),
    "429 with a short wait": status(429, "rate_limit_error", retry_after="3"),
    "429 in milliseconds": status(429, "rate_limit_error", retry_after_ms="2500"),
    "429 without a wait": status(429, "rate_limit_error"),
    "reset before the answer": reset(),
    "cut by FIN": good(ANSWER, ends="fin", cut_after=1500),
    "cut by RST": good(ANSWER, ends="rst", cut_after=1500),
    "cut by a clean end": good(ANSWER, ends="clean"),
    "everything but message_stop": good(ANSWER, ends="without_stop"),
    "text without a stop reason": good(ANSWER, stop_reason=None),
    "an error event: overloaded": good(ANSWER, ends="error:overloaded_error", cut_after=100),
    "an error event: api": good(ANSWER, ends="error:api_error", cut_after=100),
    "an error event: rate limit": good(ANSWER, ends="error:rate_limit_error", cut_after=0),
}


@pytest.mark.parametrize("reaction", PASSING.values(), ids=PASSING.keys())
async def test_what_passes_by_itself_is_tried_again(
    reaction: Reaction, notes: Notes, clock: TestClock
) -> None:
    answer, stub = await once([reaction, reaction, good(ANSWER)], notes, clock)
    assert isinstance(answer, Reply), answer
    assert len(stub.calls) == 3
    assert [r.outcome == "ok" for r in notes.records] == [False, False, True]
    assert sum(clock.slept) > 0
    assert notes.waits[-1][0] == 0.0


async def test_a_stall_is_noticed_and_tried_again(notes: Notes, clock: TestClock) -> None:
    for reaction in (silence(), good(ANSWER, ends="stall", cut_after=900)):
        answer, _ = await once([reaction, good(ANSWER)], notes, clock, read_seconds=0.3)
        assert isinstance(answer, Reply)
    assert [r.outcome for r in notes.records] == ["stalled", "ok", "stalled", "ok"]


async def test_pings_keep_a_slow_answer_alive_but_not_for_ever(
    notes: Notes, clock: TestClock
) -> None:
    answer, _ = await once([good(ANSWER, pings=60)], notes, clock, read_seconds=0.4)
    assert isinstance(answer, Reply)
    endless = good(ANSWER, pings=100_000)
    answer, _ = await once([endless, good(ANSWER)], notes, clock, answer_seconds=0.3)
    assert isinstance(answer, Reply)
    assert notes.records[-2].outcome == "stalled"


FINAL: dict[str, tuple[Reaction, Kind, str]] = {
    "500 for ever": (status(500), Kind.SERVER, "tried 7 times"),
    "RST for ever": (reset(), Kind.CONNECTION, "cannot be reached"),
    "429 for an hour": (
        status(429, "rate_limit_error", retry_after="3600"),
        Kind.RATE_LIMITED,
        "3600 seconds",
    ),
    "429 spend limit": (
        status(429, "rate_limit_error", error_code="enforced_spend_limit_reached"),
        Kind.SPEND_LIMIT,
        "spending limit",
    ),
    "402": (status(402, "billing_error"), Kind.SPEND_LIMIT, "--resume"),
    "400 usage limits": (
        status(400, "invalid_request_error", "You have reached your specified API usage limits."),
        Kind.SPEND_LIMIT,
        "spending limit",
    ),
    "401": (status(401, "authentication_error"), Kind.AUTH, "ANTHROPIC_API_KEY"),
    "403": (status(403, "permission_error"), Kind.FORBIDDEN, "another model"),
    "404": (status(404, "not_found_error"), Kind.NOT_FOUND, "claude-opus-5-5"),
    "413": (status(413, "request_too_large"), Kind.TOO_LARGE, "too long"),
    "400 too long": (
        status(400, "invalid_request_error", "prompt is too long: 1200000 tokens"),
        Kind.TOO_LARGE,
        "split",
    ),
    "400": (
        status(400, "invalid_request_error", "Schema is too complex."),
        Kind.BAD_REQUEST,
        "Schema is too complex",
    ),
    "529 not to be retried": (
        status(529, "overloaded_error", x_should_retry="false"),
        Kind.OVERLOADED,
        "overloaded",
    ),
    "a proxy's 200 page": (page(200), Kind.NOT_THE_API, "a web page"),
    "an error event: invalid": (
        good("", ends="error:invalid_request_error", cut_after=0),
        Kind.BAD_REQUEST,
        "refused the request",
    ),
    "refused, empty": (refusal(), Kind.REFUSED, "category: cyber"),
    "refused in the middle": (refusal('{"answer": "ye'), Kind.REFUSED, "declined"),
    "context exceeded": (
        good('{"ans', stop_reason="model_context_window_exceeded"),
        Kind.CONTEXT_FULL,
        "split",
    ),
    "a new stop reason": (good(ANSWER, stop_reason="paused_for_tea"), Kind.UNEXPECTED, "tea"),
}


@pytest.mark.parametrize(("reaction", "kind", "words"), FINAL.values(), ids=FINAL.keys())
async def test_what_does_not_pass_ends_as_a_typed_failure(
    reaction: Reaction, kind: Kind, words: str, notes: Notes, clock: TestClock
) -> None:
    answer, stub = await once([reaction], notes, clock)
    assert isinstance(answer, ClaudeFailure)
    assert answer.kind is kind
    assert words in answer.sentence
    assert answer.sentence.endswith(".")
    assert stub.host in answer.sentence or "claude-opus-5-5" in answer.sentence
    assert len(stub.calls) == (TRIES if kind in _TRIED else 1)


_TRIED = (Kind.SERVER, Kind.CONNECTION)


async def test_a_cut_off_answer_is_asked_for_with_more_room(notes: Notes, clock: TestClock) -> None:
    # Valid JSON all the same: only the stop reason tells that something is missing.
    answer, stub = await once([truncated('{"answer": "y"}'), good(ANSWER)], notes, clock)
    assert isinstance(answer, Reply)
    assert [body["max_tokens"] for body in stub.calls] == [4_000, 8_000]
    answer, stub = await once([truncated('{"answer": "y"}')], notes, clock)
    assert isinstance(answer, ClaudeFailure)
    assert answer.kind is Kind.TRUNCATED
    asked = [body["max_tokens"] for body in stub.calls]
    assert asked == [4_000, 8_000, 16_000, 32_000, 64_000, 128_000]


async def test_nobody_listens(notes: Notes, clock: TestClock) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    async with client(f"http://127.0.0.1:{port}", notes, clock) as claude:
        answer = await claude.ask(ask(), unheard)
    assert isinstance(answer, ClaudeFailure)
    assert answer.kind is Kind.CONNECTION


async def test_no_credentials(
    notes: Notes, clock: TestClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("ANTHROPIC_API_KEY")
    answer, stub = await once([good(ANSWER)], notes, clock)
    assert isinstance(answer, ClaudeFailure)
    assert answer.kind is Kind.NO_CREDENTIALS
    assert "ANTHROPIC_API_KEY" in answer.sentence
    assert stub.calls == []


@pytest.mark.parametrize("provider", ["aws", "bedrock", "vertex", "google", "foundry"])
async def test_a_provider_that_is_not_set_up_says_what_is_missing(
    provider: str, notes: Notes, clock: TestClock
) -> None:
    claude = Claude(
        Route(provider=provider), load_prices(provider), Budget(), notes, waits=clock.waits
    )
    answer = await claude.ask(ask(), unheard)
    assert isinstance(answer, ClaudeFailure)
    assert answer.kind in (Kind.PROVIDER_MISSING, Kind.NO_CREDENTIALS)
    assert provider in answer.sentence or "credentials" in answer.sentence
    await claude.aclose()


async def test_cancelling_closes_the_socket_and_books_the_money(
    notes: Notes, clock: TestClock
) -> None:
    with Stub([good(ANSWER, ends="stall", cut_after=1200)]) as stub:
        async with client(stub, notes, clock, read_seconds=60) as claude:
            written = asyncio.Event()
            task = asyncio.create_task(
                claude.ask(ask(), lambda line: written.set() if "writing" in line else None)
            )
            await asyncio.wait_for(written.wait(), 20)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            assert await asyncio.to_thread(stub.hung_up.wait, 10)
    [record] = notes.records
    assert record.outcome == "cancelled"
    assert record.tokens.estimated
    assert record.cost is not None
    assert record.cost > 0
    assert claude.budget.spent == record.cost


async def test_a_rate_limit_pauses_every_call(notes: Notes, clock: TestClock) -> None:
    limited = status(429, "rate_limit_error", retry_after="20")
    with Stub([good(ANSWER), limited, good(ANSWER)]) as stub:
        async with client(stub, notes, clock, parallel=1) as claude:
            await claude.ask(ask(0), unheard)
            answers = await asyncio.gather(*(claude.ask(ask(n), unheard) for n in range(1, 5)))
    assert all(isinstance(answer, Reply) for answer in answers)
    assert len(stub.calls) == 6
    assert clock.slept == [5.0, 5.0, 5.0, 5.0]
    assert [seconds for seconds, _, _ in notes.waits] == [20.0, 15.0, 10.0, 5.0, 0.0]


async def test_no_more_calls_at_once_than_allowed(notes: Notes, clock: TestClock) -> None:
    with Stub(lambda call: good(ANSWER, pings=3)) as stub:
        async with client(stub, notes, clock, parallel=3) as claude:
            await asyncio.gather(*(claude.ask(ask(n), unheard) for n in range(12)))
    assert 1 < stub.most_running <= 3


async def test_the_first_call_with_a_new_prefix_goes_alone(notes: Notes, clock: TestClock) -> None:
    with Stub(lambda call: good(ANSWER)) as stub:
        async with client(stub, notes, clock, parallel=8) as claude:
            await asyncio.gather(*(claude.ask(ask(n), unheard) for n in range(8)))
    assert sum(record.tokens.written_1h > 0 for record in notes.records) == 1
    assert sum(record.tokens.read > 0 for record in notes.records) == 7


async def test_the_first_call_failing_does_not_hold_up_the_others(
    notes: Notes, clock: TestClock
) -> None:
    with Stub([status(400, "invalid_request_error"), good(ANSWER)]) as stub:
        async with client(stub, notes, clock, parallel=8) as claude:
            answers = await asyncio.gather(*(claude.ask(ask(n), unheard) for n in range(4)))
    assert sum(isinstance(answer, Reply) for answer in answers) == 3
    assert len(stub.calls) == 4
