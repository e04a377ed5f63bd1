"""What is known about a run: plain frozen values, rebuilt from events alone.

``core.pipeline.reducer.apply(state, event)`` is pure; the app, the headless printer, ``--resume``
and History share it. A state is never changed in place, so a screen may keep an old one to compare
with. Moments are the ISO texts of the events; whoever wants durations up to "now" passes ``now``
(seconds since the epoch) in.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Any

from core.equivalence.verdict import EquivalenceResult
from core.pipeline import events as ev
from core.pipeline.events import CteLines, Stage, StageOutcome
from core.pipeline.reports import VerificationReport
from core.pipeline.result import Decision, ItemResult, ItemStatus, Summary, Usage
from core.project.codes import Diagnostic
from core.review.verdict import ReviewResult


class RunPhase(StrEnum):
    """Where a run is in its life."""

    NEW = "new"
    RUNNING = "running"
    PAUSED = "paused"
    DRAINING = "draining"
    INTERRUPTED = "interrupted"
    FINISHED = "finished"


class ItemPhase(StrEnum):
    """Where an item is in its life; how it ended is ``ItemState.result.status``."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"


@dataclass(frozen=True)
class StageState:
    """One stage of an item's strip: how often it ran, and how the last pass went.

    ``outcome`` is ``None`` while the stage has not run or is running.
    """

    runs: int = 0
    failures: int = 0
    running: bool = False
    started_at: str = ""
    seconds: float = 0.0
    outcome: StageOutcome | None = None
    detail: str = ""


@dataclass(frozen=True)
class AttemptState:
    """One version of an item's model: who wrote it, why, and what was found about it."""

    attempt: int
    author: str
    cause: str
    at: str
    sql_hash: str
    yaml_hash: str = ""
    materialized: str = ""
    changes: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    assumptions: tuple[Mapping[str, Any], ...] = ()
    cte_map: tuple[CteLines, ...] = ()
    dropped: tuple[str, ...] = ()
    verification: VerificationReport | None = None
    review: ReviewResult | None = None
    equivalence: EquivalenceResult | None = None


@dataclass(frozen=True)
class Correction:
    """One request for a better version: its number, the failure's kind and a sentence."""

    n: int
    kind: str
    summary: str


@dataclass(frozen=True)
class RefusalState:
    """An author's refusal; ``line`` is 1-based in the procedure, 0 if none."""

    author: str
    cause: str
    reason: str
    line: int = 0
    construct: str = ""
    code: str = ""


@dataclass(frozen=True)
class ItemState:
    """Everything a screen shows about one item."""

    item_id: str
    table_ref: str
    model_name: str = ""
    writer: str = ""
    phase: ItemPhase = ItemPhase.QUEUED
    stage: Stage | None = None
    """The stage the item is in now; ``None`` when queued or done."""
    stages: Mapping[Stage, StageState] = field(default_factory=dict)
    attempts: tuple[AttemptState, ...] = ()
    corrections: tuple[Correction, ...] = ()
    refusals: tuple[RefusalState, ...] = ()
    reviews: tuple[ReviewResult, ...] = ()
    kept_attempt: int = 0
    """The attempt the item goes on with or ended with; 0: the latest."""
    progress: str = ""
    """The last line of progress of whatever is under way."""
    trials_done: int = 0
    trials_total: int = 0
    waits_for: tuple[str, ...] = ()
    needs_person: str = ""
    """Why a person is needed, empty if none is."""
    decisions: tuple[Decision, ...] = ()
    """Decisions in force, the last one counts; an undone one is no longer here."""
    accepted: bool | None = None
    cancelled: bool = False
    usage: Usage = field(default_factory=Usage)
    notes: tuple[str, ...] = ()
    started_at: str = ""
    finished_at: str = ""
    seconds: float = 0.0
    result: ItemResult | None = None
    retries: int = 0
    commit: str = ""
    request: str = "generate"
    """What was asked last; with ``words``, ``from_attempt``, ``by`` and ``asked_author`` it is
    what a resumed run does with an item that is not done. See ``ItemQueued``."""
    words: str = ""
    from_attempt: int = 0
    by: str = ""
    asked_author: str = ""

    @property
    def latest(self) -> AttemptState | None:
        """The newest version, if there is one."""
        return self.attempts[-1] if self.attempts else None

    @property
    def kept(self) -> AttemptState | None:
        """The version on disk: the one the pipeline kept, else the newest."""
        for attempt in self.attempts:
            if attempt.attempt == self.kept_attempt:
                return attempt
        return self.latest

    @property
    def status(self) -> ItemStatus | None:
        """How the item ended; ``None`` before."""
        return self.result.status if self.result is not None else None

    @property
    def failed(self) -> bool:
        """Whether the item ended without a usable model."""
        return self.status is ItemStatus.ERROR

    @property
    def codes(self) -> tuple[str, ...]:
        """Codes of the result, errors first, each once."""
        if self.result is None:
            return ()
        output = self.result.output
        return tuple(dict.fromkeys(d.code.value for d in (*output.errors, *output.warnings)))

    @property
    def reason(self) -> str:
        """One sentence why the item is not ``ok``; empty when it is, or is not done."""
        decisive = decisive_diagnostic(self.result) if self.result is not None else None
        return decisive.message if decisive is not None else ""

    @property
    def group_key(self) -> str:
        """Items with the same non-empty key failed for the same reason.

        It is the decisive code, with the construct where the diagnostic names one
        ("GENERATION_FAILED: cursor").
        """
        decisive = decisive_diagnostic(self.result) if self.result is not None else None
        if decisive is None:
            return ""
        construct = (decisive.details or {}).get("construct", "")
        return f"{decisive.code.value}: {construct}" if construct else decisive.code.value

    def stage_state(self, stage: Stage) -> StageState:
        """The state of one stage, also of one that has not run."""
        return self.stages.get(stage, _FRESH_STAGE)

    def elapsed(self, now: float) -> float:
        """Seconds the item has been under way, or took."""
        if self.phase is ItemPhase.DONE or not self.started_at:
            return self.seconds
        return max(0.0, now - seconds_of(self.started_at))


