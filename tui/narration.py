"""A run as lines of text: what a person who watches a log wants to know, and no more."""

from __future__ import annotations

from collections.abc import Callable

from core.pipeline import events as ev
from core.pipeline.events import Event
from core.pipeline.result import ItemStatus
from core.pipeline.state import RunState

_MARKS = {ItemStatus.OK: "ok", ItemStatus.PARTIAL: "~ ", ItemStatus.ERROR: "x "}


class Narrator:
    """Turns events into lines for a sink."""

    def __init__(self, sink: Callable[[str], None]) -> None:
        self._sink = sink

    def catch_up(self, state: RunState) -> None:
        """Name the items that were refused before anyone could listen."""
        done = [item for item in state.items.values() if item.result is not None]
        for number, item in enumerate(done, 1):
            result = item.result
            assert result is not None
            place = f"[{number}/{state.totals.total}]"
            self._sink(f"{place} {_MARKS[result.status]} {item.table_ref} {result.status.value}")

    def hear(self, event: Event, state: RunState) -> None:
        """Say a line about the event, if it is worth one."""
        line = _line(event, state)
        if line:
            self._sink(line)


def _line(event: Event, state: RunState) -> str:
    match event:
        case ev.ItemFinished():
            totals = state.totals
            mark = _MARKS[event.result.status]
            name = event.result.output.table_ref
            return (
                f"[{totals.done}/{totals.total}] {mark} {name} "
                f"{event.result.status.value} ({event.seconds:.1f} s)"
            )
        case ev.CorrectionStarted():
            name = state.items[event.item_id].table_ref
            return f"  {name}: correction {event.n} ({event.kind}): {event.summary}"
        case ev.WorkerLost():
            return f"  a worker was lost while it verified {event.item_id}: {event.reason}"
        case ev.ClaudeWaiting() if event.seconds > 0:
            return f"  Claude: waiting {event.seconds:.0f} s ({event.reason})"
        case ev.ConsentAsked():
            return f"Consent is needed. {event.text}"
        case ev.ConsentGiven():
            return f"Consent {'given' if event.given else 'refused'} by {event.by or 'somebody'}."
        case ev.ProjectBuildFinished():
            return f"dbt build: {event.sentence}" + "".join(f"\n  {e}" for e in event.errors)
        case ev.CommitFinished() if event.commits:
            return f"{len(event.commits)} commits on {event.branch}"
        case ev.PullRequestFinished() if event.url:
            return f"pull request: {event.url}"
        case ev.RunNote() if not event.item_id:
            return event.text
        case _:
            return ""
