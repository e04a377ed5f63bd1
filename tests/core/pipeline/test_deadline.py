"""The clock of an item stands still while nothing can be done for it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from core.pipeline.deadline import deadline, uncounted

Advance = Callable[[float], None]


@pytest.fixture
async def advance(monkeypatch: pytest.MonkeyPatch) -> Advance:
    """Put the loop's clock forward by so many seconds."""
    loop = asyncio.get_running_loop()
    real, ahead = loop.time, [0.0]
    monkeypatch.setattr(loop, "time", lambda: real() + ahead[0])

    def forward(seconds: float) -> None:
        ahead[0] += seconds

    return forward


async def turn() -> None:
    """Let the loop look at its timers."""
    for _ in range(3):
        await asyncio.sleep(0)


async def ends_late(work: Callable[[], Awaitable[None]]) -> bool:
    """Whether something under a deadline of 100 seconds is ended by it."""
    try:
        async with deadline(100):
            await work()
    except TimeoutError:
        return True
    return False


async def test_time_that_is_counted_runs_out(advance: Advance) -> None:
    async def work() -> None:
        advance(101)
        await turn()

    assert await ends_late(work)


async def test_waiting_is_not_counted_and_the_rest_is(advance: Advance) -> None:
    async def wait_and_work() -> None:
        for _ in range(2):
            with uncounted(), uncounted():
                advance(5_000)
                await turn()
            advance(45)
            await turn()

    async def work_longer() -> None:
        await wait_and_work()
        advance(20)
        await turn()

    assert not await ends_late(wait_and_work)
    assert await ends_late(work_longer)


async def test_without_a_deadline_nothing_happens() -> None:
    with uncounted():
        await turn()
