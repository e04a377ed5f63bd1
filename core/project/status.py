"""How far every table is, what blocks it, and the one next thing that would help most.

Only values here; ``core.project.status_text`` renders them. What the last runs said comes in
from outside: runs belong to the pipeline.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from core.project.catalog import CatalogTable, ScopingStatus
from core.project.codes import Code, Diagnostic, ProjectError
from core.project.guards import ModelNames, check_project, item_problems
from core.project.names import printable
from core.project.project import MigrationProject


class Stage(StrEnum):
    """What a target table needs, in the order in which it gets it."""

    CATALOG = "catalog"
    SCOPING = "scoping"
    PROFILE = "profile"
    TEST_SPEC = "test spec"
    PROCEDURE = "procedure"
    MODEL = "model"


class Mark(StrEnum):
    """How far a stage is."""

    DONE = "ok"
    PARTIAL = "~"
    MISSING = "-"
    BROKEN = "x"
    NOT_NEEDED = ""


class Role(StrEnum):
    """What a table is to the migration."""

    TARGET = "target"
    SOURCE = "source"
    SEED = "seed"
    UNLOADED = "no writer"
    """Scoping found that no procedure loads it: logs, control tables, leftovers."""


@dataclass(frozen=True)
class LastRun:
    """What the newest run said about an item."""

    status: str
    run_id: str = ""
    finished_at: str = ""
    codes: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    branch: str = ""
    """The branch that the model was committed to; empty when it was not, or that is gone."""


@dataclass(frozen=True)
class TableStatus:
    """One table: its stages, what is left to do, and its last run."""

    item_id: str
    display: str
    role: Role
    marks: Mapping[Stage, Mark]
    model: str
    problems: tuple[Diagnostic, ...]
    last_run: LastRun | None

    @property
    def is_target(self) -> bool:
        """Whether a model is wanted for the table."""
        return self.role is Role.TARGET

    @property
    def is_ready(self) -> bool:
        """Whether a run would get past the guards."""
        return self.is_target and not self.problems

    @property
    def blocked_by(self) -> Diagnostic | None:
        """The guard that a run would stop at."""
        return self.problems[0] if self.problems else None

    @property
    def waits_on(self) -> str:
        """The branch that has the table's model while this one has not; empty otherwise."""
        missing = self.marks.get(Stage.MODEL) is Mark.MISSING
        return self.last_run.branch if self.last_run is not None and missing else ""

    @property
    def last_run_status(self) -> str:
        """How the last run ended; empty when there was none."""
        return self.last_run.status if self.last_run else ""

    @property
    def first_missing_file(self) -> str | None:
        """The first file that has to be written or repaired for the table."""
        for problem in self.problems:
            file = (problem.details or {}).get("file")
            if file:
                return str(file)
        return None


@dataclass(frozen=True)
class NextStep:
    """The one thing to do next: a sentence, and the tables it moves on."""

    sentence: str
    unblocks: tuple[str, ...] = ()


@dataclass(frozen=True)
class ProjectStatus:
    """The whole dashboard."""

    name: str
    source: str
    project_problems: tuple[Diagnostic, ...]
    tables: tuple[TableStatus, ...]
    next_step: NextStep

    @property
    def targets(self) -> tuple[TableStatus, ...]:
        """Tables a model is wanted for."""
        return tuple(table for table in self.tables if table.is_target)

    @property
    def ready(self) -> tuple[TableStatus, ...]:
        """Tables a run would get past the guards with."""
        return tuple(table for table in self.tables if table.is_ready)


