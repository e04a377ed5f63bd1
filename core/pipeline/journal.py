"""``events.ndjson``: the run's events on disk, appended one per line, fsynced at step ends.

A process that is killed loses at most the line it was writing: reading passes over a torn last
line, and taking the journal up again cuts it off first. Lines of a newer version, with a type this
one does not know, are passed over and counted, never guessed at.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from pydantic import ValidationError

from core.pipeline.events import EVENTS, Event

FILE = "events.ndjson"

STEP_ENDS = frozenset(
    {
        "run_started",
        "run_taken_up",
        "run_interrupted",
        "run_finished",
        "stage_finished",
        "draft_ready",
        "item_finished",
        "decision_made",
        "decision_undone",
        "consent_given",
        "commit_finished",
        "pull_request_finished",
    }
)
"""Event types after which the journal is on the disk itself, not only with the kernel."""


@dataclass(frozen=True)
class ReadJournal:
    """What a journal holds. ``passed_over`` counts lines that are no event of this version."""

    events: tuple[Event, ...]
    passed_over: int = 0
    torn: bool = False
    """The last line is incomplete: the writer was killed."""
    whole_bytes: int = 0
    """The size of the file up to the end of its last complete line."""


def read_journal(file: Path) -> ReadJournal:
    """Read a journal; a file that is not there is an empty one."""
    try:
        data = file.read_bytes()
    except FileNotFoundError:
        return ReadJournal(())
    whole = data.rfind(b"\n") + 1
    events: list[Event] = []
    passed_over = 0
    for line in data[:whole].splitlines():
        if not line.strip():
            continue
        try:
            events.append(EVENTS.validate_json(line))
        except ValidationError:
            passed_over += 1
    return ReadJournal(tuple(events), passed_over, torn=whole < len(data), whole_bytes=whole)


class Journal:
    """Appends events to a journal file. One writer at a time; the run's lock sees to that."""

    def __init__(self, file: Path) -> None:
        """Open ``file`` for appending, cutting off a torn last line."""
        file.parent.mkdir(parents=True, exist_ok=True)
        if file.exists():
            whole = read_journal(file).whole_bytes
            if whole < file.stat().st_size:
                os.truncate(file, whole)
        self._stream = file.open("ab", buffering=0)

    def append(self, event: Event) -> None:
        """Hand the event to the kernel in one write; survives the end of this process."""
        self._stream.write(EVENTS.dump_json(event) + b"\n")

    def sync(self) -> None:
        """Force what was appended onto the disk."""
        if not self._stream.closed:
            os.fsync(self._stream.fileno())

    def close(self) -> None:
        """Sync and close."""
        if not self._stream.closed:
            self.sync()
            self._stream.close()

    def __enter__(self) -> Journal:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
