"""What ``.sql`` files say of their database: tables, views, procedures, its own name."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field, replace

from core.compiler.computed import with_computed_types
from core.compiler.effects import effects_of
from core.compiler.options import CompileOptions
from core.compiler.routines import is_log_name
from core.tsql import nodes
from core.tsql import types as t
from core.tsql.errors import TsqlError
from core.tsql.parser import parse_procedure
from core.tsql.schema import (
    Column,
    ObjectName,
    Parameter,
    ScalarFunction,
    Schema,
    Table,
    TableFunction,
    TableKind,
)

_THREE_PARTS = re.compile(r"(?<![\w\].])(\[[^\]]+\]|\w+)\.(\[[^\]]+\]|\w*)\.(\[[^\]]+\]|\w+)(?!\.)")


@dataclass
class Database:
    """What the files of a folder say about the database, by lower-case ``schema.name``."""

    tables: dict[str, Table] = field(default_factory=dict)
    procedures: dict[str, str] = field(default_factory=dict)
    views: dict[str, str] = field(default_factory=dict)
    functions: dict[str, str] = field(default_factory=dict)
    signatures: list[ScalarFunction | TableFunction] = field(default_factory=list)
    aliases: dict[str, t.SqlType] = field(default_factory=dict)
    databases: Counter[str] = field(default_factory=Counter)
    elsewhere: frozenset[str] = frozenset()
    """Keys of the tables that only other files than the procedure's describe."""
    _typed: dict[Table, Table] = field(default_factory=dict)
    """Tables with the types of their computed columns, by the table as it was read."""

    @classmethod
    def of(cls, scripts: Iterable[nodes.Script]) -> Database:
        """The database that scripts describe together."""
        database, read = cls(), list(scripts)
        for script in read:
            _collect(script, database)
        for script in read:
            _count_databases(script, database)
        return database

    def seen_from(self, own: Database) -> Database:
        """The database for the procedures of one file: what the file itself says comes first."""
        return replace(
            self,
            tables={**self.tables, **own.tables},
            views={**self.views, **own.views},
            functions={**self.functions, **own.functions},
            procedures={**self.procedures, **own.procedures},
            elsewhere=frozenset(self.tables.keys() - own.tables.keys()),
        )

    def schema(self, name: str | None = None, without: Collection[str] = ()) -> Schema:
        """The schema under a name of its own; `without` are keys of tables to leave out."""
        tables = [table for key, table in self.tables.items() if key not in without]
        schema = Schema.of(
            tables, self.signatures, database=name or self.name, alias_types=self.aliases
        )
        for table in tables:
            if any(column.computed is not None for column in table.columns):
                if table not in self._typed:
                    self._typed[table] = with_computed_types(table, schema)
                schema = schema.with_table(self._typed[table])
        return schema

    def options(self, model_name: str = "") -> CompileOptions:
        """Options under which the compiler finds the procedures, views and functions."""
        return CompileOptions(
            model_name=model_name,
            procedure=self.procedures.get,
            view=self.views.get,
            function=self.functions.get,
        )

    @property
    def modules(self) -> tuple[str, ...]:
        """The texts of views, functions and procedures."""
        return (*self.views.values(), *self.functions.values(), *self.procedures.values())

    @property
    def name(self) -> str | None:
        """The database's own name: the one under which its tables are called most."""
        return self.databases.most_common(1)[0][0] if self.databases else None


def _collect(script: nodes.Script, database: Database) -> None:
    for statement in script.statements:
        text = script.text_of(statement)
        match statement:
            case nodes.CreateTable() if not statement.name.is_temporary:
                table = _table(statement, database)
                if table is not None:
                    database.tables.setdefault(table_key_of(statement.name), table)
            case nodes.CreateProcedure():
                database.procedures.setdefault(table_key_of(statement.name), text)
            case nodes.CreateView():
                database.views.setdefault(table_key_of(statement.name), text)
            case nodes.CreateFunction():
                database.functions.setdefault(table_key_of(statement.name), text)
                _signature(statement, database)
            case nodes.CreateType() if statement.base is not None:
                _alias(statement, database)
            case _:
                pass


