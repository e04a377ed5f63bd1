"""Subjects for tests: a few real-looking procedures and models, compared in this process."""

from __future__ import annotations

import os
import tempfile
from dataclasses import replace
from functools import cache
from pathlib import Path

from core.dbt.facts import ModelFacts, read_facts
from core.dbt.verify import InputColumn, InputKind, InputRelation, TargetTable
from core.equivalence.subject import Subject
from core.equivalence.task import CompareTask
from core.equivalence.verdict import EquivalenceResult
from core.project.names import QualifiedName
from core.project.testspec import TestSpec
from core.tsql.nodes import CreateProcedure, CreateTable
from core.tsql.parser import parse_script
from core.tsql.schema import Column, ObjectName, Schema, Table
from core.tsql.types import parse_type
from core.warehouse import IdentityColumn


@cache
def worker_folder() -> Path:
    """A warm mini-project of this process, as a worker has one."""
    from core.dbt.launch import work_folder
    from core.dbt.miniproject import copy_base
    from core.dbt.worker_preload import WORK_ENV, warm_up

    os.environ.setdefault(WORK_ENV, str(work_folder()))
    folder = Path(tempfile.mkdtemp(dir=work_folder()))
    copy_base(warm_up(), folder)
    os.chdir(folder)
    return folder


def subject(
    ddl: str, procedure: str, target: str, sql: str, spec: TestSpec | None = None, **given: object
) -> Subject:
    """A subject from CREATE TABLEs, a procedure and a model that reads ``source()``s."""
    tables, identities = {}, {}
    for node in parse_script(ddl).statements:
        if isinstance(node, CreateTable):
            table, identity = _table(node)
            tables[table.name.key] = table
            if identity is not None:
                identities[table.name.key] = identity
    schema = Schema.of(tables.values())
    node = next(s for s in parse_script(procedure).statements if isinstance(s, CreateProcedure))
    facts = read_facts(sql)
    assert isinstance(facts, ModelFacts), facts
    inputs = [
        InputRelation(
            InputKind.SOURCE,
            use.table,
            QualifiedName(use.table, use.source),
            _inputs(tables[(use.source.lower(), use.table.lower())]),
            use.source,
        )
        for use in facts.sources
    ]
    name = QualifiedName.parse(target)
    made = Subject(
        item_id=name.item_id,
        procedure=f"{node.name.schema or 'dbo'}.{node.name.name}",
        procedure_text=procedure,
        schema=schema,
        modules=(procedure,),
        target=TargetTable(name, _inputs(tables[ObjectName.parse(target).key])),
        model_name=f"stg_{name.name.lower()}",
        sql=sql,
        inputs=tuple({i.key: i for i in inputs}.values()),
        spec=spec or TestSpec(),
        identities=identities,
        mutants=0,
    )
    return replace(made, **given)  # type: ignore[arg-type]


def check(wanted: Subject, replayed: dict[str, object] | None = None) -> EquivalenceResult:
    """The verdict, in this process."""
    return CompareTask(wanted, replayed).run(worker_folder(), lambda line: None)


def _table(node: CreateTable) -> tuple[Table, IdentityColumn | None]:
    assert node.body is not None
    identity = None
    columns = []
    keys = {k.lower() for k in node.body.primary_key}
    for column in node.body.columns:
        assert column.type is not None
        if column.identity is not None:
            identity = IdentityColumn(column.name, column.identity.seed, column.identity.increment)
        required = column.nullable is False or column.name.lower() in keys
        columns.append(
            Column(
                column.name,
                parse_type(column.type.text),
                nullable=not required and column.identity is None,
                identity=column.identity is not None,
                default=column.default.text if column.default is not None else None,
            )
        )
    primary = (tuple(node.body.primary_key),) if node.body.primary_key else ()
    name = ObjectName(node.name.name, node.name.schema)
    return Table(name, tuple(columns), keys=primary), identity


def _inputs(table: Table) -> tuple[InputColumn, ...]:
    return tuple(InputColumn(c.name, str(c.type), c.nullable, c.identity) for c in table.columns)
