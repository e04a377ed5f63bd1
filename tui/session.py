"""The project and the run that the app works on. Knows no widget.

Everything slow (reading the project, git, journals) happens in threads or worker processes; the
event loop only ever sees results. ``parts`` and ``clock`` are handed in, so that the whole app
runs in tests with a scripted author and no dbt.
"""

from __future__ import annotations

import asyncio
import importlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from core.pipeline.wish import Wish, headless_command
from core.project.clock import Clock, system_clock
from core.project.codes import Diagnostic, ProjectError
from core.project.settings import Settings
from tui.viewmodels.tables import Preview, TableInfo, info_of

if TYPE_CHECKING:
    from core.git.history import RunFolder
    from core.pipeline.closing import Closing
    from core.pipeline.result import Summary
    from core.project.guards import ModelNames
    from core.project.project import MigrationProject
    from core.project.status import LastRun
    from tui.bridge import Bridge
    from tui.preview import Previewer
    from tui.runs import Opener, PartsFor, SittingRun

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
        previews: bool = True,
    ) -> None:
        """``previews``: say of a table that is looked at what the compiler would do with it."""
        self.wish = wish
        self.settings = settings
        self.view = ProjectView(wish.project)
        self.version = 0
        """Grows when ``view`` changes."""
        self.run: SittingRun | None = None
        """The run of this sitting, under way or over."""
        self.previews: dict[str, Preview | None] = {}
        """What is known of the tables that were looked at."""
        self._previews = previews
        self._previewer: Previewer | None = None
        self._parts = parts
        self._clock = clock

    # --- the project ------------------------------------------------------------------------

    async def load(self) -> None:
        """Read the project: names first, then each table's state, a few at a time."""
        root = self.wish.project
        project = await asyncio.to_thread(_open, root)
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
        await asyncio.to_thread(self._warm)

    def _warm(self) -> None:
        """Import what the first run needs, and say now when its author is not there."""
        importlib.import_module("tui.screens.run")
        importlib.import_module("tui.screens.summary")
        self._opener().require_author(self.settings)

    async def _load_tables(self, project: MigrationProject, names: Sequence[str]) -> None:
        models = await asyncio.to_thread(_model_names, project, self.settings)
        runs = await asyncio.to_thread(_last_runs, self.wish.project)
        infos = list(self.view.tables)
        for start in range(0, len(names), CHUNK):
            part = names[start : start + CHUNK]

            def read(part: Sequence[str] = part) -> list[TableInfo]:
                return _infos(project, part, models, runs)

            infos[start : start + len(part)] = await asyncio.to_thread(read)
            self._show(replace(self.view, tables=tuple(infos)))

    async def refresh(self, item_ids: Iterable[str]) -> None:
        """Read some tables again, after a run."""
        wanted = sorted(set(item_ids))

        def read() -> tuple[MigrationProject, dict[str, TableInfo]]:
            project = _open(self.wish.project)
            models = _model_names(project, self.settings)
            runs = _last_runs(self.wish.project)
            return project, {t.item_id: t for t in _infos(project, wanted, models, runs)}

        try:
            project, found = await asyncio.to_thread(read)
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

    async def preview(self, item_id: str) -> None:
        """Find out what the compiler would do with a table; never while a run is under way."""
        project = self.view.project
        if not self._previews or self.busy or project is None or item_id in self.previews:
            return
        if self._previewer is None:
            from tui.preview import Previewer

            self._previewer = Previewer(self.settings, pooled=self._parts is None)
        found = await self._previewer.look(project, item_id)
        self.previews[item_id] = found
        self.version += 1

    async def aclose(self) -> None:
        """End what was started to look ahead."""
        if self._previewer is not None:
            await self._previewer.aclose()

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
    def bridge(self) -> Bridge | None:
        """What the screens see of the run of this sitting."""
        return self.run.bridge if self.run is not None else None

    @property
    def closing(self) -> Closing | None:
        """How the run of this sitting ends."""
        return self.run.closing if self.run is not None else None

    @property
    def busy(self) -> bool:
        """Whether a run of this sitting is not finished."""
        return self.bridge is not None and self.bridge.live

    def _opener(self) -> Opener:
        from tui.runs import Opener

        return Opener(
            self.wish, self.settings, self.view.person, self._clock, self.procedure, self._parts
        )

    async def start(
        self, tables: Sequence[str], *, author: str = "", discard: bool = False
    ) -> Bridge:
        """Begin a run over these tables.

        Raises:
            ProjectError: nothing can run, git is not ready, or an unfinished run is in the way.
        """
        settings = replace(self.settings, author=author) if author else self.settings
        opener = await asyncio.to_thread(self._opener)
        self.run = await opener.begin(tables, settings, discard=discard)
        return self.run.bridge

    async def resume(self, run_id: str = "") -> Bridge:
        """Go on with an unfinished run: this one, or the newest.

        Raises:
            ProjectError: there is none, or it is locked by another process.
        """
        opener = await asyncio.to_thread(self._opener)
        self.run = await opener.take_up(run_id)
        return self.run.bridge

    def set_jobs(self, jobs: int) -> None:
        """Work on another number of tables at once."""
        if self.run is not None and self.busy:
            self.run.set_jobs(jobs)

    def pr_text(self) -> tuple[str, str]:
        """Title and body of the pull request as it would be sent now."""
        assert self.run is not None
        return self.run.pr_text()

    async def close(self, *, pull_request: bool) -> Summary:
        """Finish the run: restore what was rejected, build, commit, send.

        Raises:
            ProjectError: a file could not be read or written.
        """
        assert self.run is not None
        return await self.run.close(pull_request=pull_request)

    async def interrupt(self, reason: str) -> None:
        """Stop the run so that it can be taken up again."""
        if self.run is not None:
            await self.run.interrupt(reason)

    # --- earlier runs -----------------------------------------------------------------------

    async def history(self) -> tuple[PastRun, ...]:
        """Every run that is kept or still in its place, newest first."""
        return await asyncio.to_thread(_past_runs, self.wish.project)

    async def open_past(self, run: PastRun) -> Bridge:
        """A run of History, from its journal."""
        current = self.bridge
        if current is not None and current.state.run_id == run.folder.meta.run_id:
            return current

        def read() -> Bridge:
            from tui.bridge import open_journal

            return open_journal(run.folder.path, self.procedure)

        return await asyncio.to_thread(read)


