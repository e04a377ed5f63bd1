"""The time one item may take, which stands still while nothing can be done for the item.

A person who is asked for consent may be at lunch, and a server may ask to wait: neither says
anything about the item, and work that is paid for must not be lost over it.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from contextvars import ContextVar

_current: ContextVar[asyncio.Timeout | None] = ContextVar("deadline", default=None)


@asynccontextmanager
async def deadline(seconds: float) -> AsyncIterator[None]:
    """Let what is inside take so many seconds, not counting what is :func:`uncounted`.

    Raises:
        TimeoutError: it took longer.
    """
    async with asyncio.timeout(seconds) as timeout:
        token = _current.set(timeout)
        try:
            yield
        finally:
            _current.reset(token)


@contextmanager
def uncounted() -> Iterator[None]:
    """Stop the clock of the deadline this task runs under; harmless where there is none."""
    timeout = _current.get()
    due = timeout.when() if timeout is not None else None
    if timeout is None or due is None:
        yield
        return
    now = asyncio.get_running_loop().time
    begun = now()
    timeout.reschedule(None)
    try:
        yield
    finally:
        timeout.reschedule(due + now() - begun)
