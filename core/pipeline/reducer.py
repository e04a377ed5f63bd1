"""The pure reducer ``apply(state, event) -> state``: one small function per kind of event.

An event that is unknown to a handler's item (a journal whose first lines are missing) creates the
item instead of failing: History must be able to open any journal.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

from core.pipeline import events as ev
from core.pipeline.events import Event, Stage, StageOutcome
from core.pipeline.result import Usage
from core.pipeline.state import (
    AttemptState,
    Correction,
    ItemPhase,
    ItemState,
    RefusalState,
    RunPhase,
    RunState,
    StageState,
    frozen,
    seconds_of,
)

RunHandler = Callable[[RunState, Any], RunState]
ItemHandler = Callable[[ItemState, Any], ItemState]


def apply(state: RunState, event: Event) -> RunState:
    """The state after ``event``; ``state`` itself is unchanged."""
    on_run = RUN_HANDLERS.get(event.type)
    if on_run is not None:
        state = on_run(state, event)
    on_item = ITEM_HANDLERS.get(event.type)
    item_id: str = getattr(event, "item_id", "")
    if on_item is not None and item_id:
        item = state.items.get(item_id) or ItemState(item_id=item_id, table_ref=item_id)
        items = dict(state.items)
        items[item_id] = on_item(item, event)
        state = replace(state, items=frozen(items))
    return replace(
        state,
        run_id=event.run_id or state.run_id,
        last_at=event.at or state.last_at,
        last_seq=max(event.seq, state.last_seq),
    )


def replay(events: Iterable[Event], state: RunState | None = None) -> RunState:
    """The state after all of ``events``."""
    current = state or RunState()
    for event in events:
        current = apply(current, event)
    return current


# --- the run --------------------------------------------------------------------------------


def _run_started(state: RunState, event: ev.RunStarted) -> RunState:
    items = {
        table.item_id: ItemState(
            item_id=table.item_id,
            table_ref=table.table_ref,
            model_name=table.model_name,
            writer=table.writer,
        )
        for table in event.tables
    }
    return replace(
        state,
        phase=RunPhase.RUNNING,
        started=event,
        items=frozen(items),
        jobs=event.jobs,
        started_at=event.at,
    )


def _run_taken_up(state: RunState, event: ev.RunTakenUp) -> RunState:
    idle_since = state.idle_since or state.last_at
    gap = max(0.0, seconds_of(event.at) - seconds_of(idle_since)) if idle_since else 0.0
    return replace(
        state,
        phase=RunPhase.RUNNING,
        jobs=event.jobs,
        takeovers=state.takeovers + 1,
        idle_seconds=state.idle_seconds + gap,
        idle_since="",
        interrupted="",
        summary=None,
        claude_waiting=None,
        needs_person="",
    )


def _run_paused(state: RunState, event: ev.RunPaused) -> RunState:
    return replace(state, phase=RunPhase.PAUSED, idle_since=event.at)


def _run_resumed(state: RunState, event: ev.RunResumed) -> RunState:
    gap = max(0.0, seconds_of(event.at) - seconds_of(state.idle_since)) if state.idle_since else 0.0
    return replace(
        state, phase=RunPhase.RUNNING, idle_seconds=state.idle_seconds + gap, idle_since=""
    )


def _run_draining(state: RunState, _event: ev.RunDraining) -> RunState:
    return replace(state, phase=RunPhase.DRAINING)


def _run_interrupted(state: RunState, event: ev.RunInterrupted) -> RunState:
    return replace(
        state,
        phase=RunPhase.INTERRUPTED,
        interrupted=event.reason or "interrupted",
        idle_since=state.idle_since or event.at,
    )


def _run_finished(state: RunState, event: ev.RunFinished) -> RunState:
    return replace(
        state,
        phase=RunPhase.FINISHED,
        summary=event.summary,
        seconds=event.seconds,
        claude_waiting=None,
        needs_person="",
        progress="",
    )


def _concurrency(state: RunState, event: ev.ConcurrencyChanged) -> RunState:
    return replace(state, jobs=event.jobs)


def _run_note(state: RunState, event: ev.RunNote) -> RunState:
    return state if event.item_id else replace(state, notes=(*state.notes, event.text))


def _run_progress(state: RunState, event: ev.RunProgress) -> RunState:
    return replace(state, progress=event.line)


def _run_needs_person(state: RunState, event: ev.NeedsPerson) -> RunState:
    return state if event.item_id else replace(state, needs_person=event.reason)


def _worker_lost(state: RunState, _event: ev.WorkerLost) -> RunState:
    return replace(state, workers_lost=state.workers_lost + 1)


def _claude_waiting(state: RunState, event: ev.ClaudeWaiting) -> RunState:
    return replace(state, claude_waiting=event if event.seconds > 0 else None)


def _run_claude_call(state: RunState, event: ev.ClaudeCall) -> RunState:
    return replace(state, usage=add_usage(state.usage, event.usage), claude_waiting=None)


def _consent_asked(state: RunState, event: ev.ConsentAsked) -> RunState:
    return replace(state, consent_asked=event, consent_given=None)


def _consent_given(state: RunState, event: ev.ConsentGiven) -> RunState:
    return replace(state, consent_given=event.given)


def _project_build(state: RunState, event: ev.ProjectBuildFinished) -> RunState:
    return replace(state, project_build=event)


def _committed(state: RunState, event: ev.CommitFinished) -> RunState:
    items = {
        item_id: replace(item, commit=event.commits[item_id]) if item_id in event.commits else item
        for item_id, item in state.items.items()
    }
    return replace(state, commit=event, items=frozen(items))


def _pull_request(state: RunState, event: ev.PullRequestFinished) -> RunState:
    return replace(state, pull_request=event)


RUN_HANDLERS: dict[str, RunHandler] = {
    "run_started": _run_started,
    "run_taken_up": _run_taken_up,
    "run_paused": _run_paused,
    "run_resumed": _run_resumed,
    "run_draining": _run_draining,
    "run_interrupted": _run_interrupted,
    "run_finished": _run_finished,
    "concurrency_changed": _concurrency,
    "run_note": _run_note,
    "run_progress": _run_progress,
    "needs_person": _run_needs_person,
    "worker_lost": _worker_lost,
    "claude_waiting": _claude_waiting,
    "claude_call": _run_claude_call,
    "consent_asked": _consent_asked,
    "consent_given": _consent_given,
    "project_build_finished": _project_build,
    "commit_finished": _committed,
    "pull_request_finished": _pull_request,
}


# --- one item -------------------------------------------------------------------------------


def _queued(item: ItemState, event: ev.ItemQueued) -> ItemState:
    """Asked for anew, an item has no result any more; what was tried and spent is kept.

    After a resume the attempts are made (or read back) again under the same numbers.
    """
    return ItemState(
        item_id=item.item_id,
        table_ref=event.table_ref,
        model_name=event.model_name or item.model_name,
        writer=event.writer or item.writer,
        attempts=() if event.resumed else item.attempts,
        decisions=tuple(d for d in item.decisions if d.action in _ASKS_FOR_WORK),
        usage=item.usage,
        retries=item.retries + (event.request != "generate"),
        request=event.request,
        words=event.words,
        from_attempt=event.from_attempt,
        by=event.by,
        asked_author=event.author,
    )


_ASKS_FOR_WORK = ("revise", "edit")


def _started(item: ItemState, event: ev.ItemStarted) -> ItemState:
    return replace(
        item,
        phase=ItemPhase.RUNNING,
        result=None,
        needs_person="",
        cancelled=False,
        waits_for=event.waits_for,
        started_at=event.at,
        finished_at="",
    )


def _stage_started(item: ItemState, event: ev.StageStarted) -> ItemState:
    old = item.stage_state(event.stage)
    new = replace(
        old,
        runs=max(event.iteration, old.runs + 1),
        running=True,
        started_at=event.at,
        outcome=None,
        detail="",
    )
    return replace(item, stage=event.stage, stages=_with_stage(item, event.stage, new), progress="")


def _stage_finished(item: ItemState, event: ev.StageFinished) -> ItemState:
    old = item.stage_state(event.stage)
    new = replace(
        old,
        runs=max(event.iteration, old.runs),
        failures=old.failures + (event.outcome is StageOutcome.FAILED),
        running=False,
        seconds=old.seconds + event.seconds,
        outcome=event.outcome,
        detail=event.detail,
    )
    return replace(item, stages=_with_stage(item, event.stage, new), progress="")


def _with_stage(item: ItemState, stage: Stage, new: StageState) -> dict[Stage, StageState]:
    return {**item.stages, stage: new}


def _stage_progress(item: ItemState, event: ev.StageProgress) -> ItemState:
    return replace(item, progress=event.line)


def _draft_ready(item: ItemState, event: ev.DraftReady) -> ItemState:
    attempt = AttemptState(
        attempt=event.attempt,
        author=event.author,
        cause=event.cause,
        at=event.at,
        sql_hash=event.sql_hash,
        yaml_hash=event.yaml_hash,
        materialized=event.materialized,
        changes=event.changes,
        notes=event.notes,
        assumptions=event.assumptions,
        cte_map=event.cte_map,
        dropped=event.dropped,
    )
    others = tuple(a for a in item.attempts if a.attempt != event.attempt)
    return replace(item, attempts=(*others, attempt), kept_attempt=0)


def _refused(item: ItemState, event: ev.GenerationRefused) -> ItemState:
    refusal = RefusalState(
        author=event.author,
        cause=event.cause,
        reason=event.reason,
        line=event.line,
        construct=event.feature,
        code=event.code,
    )
    return replace(item, refusals=(*item.refusals, refusal))


def _verification_progress(item: ItemState, event: ev.VerificationProgress) -> ItemState:
    return replace(item, progress=event.line)


def _verified(item: ItemState, event: ev.VerificationFinished) -> ItemState:
    found: dict[str, Any] = {"verification": event.report}
    if event.yaml_hash:
        found["yaml_hash"] = event.yaml_hash
    return _with_attempt(item, event.attempt, **found)


def _reviewed(item: ItemState, event: ev.ReviewFinished) -> ItemState:
    item = replace(item, reviews=(*item.reviews, event.review))
    return _with_attempt(item, event.attempt, review=event.review)


def _compared(item: ItemState, event: ev.EquivalenceFinished) -> ItemState:
    return _with_attempt(item, event.attempt, equivalence=event.result)


def _with_attempt(item: ItemState, number: int, **found: Any) -> ItemState:
    attempts = tuple(replace(a, **found) if a.attempt == number else a for a in item.attempts)
    return replace(item, attempts=attempts)


def _correction(item: ItemState, event: ev.CorrectionStarted) -> ItemState:
    correction = Correction(n=event.n, kind=event.kind, summary=event.summary)
    return replace(item, corrections=(*item.corrections, correction))


def _equivalence_progress(item: ItemState, event: ev.EquivalenceProgress) -> ItemState:
    return replace(
        item,
        progress=event.line,
        trials_done=event.trials_done,
        trials_total=event.trials_total,
    )


def _version_kept(item: ItemState, event: ev.VersionKept) -> ItemState:
    return replace(item, kept_attempt=event.attempt, notes=(*item.notes, event.reason))


def _finished(item: ItemState, event: ev.ItemFinished) -> ItemState:
    stages = {s: replace(state, running=False) for s, state in item.stages.items()}
    finished = replace(
        item,
        phase=ItemPhase.DONE,
        stage=None,
        stages=stages,
        progress="",
        finished_at=event.at,
        seconds=event.seconds,
        kept_attempt=event.attempt,
        result=event.result,
        notes=event.result.output.notes,
    )
    return _with_decision_in_result(finished)


def _cancelled(item: ItemState, _event: ev.ItemCancelled) -> ItemState:
    return replace(item, cancelled=True)


def _item_needs_person(item: ItemState, event: ev.NeedsPerson) -> ItemState:
    return replace(item, needs_person=event.reason)


def _decided(item: ItemState, event: ev.DecisionMade) -> ItemState:
    decided = replace(
        item,
        decisions=(*item.decisions, event.decision),
        accepted=event.accepted,
        needs_person="",
    )
    return _with_decision_in_result(decided)


def _undone(item: ItemState, _event: ev.DecisionUndone) -> ItemState:
    decisions = item.decisions[:-1]
    accepted = _ACCEPTS.get(decisions[-1].action) if decisions else None
    return _with_decision_in_result(replace(item, decisions=decisions, accepted=accepted))


def _with_decision_in_result(item: ItemState) -> ItemState:
    """The result file carries the decision in force, and so does the state's result."""
    if item.result is None:
        return item
    decision = item.decisions[-1] if item.decisions else None
    output = item.result.output.model_copy(update={"decision": decision})
    return replace(item, result=item.result.model_copy(update={"output": output}))


