"""What is compared: one procedure, its model, and the part of the database both touch.

A `Subject` is a value that travels to a worker process; everything read from the project's folder
is read here, before.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from core.dbt.verify import InputRelation, TargetTable
from core.generation.author import CteOrigin, Job
from core.project.catalog import CatalogTable
from core.project.codes import ProjectError
from core.project.names import QualifiedName
from core.project.project import MigrationProject
from core.project.testspec import TestSpec
from core.tsql.schema import Column, ObjectName, Schema, Table, TableKind
from core.warehouse import IdentityColumn, warehouse_of

if TYPE_CHECKING:
    from core.project.settings import EquivalenceSettings

DEFAULT_CLOCK = datetime(2024, 6, 15, 10, 30)
"""The moment of the first run where the project gives none."""

_WORD = re.compile(r"[\w@$#]+")


@dataclass(frozen=True)
class EnforcedKey:
    """An enforced foreign key: columns of one table and what they point at; keys lower case."""

    table: str
    columns: tuple[str, ...]
    parent: str
    parent_columns: tuple[str, ...]


@dataclass(frozen=True)
class Subject:
    """One procedure and the model that is to do the same.

    ``procedure`` is ``schema.name``; ``modules`` are the T-SQL texts of it and of everything it
    can reach. ``exclude`` are target columns that are not compared (lower case). ``seconds`` is
    the time after which nothing new is begun; ``trials`` the number of generated data sets.
    ``shrunk`` says which constants were made small (`core.equivalence.volume`).
    """

    item_id: str
    procedure: str
    procedure_text: str
    schema: Schema
    modules: tuple[str, ...]
    target: TargetTable
    model_name: str
    sql: str
    inputs: tuple[InputRelation, ...]
    spec: TestSpec = field(default_factory=TestSpec)
    identities: Mapping[tuple[str, str], IdentityColumn] = field(default_factory=dict)
    references: tuple[EnforcedKey, ...] = ()
    cte_map: tuple[CteOrigin, ...] = ()
    exclude: frozenset[str] = frozenset()
    seed: int = 1
    seconds: float = 20.0
    trials: int = 40
    mutants: int = 8
    collation: str = "assume-consistent"
    clock: datetime = DEFAULT_CLOCK
    shrunk: tuple[str, ...] = ()

    @property
    def target_key(self) -> tuple[str, str]:
        """The target's key in the schema."""
        return ObjectName.parse(self.target.table.item_id).key

    @property
    def tables(self) -> tuple[Table, ...]:
        """Every base table either side can touch, the target included, in a stable order."""
        found = [t for t in self.schema.tables.values() if t.kind is TableKind.TABLE]
        return tuple(sorted(found, key=lambda table: table.name.key))

    def table(self, key: str) -> Table | None:
        """A base table by ``schema.name`` in lower case."""
        return next((t for t in self.tables if table_key(t) == key), None)


def table_key(table: Table) -> str:
    """``schema.name`` in lower case."""
    return ".".join(table.name.key)


def stored_columns(table: Table) -> tuple[Column, ...]:
    """The columns that hold values: computed ones and row versions do not."""
    return tuple(c for c in table.columns if c.computed is None)


def subject_of(
    job: Job,
    sql: str,
    inputs: tuple[InputRelation, ...],
    settings: EquivalenceSettings,
    cte_map: tuple[CteOrigin, ...] = (),
) -> Subject:
    """Everything a comparison needs, read from the project; heavy, so not on the event loop.

    Raises:
        ProjectError: a catalog or DDL file that cannot be read.
    """
    from core.dbt.inputs import target_of

    project = job.project
    warehouse = warehouse_of(project)
    modules = tuple(_modules(project, job.procedure.text))
    names = [i.table.display for i in inputs] + [job.table.qualified.display]
    schema = warehouse.schema_for(*modules, *names)
    identities = {}
    for key in schema.tables:
        found = warehouse.identity_of(".".join(key))
        if found is not None:
            identities[key] = found
    moment = project.manifest.extracted_at
    procedure = job.procedure.name
    return Subject(
        item_id=job.item_id,
        procedure=f"{procedure.schema or 'dbo'}.{procedure.name}",
        procedure_text=job.procedure.text,
        schema=schema,
        modules=modules,
        target=target_of(job.table),
        model_name=job.model_name,
        sql=sql,
        inputs=inputs,
        spec=job.spec,
        identities=identities,
        references=tuple(_references(project, schema)),
        cte_map=cte_map,
        exclude=_excluded(job.table.qualified, settings.exclude),
        seed=settings.seed,
        seconds=settings.seconds,
        trials=trials_for(settings.seconds),
        collation=job.collation,
        clock=moment.replace(tzinfo=None) if moment is not None else DEFAULT_CLOCK,
    )


def trials_for(seconds: float) -> int:
    """How many data sets a budget of seconds stands for.

    A count, not a clock, decides when to stop: the same seed must give the same answer on a
    slower machine too.
    """
    return max(8, min(400, round(seconds * 2.5)))


def _modules(project: MigrationProject, text: str) -> Iterator[str]:
    """A procedure's text and those of the modules whose names occur in it, transitively."""
    known = {**project.views, **project.functions, **project.procedures}
    by_name: dict[str, list[str]] = {}
    for item_id, definition in known.items():
        by_name.setdefault(definition.name.name.lower(), []).append(item_id)
    seen: set[str] = set()
    waiting = [text]
    yielded: set[str] = set()
    while waiting:
        current = waiting.pop()
        if current not in yielded:
            yielded.add(current)
            yield current
        for word in sorted(set(_WORD.findall(current.lower()))):
            for item_id in by_name.get(word, ()):
                if item_id not in seen:
                    seen.add(item_id)
                    waiting.append(known[item_id].text)


def _references(project: MigrationProject, schema: Schema) -> Iterator[EnforcedKey]:
    for key in sorted(schema.tables):
        try:
            table: CatalogTable = project.table(".".join(key))
        except ProjectError:
            continue
        for foreign in table.foreign_keys:
            if not foreign.referenced_table:
                continue
            parent = QualifiedName(foreign.referenced_table, foreign.referenced_schema)
            if len(foreign.columns) == len(foreign.referenced_columns):
                yield EnforcedKey(
                    ".".join(key),
                    tuple(c.lower() for c in foreign.columns),
                    parent.item_id,
                    tuple(c.lower() for c in foreign.referenced_columns),
                )


def _excluded(target: QualifiedName, names: tuple[str, ...]) -> frozenset[str]:
    """The setting's entries that are about this table: ``column`` or ``schema.table.column``."""
    found = set()
    for name in names:
        table, _, column = name.rpartition(".")
        if not table or table.lower() == target.item_id:
            found.add(column.strip('[]"').lower())
    return frozenset(found)
