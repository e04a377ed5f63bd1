"""The end of a run: what is accepted, which files stay, commits, pull request, summary.

Everything here can be repeated after a kill: restoring, writing and committing do only what is
missing, and the summary is the last thing written.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field

from core.equivalence.verdict import EquivalenceVerdict
from core.generation.author import Draft, Job
from core.git.commits import CommitReport, PlannedCommit, commit_all, shared_commit, table_commit
from core.git.pull_request import PullRequestSettings, publish
from core.git.repository import Uncommitted
from core.git.worktree import end_run
from core.pipeline import events as ev
from core.pipeline.attempts import file_stem
from core.pipeline.build_sentence import build_sentence
from core.pipeline.itemresult import RunItem
from core.pipeline.ports import Prepared
from core.pipeline.pull_request import pull_request_text
from core.pipeline.result import ItemResult, ItemStatus, Summary
from core.pipeline.run import RunController
from core.pipeline.state import ItemState, seconds_of
from core.pipeline.summary import summary_of
from core.project.codes import Diagnostic, ProjectError
from core.project.files import write_text


@dataclass(frozen=True)
class Closing:
    """What the end of a run shall do beside writing the summary."""

    commit: bool = False
    pull_request: bool = False
    build: bool = True
    """Build the whole dbt project once with the models that stay."""
    uncommitted: Uncommitted = field(default_factory=Uncommitted)
    started_on: str | None = None
    pr: PullRequestSettings = field(default_factory=PullRequestSettings)
    title: str | None = None
    """The pull request's title; one is made from the tables when absent."""


@dataclass(frozen=True)
class _Kept:
    """An item whose files stay on disk."""

    item: RunItem
    job: Job
    prepared: Prepared


async def close_run(run: RunController, closing: Closing) -> Summary:
    """Finish the run: files, build, commits, pull request, summary, history."""
    notes: list[str] = [*run.plan.notes]
    errors: list[Diagnostic] = []
    states = run.state.items
    await run.idle()
    rejected = [i for i in run.plan.items if _is_rejected(states[i.item_id])]
    notes += await run.files.restore(rejected)
    kept = await _kept_items(run)
    accepted, dangling = _without_dangling(run, [k for k in kept if _is_accepted(run, k)])
    notes += dangling
    shared = await _write_shared(run, kept, errors)
    if closing.build and kept:
        await _build(run, kept)
    if closing.commit and accepted:
        report = await _commit(run, accepted, kept, shared)
        notes += report.notes
        if report.error is not None:
            errors.append(report.error)
        elif closing.pull_request:
            await _publish(run, closing, accepted, notes, errors)
    elif closing.commit and run.plan.items:
        run.stream.emit(ev.RunNote(text="Nothing was accepted, so nothing is committed."))
    return await _write_summary(run, closing, notes, errors)


def _is_rejected(state: ItemState) -> bool:
    return state.accepted is False or state.status is ItemStatus.ERROR


def _is_accepted(run: RunController, kept: _Kept) -> bool:
    return run.state.items[kept.item.item_id].accepted is True


async def _kept_items(run: RunController) -> list[_Kept]:
    """Items with a model that was not rejected; their facts are read from the kept attempt."""
    found: list[_Kept] = []
    for item in run.plan.items:
        state = run.state.items[item.item_id]
        if state.result is None or _is_rejected(state):
            continue
        prepared = run.prepared.get(item.item_id)
        job = run.plan.job(item.item_id, run.models_for(item.item_id))
        if prepared is None:
            version = state.kept
            sql, _ = run.attempts.read(item.item_id, version.attempt if version else 0)
            prepared = await run.parts.bench.prepare(job, Draft(sql=sql, author="journal"))
        found.append(_Kept(item, job, prepared))
    return found


def _without_dangling(run: RunController, accepted: list[_Kept]) -> tuple[list[_Kept], list[str]]:
    """Leave out items that reference a model of this run which is not accepted itself."""
    existing = set(run.plan.existing_models.values())
    of_run = {item.model_name: item for item in run.plan.items if item.model_name}
    notes: list[str] = []
    while True:
        there = {kept.item.model_name for kept in accepted} | existing
        bad = [
            (kept, ref)
            for kept in accepted
            for ref in kept.prepared.refs
            if ref in of_run and ref not in there
        ]
        if not bad:
            return accepted, notes
        for kept, ref in bad:
            notes.append(
                f"{kept.item.table_ref} is not committed: its model references {ref}, and "
                f"{of_run[ref].table_ref} is not accepted."
            )
        gone = {kept.item.item_id for kept, _ in bad}
        accepted = [kept for kept in accepted if kept.item.item_id not in gone]


async def _write_shared(
    run: RunController, kept: Sequence[_Kept], errors: list[Diagnostic]
) -> dict[str, str]:
    """Write the shared files these items need, starting from what was there before the run."""
    known = run.files.shared(run.plan.items)
    try:
        if known:
            await run.files.restore([], known)
        wanted = [(k.job, k.prepared) for k in kept]
        texts = dict(await asyncio.to_thread(run.parts.bench.shared_files, wanted))
        await run.files.write_all(texts)
    except ProjectError as error:
        errors.append(error.diagnostic)
        return {}
    return texts


