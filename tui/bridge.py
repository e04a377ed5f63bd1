"""Where a run and the screens meet: it hears the events, screens look at it ten times a second.

A bridge is the same for a run under way, a finished one and one opened from its journal: a state,
a bounded log, and the attempts' files. ``version`` grows with every event; whoever shows something
compares it with the one it last painted, so a burst of events costs one repaint.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from core.pipeline.attempts import AttemptFiles
from core.pipeline.events import Event
from core.pipeline.journal import FILE, read_journal
from core.pipeline.reducer import apply
from core.pipeline.state import RunState
from tui.viewmodels.events import LogEntry, entry_of

if TYPE_CHECKING:
    from core.pipeline.run import RunController

LOG_KEPT = 5_000
"""Entries of the log that stay in memory; the journal has all of them."""


class Bridge:
    """One run as the screens see it."""

    def __init__(
        self,
        runs: Path,
        state: RunState | None = None,
        controller: RunController | None = None,
        procedures: Callable[[str], tuple[str, int]] | None = None,
    ) -> None:
        """``runs`` is the run's ``.migration-runs/`` or a kept copy of it.

        ``controller`` is there while the run is under way. ``procedures`` gives the text and the
        first line in its file of a writer; empty when it is not known (yet).
        """
        self.runs = runs
        self.state = state or RunState()
        self.controller = controller
        self.version = 0
        self.log: deque[LogEntry] = deque(maxlen=LOG_KEPT)
        self.logged = 0
        """How many entries there were in all, also those no longer in the log."""
        self.attention: list[str] = []
        """Sentences for the bell: a person is needed, the run is done. Taken by the notifier."""
        self.offered = 0
        """The question about consent that was put to the person already, by its event."""
        self._attempts = AttemptFiles(runs)
        self._read = lru_cache(maxsize=64)(self._attempts.read)
        self._procedures = procedures or (lambda _writer: ("", 1))

    @property
    def live(self) -> bool:
        """Whether the run can be steered."""
        return self.controller is not None and not self.state.finished

    def hear(self, event: Event, state: RunState) -> None:
        """An event of a run under way; called by its stream, returns at once."""
        self.state = state
        self.version += 1
        self._note(event)

    def replay(self, events: Iterable[Event]) -> None:
        """Take in events of a journal."""
        for event in events:
            self.hear(event, apply(self.state, event))
        self.attention.clear()

    def _note(self, event: Event) -> None:
        entry = entry_of(event, self.state)
        if entry is None:
            return
        self.log.append(entry)
        self.logged += 1
        if event.type == "run_finished":
            self.attention.append("the run is finished")
        elif event.type == "needs_person":
            self.attention.append(f"{entry.table or 'the run'}: {event.reason}")

    # --- files ------------------------------------------------------------------------------

    def model(self, item_id: str, attempt: int, sql_hash: str) -> str:
        """The SQL of an attempt; cached by its hash, for an attempt's text never changes."""
        return self._text(item_id, attempt, sql_hash)[0]

    def yaml(self, item_id: str, attempt: int, yaml_hash: str) -> str:
        """The YAML of an attempt."""
        return self._text(item_id, attempt, yaml_hash)[1]

    def _text(self, item_id: str, attempt: int, _hash: str) -> tuple[str, str]:
        sql, yaml = self._read(item_id, attempt)
        if not sql and not yaml:
            self._read.cache_clear()
        return sql, yaml

    def procedure(self, writer: str) -> tuple[str, int]:
        """Text of a writer and the number of its first line in its file."""
        return self._procedures(writer)


def open_journal(runs: Path, procedures: Callable[[str], tuple[str, int]] | None = None) -> Bridge:
    """A run from its journal alone. Reads a file: call it off the event loop."""
    bridge = Bridge(runs, procedures=procedures)
    bridge.replay(read_journal(runs / FILE).events)
    return bridge
