"""The run's one stream: stamps events, keeps the state, writes the journal, tells the listeners.

Everything happens on the event loop's thread in the order of ``emit``; worker threads use
``emit_soon``. The journal is written before anybody is told, so nothing is shown that a resume
would not know. Syncing to disk runs in a thread: it may take longer than a frame.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TypeVar

from core.pipeline.events import BaseEvent, Event
from core.pipeline.journal import STEP_ENDS, Journal
from core.pipeline.reducer import apply
from core.pipeline.state import RunState
from core.project.clock import Clock

E = TypeVar("E", bound=BaseEvent)
Listener = Callable[[Event, RunState], None]
"""Hears each event with the state after it; must return at once."""


class RunStream:
    """Events of one run, from whoever emits them to the journal and the listeners."""

    def __init__(
        self,
        run_id: str,
        clock: Clock,
        journal: Journal | None = None,
        state: RunState | None = None,
    ) -> None:
        """``state`` is what a resumed run's journal already says; numbering goes on from it."""
        self.run_id = run_id
        self.state = state or RunState()
        self._clock = clock
        self._journal = journal
        self._listeners: list[Listener] = []
        self._unsynced = False
        self._loop: asyncio.AbstractEventLoop | None = None

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Call ``listener`` for every further event; the returned function ends that."""
        self._listeners.append(listener)

        def unsubscribe() -> None:
            if listener in self._listeners:
                self._listeners.remove(listener)

        return unsubscribe

    def emit(self, event: E) -> E:
        """Stamp, journal, reduce and announce ``event``; returns it as stamped."""
        stamped = event.model_copy(
            update={
                "seq": self.state.last_seq + 1,
                "at": self._clock().isoformat(),
                "run_id": self.run_id,
            }
        )
        known: Event = stamped  # type: ignore[assignment]
        if self._journal is not None:
            self._journal.append(known)
        self.state = apply(self.state, known)
        for listener in tuple(self._listeners):
            listener(known, self.state)
        if known.type in STEP_ENDS:
            self._unsynced = True
        return stamped

    def bind_loop(self) -> None:
        """Remember the running loop, for events that come from worker threads."""
        self._loop = asyncio.get_running_loop()

    def emit_soon(self, event: BaseEvent) -> None:
        """Emit from any thread: at once on the loop's own, else when the loop comes to it."""
        try:
            here: asyncio.AbstractEventLoop | None = asyncio.get_running_loop()
        except RuntimeError:
            here = None
        if here is not None and here is self._loop:
            self.emit(event)
        elif self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self.emit, event)

    async def sync(self) -> None:
        """Return when everything emitted at a step end so far is on disk."""
        if self._journal is None or not self._unsynced:
            return
        self._unsynced = False
        await asyncio.to_thread(self._journal.sync)

    def close(self) -> None:
        """Sync and close the journal."""
        if self._journal is not None:
            self._journal.close()
