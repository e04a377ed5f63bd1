"""The run of a sitting: begun or taken up, steered, ended.

A module of its own because everything that makes a run comes in with it (git, dbt's pool, the
pipeline): the session loads it once the first screen is painted.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

from core.dbt.pool import WorkerPool
from core.git.worktree import reopen
from core.pipeline import events as ev
from core.pipeline.claude_use import ClaudeUse
from core.pipeline.closing import Closing, close_run
from core.pipeline.decisions import current_person
from core.pipeline.launch import closing_for, open_place, prepare_launch, project_at
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
from core.pipeline.pull_request import pull_request_text
from core.pipeline.result import Summary
from core.pipeline.state import RunState
from core.pipeline.wish import Wish, headless_command
from core.project.clock import Clock
from core.project.codes import ProjectError
from core.project.settings import Settings
from tui.bridge import Bridge, open_journal

Procedures = Callable[[str], tuple[str, int]]
"""A writer to its text and the number of its first line."""


class PartsFor(Protocol):
    """Settings and the dbt project of the working place, to what a run works with."""

    def __call__(self, settings: Settings, dbt_root: Path, /) -> Parts: ...


@dataclass
class SittingRun:
    """A run of this sitting, under way until it is closed or interrupted."""

    opened: OpenRun
    bridge: Bridge
    closing: Closing
    pool: WorkerPool | None = None
    """The worker processes, where they are real."""

    def set_jobs(self, jobs: int) -> None:
        """Work on another number of tables at once."""
        self.opened.controller.set_jobs(jobs)
        if self.pool is not None and jobs >= 1:
            self.pool.resize(jobs)

    def pr_text(self) -> tuple[str, str]:
        """Title and body of the pull request as it would be sent now."""
        run = self.opened.controller
        accepted = [i for i, s in run.state.items.items() if s.accepted]
        return pull_request_text(run, self.closing, accepted, run.plan.notes)

    async def close(self, *, pull_request: bool) -> Summary:
        """Finish: restore what was rejected, build, commit, send.

        Raises:
            ProjectError: a file could not be read or written.
        """
        closing = replace(self.closing, pull_request=self.closing.pull_request and pull_request)
        summary = await close_run(self.opened.controller, closing)
        await self._release()
        return summary

    async def interrupt(self, reason: str) -> None:
        """Stop so that it can be taken up again."""
        if self.bridge.live:
            await self.opened.controller.interrupt(reason)
        await self._release()

    async def _release(self) -> None:
        if self.bridge.controller is None:
            return
        self.bridge.controller = None
        self.bridge.version += 1
        self.opened.release()
        await self.opened.controller.parts.aclose()


@dataclass(frozen=True)
class Opener:
    """Begins and takes up runs of one project. ``parts`` replaces what a run really works with."""

    wish: Wish
    settings: Settings
    person: str
    clock: Clock
    procedures: Procedures
    parts: PartsFor | None = None

    async def begin(
        self, tables: Sequence[str], settings: Settings, *, discard: bool = False
    ) -> SittingRun:
        """Begin a run over these tables.

        Raises:
            ProjectError: nothing can run, git is not ready, or an unfinished run is in the way.
        """
        await asyncio.to_thread(self.require_author, settings)
        wish = replace(self.wish, tables=tuple(tables), all_ready=False, discard=discard)
        launch = await asyncio.to_thread(prepare_launch, wish, settings)
        if launch.blocked is not None:
            raise ProjectError(launch.blocked)
        place, plan = await asyncio.to_thread(open_place, launch)
        parts, pool = await self._make_parts(settings, plan.project.dbt.root)
        invocation = Invocation(
            command=headless_command(
                tables, settings, in_place=wish.in_place, commit=wish.commit, no_pr=wish.no_pr
            ),
            person=self._person(),
            interactive=True,
            commit=wish.commits,
            pull_request=wish.sends,
        )
        opened = start_run(plan, parts, place, self.clock, invocation)
        return await self._opened(opened, settings, pool)

    async def take_up(self, run_id: str = "") -> SittingRun:
        """Go on with an unfinished run: this one, or the newest.

        Raises:
            ProjectError: there is none, or it is locked by another process.
        """
        root = self.wish.project
        found = await asyncio.to_thread(find_resumable, root, run_id or None)
        settings = settings_of(found, self.settings)
        await asyncio.to_thread(self.require_author, settings)
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
            person=self._person(),
            interactive=True,
            commit=kept.get("commit", str(self.wish.commits).lower()) == "true",
            pull_request=kept.get("pull_request", "false") == "true" and not self.wish.no_pr,
        )
        parts, pool = await self._make_parts(settings, project.dbt.root)
        opened = take_up(found, plan, parts, root, self.clock, invocation)
        return await self._opened(opened, settings, pool)

    def require_author(self, settings: Settings) -> None:
        """Check before any work that the author is there. Imports the compiler: off the loop.

        Raises:
            ProjectError: ``SETTINGS_INVALID``.
        """
        if self.parts is not None:
            return
        from core.generation.authors import require_author
        from core.pipeline.claude_desk import require_claude

        require_author(settings)
        if settings.author != "compiler":
            require_claude(settings, self.wish.project)

    def _person(self) -> str:
        return self.person or current_person(self.wish.project)

    async def _make_parts(
        self, settings: Settings, dbt_root: Path
    ) -> tuple[Parts, WorkerPool | None]:
        if self.parts is not None:
            return self.parts(settings, dbt_root), None
        pool = WorkerPool(settings.workers)
        return await asyncio.to_thread(_real, settings, dbt_root, pool, self.wish.claude), pool

    async def _opened(
        self, opened: OpenRun, settings: Settings, pool: WorkerPool | None
    ) -> SittingRun:
        controller = opened.controller
        bridge = Bridge(opened.place.runs, controller=controller, procedures=self.procedures)
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
        closing = await asyncio.to_thread(
            closing_for,
            opened.invocation.commit,
            opened.invocation.pull_request,
            settings,
            self.wish.project,
            opened.place,
        )
        return SittingRun(opened, bridge, closing, pool)


def _real(settings: Settings, dbt_root: Path, pool: WorkerPool, use: ClaudeUse) -> Parts:
    """In a thread: the compiler and the way to Claude are imported here."""
    from core.pipeline.wiring import real_parts

    return real_parts(settings, dbt_root, pool, use)
