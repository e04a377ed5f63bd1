"""The log of a run: one line per event that tells something."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from core.pipeline import events as ev
from core.pipeline.events import Event, StageOutcome
from core.pipeline.result import ItemStatus
from core.pipeline.state import RunState
from tui.text import Line, count, duration, fit, line, literal, money, tokens
from tui.viewmodels.document import Lines


@dataclass(frozen=True)
class LogEntry:
    """One line of the log."""

    seq: int
    at: str
    item_id: str
    table: str
    words: str
    tone: str = ""


_OUTCOMES = {
    StageOutcome.PASSED: ("passed", "ok"),
    StageOutcome.WARNED: ("passed with warnings", "warn"),
    StageOutcome.FAILED: ("failed", "error"),
    StageOutcome.SKIPPED: ("skipped", "dim"),
}
_ENDS = {
    ItemStatus.OK: ("✓ ok", "ok"),
    ItemStatus.PARTIAL: ("~ partial", "warn"),
    ItemStatus.ERROR: ("✗ error", "error"),
}


def entry_of(event: Event, state: RunState) -> LogEntry | None:
    """The line an event is worth; ``None`` for those that only move a bar."""
    said = _run_words(event) or _item_words(event) or _person_words(event)
    if said is None:
        return None
    item_id: str = getattr(event, "item_id", "")
    item = state.items.get(item_id)
    table = item.table_ref if item is not None else item_id
    return LogEntry(event.seq, event.at, item_id, table, *said)


def _run_words(event: Event) -> tuple[str, str] | None:
    match event:
        case ev.RunStarted():
            return f"run of {count(len(event.tables), 'table')} started, {event.author}", "bold"
        case ev.RunTakenUp():
            return f"run taken up, {count(len(event.items), 'table')} to do", "bold"
        case ev.RunPaused():
            return "paused: nothing new is started", "warn"
        case ev.RunResumed():
            return "pause ended", ""
        case ev.RunDraining():
            return "draining: what runs is finished, nothing new is started", "warn"
        case ev.RunInterrupted():
            return f"interrupted: {event.reason}", "warn"
        case ev.ConcurrencyChanged():
            return f"{count(event.jobs, 'table')} at once", ""
        case ev.RunNote():
            return event.text, "dim"
        case ev.WorkerLost():
            return f"a worker was lost: {event.reason}", "error"
        case ev.WorkerRestarted():
            return "a new worker took its place", "ok"
        case _:
            return _end_words(event)


def _end_words(event: Event) -> tuple[str, str] | None:
    match event:
        case ev.RunFinished():
            s = event.summary
            return f"run finished: {s.ok} ok, {s.partial} partial, {s.error} error", "bold"
        case ev.ProjectBuildFinished():
            return f"dbt build: {event.sentence}", "ok" if event.passed else "error"
        case ev.CommitFinished():
            if event.error is not None:
                return event.error.message, "error"
            return f"{count(len(event.commits), 'commit')} on {event.branch}", "ok"
        case ev.PullRequestFinished():
            return (event.error.message, "error") if event.error else (event.sentence, "ok")
        case _:
            return None


def _item_words(event: Event) -> tuple[str, str] | None:
    match event:
        case ev.ItemQueued():
            asked = "" if event.request == "generate" else f" to {event.request}"
            words = f": {event.words}" if event.words else ""
            return f"queued{asked}{words}", "dim"
        case ev.ItemStarted():
            return f"started, {event.author}", ""
        case ev.StageStarted():
            return f"{event.stage.value} …", "dim"
        case ev.StageFinished():
            words, tone = _OUTCOMES[event.outcome]
            detail = f": {event.detail}" if event.detail else ""
            return f"{event.stage.value} {words}{detail} ({duration(event.seconds)})", tone
        case ev.StageProgress() | ev.VerificationProgress() | ev.EquivalenceProgress():
            return event.line, "dim"
        case ev.DraftReady():
            changed = f": {'; '.join(event.changes)}" if event.changes else ""
            return f"version {event.attempt} written by {event.author}{changed}", "accent"
        case ev.GenerationRefused():
            place = f" (line {event.line})" if event.line else ""
            return f"no model: {event.reason}{place}", "error"
        case ev.CorrectionStarted():
            return f"correction {event.n} ({event.kind}): {event.summary}", "warn"
        case ev.ReviewFinished():
            approved = event.review.status.value.startswith("approved")
            return f"review {event.n}: {_spoken(event.review.status.value)}", (
                "ok" if approved else "warn"
            )
        case ev.EquivalenceFinished():
            tone = "warn" if event.result.is_gap else "ok"
            return f"{_spoken(event.result.verdict.value)}: {event.result.sentence}", tone
        case ev.VersionKept():
            return f"version {event.attempt} is kept: {event.reason}", "accent"
        case ev.ItemFinished():
            words, tone = _ENDS[event.result.status]
            return f"{words} ({duration(event.seconds)})", tone
        case ev.ItemCancelled():
            return f"cancelled by {event.by}" if event.by else "cancelled", "warn"
        case _:
            return None


def _person_words(event: Event) -> tuple[str, str] | None:
    match event:
        case ev.NeedsPerson():
            return f"needs you: {event.reason}", "accent"
        case ev.DecisionMade():
            reason = f": {event.decision.reason}" if event.decision.reason else ""
            return f"{event.decision.action} by {event.decision.by}{reason}", "bold"
        case ev.DecisionUndone():
            return f"decision undone by {event.by}", "bold"
        case ev.ClaudeWaiting() if event.seconds > 0:
            return f"Claude: waiting {duration(event.seconds)} ({event.reason})", "warn"
        case ev.ClaudeCall():
            usage = event.usage
            cost = f", {money(usage.cost_usd)}" if usage.cost_usd is not None else ""
            spent = tokens(usage.input_tokens + usage.output_tokens)
            return f"Claude {event.purpose}: {spent} tokens{cost}", "dim"
        case ev.ConsentAsked():
            return f"asks for consent to send to {event.host}", "accent"
        case ev.ConsentGiven():
            return f"consent {'given' if event.given else 'refused'} by {event.by}", "bold"
        case _:
            return None


def _spoken(value: str) -> str:
    return value.replace("_", " ")


def log_document(key: str, entries: Iterable[LogEntry], item_id: str = "") -> Lines:
    """The log, or the part of it about one item."""
    shown = [e for e in entries if not item_id or e.item_id in ("", item_id)]
    width = min(24, max((len(e.table) for e in shown), default=0))
    return Lines(key, [_line(e, 0 if item_id else width) for e in shown])


def _line(entry: LogEntry, width: int) -> Line:
    clock = entry.at[11:19]
    table = (f"{fit(literal(entry.table), width)} ", "name") if width else ("", "")
    return line((f"{clock} ", "gutter"), table, (entry.words, entry.tone))
