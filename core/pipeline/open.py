"""Starting a run, and taking up one that was interrupted.

Opening takes the place's lock, prepares ``.migration-runs/`` and hands back a controller whose
items are queued; :meth:`OpenRun.release` gives the lock back, whatever happened in between.
"""

from __future__ import annotations

import contextlib
import json
import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from core.git.history import RUNS, RunFolder, history_folder, kept_runs
from core.git.repository import find_repository
from core.git.worktree import (
    Workplace,
    begin_run,
    find_runs,
    reopen,
    unfinished_run,
)
from core.pipeline import events as ev
from core.pipeline.attempts import AttemptFiles, RecordedDrafts
from core.pipeline.events import Event
from core.pipeline.itemresult import RESUMABLE
from core.pipeline.journal import FILE, Journal, read_journal
from core.pipeline.lock import RunLock, require_unlocked
from core.pipeline.modelfiles import ModelFiles
from core.pipeline.plan import RunPlan
from core.pipeline.ports import Parts
from core.pipeline.reducer import replay
from core.pipeline.result import ItemStatus
from core.pipeline.run import RunController
from core.pipeline.state import ItemPhase, ItemState, RunState
from core.pipeline.stream import RunStream
from core.project.clock import Clock
from core.project.codes import Code, ProjectError
from core.project.files import read_text
from core.project.project import MigrationProject
from core.project.settings import Settings
from core.version import VERSION

KEPT_SETTINGS = ("author", "approve", "collation", "target")
"""Settings that a resumed run keeps from its start, unless a flag says otherwise."""


@dataclass(frozen=True)
class Invocation:
    """How a run was asked for, beside its plan."""

    command: str
    """The equivalent headless command line."""
    person: str
    interactive: bool = False
    commit: bool = False
    pull_request: bool = False


@dataclass
class OpenRun:
    """A run that holds its lock."""

    controller: RunController
    lock: RunLock
    place: Workplace
    invocation: Invocation

    def release(self) -> None:
        """Close the journal and give the lock back."""
        self.controller.stream.close()
        self.lock.release()


def new_run_id(clock: Clock) -> str:
    """A run id that sorts by time: ``20261124T154500Z-3f9a``."""
    return f"{clock():%Y%m%dT%H%M%SZ}-{secrets.token_hex(2)}"


def require_startable(place: Workplace, *, discard: bool) -> None:
    """Check that a new run may begin in the place. Reads only.

    Raises:
        ProjectError: ``RUN_LOCKED``, or ``RUN_UNFINISHED`` unless ``discard``.
    """
    require_unlocked(place.runs)
    left = unfinished_run(place)
    if left is not None and not discard:
        raise unfinished(left)


def unfinished(left: RunFolder) -> ProjectError:
    """The error for an unfinished run that is in the way of a new one."""
    tables = ", ".join(left.meta.tables[:3]) + (" …" if len(left.meta.tables) > 3 else "")
    return ProjectError.of(
        Code.RUN_UNFINISHED,
        f"The run {left.meta.run_id} ({tables}) in {left.path.parent} is not finished; take it up "
        f"with --resume {left.meta.run_id}, or give it up with --discard.",
        run_id=left.meta.run_id,
    )


def start_run(
    plan: RunPlan, parts: Parts, place: Workplace, clock: Clock, invocation: Invocation
) -> OpenRun:
    """Begin a new run; call inside a running event loop.

    Raises:
        ProjectError: ``RUN_LOCKED``, ``GIT_NOT_READY``.
    """
    lock = RunLock(place.runs)
    lock.acquire()
    try:
        run_id = new_run_id(clock)
        item_ids = tuple(item.item_id for item in plan.items)
        begin_run(place, run_id, item_ids, clock, plan.settings.keep_runs)
        lock.renew()
        stream = RunStream(run_id, clock, Journal(place.runs / FILE))
        controller = _controller(plan, parts, place, clock, invocation, stream)
        stream.emit(_started(plan, place, invocation))
        controller.begin()
    except BaseException:
        lock.release()
        raise
    return OpenRun(controller, lock, place, invocation)


