"""Readiness guards: what must be there before any work begins, in the order of the contract.

Nothing is written and no database is asked. Project-level guards fail every item, so they come
first and alone; the others fail their own item with the first thing that is wrong with it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from core.project.catalog import CatalogTable, ProfileStatus
from core.project.codes import Code, Diagnostic, ProjectError
from core.project.names import QualifiedName, model_name
from core.project.profiles import check_profile
from core.project.project import MigrationProject
from core.project.testspec import SpecStatus


@dataclass(frozen=True)
class ModelNames:
    """Which model name each table of the project gets, and which tables share one.

    Built once per run. Only the catalog files of tables that might share a name are read.
    """

    project: MigrationProject
    configured: Mapping[str, str]
    candidates: Mapping[str, tuple[str, ...]]

    @classmethod
    def of(
        cls, project: MigrationProject, configured: Mapping[str, str] | None = None
    ) -> ModelNames:
        """The names of every table; ``configured`` is ``[model_names]`` by item id."""
        names = dict(configured or {})
        candidates: dict[str, list[str]] = {}
        for item_id in project.tables():
            name = names.get(item_id) or model_name(project.name_of(item_id))
            candidates.setdefault(name.casefold(), []).append(item_id)
        return cls(project, names, {name: tuple(items) for name, items in candidates.items()})

    def name_of(self, table: QualifiedName) -> str:
        """The model's name for ``table``."""
        return self.configured.get(table.item_id) or model_name(table)

    def rivals_of(self, table: QualifiedName) -> tuple[QualifiedName, ...]:
        """Other tables with a writer that would get the same model name."""
        items = self.candidates.get(self.name_of(table).casefold(), ())
        others = (_readable(self.project, item) for item in items if item != table.item_id)
        return tuple(other.qualified for other in others if other and other.writer)


def check_project(
    project: MigrationProject,
    target: str | None = None,
    environment: Mapping[str, str] | None = None,
) -> list[Diagnostic]:
    """The project-level guards: the first thing that keeps every item from running, or nothing.

    ``target`` is the target of the project's own warehouse a run asks for; only then a dbt
    profile is needed. Whether a connection can be made (``DBT_CONNECTION_FAILED``) is for the
    caller to find out: it takes dbt.
    """
    try:
        project.manifest  # noqa: B018 - reading it is the check
    except ProjectError as error:
        return [error.diagnostic]
    if not project.dbt.exists:
        return [
            Diagnostic.of(
                Code.DBT_PROJECT_MISSING,
                "There is no dbt/dbt_project.yml in the project: run `proc2dbt init-dbt` to "
                "make one from the catalog.",
                file="dbt/dbt_project.yml",
            )
        ]
    if project.dbt.config_problem is not None:
        return [
            Diagnostic.of(
                Code.DBT_PROJECT_MISSING,
                f"The dbt project cannot be used: dbt/{project.dbt.config_problem}; repair it.",
                file="dbt/dbt_project.yml",
            )
        ]
    if target is not None:
        problem = check_profile(project.dbt, target, environment or {})
        return [problem] if problem is not None else []
    return []


def check_item(project: MigrationProject, name: str, names: ModelNames) -> Diagnostic | None:
    """The first item-level guard that the table fails, or ``None`` when it is ready."""
    return next(iter(_problems(project, name, names)), None)


def item_problems(project: MigrationProject, name: str, names: ModelNames) -> list[Diagnostic]:
    """Every item-level guard that the table fails, in order: what is left to do."""
    found: list[Diagnostic] = []
    for problem in _problems(project, name, names):
        if problem not in found:
            found.append(problem)
    return found


def _problems(project: MigrationProject, name: str, names: ModelNames) -> Iterator[Diagnostic]:
    item_id = project.item_id(name)
    item = _Candidate(project, item_id, name, names)
    for guard in _ITEM_GUARDS:
        try:
            problem = guard(item)
        except ProjectError as error:
            problem = error.diagnostic.model_copy(update={"item_id": item_id})
        if problem is not None:
            yield problem


def check_items(
    project: MigrationProject, items: Iterable[str], names: ModelNames
) -> dict[str, Diagnostic | None]:
    """:func:`check_item` for each item."""
    return {item: check_item(project, item, names) for item in items}


def is_ready(project: MigrationProject, names: ModelNames) -> Callable[[str], bool]:
    """A predicate for ``--all``: whether a table passes every guard."""
    return lambda item: check_item(project, item, names) is None


@dataclass(frozen=True)
class _Candidate:
    """The item under inspection; a broken file is raised by the first guard that reads it."""

    project: MigrationProject
    item_id: str
    spelled: str
    names: ModelNames

    @property
    def table(self) -> CatalogTable:
        return self.project.table(self.spelled)

    @property
    def file(self) -> str:
        return self.project.catalog_file(self.item_id)


def _check_catalog(item: _Candidate) -> Diagnostic | None:
    if item.table.columns:
        return None
    return Diagnostic.of(
        Code.CATALOG_FILE_CORRUPT,
        f"{item.file}: field 'columns' is empty; list the columns of {item.table.display}.",
        item.item_id,
        file=item.file,
        field="columns",
    )