async def _build(run: RunController, kept: Sequence[_Kept]) -> None:
    verdict = await run.parts.bench.build_project(
        [(k.job, k.prepared) for k in kept],
        lambda line: run.stream.emit_soon(ev.RunProgress(line=line)),
    )
    if verdict is None:
        return
    run.stream.emit(
        ev.ProjectBuildFinished(
            passed=verdict.passed,
            sentence=build_sentence(verdict),
            errors=verdict.errors,
            seconds=round(verdict.seconds, 3),
        )
    )


async def write_shared_files(run: RunController) -> list[Diagnostic]:
    """Write what the models on disk need of the shared files, before the end of the run."""
    errors: list[Diagnostic] = []
    await _write_shared(run, await _kept_items(run), errors)
    return errors


# --- commits and pull request -----------------------------------------------------------------


async def _commit(
    run: RunController, accepted: Sequence[_Kept], kept: Sequence[_Kept], shared: dict[str, str]
) -> CommitReport:
    """Commit the shared files with only what accepted items need, then one commit per table."""
    partial = len(accepted) < len(kept)
    errors: list[Diagnostic] = []
    texts = await _write_shared(run, accepted, errors) if partial else shared
    if errors:
        report = CommitReport((), errors[0])
    else:
        planned: list[PlannedCommit] = [shared_commit(texts)] if texts else []
        planned += [_table_commit(one) for one in accepted]
        report = await asyncio.to_thread(
            commit_all, run.files.place, planned, run.files.snapshot, None
        )
    commits = {
        outcome.planned.item_id or "": outcome.sha for outcome in report.committed if outcome.sha
    }
    run.stream.emit(
        ev.CommitFinished(commits=commits, branch=run.files.place.branch or "", error=report.error)
    )
    await run.stream.sync()
    if partial:
        await _write_shared(run, kept, errors)
    return report


def _table_commit(kept: _Kept) -> PlannedCommit:
    item = kept.item
    return table_commit(
        item.table_ref,
        item.model_name,
        kept.prepared.materialized,
        (item.paths.model_sql, item.paths.model_yaml),
        item.item_id,
    )


async def _publish(
    run: RunController,
    closing: Closing,
    accepted: Sequence[_Kept],
    notes: list[str],
    errors: list[Diagnostic],
) -> None:
    title, body = pull_request_text(run, closing, [k.item.item_id for k in accepted], notes)
    done = await asyncio.to_thread(
        lambda: publish(
            run.files.place, title, body, started_on=closing.started_on, settings=closing.pr
        )
    )
    notes += done.notes
    if done.error is not None:
        errors.append(done.error)
    url = done.pull_request.url if done.pull_request is not None else ""
    sentence = "; ".join(done.notes) or (f"pull request {url}" if url else done.command)
    run.stream.emit(ev.PullRequestFinished(url=url, sentence=sentence, error=done.error))


# --- the summary ------------------------------------------------------------------------------


async def _write_summary(
    run: RunController, closing: Closing, notes: list[str], errors: list[Diagnostic]
) -> Summary:
    results = [s.result for s in run.state.items.values() if s.result is not None]
    notes = [*notes, *_uncommitted_notes(closing.uncommitted), *_not_compared(results)]
    summary = summary_of(
        results,
        notes=tuple(dict.fromkeys(notes)),
        errors=errors,
        extra={"scenarios": _scenarios(results)},
    )
    for result in results:
        file = run.files.place.runs / f"{file_stem(result.item_id)}.json"
        write_text(file, result.model_dump_json(indent=2) + "\n")
    seconds = run.state.working_seconds(seconds_of(run.clock().isoformat()))
    run.stream.emit(ev.RunFinished(summary=summary, seconds=round(seconds, 3)))
    await run.stream.sync()
    run.stream.close()
    text = summary.model_dump_json(indent=2) + "\n"
    write_text(run.files.place.runs / "summary.json", text)
    await asyncio.to_thread(end_run, run.files.place, run.plan.settings.keep_runs)
    return summary


def _not_compared(results: Sequence[ItemResult]) -> list[str]:
    found = [r.output.equivalence for r in results if r.output.equivalence is not None]
    count = sum(e.verdict is EquivalenceVerdict.NOT_RUN for e in found)
    if not count:
        return []
    tables = "1 table" if count == 1 else f"{count} tables"
    return [
        f"Procedure and model of {tables} were compared by structure only, not by running both."
    ]


def _uncommitted_notes(found: Uncommitted) -> list[str]:
    notes = []
    if found.inputs:
        notes.append(f"Read from uncommitted files: {', '.join(found.inputs[:10])}.")
    if found.dbt:
        notes.append(
            "Uncommitted changes under dbt that the branch does not have: "
            f"{', '.join(found.dbt[:10])}."
        )
    return notes


def _scenarios(results: Sequence[ItemResult]) -> dict[str, int]:
    """How many scenarios ran in dbt, how many by replay, and how many could not be played."""
    tests = [r.output.execution.tests for r in results]
    return {
        "in_dbt": sum(t.scenarios_in_dbt for t in tests),
        "by_replay": sum(t.scenarios_replayed for t in tests),
        "failed": sum(t.scenarios_failed for t in tests),
        "not_replayable": sum(t.not_replayable for t in tests),
    }