def table_key_of(name: nodes.ObjectName) -> str:
    """``schema.name`` in lower case, ``dbo`` when no schema is written."""
    return f"{name.schema or 'dbo'}.{name.name}".lower()


def _alias(statement: nodes.CreateType, database: Database) -> None:
    assert statement.base is not None
    try:
        type_ = t.parse_type(statement.base.text)
    except t.UnknownTypeError:
        return
    database.aliases[statement.name.name.lower()] = type_


def _table(statement: nodes.CreateTable, database: Database) -> Table | None:
    columns: list[Column] = []
    for column in statement.body.columns:
        if column.type is None:
            columns.append(
                Column(column.name, t.SQL_VARIANT, computed=column.computed.text)
                if column.computed is not None
                else Column(column.name, t.SQL_VARIANT)
            )
            continue
        try:
            type_ = t.parse_type(column.type.text, aliases=database.aliases)
        except t.UnknownTypeError:
            type_ = t.SQL_VARIANT
        columns.append(
            Column(
                column.name,
                type_,
                nullable=column.nullable is not False
                and not column.primary_key
                and column.identity is None,
                identity=column.identity is not None,
                default=column.default.text if column.default is not None else None,
            )
        )
    if not columns:
        return None
    name = ObjectName(statement.name.name, statement.name.schema or "dbo")
    return Table(name, tuple(columns), TableKind.TABLE, statement.body.keys)


def _count_databases(script: nodes.Script, database: Database) -> None:
    for statement in nodes.statements(script):
        if not isinstance(statement, nodes.Leaf):
            continue
        for match in _THREE_PARTS.finditer(statement.text):
            parts = [part.strip("[]").lower() for part in match.groups()]
            if f"{parts[1] or 'dbo'}.{parts[2]}" in database.tables:
                database.databases[parts[0]] += 1


def _signature(statement: nodes.CreateFunction, database: Database) -> None:
    name = ObjectName(statement.name.name, statement.name.schema or "dbo")
    try:
        parameters = tuple(
            Parameter(p.name, t.parse_type(p.type.text, aliases=database.aliases))
            for p in statement.parameters
        )
        if statement.returns is not None and statement.kind is nodes.FunctionKind.SCALAR:
            returns = t.parse_type(statement.returns.text, aliases=database.aliases)
            database.signatures.append(ScalarFunction(name, parameters, returns))
    except t.UnknownTypeError:
        return


def own_database(script: nodes.Script, procedure: nodes.CreateProcedure) -> str | None:
    """The database a procedure's tables belong to, by what it writes under three-part names, else
    by the USE before it; None when nothing tells.
    """
    written = Counter(
        name.database
        for name in effects_of(procedure.body).tables
        if name.database and not name.is_temporary and not is_log_name(name.name)
    )
    if written:
        return written.most_common(1)[0][0]
    used: str | None = None
    for statement in script.statements:
        if statement is procedure:
            break
        if isinstance(statement, nodes.SideStatement) and statement.kind == "USE":
            used = statement.text.split(None, 1)[-1].strip(' ;[]"') or None
    return used


def called_procedures(
    procedure: nodes.CreateProcedure, database: Database
) -> Iterator[nodes.CreateProcedure]:
    """The procedures of the folder a procedure calls, directly or not."""
    seen = {table_key_of(procedure.name)}
    pending = [procedure]
    while pending:
        for call in nodes.walk(pending.pop()):
            if not isinstance(call, nodes.Execute) or call.procedure is None:
                continue
            text = database.procedures.get(key := table_key_of(call.procedure))
            if text is None or key in seen:
                continue
            seen.add(key)
            try:
                called = parse_procedure(text)
            except TsqlError:
                continue
            pending.append(called)
            yield called
