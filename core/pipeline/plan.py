"""What a run is going to do: its items, the guards they fail, and which of them read each other.

A plan is made without writing anything; ``--dry-run`` prints one, a run carries it out.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from core.generation.author import Job
from core.pipeline.itemresult import RunItem
from core.project.codes import Diagnostic, ProjectError
from core.project.guards import ModelNames, check_item, check_project
from core.project.names import NameSyntaxError, QualifiedName
from core.project.project import MigrationProject
from core.project.settings import Settings


@dataclass(frozen=True)
class RunPlan:
    """Everything about a run that is known before it starts.

    ``refused`` holds the guard each failing item failed; ``depends`` the items of this run that
    an item's procedure names; ``existing_models`` the models that were in the dbt project before
    the run, by item id.
    """

    project: MigrationProject
    settings: Settings
    items: tuple[RunItem, ...]
    refused: Mapping[str, Diagnostic] = field(default_factory=dict)
    depends: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    existing_models: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    @property
    def ready(self) -> tuple[RunItem, ...]:
        """Items that passed every guard."""
        return tuple(item for item in self.items if item.item_id not in self.refused)

    def item(self, item_id: str) -> RunItem:
        """The item of that id."""
        return next(item for item in self.items if item.item_id == item_id)

    def job(self, item_id: str, models: Mapping[str, str]) -> Job:
        """The item as an author sees it; ``models`` are those that may be referenced now.

        Raises:
            ProjectError: an input changed since the guards ran and cannot be read any more.
        """
        item = self.item(item_id)
        table = self.project.table(item_id)
        return Job(
            item_id=item_id,
            model_name=item.model_name,
            table=table,
            spec=self.project.test_spec(item_id),
            procedure=self.project.procedure(item.writer),
            project=self.project,
            existing_models=dict(models),
            collation=self.settings.collation,
        )


def plan_run(
    project: MigrationProject,
    item_ids: Sequence[str],
    settings: Settings,
    *,
    unknown: Iterable[Diagnostic] = (),
    check: Callable[[], list[Diagnostic]] | None = None,
    existing_models: Mapping[str, str] | None = None,
    environment: Mapping[str, str] | None = None,
) -> RunPlan:
    """Run every guard over the items; a project-level one fails them all.

    ``unknown`` are names of the invocation that are no table: they become items that failed.
    ``check`` replaces the project-level guards (a ``--target`` run tests its connection there).
    ``existing_models`` is what a run that is resumed found when it started.
    ``environment`` says where dbt's profiles are (``DBT_PROFILES_DIR``, ``HOME``); the process's
    own when absent.
    """
    strangers = tuple(unknown)
    env = os.environ if environment is None else environment
    problems = (check or (lambda: check_project(project, settings.target, env)))()
    if problems:
        items = tuple(_unready(project, item_id) for item_id in item_ids)
        everyone = (*items, *(_stranger(d) for d in strangers))
        refused = {
            item.item_id: problems[0].model_copy(update={"item_id": item.item_id})
            for item in everyone
        }
        return RunPlan(project, settings, everyone, refused)
    names = ModelNames.of(project, settings.model_names)
    refused = {}
    items_ready: list[RunItem] = []
    for item_id in item_ids:
        problem = check_item(project, item_id, names)
        if problem is not None:
            refused[item_id] = problem
            items_ready.append(_unready(project, item_id))
        else:
            items_ready.append(_ready(project, item_id, names))
    for diagnostic in strangers:
        stranger = _stranger(diagnostic)
        refused[stranger.item_id] = diagnostic
        items_ready.append(stranger)
    ready = [item for item in items_ready if item.item_id not in refused]
    return RunPlan(
        project,
        settings,
        tuple(items_ready),
        refused,
        depends=dependencies(project, ready),
        existing_models=(
            existing_models if existing_models is not None else models_on_disk(project, names)
        ),
    )


def _ready(project: MigrationProject, item_id: str, names: ModelNames) -> RunItem:
    table = project.table(item_id)
    writer = table.writer.display if table.writer is not None else ""
    return RunItem(item_id, table.display, names.name_of(table.qualified), writer)


def _unready(project: MigrationProject, item_id: str) -> RunItem:
    """The item with as much of its names as can be read."""
    try:
        return RunItem(item_id, project.table(item_id).display)
    except ProjectError:
        return RunItem(item_id, item_id)


def _stranger(diagnostic: Diagnostic) -> RunItem:
    item_id = diagnostic.item_id or str((diagnostic.details or {}).get("file", "?"))
    return RunItem(item_id, item_id)


def models_on_disk(project: MigrationProject, names: ModelNames) -> dict[str, str]:
    """Models of the dbt project that stand for tables of the catalog, by item id.

    Only the catalog files of tables that have a model of their name are read.
    """
    found: dict[str, str] = {}
    models = project.dbt.models
    named = {item for name in models for item in names.candidates.get(name.casefold(), ())}
    for item_id in sorted(named):
        try:
            table = project.table(item_id)
        except ProjectError:
            continue
        name = names.name_of(table.qualified)
        if name in models and table.writer is not None:
            owner = project.dbt.generated_for(name)
            if owner is not None and owner.key == table.qualified.key:
                found[item_id] = name
    return found


_NAME = re.compile(
    r"""(?:\[(?:[^\]]|\]\])+\]|"[^"]+"|[\w@#$]+)(?:\s*\.\s*(?:\[(?:[^\]]|\]\])+\]|"[^"]+"|[\w@#$]+))+"""
)
_NOISE = re.compile(r"--[^\n]*|/\*.*?\*/|'(?:[^']|'')*'", re.DOTALL)


def dependencies(project: MigrationProject, items: Sequence[RunItem]) -> dict[str, tuple[str, ...]]:
    """For each item, the other items of the run whose tables its writer names.

    Reading too much into the text only makes an item wait; what it really references is read
    from its model.
    """
    wanted = {item.item_id for item in items}
    found: dict[str, tuple[str, ...]] = {}
    for item in items:
        source = project.find_procedure(item.writer)
        if source is None:
            continue
        mentioned: dict[str, None] = {}
        for match in _NAME.finditer(_NOISE.sub(" ", source.text)):
            try:
                name = QualifiedName.parse(match[0])
            except NameSyntaxError:
                continue
            if name.item_id in wanted and name.item_id != item.item_id:
                mentioned[name.item_id] = None
        if mentioned:
            found[item.item_id] = tuple(mentioned)
    return found
