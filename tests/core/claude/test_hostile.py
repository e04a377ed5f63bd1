"""Servers that are broken or mean: no call hangs, nothing leaves for elsewhere, all ends typed."""

from __future__ import annotations

import asyncio

import pytest

from core.claude.call import Reply
from core.claude.client import TRIES
from core.claude.failure import ClaudeFailure, Kind
from tests.core.claude.conftest import Notes, TestClock
from tests.core.claude.stub import (
    Reaction,
    Stub,
    dripping,
    good,
    noise,
    redirect,
    status,
)
from tests.core.claude.test_calls import ANSWER, ask, client, once, unheard

EVENT = b"event: message_start\ndata: "


@pytest.mark.parametrize("code", [301, 302, 303, 307, 308])
async def test_a_redirect_is_not_followed(code: int, notes: Notes, clock: TestClock) -> None:
    with Stub([good(ANSWER)]) as elsewhere:
        answer, stub = await once([redirect(code, f"{elsewhere.url}/v1/messages")], notes, clock)
        assert (elsewhere.calls, elsewhere.asked) == ([], 0)
    assert isinstance(answer, ClaudeFailure)
    assert answer.kind is Kind.NOT_THE_API
    assert elsewhere.host in answer.sentence
    assert "nothing was sent there" in answer.sentence
    assert len(stub.calls) == 1


NOISE: dict[str, Reaction] = {
    "bytes that are no UTF-8": noise(EVENT + b'{"type": "message_start\xff\xfe\xc3"}\n\n'),
    "events that are no JSON": noise(EVENT + b"{this is not json}\n\n"),
    "events of another shape": noise(EVENT + b'{"type": "message_start", "message": 7}\n\n'),
    "a list for an event": noise(EVENT + b"[1, 2, 3]\n\n"),
    "nothing": noise(b""),
    "only pings": noise(b'event: ping\ndata: {"type": "ping"}\n\n' * 50),
    "events nobody knows": noise(b'event: tea\ndata: {"type": "tea"}\n\n' * 50),
}


@pytest.mark.parametrize("reaction", NOISE.values(), ids=NOISE.keys())
async def test_noise_instead_of_events_ends_as_a_sentence(
    reaction: Reaction, notes: Notes, clock: TestClock
) -> None:
    answer, stub = await once([reaction], notes, clock)
    assert isinstance(answer, ClaudeFailure)
    assert answer.kind in (Kind.INTERRUPTED, Kind.UNEXPECTED), answer
    assert answer.sentence.endswith(".")
    assert stub.host in answer.sentence
    assert len(stub.calls) <= TRIES
    answer, _ = await once([reaction, good(ANSWER)], notes, clock)
    assert isinstance(answer, Reply) or answer.kind is Kind.UNEXPECTED


async def test_ten_megabytes_are_not_read_to_the_end(notes: Notes, clock: TestClock) -> None:
    answer, stub = await once([good("x" * 10_000_000)], notes, clock)
    assert isinstance(answer, ClaudeFailure)
    assert answer.kind is Kind.NOT_THE_API
    assert len(stub.calls) == 1
    # What was received is booked, as never more than the call was allowed to answer.
    [record] = notes.records
    assert record.tokens.output == stub.calls[0]["max_tokens"]
    assert record.tokens.estimated


async def test_a_slow_drip_ends_at_the_longest_time_of_an_answer(
    notes: Notes, clock: TestClock
) -> None:
    slow = dripping("x" * 100_000, 0.02)
    answer, _ = await once([slow, good(ANSWER)], notes, clock, answer_seconds=0.4)
    assert isinstance(answer, Reply)
    assert [record.outcome for record in notes.records] == ["stalled", "ok"]


async def test_a_storm_of_overload_ends_after_some_minutes(notes: Notes, clock: TestClock) -> None:
    with Stub(lambda call: status(529, "overloaded_error")) as stub:
        async with client(stub, notes, clock, parallel=8) as claude:
            answers = await asyncio.gather(*(claude.ask(ask(n), unheard) for n in range(8)))
    assert all(isinstance(a, ClaudeFailure) and a.kind is Kind.OVERLOADED for a in answers)
    assert len(stub.calls) == 8 * TRIES
    # Overload of the server is everybody's: what all calls together slept stays bounded.
    assert sum(clock.slept) < 8 * 120


@pytest.mark.parametrize("wait", ["0", "0.001", "-5", "nan", "inf", "1e300", "soon", ""])
async def test_a_senseless_retry_after_neither_hangs_nor_floods(
    wait: str, notes: Notes, clock: TestClock
) -> None:
    answer, stub = await once([status(429, "rate_limit_error", retry_after=wait)], notes, clock)
    assert isinstance(answer, ClaudeFailure)
    assert answer.kind is Kind.RATE_LIMITED
    assert "continue later with --resume" in answer.sentence
    assert len(stub.calls) < 25
    assert sum(clock.slept) <= 300


async def test_an_overload_with_an_hour_to_wait_is_said_and_not_slept_out(
    notes: Notes, clock: TestClock
) -> None:
    hour = status(529, "overloaded_error", retry_after="3600")
    answer, stub = await once([hour], notes, clock)
    assert isinstance(answer, ClaudeFailure)
    assert answer.kind is Kind.OVERLOADED
    assert "3600 seconds" in answer.sentence
    assert len(stub.calls) == 1
    assert clock.slept == []


async def test_counts_that_make_no_sense_are_not_believed(notes: Notes, clock: TestClock) -> None:
    answer, _ = await once([good(ANSWER, output_tokens=-7)], notes, clock)
    assert isinstance(answer, Reply)
    [record] = notes.records
    assert record.tokens.output > 0
    assert record.cost is not None
    assert record.cost > 0