# --- reading, in threads; what they import is not there before the first screen ------------------


def _open(root: Path) -> MigrationProject:
    from core.project.project import MigrationProject

    return MigrationProject.open(root)


def _model_names(project: MigrationProject, settings: Settings) -> ModelNames:
    from core.project.guards import ModelNames

    return ModelNames.of(project, settings.model_names)


def _infos(
    project: MigrationProject,
    names: Sequence[str],
    models: ModelNames,
    runs: Mapping[str, LastRun],
) -> list[TableInfo]:
    from core.project.status import table_status

    return [info_of(project, table_status(project, n, models, runs.get(n))) for n in names]


def _problems(project: MigrationProject, settings: Settings, wish: Wish) -> list[Diagnostic]:
    from core.project.guards import check_project

    return check_project(project, settings.target, wish.environment)


def _names(project: MigrationProject) -> list[str]:
    """Every table, with the DDL read so that later looks at procedures are free."""
    names = list(project.tables())
    _ = project.procedures
    return names


def _last_runs(root: Path) -> Mapping[str, LastRun]:
    from core.pipeline.lastruns import last_runs

    return last_runs(root)


def _surroundings(root: Path) -> tuple[str, str, tuple[RunFolder, ...]]:
    from core.git.repository import find_repository
    from core.git.worktree import find_runs
    from core.pipeline.decisions import current_person

    try:
        repository = find_repository(root)
        unfinished = find_runs(root)
    except ProjectError:
        return "", current_person(root), ()
    branch = repository.branch if repository is not None else ""
    return branch or "", current_person(root), unfinished


def _past_runs(project: Path) -> tuple[PastRun, ...]:
    from core.git.history import RUNS, history_folder, kept_runs, read_run
    from core.git.repository import find_repository
    from core.git.worktree import find_runs

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
    from core.pipeline.result import Summary

    try:
        text = (run.path / "summary.json").read_text(encoding="utf-8")
        summary = Summary.model_validate_json(text)
    except (OSError, ValueError):
        return None
    return summary.ok, summary.partial, summary.error
