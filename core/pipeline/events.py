"""The one stream of a run: typed, immutable events with all that a screen or a resume needs.

The pipeline emits them; the journal (``.migration-runs/events.ndjson``) stores them one per line;
the app, the headless printer, ``--resume`` and History read them and nothing else. What a screen
shows is ``core.pipeline.state.apply`` over these events.

Events hold no model text: a draft is named by its attempt number and the hashes of its files under
``.migration-runs/attempts/<item_id>/<n>.{sql,yml}``. All values survive JSON unchanged, so a state
rebuilt from the journal equals the state that was shown live (rows are made JSON-safe in
``core.pipeline.reports``).
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from core.equivalence.verdict import EquivalenceResult
from core.pipeline.reports import VerificationReport
from core.pipeline.result import Decision, ItemResult, Summary, Usage
from core.project.codes import Diagnostic
from core.review.verdict import ReviewResult


class Stage(StrEnum):
    """The steps of an item, in the order in which a strip shows them."""

    GENERATE = "generate"
    TEST = "test"
    FIX = "fix"
    REVIEW = "review"
    EQUIVALENCE = "equivalence"


class StageOutcome(StrEnum):
    """How one pass through a stage ended."""

    PASSED = "passed"
    WARNED = "warned"
    FAILED = "failed"
    SKIPPED = "skipped"


class RunTable(BaseModel):
    """One table of a run as it was known when the run started.

    ``model_name`` and ``writer`` are empty when a guard failed before they were known.
    """

    model_config = ConfigDict(frozen=True)

    item_id: str
    table_ref: str
    model_name: str = ""
    writer: str = ""


class CteLines(BaseModel):
    """Where one CTE of a draft comes from: inclusive, 1-based line ranges of the procedure."""

    model_config = ConfigDict(frozen=True)

    cte: str
    lines: tuple[tuple[int, int], ...] = ()


class BaseEvent(BaseModel):
    """What every event has. ``seq`` counts from 1 without gaps within one journal.

    ``at`` is an ISO 8601 instant in UTC. An event that is built but not yet emitted has
    ``seq`` 0; the run's stream stamps ``seq``, ``at`` and ``run_id``.
    """

    model_config = ConfigDict(frozen=True)

    seq: int = 0
    at: str = ""
    run_id: str = ""


class ItemEvent(BaseEvent):
    """An event about one item."""

    item_id: str


# --- the run --------------------------------------------------------------------------------


class RunStarted(BaseEvent):
    """The first event of every journal. ``command`` is the equivalent headless command line.

    ``existing_models`` are the models of the dbt project before the run, by item id: what a
    resumed run must not take for granted anew.
    """

    type: Literal["run_started"] = "run_started"
    tables: tuple[RunTable, ...]
    author: str
    jobs: int
    version: str
    command: str
    settings: dict[str, str] = {}
    project: str = ""
    branch: str = ""
    target: str = ""
    worktree: str = ""
    in_place: bool = True
    interactive: bool = False
    existing_models: dict[str, str] = {}
    budget_usd: float | None = None


class RunTakenUp(BaseEvent):
    """An unfinished run goes on in a new process (``--resume``).

    ``items`` are the items that are done (again); every other finished item is kept.
    """

    type: Literal["run_taken_up"] = "run_taken_up"
    items: tuple[str, ...]
    version: str
    jobs: int


class RunPaused(BaseEvent):
    """No new item is started until :class:`RunResumed`; items under way finish."""

    type: Literal["run_paused"] = "run_paused"


class RunResumed(BaseEvent):
    """The end of a pause."""

    type: Literal["run_resumed"] = "run_resumed"


class RunDraining(BaseEvent):
    """No new item is started any more; the run ends when those under way have finished."""

    type: Literal["run_draining"] = "run_draining"


class RunInterrupted(BaseEvent):
    """The run was stopped from outside (Ctrl-C, the app was closed); it can be resumed."""

    type: Literal["run_interrupted"] = "run_interrupted"
    reason: str = ""


class ConcurrencyChanged(BaseEvent):
    """From now on at most ``jobs`` items are under way at once."""

    type: Literal["concurrency_changed"] = "concurrency_changed"
    jobs: int


class RunNote(BaseEvent):
    """Something worth telling about the run or one item that is no diagnostic."""

    type: Literal["run_note"] = "run_note"
    text: str
    item_id: str = ""


class RunProgress(BaseEvent):
    """A short line of progress of work on the whole run (the project's build, the commits)."""

    type: Literal["run_progress"] = "run_progress"
    line: str


class RunFinished(BaseEvent):
    """The last event of a finished run. An app's run is finished when the person closes it."""

    type: Literal["run_finished"] = "run_finished"
    summary: Summary
    seconds: float = 0.0


# --- one item -------------------------------------------------------------------------------


class ItemQueued(ItemEvent):
    """The item waits for its turn; emitted again whenever work on it is asked for anew.

    ``request`` says what is asked: ``generate`` (the first time, or again after ``resume``),
    ``retry`` (afresh, a person's wish), ``revise`` (correct ``from_attempt`` as ``words`` say),
    ``edit`` (check ``from_attempt``, a person's own text), ``recheck`` (tests and everything
    after them for ``from_attempt``). Attempt numbers go on, except after ``resume``.
    """

    type: Literal["item_queued"] = "item_queued"
    table_ref: str
    model_name: str = ""
    writer: str = ""
    request: str = "generate"
    resumed: bool = False
    words: str = ""
    author: str = ""
    from_attempt: int = 0
    by: str = ""


class ItemStarted(ItemEvent):
    """Work on the item begins. ``waits_for`` are items whose models it may reference."""

    type: Literal["item_started"] = "item_started"
    author: str
    waits_for: tuple[str, ...] = ()


class StageStarted(ItemEvent):
    """The item enters a stage for the ``iteration``-th time (from 1)."""

    type: Literal["stage_started"] = "stage_started"
    stage: Stage
    iteration: int = 1


class StageFinished(ItemEvent):
    """The item leaves a stage. ``detail`` is one short line ("6 of 8 tests passed")."""

    type: Literal["stage_finished"] = "stage_finished"
    stage: Stage
    outcome: StageOutcome
    iteration: int = 1
    seconds: float = 0.0
    detail: str = ""


class StageProgress(ItemEvent):
    """A short line of progress of the author ("thinking", "writing 1,204 characters")."""

    type: Literal["stage_progress"] = "stage_progress"
    stage: Stage
    line: str


class DraftReady(ItemEvent):
    """An author wrote a version. ``attempt`` counts from 1 over the whole item.

    ``cause`` is why it was written: ``draft``, a ``FailureKind`` value, or ``edit`` (a person's
    own text). The hashes are SHA-256 (hex) of the attempt's files; ``inputs_hash`` is that of
    everything the author was given, so that a resumed run knows whether the draft still stands.
    """

    type: Literal["draft_ready"] = "draft_ready"
    attempt: int
    author: str
    cause: str
    sql_hash: str
    yaml_hash: str = ""
    inputs_hash: str = ""
    materialized: str = ""
    changes: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    assumptions: tuple[dict[str, Any], ...] = ()
    cte_map: tuple[CteLines, ...] = ()
    dropped: tuple[str, ...] = ()


class GenerationRefused(ItemEvent):
    """An author gave no (better) model.

    ``line`` is 1-based in the procedure, 0 if none; ``feature`` is the refusal's ``construct``.
    """

    type: Literal["generation_refused"] = "generation_refused"
    author: str
    cause: str
    reason: str
    line: int = 0
    feature: str = ""
    code: str = ""


class VerificationProgress(ItemEvent):
    """One line from a verification under way ("unit test x passed")."""

    type: Literal["verification_progress"] = "verification_progress"
    attempt: int
    line: str


class VerificationFinished(ItemEvent):
    """What dbt and the scenario replay found about one attempt.

    ``yaml_hash`` is set when verifying changed the attempt's YAML (a unit test was disabled
    because only its replay compares rightly).
    """

    type: Literal["verification_finished"] = "verification_finished"
    attempt: int
    report: VerificationReport
    yaml_hash: str = ""


class CorrectionStarted(ItemEvent):
    """The author is asked for the ``n``-th correction of the item.

    ``kind`` is a ``FailureKind`` value; ``summary`` one sentence.
    """

    type: Literal["correction_started"] = "correction_started"
    n: int
    kind: str
    summary: str


class ReviewFinished(ItemEvent):
    """The ``n``-th review of the item, of one attempt."""

    type: Literal["review_finished"] = "review_finished"
    n: int
    attempt: int
    review: ReviewResult


class EquivalenceProgress(ItemEvent):
    """How far the comparison of procedure and model is."""

    type: Literal["equivalence_progress"] = "equivalence_progress"
    attempt: int
    line: str
    trials_done: int = 0
    trials_total: int = 0


class EquivalenceFinished(ItemEvent):
    """What the comparison of procedure and one attempt found."""

    type: Literal["equivalence_finished"] = "equivalence_finished"
    attempt: int
    result: EquivalenceResult


class VersionKept(ItemEvent):
    """The attempt that the item goes on with is not the latest one, and why."""

    type: Literal["version_kept"] = "version_kept"
    attempt: int
    reason: str


class ItemFinished(ItemEvent):
    """The item's result, complete. ``attempt`` is the version on disk, 0 if none."""

    type: Literal["item_finished"] = "item_finished"
    result: ItemResult
    attempt: int = 0
    seconds: float = 0.0


class ItemCancelled(ItemEvent):
    """A person (or the end of the run) asked that work on the item stops."""

    type: Literal["item_cancelled"] = "item_cancelled"
    by: str = ""


class NeedsPerson(BaseEvent):
    """Something waits for a person; ``item_id`` is empty when it is the run itself."""

    type: Literal["needs_person"] = "needs_person"
    item_id: str = ""
    reason: str


# --- decisions ------------------------------------------------------------------------------


class DecisionMade(ItemEvent):
    """A person, or the headless approval rule, decided. ``accepted`` is what it comes to.

    ``decision.action`` is ``approve``, ``override``, ``reject``, ``revise`` or ``edit``.
    """

    type: Literal["decision_made"] = "decision_made"
    decision: Decision
    accepted: bool | None = None


class DecisionUndone(ItemEvent):
    """The item's last decision no longer holds; the one before it, if any, does again."""

    type: Literal["decision_undone"] = "decision_undone"
    by: str = ""


# --- workers and Claude ---------------------------------------------------------------------


class WorkerLost(BaseEvent):
    """A worker process died or overran its deadline while it worked on ``item_id``."""

    type: Literal["worker_lost"] = "worker_lost"
    item_id: str = ""
    reason: str = ""


class WorkerRestarted(BaseEvent):
    """A new worker took the place of a lost one."""

    type: Literal["worker_restarted"] = "worker_restarted"
    reason: str = ""


class ClaudeWaiting(BaseEvent):
    """Calls to Claude pause for ``seconds`` (rate limit, overload); ``reason`` says why."""

    type: Literal["claude_waiting"] = "claude_waiting"
    seconds: float
    reason: str = ""
    item_id: str = ""


class ClaudeCall(ItemEvent):
    """One finished call to Claude with what it cost; ``purpose`` is draft, correct or review."""

    type: Literal["claude_call"] = "claude_call"
    model: str
    purpose: str = ""
    usage: Usage
    seconds: float = 0.0
    request_id: str = ""


class ConsentAsked(BaseEvent):
    """Before the first call: what would be sent, where to, and what it may cost."""

    type: Literal["consent_asked"] = "consent_asked"
    host: str
    items: tuple[str, ...] = ()
    estimate_usd: float | None = None
    text: str = ""


class ConsentGiven(BaseEvent):
    """The answer to :class:`ConsentAsked`."""

    type: Literal["consent_given"] = "consent_given"
    given: bool
    by: str = ""


# --- the end of a run -----------------------------------------------------------------------


class ProjectBuildFinished(BaseEvent):
    """The one whole-project check after all items."""

    type: Literal["project_build_finished"] = "project_build_finished"
    passed: bool
    sentence: str = ""
    errors: tuple[str, ...] = ()
    seconds: float = 0.0


class CommitFinished(BaseEvent):
    """Commits of the accepted items: ``commits`` maps item ids ("" = shared files) to hashes."""

    type: Literal["commit_finished"] = "commit_finished"
    commits: dict[str, str] = {}
    branch: str = ""
    error: Diagnostic | None = None


class PullRequestFinished(BaseEvent):
    """The pull request: its address, or why there is none and what to do."""

    type: Literal["pull_request_finished"] = "pull_request_finished"
    url: str = ""
    sentence: str = ""
    error: Diagnostic | None = None


Event = Annotated[
    RunStarted
    | RunTakenUp
    | RunPaused
    | RunResumed
    | RunDraining
    | RunInterrupted
    | ConcurrencyChanged
    | RunNote
    | RunProgress
    | RunFinished
    | ItemQueued
    | ItemStarted
    | StageStarted
    | StageFinished
    | StageProgress
    | DraftReady
    | GenerationRefused
    | VerificationProgress
    | VerificationFinished
    | CorrectionStarted
    | ReviewFinished
    | EquivalenceProgress
    | EquivalenceFinished
    | VersionKept
    | ItemFinished
    | ItemCancelled
    | NeedsPerson
    | DecisionMade
    | DecisionUndone
    | WorkerLost
    | WorkerRestarted
    | ClaudeWaiting
    | ClaudeCall
    | ConsentAsked
    | ConsentGiven
    | ProjectBuildFinished
    | CommitFinished
    | PullRequestFinished,
    Field(discriminator="type"),
]
"""Any event of a run."""

EVENTS: TypeAdapter[Event] = TypeAdapter(Event)
"""Validates and dumps one event: ``EVENTS.validate_json(line)``."""