def _controller(
    plan: RunPlan,
    parts: Parts,
    place: Workplace,
    clock: Clock,
    invocation: Invocation,
    stream: RunStream,
) -> RunController:
    return RunController(
        plan,
        parts,
        stream,
        ModelFiles(place),
        clock,
        person=invocation.person,
        interactive=invocation.interactive,
    )


def _started(plan: RunPlan, place: Workplace, invocation: Invocation) -> ev.RunStarted:
    settings = plan.settings
    kept = {name: str(getattr(settings, name)) for name in KEPT_SETTINGS}
    kept = {name: value for name, value in kept.items() if value != "None"}
    kept["commit"] = str(invocation.commit).lower()
    kept["pull_request"] = str(invocation.pull_request).lower()
    return ev.RunStarted(
        tables=tuple(
            ev.RunTable(
                item_id=item.item_id,
                table_ref=item.table_ref,
                model_name=item.model_name,
                writer=item.writer,
            )
            for item in plan.items
        ),
        author=settings.author,
        jobs=settings.workers,
        version=VERSION,
        command=invocation.command,
        settings=kept,
        project=str(plan.project.root),
        branch=place.branch or "",
        target=settings.target or "duckdb",
        worktree=str(place.top),
        in_place=place.in_place,
        interactive=invocation.interactive,
        existing_models=dict(plan.existing_models),
        budget_usd=settings.max_cost,
    )


# --- resuming -------------------------------------------------------------------------------


@dataclass(frozen=True)
class Resumable:
    """A run that can be taken up: where it is and what its journal says."""

    folder: RunFolder
    events: tuple[Event, ...]
    state: RunState

    @property
    def item_ids(self) -> tuple[str, ...]:
        """The items of the run, in its order."""
        return tuple(self.state.items) or self.folder.meta.tables

    @property
    def open_items(self) -> tuple[str, ...]:
        """Items that are to be done (again)."""
        if not self.state.items:
            return self.folder.meta.tables
        return tuple(i.item_id for i in self.state.items.values() if to_redo(i))


def to_redo(item: ItemState) -> bool:
    """Whether a resume does the item again: it is not done, or ended for an outside reason."""
    if item.phase is not ItemPhase.DONE or item.result is None:
        return True
    codes = {d.code for d in item.result.output.errors}
    return item.result.status is ItemStatus.ERROR and bool(codes & RESUMABLE)


def find_resumable(
    project: Path, run_id: str | None = None, item_ids: Sequence[str] | None = None
) -> Resumable:
    """The run that ``--resume`` means.

    Without ``run_id`` the newest unfinished run of the project; over exactly ``item_ids`` when
    these are given; failing that, the newest finished one that left something to do.

    Raises:
        ProjectError: ``RUN_UNFINISHED``; there is no such run. The message lists those there are.
    """
    if run_id is not None:
        found = find_runs(project, run_id)
        if not found:
            raise _nothing(project, f"There is no run {run_id} in this project")
        return _read(found[0])
    candidates = [run for run in find_runs(project) if _fits(run, item_ids)]
    if candidates:
        return _read(candidates[0])
    for run in _finished_with_rest(project):
        if _fits(run, item_ids):
            return _read(run)
    about = " over exactly these tables" if item_ids else ""
    raise _nothing(project, f"There is no unfinished run{about} to take up")


def _fits(run: RunFolder, item_ids: Sequence[str] | None) -> bool:
    return not item_ids or run.meta.is_for(item_ids)


def _finished_with_rest(project: Path) -> Iterable[RunFolder]:
    """Finished runs, still in their place, with items or commits left for a resume."""
    for folder in _all_folders(project):
        try:
            summary = json.loads(read_text(folder.path / "summary.json"))
            codes = {code for item in summary["items"] for code in item["codes"]}
            rest = bool(summary["errors"]) or bool(codes & {code.value for code in RESUMABLE})
        except (OSError, ValueError, KeyError, TypeError):
            continue
        if rest:
            yield folder


def _all_folders(project: Path) -> list[RunFolder]:
    """Every run of the project that is still in its place, newest first."""
    runs = project.resolve() / RUNS
    ids = [run.meta.run_id for run in kept_runs(history_folder(find_repository(project), runs))]
    return [folder for run_id in ids for folder in find_runs(project, run_id)[:1]]


