"""Waiting for a server that asks for it: one pause for all calls, counted down where it is seen."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from core.claude.call import Watcher

STEP = 5.0
"""Seconds between two lines of a countdown."""

Now = Callable[[], float]
"""A clock in seconds that only goes forward."""
Sleep = Callable[[float], Awaitable[None]]


class Pauses:
    """The moment before which no call may start. ``now`` and ``sleep`` belong together."""

    def __init__(self, watcher: Watcher, now: Now, sleep: Sleep) -> None:
        self._watcher = watcher
        self._now = now
        self._sleep = sleep
        self._until = 0.0
        self._counting: asyncio.Task[None] | None = None

    def hold_all(self, seconds: float, reason: str, item_id: str) -> None:
        """No call starts for so long; a longer pause under way stays as it is."""
        until = self._now() + seconds
        if until <= self._until:
            return
        self._until = until
        if self._counting is None or self._counting.done():
            self._counting = asyncio.create_task(self._count_down(reason, item_id))

    async def over(self) -> None:
        """Return when no pause is under way."""
        while self._counting is not None and not self._counting.done():
            await asyncio.shield(self._counting)

    async def alone(self, seconds: float, reason: str, item_id: str) -> None:
        """Hold up only the caller."""
        self._watcher.waiting(seconds, reason, item_id)
        await self._sleep(seconds)
        self._watcher.waiting(0.0, reason, item_id)

    async def _count_down(self, reason: str, item_id: str) -> None:
        try:
            while (left := self._until - self._now()) > 0:
                self._watcher.waiting(left, reason, item_id)
                await self._sleep(min(STEP, left))
        finally:
            self._watcher.waiting(0.0, reason, item_id)

    def close(self) -> None:
        """End a countdown that nobody waits for any more."""
        if self._counting is not None:
            self._counting.cancel()