def project_status(
    project: MigrationProject,
    *,
    model_names: Mapping[str, str] | None = None,
    last_runs: Mapping[str, LastRun] | None = None,
    only: Iterable[str] = (),
) -> ProjectStatus:
    """The dashboard of every table, or of the item ids in ``only``."""
    problems = tuple(check_project(project))
    names = ModelNames.of(project, model_names)
    runs = last_runs or {}
    wanted = tuple(only)
    tables = tuple(
        table_status(project, item_id, names, runs.get(item_id))
        for item_id in (wanted or project.tables())
    )
    return ProjectStatus(
        name=project.root.resolve().name,
        source=_source(project),
        project_problems=problems,
        tables=tables,
        next_step=_next_step(problems, tables),
    )


def _source(project: MigrationProject) -> str:
    try:
        manifest = project.manifest
    except ProjectError:
        return ""
    return ", ".join(part for part in (manifest.spoken, manifest.source_database) if part)


def table_status(
    project: MigrationProject, item_id: str, names: ModelNames, last_run: LastRun | None = None
) -> TableStatus:
    """How far one table is."""
    table = _table(project, item_id)
    role = _role(table)
    name = table.qualified if table else project.name_of(item_id)
    model = names.name_of(name)
    problems = tuple(item_problems(project, item_id, names)) if role is Role.TARGET else ()
    codes = {problem.code for problem in problems}
    return TableStatus(
        item_id=item_id,
        display=printable(name.display),
        role=role,
        marks=_marks(project, item_id, table, codes, model) if role is Role.TARGET else {},
        model=model if role is Role.TARGET else "",
        problems=problems,
        last_run=last_run,
    )


def _table(project: MigrationProject, item_id: str) -> CatalogTable | None:
    try:
        return project.table(item_id)
    except ProjectError:
        return None


def _role(table: CatalogTable | None) -> Role:
    if table is None or table.writer is not None:
        return Role.TARGET
    if table.is_seed:
        return Role.SEED
    if table.is_source:
        return Role.SOURCE
    searched = table.scoping is not None and table.scoping.status is ScopingStatus.NO_WRITER_FOUND
    return Role.UNLOADED if searched else Role.TARGET


def _marks(
    project: MigrationProject,
    item_id: str,
    table: CatalogTable | None,
    codes: set[Code],
    model: str,
) -> dict[Stage, Mark]:
    def mark(*missing: Code, broken: Code | None = None) -> Mark:
        if broken in codes:
            return Mark.BROKEN
        return Mark.MISSING if codes & set(missing) else Mark.DONE

    catalog = mark(Code.TABLE_UNKNOWN, Code.CATALOG_FILE_MISSING, broken=Code.CATALOG_FILE_CORRUPT)
    unknown = table is None
    spec = mark(Code.TEST_SPEC_NOT_FOUND, broken=Code.TEST_SPEC_CORRUPT)
    if unknown:  # the guards cannot get that far; the file itself can still be looked for
        spec = Mark.DONE if project.has_test_spec(item_id) else Mark.MISSING
    elif spec is Mark.DONE and project.test_spec(item_id).status == "partial":
        spec = Mark.PARTIAL
    has_model = any(name.casefold() == model.casefold() for name in project.dbt.models)
    writer = table.writer if table else None
    no_procedure = writer is None or Code.PROCEDURE_NOT_FOUND in codes
    return {
        Stage.CATALOG: catalog,
        Stage.SCOPING: Mark.MISSING if unknown else mark(Code.SCOPING_NOT_COMPLETED),
        Stage.PROFILE: Mark.MISSING if unknown else mark(Code.PROFILE_NOT_COMPLETED),
        Stage.TEST_SPEC: spec,
        Stage.PROCEDURE: Mark.MISSING if no_procedure else Mark.DONE,
        Stage.MODEL: _model_mark(has_model, codes),
    }


def _model_mark(has_model: bool, codes: set[Code]) -> Mark:
    if Code.MODEL_NAME_CONFLICT in codes:
        return Mark.BROKEN
    return Mark.DONE if has_model else Mark.MISSING


