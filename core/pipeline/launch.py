"""From what was asked to a run that can start: selection, guards, git, place.

Shared by the headless command and the app. Nothing is written before :func:`open_place`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

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
from core.pipeline.closing import Closing
from core.pipeline.open import require_startable, unfinished
from core.pipeline.plan import RunPlan, plan_run
from core.pipeline.wish import Wish
from core.project.codes import Diagnostic
from core.project.guards import ModelNames, check_project, is_ready
from core.project.project import MigrationProject
from core.project.selection import Selection, select_tables
from core.project.settings import Settings


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
