"""From what was asked to a run that can start: settings, selection, guards, git, place.

Shared by the headless command and the app. Nothing is written before :func:`open_place`.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from core.git.pull_request import PullRequestSettings
from core.git.repository import (
    Mode,
    Repository,
    Uncommitted,
    find_repository,
    require_ready,
    uncommitted,
)
from core.git.worktree import (
    Workplace,
    WorktreePlan,
    WorktreeSettings,
    open_in_place,
    open_worktree,
    plan_worktree,
)
from core.pipeline.claude_use import ClaudeUse
from core.pipeline.closing import Closing
from core.pipeline.open import require_startable, unfinished
from core.pipeline.plan import RunPlan, plan_run
from core.project.codes import Diagnostic
from core.project.guards import ModelNames, check_project, is_ready
from core.project.project import MigrationProject
from core.project.selection import Selection, select_tables
from core.project.settings import Settings
from core.project.settings_file import load_settings


@dataclass(frozen=True)
class Wish:
    """What an invocation asks for. ``resume`` is ``""`` for the newest run, ``None`` for none."""

    project: Path
    tables: tuple[str, ...] = ()
    all_ready: bool = False
    in_place: bool = False
    commit: bool = False
    no_pr: bool = False
    resume: str | None = None
    discard: bool = False
    dry_run: bool = False
    flags: Mapping[str, Any] = field(default_factory=dict)
    """Settings given as flags, by their dotted name; ``None`` where a flag was not given."""
    environment: Mapping[str, str] = field(default_factory=dict)
    folder: Path | None = None
    """What ``@file`` is relative to; the current folder when absent."""
    claude: ClaudeUse = field(default_factory=ClaudeUse)
    """``--yes``, ``--record``, ``--replay``."""

    @property
    def commits(self) -> bool:
        """Whether accepted items are committed: always in a worktree, in place when asked."""
        return self.commit or not self.in_place

    @property
    def sends(self) -> bool:
        """Whether the branch is pushed and a pull request opened: never from in place."""
        return not self.in_place and not self.no_pr


@dataclass(frozen=True)
class Launch:
    """A new run as far as it can be known without writing anything."""

    wish: Wish
    settings: Settings
    project: MigrationProject
    selection: Selection
    plan: RunPlan
    blocked: Diagnostic | None = None
    """A project-level guard: nothing can run."""
    repository: Repository | None = None
    worktree: WorktreePlan | None = None
    uncommitted: Uncommitted = field(default_factory=Uncommitted)


def settings_for(wish: Wish) -> Settings:
    """The effective settings of an invocation.

    Raises:
        ProjectError: ``SETTINGS_INVALID``.
    """
    return load_settings(wish.project, wish.environment, dict(wish.flags))


def select(wish: Wish, project: MigrationProject, settings: Settings) -> Selection:
    """The items an invocation names."""
    names = ModelNames.of(project, settings.model_names)
    return select_tables(
        project,
        list(wish.tables),
        all_ready=wish.all_ready,
        is_ready=is_ready(project, names),
        folder=wish.folder,
    )


def prepare_launch(wish: Wish, settings: Settings) -> Launch:
    """Select, run the guards, and see what git will do. Reads only.

    Raises:
        ProjectError: ``GIT_NOT_READY``, ``RUN_LOCKED``, ``RUN_UNFINISHED``.
    """
    project = MigrationProject.open(wish.project)
    problems = check_project(project, settings.target, wish.environment)
    selection = select(wish, project, settings)
    plan = plan_run(
        project,
        selection.items,
        settings,
        unknown=selection.unknown,
        environment=wish.environment,
    )
    launch = Launch(wish, settings, project, selection, plan)
    if problems:
        return replace(launch, blocked=problems[0])
    if wish.dry_run or not plan.items:
        return launch
    if wish.in_place or not plan.ready:
        mode = Mode.IN_PLACE_COMMIT if wish.in_place and wish.commit else Mode.IN_PLACE
        repository = require_ready(wish.project, mode)
        require_startable(open_in_place(wish.project), discard=wish.discard)
        return replace(launch, repository=repository)
    repository = require_ready(wish.project, Mode.WORKTREE, settings.base)
    assert repository is not None
    worktree = plan_worktree(repository, selection.items, worktree_settings(settings))
    if worktree.unfinished is not None and not wish.discard:
        raise unfinished(worktree.unfinished)
    return replace(
        launch, repository=repository, worktree=worktree, uncommitted=uncommitted(repository)
    )


def worktree_settings(settings: Settings) -> WorktreeSettings:
    """The git package's view of the settings."""
    return WorktreeSettings(folder=settings.worktrees_dir, base=settings.base)


def open_place(launch: Launch) -> tuple[Workplace, RunPlan]:
    """Make or reuse the place to write to; the plan then reads dbt from there.

    Raises:
        ProjectError: ``GIT_NOT_READY``, ``RUN_LOCKED``, ``RUN_UNFINISHED``.
    """
    if launch.worktree is None:
        return open_in_place(launch.wish.project), launch.plan
    place = open_worktree(launch.worktree)
    require_startable(place, discard=launch.wish.discard)
    return place, replan(launch, place, launch.selection.items)


def replan(launch: Launch, place: Workplace, item_ids: Sequence[str]) -> RunPlan:
    """The plan with inputs from the project and ``dbt/`` from the place."""
    project = project_at(launch.wish.project, place)
    plan = plan_run(
        project,
        item_ids,
        launch.settings,
        unknown=launch.selection.unknown,
        environment=launch.wish.environment,
    )
    return replace(plan, notes=(*plan.notes, *place.notes))


def project_at(root: Path, place: Workplace) -> MigrationProject:
    """The project in ``root`` with the dbt project of the place."""
    return MigrationProject.open(root, None if place.in_place else place.root / "dbt")


def closing_for(
    commit: bool, pull_request: bool, settings: Settings, project: Path, place: Workplace
) -> Closing:
    """How a run in this place ends."""
    there = None if place.repository is None else find_repository(project)
    return Closing(
        commit=commit,
        pull_request=pull_request and not place.in_place,
        uncommitted=uncommitted(there) if there is not None and commit else Uncommitted(),
        started_on=there.branch if there is not None else None,
        pr=pull_request_settings(settings),
        title=settings.pr.title,
    )


def pull_request_settings(settings: Settings) -> PullRequestSettings:
    """The git package's view of the settings; ``HEAD`` is no branch to merge into."""
    return PullRequestSettings(
        base="" if settings.base == "HEAD" else settings.base.removeprefix("origin/"),
        labels=settings.pr.labels,
        reviewers=settings.pr.reviewers,
    )


def headless_command(
    tables: Sequence[str], settings: Settings, *, in_place: bool, commit: bool, no_pr: bool
) -> str:
    """The command line that does the same run without a screen."""
    words = ["proc2dbt", "--headless", *tables]
    for name, flag in (("author", "--author"), ("jobs", "--jobs"), ("approve", "--approve")):
        if settings.origin(name).startswith("flag"):
            words += [flag, str(getattr(settings, name))]
    words += ["--in-place"] if in_place else []
    words += ["--commit"] if in_place and commit else []
    words += ["--no-pr"] if no_pr and not in_place else []
    return shlex.join(words)
