"""One job for the compiler: the project's names, keys, sources and models as its options.

Compiling is pure Python over a stranger's text. In a run it happens in a worker process with a
deadline (:class:`PooledCompiler`): a procedure that keeps the compiler busy for ever, or takes its
process down, costs its own item and nothing else. What travels there is the part of the project
that this procedure can name, as plain values.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Protocol

from core.compiler.options import (
    Collation,
    CompileOptions,
    Correction,
    Input,
    ModelInput,
    SourceInput,
)
from core.compiler.result import Compiled, Unsupported
from core.dbt.outcome import Progress
from core.dbt.pool import Lost, WorkerPool, WorkerTask
from core.generation.author import Job, Refusal
from core.generation.offloop import off_loop
from core.project.codes import Code
from core.project.names import NameSyntaxError, QualifiedName
from core.project.project import MigrationProject
from core.warehouse import names_in, warehouse_of

if TYPE_CHECKING:
    from core.tsql.schema import Schema

COMPILE_DEADLINE = 60.0
"""Seconds for one compilation; hundreds of statements take two or three."""


class Compile(Protocol):
    """Compiles the writer of a job for its table, with some corrections."""

    async def __call__(
        self, job: Job, corrections: frozenset[Correction]
    ) -> Compiled | Unsupported | Refusal:
        """A refusal is for what says nothing about the procedure: no answer came."""
        ...


@dataclass(frozen=True)
class CompileTask:
    """One compilation as plain values, for this process or another one.

    ``options`` is without lookups; ``relations``, ``procedures``, ``views`` and ``functions`` hold
    what they would find, by ``schema.name`` in lower case.
    """

    doing: ClassVar[str] = "compilation"
    item_id: str
    procedure: str
    target: str
    schema: Schema
    options: CompileOptions
    relations: Mapping[str, Input] = field(default_factory=dict)
    procedures: Mapping[str, str] = field(default_factory=dict)
    views: Mapping[str, str] = field(default_factory=dict)
    functions: Mapping[str, str] = field(default_factory=dict)

    def run(self, folder: Path, progress: Progress) -> Compiled | Unsupported:
        """Compile, in a worker; neither its folder nor its progress is needed."""
        return self.compiled()

    def compiled(self) -> Compiled | Unsupported:
        """Compile; never raises for what the compiler cannot do."""
        from core.compiler.compile import compile_procedure

        options = replace(
            self.options,
            relation=self.relations.get,
            procedure=self.procedures.get,
            view=self.views.get,
            function=self.functions.get,
        )
        return compile_procedure(self.procedure, self.target, self.schema, options)


def compile_task(job: Job, corrections: frozenset[Correction] = frozenset()) -> CompileTask:
    """Everything a compilation needs, read from the project; not on the event loop."""
    project, text = job.project, job.procedure.text
    house = warehouse_of(project)
    reached = house.reachable([text])
    declared = names_in(text)
    keys = reached | {s.key for s in project.dbt.sources if s.identifier.lower() in declared}
    return CompileTask(
        item_id=job.item_id,
        procedure=text,
        target=job.table.item_id,
        schema=house.schema_for(text),
        options=options_for(job, corrections),
        relations=_found(keys, lambda key: relation_of(project, job.existing_models, key)),
        procedures=_texts(reached, project.procedures),
        views=_texts(reached, project.views),
        functions=_texts(reached, project.functions),
    )


async def compile_here(job: Job, corrections: frozenset[Correction]) -> Compiled | Unsupported:
    """Compile in this process, beside the event loop: for a dry run, which has no workers."""
    return await off_loop(lambda: compile_task(job, corrections).compiled())


@dataclass(frozen=True)
class PooledCompiler:
    """Compiles in a run's worker processes."""

    pool: WorkerPool
    deadline_s: float = COMPILE_DEADLINE
    task_of: Callable[[Job, frozenset[Correction]], WorkerTask] = compile_task

    async def __call__(
        self, job: Job, corrections: frozenset[Correction]
    ) -> Compiled | Unsupported | Refusal:
        """The compiler's answer; a refusal with a code when the worker gave none."""
        task = await off_loop(self.task_of, job, corrections)
        answer = await self.pool.run_task(task, self.deadline_s, lambda line: None)
        if isinstance(answer, Lost):
            return self._lost(answer)
        assert isinstance(answer, Compiled | Unsupported)
        return answer

    def _lost(self, lost: Lost) -> Refusal:
        if lost.code is Code.DEADLINE_EXCEEDED:
            why = f"the compiler did not finish within {self.deadline_s:g} seconds"
        elif lost.code is Code.WORKER_LOST:
            why = "the process that compiled it ended unexpectedly, twice"
        elif lost.code is Code.CANCELLED:
            why = "the compilation was cancelled"
        else:
            why = f"the compiler itself failed ({lost.error or lost.reason}), please report it"
            return Refusal(why, construct="internal error")
        return Refusal(why, construct="no answer", code=lost.code.value)


def options_for(job: Job, corrections: frozenset[Correction] = frozenset()) -> CompileOptions:
    """What the compiler is told about the project, lookups apart."""
    table = job.table
    profile = table.profile
    return CompileOptions(
        model_name=job.model_name,
        classification=table.kind.value if table.kind is not None else None,
        primary_key=table.key_columns,
        natural_key=profile.natural_key.columns if profile is not None else (),
        watermark=(profile.watermark.column or None) if profile is not None else None,
        collation=Collation(job.collation),
        corrections=corrections,
    )


def relation_of(project: MigrationProject, models: Mapping[str, str], key: str) -> Input | None:
    """How the dbt project reads a table: model, seed, declared source, or source by catalog name.

    A table that a writer loads is a ``ref`` only when its model is there (``models``): dbt refuses
    a whole project over one dangling ``ref``. ``None`` for a name the project does not know.
    """
    try:
        name = QualifiedName.parse(key)
    except NameSyntaxError:
        return None
    model = models.get(name.item_id)
    if model is not None:
        return ModelInput(model)
    known = project.knows_table(name) and project.has_catalog_file(name)
    table = project.table(name) if known else None
    if table is not None and table.is_seed:
        seed = project.dbt.seed_for(table.qualified)
        if seed is not None:
            return ModelInput(seed)
    declared = project.dbt.source_for(name)
    if declared is not None:
        return SourceInput(declared.source_name, declared.table_name)
    if table is not None:
        return SourceInput(table.schema_name, table.object_name)
    return None


class _Text(Protocol):
    @property
    def text(self) -> str: ...


def _texts(keys: set[str], known: Mapping[str, _Text]) -> dict[str, str]:
    return {key: known[key].text for key in sorted(keys) if key in known}


def _found(keys: set[str], find: Callable[[str], Input | None]) -> dict[str, Input]:
    found = ((key, find(key)) for key in sorted(keys))
    return {key: value for key, value in found if value is not None}