_TODO = {
    Code.CATALOG_FILE_MISSING: "write the catalog file of",
    Code.CATALOG_FILE_CORRUPT: "repair the catalog file of",
    Code.SCOPING_NOT_COMPLETED: "choose the writer of",
    Code.PROFILE_NOT_COMPLETED: "finish the profile of",
    Code.TEST_SPEC_NOT_FOUND: "provide the test spec of",
    Code.TEST_SPEC_CORRUPT: "repair the test spec of",
    Code.PROCEDURE_NOT_FOUND: "add the missing procedure to ddl/procedures.sql for",
    Code.DIALECT_NOT_SUPPORTED: "correct technology and dialect in manifest.json for",
    Code.MODEL_NAME_CONFLICT: "set [model_names] in proc2dbt.toml for",
    Code.TABLE_UNKNOWN: "extract",
}


def _next_step(problems: tuple[Diagnostic, ...], tables: tuple[TableStatus, ...]) -> NextStep:
    targets = [table for table in tables if table.is_target]
    if problems:
        return NextStep(problems[0].message, tuple(table.item_id for table in targets))
    blocked = [table for table in targets if table.problems]
    if not blocked:
        return _next_run(targets)
    code, moved = _most_helpful(blocked)
    first = moved[0]
    more = f" and {len(moved) - 1} more" if len(moved) > 1 else ""
    file = first.first_missing_file
    where = f" (first: {file})" if file else ""
    todo = _TODO.get(code, "look at")
    sentence = f"{todo[0].upper()}{todo[1:]} {first.display}{more}{where}."
    return NextStep(sentence, tuple(table.item_id for table in moved))


def _most_helpful(blocked: list[TableStatus]) -> tuple[Code, list[TableStatus]]:
    """The code whose removal makes most tables ready; where none does, the most common first.

    Tables that wait for one thing only count first: removing that makes them ready at once.
    """
    alone = Counter(table.problems[0].code for table in blocked if _waits_for_one(table))
    counted = alone or Counter(table.problems[0].code for table in blocked)
    order = list(Code)
    code = min(counted, key=lambda c: (-counted[c], order.index(c)))
    moved = [
        table
        for table in blocked
        if table.problems[0].code is code and (_waits_for_one(table) or not alone)
    ]
    return code, moved


def _waits_for_one(table: TableStatus) -> bool:
    return len({problem.code for problem in table.problems}) == 1


def _next_run(targets: list[TableStatus]) -> NextStep:
    if not targets:
        return NextStep("No table has a writer yet: scope the tables that should become models.")
    missing = [table for table in targets if table.marks[Stage.MODEL] is Mark.MISSING]
    waiting = [table for table in missing if not table.waits_on]
    if waiting:
        names = " ".join(table.display for table in waiting[:3])
        command = names if len(waiting) <= 3 else "--all"
        plural = "tables are" if len(waiting) > 1 else "table is"
        return NextStep(
            f"{len(waiting)} {plural} ready: run `proc2dbt {command}`.",
            tuple(table.item_id for table in waiting),
        )
    if missing:
        return _next_merge(missing)
    unfinished = [t for t in targets if t.last_run is not None and t.last_run.status != "ok"]
    if unfinished:
        first = unfinished[0]
        more = f" and {len(unfinished) - 1} more" if len(unfinished) > 1 else ""
        return NextStep(
            f"Look at {first.display}{more}: its last run ended {first.last_run_status}.",
            tuple(table.item_id for table in unfinished),
        )
    return NextStep("Nothing: every target has its model.")


def _next_merge(committed: list[TableStatus]) -> NextStep:
    """Every model there is not yet has been committed elsewhere."""
    branches = list(dict.fromkeys(table.waits_on for table in committed))
    more = f" and {len(branches) - 1} more" if len(branches) > 1 else ""
    models = "1 table" if len(committed) == 1 else f"{len(committed)} tables"
    return NextStep(
        f"Merge {branches[0]}{more}: the models of {models} are there.",
        tuple(table.item_id for table in committed),
    )
