"""The project and the run that the app works on. Knows no widget.

Everything slow (reading the project, git, journals) happens in threads or worker processes; the
event loop only ever sees results. ``parts`` and ``clock`` are handed in, so that the whole app
runs in tests with a scripted author and no dbt.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from core.dbt.pool import WorkerPool
from core.git.history import RUNS, RunFolder, history_folder, kept_runs, read_run
from core.git.repository import find_repository
from core.git.worktree import find_runs, reopen
from core.pipeline import events as ev
from core.pipeline.closing import Closing, close_run, pull_request_text
from core.pipeline.decisions import current_person
from core.pipeline.lastruns import last_runs
from core.pipeline.launch import (
    Launch,
    closing_for,
    open_place,
    prepare_launch,
    project_at,
)
from core.pipeline.open import (
    Invocation,
    OpenRun,
    find_resumable,
    settings_of,
    start_run,
    take_up,
)
from core.pipeline.plan import plan_run
from core.pipeline.ports import Parts
from core.pipeline.result import Summary
from core.pipeline.state import RunState
from core.pipeline.wish import Wish, headless_command
from core.project.clock import Clock, system_clock
from core.project.codes import Diagnostic, ProjectError
from core.project.guards import ModelNames, check_project
from core.project.project import MigrationProject
from core.project.settings import Settings
from core.project.status import TableStatus, table_status
from tui.bridge import Bridge, open_journal
from tui.viewmodels.tables import TableInfo, info_of

PartsFor = Callable[[Settings, Path], Parts]
"""Settings and the dbt project of the working place, to what a run works with."""

CHUNK = 40
"""Tables whose state is read between two looks of the screen."""


@dataclass(frozen=True)
class ProjectView:
    """The project as far as it is read."""

    root: Path
    project: MigrationProject | None = None
    problems: tuple[Diagnostic, ...] = ()
    tables: tuple[TableInfo, ...] = ()
    complete: bool = False
    branch: str = ""
    person: str = ""
    unfinished: tuple[RunFolder, ...] = ()


@dataclass(frozen=True)
class PastRun:
    """A run of History."""

    folder: RunFolder
    counts: tuple[int, int, int] | None = None
    """How many tables ended ok, partial and error, where the run wrote its summary."""
    resumable: bool = False


class Session:
    """One sitting: a project, and at most one run under way."""

    def __init__(
        self,
        wish: Wish,
        settings: Settings,
        *,
        parts: PartsFor | None = None,
        clock: Clock = system_clock,
    ) -> None:
        self.wish = wish
        self.settings = settings
        self.view = ProjectView(wish.project)
        self.version = 0
        """Grows when ``view`` changes."""
        self.bridge: Bridge | None = None
        """The run of this sitting, under way or finished."""
        self.closing: Closing | None = None
        self._opened: OpenRun | None = None
        self._pool: WorkerPool | None = None
        self._parts = parts or self._real_parts
        self._clock = clock

    # --- the project ------------------------------------------------------------------------

    async def load(self) -> None:
        """Read the project: names first, then each table's state, a few at a time."""
        root = self.wish.project
        project = MigrationProject.open(root)
        self._show(ProjectView(root, project))
        problems = await asyncio.to_thread(_problems, project, self.settings, self.wish)
        names = [] if problems else await asyncio.to_thread(_names, project)
        tables = tuple(TableInfo(item_id=n, display=n, loading=True) for n in names)
        self._show(replace(self.view, problems=tuple(problems), tables=tables))
        branch, person, unfinished = await asyncio.to_thread(_surroundings, root)
        self._show(replace(self.view, branch=branch, person=person, unfinished=unfinished))
        if not problems:
            await self._load_tables(project, names)
        self._show(replace(self.view, complete=True))
        await asyncio.to_thread(self._require_author, self.settings)

    async def _load_tables(self, project: MigrationProject, names: Sequence[str]) -> None:
        models = await asyncio.to_thread(ModelNames.of, project, self.settings.model_names)
        runs = await asyncio.to_thread(last_runs, self.wish.project)
        infos = list(self.view.tables)
        for start in range(0, len(names), CHUNK):
            part = names[start : start + CHUNK]

            def read(part: Sequence[str] = part) -> list[TableInfo]:
                return [
                    info_of(project, table_status(project, n, models, runs.get(n))) for n in part
                ]

            infos[start : start + len(part)] = await asyncio.to_thread(read)
            self._show(replace(self.view, tables=tuple(infos)))

    async def refresh(self, item_ids: Iterable[str]) -> None:
        """Read some tables again, after a run."""
        project = MigrationProject.open(self.wish.project)
        wanted = set(item_ids)

        def read() -> dict[str, TableInfo]:
            models = ModelNames.of(project, self.settings.model_names)
            runs = last_runs(self.wish.project)
            statuses: list[TableStatus] = [
                table_status(project, n, models, runs.get(n)) for n in sorted(wanted)
            ]
            return {s.item_id: info_of(project, s) for s in statuses}

        try:
            found = await asyncio.to_thread(read)
        except (ProjectError, OSError):
            return
        tables = tuple(found.get(t.item_id, t) for t in self.view.tables)
        self._show(replace(self.view, project=project, tables=tables))

    def _show(self, view: ProjectView) -> None:
        self.view = view
        self.version += 1

    def procedure(self, writer: str) -> tuple[str, int]:
        """Text and first line of a writer; empty until the DDL is read."""
        project = self.view.project
        if project is None or not writer or "procedures" not in project.__dict__:
            return "", 1
        found = project.find_procedure(writer)
        return (found.text, found.first_line) if found is not None else ("", 1)

    def headless(self, tables: Sequence[str]) -> str:
        """The command that does the same without a screen."""
        return headless_command(
            tables,
            self.settings,
            in_place=self.wish.in_place,
            commit=self.wish.commit,
            no_pr=self.wish.no_pr,
        )

    # --- a run ------------------------------------------------------------------------------

    @property
    def busy(self) -> bool:
        """Whether a run of this sitting is not finished."""
        return self.bridge is not None and self.bridge.live

    async def start(
        self, tables: Sequence[str], *, author: str = "", discard: bool = False
    ) -> Bridge:
        """Begin a run over these tables.

        Raises:
            ProjectError: nothing can run, git is not ready, or an unfinished run is in the way.
        """
        settings = replace(self.settings, author=author) if author else self.settings
        await asyncio.to_thread(self._require_author, settings)
        wish = replace(self.wish, tables=tuple(tables), all_ready=False, discard=discard)
        launch = await asyncio.to_thread(prepare_launch, wish, settings)
        if launch.blocked is not None:
            raise ProjectError(launch.blocked)
        place, plan = await asyncio.to_thread(open_place, launch)
        parts = self._parts(settings, plan.project.dbt.root)
        invocation = self._invocation(launch, tables)
        opened = start_run(plan, parts, place, self._clock, invocation)
        return await self._opened_run(opened, invocation, settings)

    async def resume(self, run_id: str = "") -> Bridge:
        """Go on with an unfinished run: this one, or the newest.

        Raises:
            ProjectError: there is none, or it is locked by another process.
        """
        root = self.wish.project
        found = await asyncio.to_thread(find_resumable, root, run_id or None)
        settings = settings_of(found, self.settings)
        place = await asyncio.to_thread(reopen, found.folder, root)
        project = project_at(root, place)
        started = found.state.started
        existing = started.existing_models if started is not None else None
        plan = await asyncio.to_thread(
            lambda: plan_run(project, found.item_ids, settings, existing_models=existing)
        )
        kept = started.settings if started is not None else {}
        invocation = Invocation(
            command=started.command if started is not None else "",
            person=self.view.person or current_person(root),
            interactive=True,
            commit=kept.get("commit", str(self.wish.commits).lower()) == "true",
            pull_request=kept.get("pull_request", "false") == "true" and not self.wish.no_pr,
        )
        parts = self._parts(settings, project.dbt.root)
        opened = take_up(found, plan, parts, root, self._clock, invocation)
        return await self._opened_run(opened, invocation, settings)

    def _invocation(self, launch: Launch, tables: Sequence[str]) -> Invocation:
        return Invocation(
            command=self.headless(tables),
            person=self.view.person or current_person(launch.wish.project),
            interactive=True,
            commit=launch.wish.commits,
            pull_request=launch.wish.sends,
        )

    async def _opened_run(
        self,
        opened: OpenRun,
        invocation: Invocation,
        settings: Settings,
    ) -> Bridge:
        controller = opened.controller
        bridge = Bridge(opened.place.runs, controller=controller, procedures=self.procedure)
        # Opening has emitted already, and items begin while the journal is read: what is in the
        # journal comes first, then what was heard meanwhile.
        heard: list[tuple[ev.Event, RunState]] = []
        stop = controller.stream.subscribe(lambda event, state: heard.append((event, state)))
        journal = await asyncio.to_thread(open_journal, opened.place.runs)
        bridge.log, bridge.logged = journal.log, journal.logged
        bridge.state = controller.state
        for event, state in heard:
            if event.seq > journal.state.last_seq:
                bridge.hear(event, state)
        stop()
        controller.stream.subscribe(bridge.hear)
        bridge.version += 1
        self.bridge, self._opened = bridge, opened
        self.closing = await asyncio.to_thread(
            closing_for,
            invocation.commit,
            invocation.pull_request,
            settings,
            self.wish.project,
            opened.place,
        )
        return bridge

    def set_jobs(self, jobs: int) -> None:
        """Work on another number of tables at once."""
        if self._opened is not None:
            self._opened.controller.set_jobs(jobs)
        if self._pool is not None and jobs >= 1:
            self._pool.resize(jobs)

    def pr_text(self) -> tuple[str, str]:
        """Title and body of the pull request as it would be sent now."""
        assert self._opened is not None
        assert self.closing is not None
        run = self._opened.controller
        accepted = [i for i, s in run.state.items.items() if s.accepted]
        return pull_request_text(run, self.closing, accepted, run.plan.notes)

    async def close(self, *, pull_request: bool) -> Summary:
        """Finish the run: restore what was rejected, build, commit, send.

        Raises:
            ProjectError: a file could not be read or written.
        """
        assert self._opened is not None
        assert self.closing is not None
        opened = self._opened
        closing = replace(self.closing, pull_request=self.closing.pull_request and pull_request)
        summary = await close_run(opened.controller, closing)
        await self._release()
        return summary

    async def interrupt(self, reason: str) -> None:
        """Stop the run so that it can be taken up again."""
        if self._opened is None:
            return
        if self.busy:
            await self._opened.controller.interrupt(reason)
        await self._release()

    async def _release(self) -> None:
        opened, self._opened = self._opened, None
        if opened is None:
            return
        if self.bridge is not None:
            self.bridge.controller = None
            self.bridge.version += 1
        opened.release()
        await opened.controller.parts.bench.aclose()
        self._pool = None

    def _require_author(self, settings: Settings) -> None:
        if self._parts == self._real_parts:
            # The compiler comes with it: a quarter of a second that no screen waits for.
            from core.generation.authors import require_author

            require_author(settings)

    def _real_parts(self, settings: Settings, dbt_root: Path) -> Parts:
        from core.pipeline.wiring import real_parts

        self._pool = WorkerPool(settings.workers)
        return real_parts(settings, dbt_root, self._pool)

    # --- earlier runs -----------------------------------------------------------------------

    async def history(self) -> tuple[PastRun, ...]:
        """Every run that is kept or still in its place, newest first."""
        return await asyncio.to_thread(_past_runs, self.wish.project)

    async def open_past(self, run: PastRun) -> Bridge:
        """A run of History, from its journal."""
        current = self.bridge
        if current is not None and current.state.run_id == run.folder.meta.run_id:
            return current
        return await asyncio.to_thread(open_journal, run.folder.path, self.procedure)