def _read(folder: RunFolder) -> Resumable:
    journal = read_journal(folder.path / FILE)
    return Resumable(folder, journal.events, replay(journal.events))


def _nothing(project: Path, sentence: str) -> ProjectError:
    runs = {run.meta.run_id: run for run in (*find_runs(project), *_all_folders(project))}
    listed = "; ".join(
        f"{run.meta.run_id} ({', '.join(run.meta.tables[:3])}, "
        f"{'finished' if run.finished else 'unfinished'})"
        for run in list(runs.values())[:10]
    )
    there = f"; runs there are: {listed}" if listed else "; there are no runs"
    return ProjectError.of(Code.RUN_UNFINISHED, f"{sentence}{there}.")


def settings_of(resumable: Resumable, settings: Settings) -> Settings:
    """This invocation's settings, with those of the run's start where no flag was given."""
    started = resumable.state.started
    if started is None:
        return settings
    kept = {
        name: started.settings[name]
        for name in KEPT_SETTINGS
        if name in started.settings and not settings.origin(name).startswith("flag")
    }
    return replace(settings, **kept)  # type: ignore[arg-type]


def take_up(
    resumable: Resumable,
    plan: RunPlan,
    parts: Parts,
    project: Path,
    clock: Clock,
    invocation: Invocation,
) -> OpenRun:
    """Go on with an interrupted run; call inside a running event loop.

    Raises:
        ProjectError: ``RUN_LOCKED``, ``GIT_NOT_READY``.
    """
    place = reopen(resumable.folder, project)
    lock = RunLock(place.runs)
    lock.acquire()
    try:
        remove_leftovers(place)
        plan = _without_our_shared_files(plan, place)
        with contextlib.suppress(FileNotFoundError):
            (place.runs / "summary.json").unlink()
        journal = Journal(place.runs / FILE)
        stream = RunStream(resumable.folder.meta.run_id, clock, journal, resumable.state)
        controller = _controller(plan, parts, place, clock, invocation, stream)
        if resumable.state.started is None:
            stream.emit(_started(plan, place, invocation))
        redo = resumable.open_items
        stream.emit(ev.RunTakenUp(items=tuple(redo), version=VERSION, jobs=plan.settings.workers))
        files = AttemptFiles(place.runs)
        controller.begin(recorded_drafts(resumable.events, redo, files))
    except BaseException:
        lock.release()
        raise
    return OpenRun(controller, lock, place, invocation)


def _without_our_shared_files(plan: RunPlan, place: Workplace) -> RunPlan:
    """The plan as it was before the run declared sources and tests that its models need.

    What a killed run had added to a shared file is taken back: read from there, it would look
    like the project's own, and nobody would commit it.
    """
    files = ModelFiles(place)
    shared = files.shared(plan.items)
    if not shared:
        return plan
    files.snapshot.restore(shared)
    project = MigrationProject.open(plan.project.root, plan.project.dbt.root)
    return replace(plan, project=project)


def remove_leftovers(place: Workplace) -> None:
    """Remove temporary files that a killed process had begun and never put in their place."""
    for folder in (place.runs, place.root / "dbt/models/staging", place.root / "dbt/tests/generic"):
        for left in folder.rglob(".*.tmp"):
            with contextlib.suppress(OSError):
                left.unlink()


def recorded_drafts(
    events: Iterable[Event], items: Iterable[str], files: AttemptFiles
) -> Mapping[str, RecordedDrafts]:
    """For each item that is done again, the drafts made since it was queued last."""
    wanted = set(items)
    drafts: dict[str, list[ev.DraftReady]] = {item_id: [] for item_id in wanted}
    for event in events:
        if isinstance(event, ev.ItemQueued) and event.item_id in wanted:
            drafts[event.item_id] = []
        elif isinstance(event, ev.DraftReady) and event.item_id in wanted:
            drafts[event.item_id].append(event)
    return {item_id: RecordedDrafts.of(found, files) for item_id, found in drafts.items()}


def load_run(folder: Path) -> RunState:
    """A run rebuilt from its journal alone, for History; any journal can be opened."""
    return replay(read_journal(folder / FILE).events)