_FRESH_STAGE = StageState()


@dataclass(frozen=True)
class Totals:
    """The counts of the line that is always there."""

    total: int = 0
    done: int = 0
    running: int = 0
    queued: int = 0
    ok: int = 0
    partial: int = 0
    error: int = 0
    needs_person: int = 0


@dataclass(frozen=True)
class RunState:
    """Everything a screen shows about a run. ``items`` keeps the order of the run."""

    run_id: str = ""
    phase: RunPhase = RunPhase.NEW
    started: ev.RunStarted | None = None
    items: Mapping[str, ItemState] = field(default_factory=dict)
    jobs: int = 0
    started_at: str = ""
    last_at: str = ""
    last_seq: int = 0
    idle_seconds: float = 0.0
    """Seconds during which the run was paused or not running at all, up to ``last_at``."""
    idle_since: str = ""
    takeovers: int = 0
    notes: tuple[str, ...] = ()
    progress: str = ""
    """The last line of progress of work on the whole run."""
    needs_person: str = ""
    workers_lost: int = 0
    claude_waiting: ev.ClaudeWaiting | None = None
    consent_asked: ev.ConsentAsked | None = None
    consent_given: bool | None = None
    usage: Usage = field(default_factory=Usage)
    interrupted: str = ""
    project_build: ev.ProjectBuildFinished | None = None
    commit: ev.CommitFinished | None = None
    pull_request: ev.PullRequestFinished | None = None
    summary: Summary | None = None
    seconds: float = 0.0

    @property
    def finished(self) -> bool:
        """Whether the journal is complete."""
        return self.phase is RunPhase.FINISHED

    @property
    def totals(self) -> Totals:
        """The counts over all items."""
        return totals(self.items.values())

    @property
    def groups(self) -> Mapping[str, tuple[str, ...]]:
        """Item ids by the cause of their failure, the largest group first."""
        found: dict[str, list[str]] = {}
        for item in self.items.values():
            if key := item.group_key:
                found.setdefault(key, []).append(item.item_id)
        ordered = sorted(found.items(), key=lambda entry: (-len(entry[1]), entry[0]))
        return {key: tuple(ids) for key, ids in ordered}

    @property
    def waiting_for_person(self) -> tuple[str, ...]:
        """Items that need a person, in the order of the run."""
        return tuple(item.item_id for item in self.items.values() if item.needs_person)

    def working_seconds(self, now: float) -> float:
        """Seconds the run has really worked, up to ``now``."""
        if not self.started_at:
            return 0.0
        end = now if self.phase in _ACTIVE else seconds_of(self.last_at)
        idle = self.idle_seconds
        if self.idle_since:
            idle += max(0.0, end - seconds_of(self.idle_since))
        return max(0.0, end - seconds_of(self.started_at) - idle)

    def throughput(self, now: float) -> float:
        """Items finished per minute of work; 0 before the first."""
        done = sum(1 for i in self.items.values() if i.phase is ItemPhase.DONE and i.seconds > 0)
        worked = self.working_seconds(now)
        return 60.0 * done / worked if done and worked > 0 else 0.0

    def eta_seconds(self, now: float) -> float | None:
        """Seconds until the last item is done at the present pace; ``None`` when unknown."""
        left = sum(1 for i in self.items.values() if i.phase is not ItemPhase.DONE)
        if not left:
            return 0.0
        pace = self.throughput(now)
        return 60.0 * left / pace if pace else None


_ACTIVE = (RunPhase.RUNNING, RunPhase.PAUSED, RunPhase.DRAINING)


def decisive_diagnostic(result: ItemResult) -> Diagnostic | None:
    """The diagnostic that made an item what it is: its first error, else its first warning.

    A ``REVIEW_*`` warning never decides alone as long as another warning is there.
    """
    output = result.output
    if output.errors:
        return output.errors[0]
    if result.status is ItemStatus.OK:
        return None
    ordered = sorted(output.warnings, key=lambda d: d.code.value.startswith("REVIEW_"))
    return ordered[0] if ordered else None


def totals(items: Iterable[ItemState]) -> Totals:
    """Count items by phase and result."""
    counts = dict.fromkeys(
        ("total", "done", "running", "queued", "ok", "partial", "error", "needs_person"), 0
    )
    for item in items:
        counts["total"] += 1
        counts[item.phase.value] += 1
        if item.status is not None:
            counts[item.status.value] += 1
        if item.needs_person:
            counts["needs_person"] += 1
    return Totals(**counts)


def seconds_of(moment: str) -> float:
    """Seconds since the epoch of an ISO 8601 instant; 0 for an empty or unreadable one."""
    try:
        return datetime.fromisoformat(moment).timestamp()
    except ValueError:
        return 0.0


def frozen(items: dict[str, ItemState]) -> Mapping[str, ItemState]:
    """A read-only view for a state's ``items``."""
    return MappingProxyType(items)