# --- reading, in threads ------------------------------------------------------------------------


def _problems(project: MigrationProject, settings: Settings, wish: Wish) -> list[Diagnostic]:
    return check_project(project, settings.target, wish.environment)


def _names(project: MigrationProject) -> list[str]:
    """Every table, with the DDL read so that later looks at procedures are free."""
    names = list(project.tables())
    _ = project.procedures
    return names


def _surroundings(root: Path) -> tuple[str, str, tuple[RunFolder, ...]]:
    try:
        repository = find_repository(root)
        unfinished = find_runs(root)
    except ProjectError:
        return "", current_person(root), ()
    branch = repository.branch if repository is not None else ""
    return branch or "", current_person(root), unfinished


def _past_runs(project: Path) -> tuple[PastRun, ...]:
    runs = project.resolve() / RUNS
    try:
        kept = kept_runs(history_folder(find_repository(project), runs))
        open_ones = {r.meta.run_id: r for r in find_runs(project)}
    except ProjectError:
        kept, open_ones = (), {}
    here = read_run(runs)
    found = {r.meta.run_id: r for r in kept}
    found |= {r.meta.run_id: r for r in ((here,) if here else ())}
    found |= open_ones
    ordered = sorted(found.values(), key=lambda r: r.meta.started_at, reverse=True)
    return tuple(PastRun(r, _counts(r), r.meta.run_id in open_ones) for r in ordered)


def _counts(run: RunFolder) -> tuple[int, int, int] | None:
    try:
        text = (run.path / "summary.json").read_text(encoding="utf-8")
        summary = Summary.model_validate_json(text)
    except (OSError, ValueError):
        return None
    return summary.ok, summary.partial, summary.error
