"""A `Reference` for a migration project: its tables, views, functions and procedures."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from core.interpreter.context import Profile
from core.interpreter.definitions import Constraints, Identity, constraints_of, schema_name
from core.interpreter.engine import Limits
from core.interpreter.reference import Module, Reference
from core.project.project import MigrationProject
from core.tsql.errors import TsqlError
from core.tsql.nodes import (
    AlterTable,
    CreateFunction,
    CreateProcedure,
    CreateTable,
    CreateType,
    CreateView,
    OtherDefinition,
    TableBody,
)
from core.tsql.parser import parse_script
from core.tsql.schema import Schema
from core.warehouse import Warehouse

_CONSTRAINT = re.compile(r"\bCHECK\b|\bREFERENCES\b", re.IGNORECASE)
_WORD = re.compile(r"[\w@$#]+")


def project_reference(
    project: MigrationProject,
    procedures: Iterable[str] | None = None,
    *,
    profile: Profile | None = None,
    limits: Limits | None = None,
    warehouse: Warehouse | None = None,
    full_coverage: bool = False,
) -> Reference:
    """The reference for some procedures and everything they can reach; by default for all of them
    and every table.

    Texts that do not parse are left out: calling one is then error 2812. Pass `warehouse` to share
    what it has read.
    """
    house = warehouse or Warehouse(project)
    texts = dict(_texts(project, procedures))
    named = [project.name_of(item_id) for item_id in project.tables()] if procedures is None else []
    schema = house.schema_for(*texts.values(), *(f"[{name.name}]" for name in named))
    modules = [*_types(project), *_routines(project, texts)]
    identities = {}
    for key in schema.tables:
        found = house.identity_of(".".join(key)) if key[0] and "." not in key[0] else None
        if found is not None:
            identities[key] = Identity(found.column, found.seed, found.increment)
    return Reference(
        schema,
        modules,
        profile,
        limits=limits,
        identities=identities,
        constraints=_constraints(project, schema),
        full_coverage=full_coverage,
    )


def _constraints(project: MigrationProject, schema: Schema) -> dict[tuple[str, str], Constraints]:
    """CHECK and FOREIGN KEY constraints of the tables, from ``ddl/tables.sql``, in its order."""
    found: dict[tuple[str, str], Constraints] = {}
    for _, batch in project.ddl_batches("tables"):
        if not _CONSTRAINT.search(batch.text):
            continue
        try:
            script = parse_script(batch.text)
        except TsqlError:
            continue
        for node in script.statements:
            if isinstance(node, CreateTable):
                body = node.body
            elif isinstance(node, AlterTable) and isinstance(node.add, TableBody):
                body = node.add
            else:
                continue
            name = schema_name(node.name)
            key = name.key
            if key in schema.tables:
                own, new = found.get(key, Constraints()), constraints_of(name, body)
                found[key] = Constraints(
                    own.checks + new.checks, own.foreign_keys + new.foreign_keys
                )
    return found


def _texts(
    project: MigrationProject, procedures: Iterable[str] | None
) -> Iterator[tuple[str, str]]:
    """The wanted procedures and, through their words, the modules they can reach."""
    modules = {**project.views, **project.functions, **project.procedures}
    by_name: dict[str, list[str]] = {}
    for item_id, definition in modules.items():
        by_name.setdefault(definition.name.name.lower(), []).append(item_id)
    if procedures is None:
        waiting = list(modules)
    else:
        waiting = [_item_id(project, name) for name in procedures]
    seen: set[str] = set()
    while waiting:
        item_id = waiting.pop()
        if item_id in seen or item_id not in modules:
            continue
        seen.add(item_id)
        text = modules[item_id].text
        yield item_id, text
        for word in set(_WORD.findall(text.lower())):
            waiting.extend(by_name.get(word, ()))


def _item_id(project: MigrationProject, name: str) -> str:
    source = project.procedure(name)
    return f"{source.name.schema or 'dbo'}.{source.name.name}".lower()


def _routines(project: MigrationProject, texts: dict[str, str]) -> Iterator[Module]:
    wanted = CreateProcedure | CreateFunction | CreateView
    for text in texts.values():
        try:
            script = parse_script(text)
        except TsqlError:
            continue
        yield from (s for s in script.statements if isinstance(s, wanted))


def _types(project: MigrationProject) -> Iterator[Module]:
    """Table types and sequences: base types are in the schema already."""
    for kind in ("types", "tables", "procedures"):
        for _, batch in project.ddl_batches(kind):
            words = batch.text.upper()
            if "TYPE" not in words and "SEQUENCE" not in words:
                continue
            try:
                script = parse_script(batch.text)
            except TsqlError:
                continue
            for statement in script.statements:
                if (isinstance(statement, CreateType) and statement.table is not None) or (
                    isinstance(statement, OtherDefinition)
                    and statement.kind.upper() == "CREATE SEQUENCE"
                ):
                    yield statement