def _check_scoping(item: _Candidate) -> Diagnostic | None:
    table = item.table
    if table.writer is not None:
        return None
    if table.is_source or table.is_seed:
        kind = "source" if table.is_source else "seed"
        reason = f"the table is a {kind} (field 'is_{kind}') and loaded by no procedure"
    elif table.scoping is None:
        reason = "field 'scoping' is missing; scope the table first"
    else:
        status = f" (scoping.status is '{table.scoping.status}')" if table.scoping.status else ""
        reason = (
            f"field 'scoping.selected_writer' is missing{status}; name the writer or set is_source"
        )
    return Diagnostic.of(
        Code.SCOPING_NOT_COMPLETED,
        f"{table.display} has no writer: in {item.file} {reason}.",
        item.item_id,
        file=item.file,
        field="scoping.selected_writer",
    )


def _check_profile(item: _Candidate) -> Diagnostic | None:
    profile = item.table.profile
    where = "profile"
    if profile is None:
        reason = "field 'profile' is missing"
    elif profile.status != ProfileStatus.OK:
        where = "profile.status"
        found = f"is '{profile.status}', not 'ok'" if profile.status else "is missing"
        reason = f"field 'profile.status' {found}"
    elif profile.classification is None:
        where = "profile.classification"
        reason = "field 'profile.classification.resolved_kind' is missing"
    else:
        return None
    return Diagnostic.of(
        Code.PROFILE_NOT_COMPLETED,
        f"{item.table.display} is not profiled: in {item.file} {reason}; finish its profile.",
        item.item_id,
        file=item.file,
        field=where,
    )


def _check_test_spec(item: _Candidate) -> Diagnostic | None:
    spec = item.project.test_spec(item.spelled)
    if spec.status is not SpecStatus.ERROR:
        return None
    file = item.project.test_spec_file(item.item_id)
    why = f": {_first_text(spec.errors)}" if spec.errors else ""
    return Diagnostic.of(
        Code.TEST_SPEC_NOT_FOUND,
        f"The test spec of {item.table.display} is not usable: in {file} field 'status' is "
        f"'error'{why}; generate it again.",
        item.item_id,
        file=file,
        field="status",
    )


def _first_text(errors: tuple[object, ...]) -> str:
    first = errors[0]
    text = str(first.get("message") or first.get("code") or "") if isinstance(first, dict) else ""
    text = " ".join((text or str(first)).split()).rstrip(".")
    return text if len(text) <= 200 else text[:197] + "..."


def _check_procedure(item: _Candidate) -> Diagnostic | None:
    manifest = item.project.manifest
    if not manifest.is_tsql:
        # A source of another dialect has its procedures somewhere else: say what matters.
        return None
    writer = item.table.writer
    if writer is None:
        return None
    problem = item.project.procedure_problem(writer)
    if problem is None:
        return None
    return Diagnostic.of(
        Code.PROCEDURE_NOT_FOUND,
        f"The writer of {item.table.display}, {writer.display} (field 'scoping.selected_writer' "
        f"of {item.file}), was not found: {problem}.",
        item.item_id,
        file="ddl/procedures.sql",
        procedure=writer.display,
    )


def _check_dialect(item: _Candidate) -> Diagnostic | None:
    manifest = item.project.manifest
    if manifest.is_tsql:
        return None
    return Diagnostic.of(
        Code.DIALECT_NOT_SUPPORTED,
        f"{item.table.display} cannot be compiled: manifest.json says that the source is "
        f"{manifest.spoken}, and only T-SQL is supported yet.",
        item.item_id,
        file="manifest.json",
        field="dialect" if manifest.dialect else "technology",
    )


def _check_model_name(item: _Candidate) -> Diagnostic | None:
    table = item.table.qualified
    name = item.names.name_of(table)
    rivals = item.names.rivals_of(table)
    if rivals:
        spelled = " and ".join(other.display for other in (table, *rivals))
        reason = f"{spelled} would share the model name {name}"
        details = {"model": name, "tables": [t.item_id for t in (table, *rivals)]}
    else:
        model = _model_of_someone_else(item.project, name, table)
        if model is None:
            return None
        file, owner = model
        whose = f"it is the model of {owner.display}" if owner else "proc2dbt did not generate it"
        reason = (
            f"{table.display} would get the model name {name}, but dbt/{file} exists and {whose}"
        )
        details = {"model": name, "file": f"dbt/{file}"}
    suggestion = f'"{table.item_id}" = "stg_{_underscored(table)}"'
    return Diagnostic.of(
        Code.MODEL_NAME_CONFLICT,
        f"{reason}: give it a name of its own in proc2dbt.toml, [model_names] {suggestion}.",
        item.item_id,
        setting="model_names",
        **details,
    )


def _underscored(table: QualifiedName) -> str:
    return model_name(QualifiedName(f"{table.schema or 'dbo'}_{table.name}")).removeprefix("stg_")


def _model_of_someone_else(
    project: MigrationProject, name: str, table: QualifiedName
) -> tuple[str, QualifiedName | None] | None:
    """The file of a model or seed named ``name`` that was not generated for ``table``.

    dbt's names are case-sensitive but its models become relations of a case-insensitive
    database, so names that differ in case only are the same here.
    """
    wanted = name.casefold()
    for model, file in {**project.dbt.seeds, **project.dbt.models}.items():
        if model.casefold() != wanted:
            continue
        owner = project.dbt.generated_for(model)
        if owner is None or owner.key != table.key:
            return file, owner
    return None


_ITEM_GUARDS: tuple[Callable[[_Candidate], Diagnostic | None], ...] = (
    _check_catalog,
    _check_scoping,
    _check_profile,
    _check_test_spec,
    _check_procedure,
    _check_dialect,
    _check_model_name,
)


def _readable(project: MigrationProject, item_id: str) -> CatalogTable | None:
    try:
        return project.table(item_id)
    except ProjectError:
        return None
