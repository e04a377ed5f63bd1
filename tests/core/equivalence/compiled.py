"""Procedures of the T-SQL corpus and of the compiler's tests, with models as they were compiled.

The models are files in ``models/``: kept as they are, so that what is replaced in them to seed a
bug is found whatever the compiler writes today.
"""

from __future__ import annotations

import re
from dataclasses import replace
from functools import cache
from pathlib import Path

from core.dbt.facts import ModelFacts, read_facts
from core.dbt.verify import InputColumn, InputKind, InputRelation, TargetTable
from core.equivalence.subject import Subject
from core.project.files import read_text
from core.project.names import QualifiedName
from core.tsql.nodes import CreateFunction, CreateProcedure, CreateView
from core.tsql.parser import parse_procedure, parse_script
from core.tsql.schema import ObjectName, Schema, Table
from core.warehouse import IdentityColumn
from tests.core.compiler import corpus, test_control_flow, test_loops
from tests.core.compiler.test_differential import OURS
from tests.core.compiler.warehouse import SCHEMA

MORE = {
    "chained daily sales": (
        test_control_flow.CHAIN.format(between="", after=test_control_flow.DAILY),
        "silver.dailysales",
    ),
    "day by day": (test_loops.DAYS, "silver.factorders"),
}
FOLDER = Path(__file__).parent / "models"


def names() -> list[str]:
    """The models there are."""
    return sorted(path.stem for path in FOLDER.glob("*.sql"))


def text_of(name: str) -> str:
    return (FOLDER / f"{name}.sql").read_text(encoding="utf-8")


def subject_of(name: str, sql: str | None = None) -> Subject:
    """The procedure of a model, and the model (or other SQL in its place)."""
    source, target, schema, modules = _procedure(name)
    text = sql if sql is not None else text_of(name)
    facts = read_facts(text)
    assert isinstance(facts, ModelFacts), facts
    qualified = QualifiedName.parse(target)
    inputs = {}
    for use in facts.sources:
        table = schema.tables[(use.source.lower(), use.table.lower())]
        relation = InputRelation(
            InputKind.SOURCE,
            use.table,
            QualifiedName(use.table, use.source),
            _columns(table),
            use.source,
        )
        inputs[relation.key] = relation
    node = parse_procedure(source)
    identities = {
        key: IdentityColumn(column.name, 1, 1)
        for key, table in schema.tables.items()
        for column in table.columns
        if column.identity
    }
    return Subject(
        item_id=qualified.item_id,
        procedure=f"{node.name.schema or 'dbo'}.{node.name.name}",
        procedure_text=source,
        schema=_touched(schema, (source, *modules), target),
        modules=(source, *modules),
        target=TargetTable(qualified, _columns(schema.tables[ObjectName.parse(target).key])),
        model_name=f"stg_{qualified.name.lower()}",
        sql=text,
        inputs=tuple(inputs.values()),
        identities=identities,
        mutants=0,
    )


@cache
def _procedure(name: str) -> tuple[str, str, Schema, tuple[str, ...]]:
    """Text, target, schema, and the texts of what the procedure calls."""
    spoken = name.replace("_", " ")
    ours = {**OURS, **MORE}
    if spoken in ours:
        return (*ours[spoken], SCHEMA, ())
    file, _, target = name.partition("__")
    warehouse = file.partition("_")[0]
    for found in corpus.procedures(warehouse):
        if found.file == f"{file}.sql" and found.targets[0].replace(".", "_") == target:
            return found.source, found.targets[0], found.schema, _called(warehouse, found.source)
    raise LookupError(name)


def _called(warehouse: str, source: str) -> tuple[str, ...]:
    """The texts of the modules that a procedure's text names, and of those that these name."""
    known = {}
    for path in [corpus.FOLDER / "tables" / f"{warehouse}.sql", *corpus.FOLDER.glob("*.sql")]:
        if path.stem.startswith(warehouse):
            script = parse_script(read_text(path))
            for node in script.statements:
                if isinstance(node, CreateProcedure | CreateView | CreateFunction):
                    known.setdefault(node.name.name.lower(), script.text_of(node))
    found: dict[str, str] = {}
    waiting = [source]
    while waiting:
        words = set(re.findall(r"\w+", waiting.pop().lower()))
        for word in sorted(words & (known.keys() - found.keys())):
            found[word] = known[word]
            waiting.append(known[word])
    return tuple(text for text in found.values() if text != source)


def _touched(schema: Schema, texts: tuple[str, ...], target: str) -> Schema:
    """The tables whose names occur in the texts: data for others would only cost time."""
    said = " ".join(texts).lower()
    wanted = [
        table
        for key, table in schema.tables.items()
        if key[1] in said or key == ObjectName.parse(target).key
    ]
    return replace(schema, tables={table.name.key: table for table in wanted})


def _columns(table: Table) -> tuple[InputColumn, ...]:
    return tuple(InputColumn(c.name, str(c.type), c.nullable, c.identity) for c in table.columns)