_ACCEPTS: dict[str, bool] = {"approve": True, "override": True, "reject": False}


def _item_note(item: ItemState, event: ev.RunNote) -> ItemState:
    return replace(item, notes=(*item.notes, event.text))


def _item_claude_call(item: ItemState, event: ev.ClaudeCall) -> ItemState:
    return replace(item, usage=add_usage(item.usage, event.usage))


ITEM_HANDLERS: dict[str, ItemHandler] = {
    "item_queued": _queued,
    "item_started": _started,
    "stage_started": _stage_started,
    "stage_finished": _stage_finished,
    "stage_progress": _stage_progress,
    "draft_ready": _draft_ready,
    "generation_refused": _refused,
    "verification_progress": _verification_progress,
    "verification_finished": _verified,
    "review_finished": _reviewed,
    "equivalence_finished": _compared,
    "equivalence_progress": _equivalence_progress,
    "correction_started": _correction,
    "version_kept": _version_kept,
    "item_finished": _finished,
    "item_cancelled": _cancelled,
    "needs_person": _item_needs_person,
    "decision_made": _decided,
    "decision_undone": _undone,
    "run_note": _item_note,
    "claude_call": _item_claude_call,
}


def add_usage(left: Usage, right: Usage) -> Usage:
    """The sum; a cost that is unknown on one side leaves the known part."""
    costs = [u.cost_usd for u in (left, right) if u.cost_usd is not None]
    return Usage(
        calls=left.calls + right.calls,
        input_tokens=left.input_tokens + right.input_tokens,
        output_tokens=left.output_tokens + right.output_tokens,
        cost_usd=round(sum(costs), 6) if costs else None,
    )
