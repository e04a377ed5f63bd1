"""CREATE TABLE and its relatives as schema values: columns, keys, identity, checks."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from core.interpreter.errors import SqlError
from core.tsql import nodes
from core.tsql.nodes import ConstraintKind, TableBody
from core.tsql.schema import Column, ObjectName, Table, TableKind
from core.tsql.types import NULL, SqlType, UnknownTypeError, parse_type


@dataclass(frozen=True)
class Key:
    """A primary key, unique constraint or unique index."""

    columns: tuple[str, ...]
    kind: str  # "PRIMARY KEY", "UNIQUE KEY" or "INDEX"
    name: str


@dataclass(frozen=True)
class Check:
    """A CHECK constraint as T-SQL text."""

    name: str
    text: str
    column: str | None = None


@dataclass(frozen=True)
class ForeignKey:
    name: str
    columns: tuple[str, ...]
    referenced: ObjectName
    referenced_columns: tuple[str, ...]
    on_delete: str = ""
    on_update: str = ""


@dataclass(frozen=True)
class Identity:
    column: str
    seed: int = 1
    increment: int = 1


@dataclass(frozen=True)
class Constraints:
    """What the DDL demands of a table's rows besides its keys."""

    checks: tuple[Check, ...] = ()
    foreign_keys: tuple[ForeignKey, ...] = ()


@dataclass(frozen=True)
class Definition:
    """A table with everything that decides what may be written to it."""

    table: Table
    identity: Identity | None = None
    keys: tuple[Key, ...] = ()
    checks: tuple[Check, ...] = ()
    foreign_keys: tuple[ForeignKey, ...] = ()


def schema_name(name: nodes.ObjectName) -> ObjectName:
    """A name of the syntax tree as a name of the schema."""
    return ObjectName(name.name, name.schema, name.database, name.server)


def type_of_name(name: nodes.TypeName, aliases: Mapping[str, SqlType], line: int) -> SqlType:
    """A declared type; error 2715 when there is no such type."""
    try:
        return parse_type(name.text, aliases=aliases)
    except UnknownTypeError:
        raise SqlError(
            2715, f"Column, parameter, or variable: Cannot find data type {name.text}.", line=line
        ) from None


def from_table(
    table: Table, identity: Identity | None = None, constraints: Constraints | None = None
) -> Definition:
    """The definition of a table of the catalog: keys without names get the usual ones."""
    if identity is None:
        for column in table.columns:
            if column.identity:
                identity = Identity(column.name)
    keys = []
    for number, columns in enumerate(table.keys):
        mandatory = all((c := table.column(name)) and not c.nullable for name in columns)
        primary = number == 0 and mandatory
        kind = "PRIMARY KEY" if primary else "UNIQUE KEY"
        label = f"{'PK' if primary else 'UQ'}_{table.name.name}"
        keys.append(Key(tuple(columns), kind, label))
    rules = constraints or Constraints()
    return Definition(table, identity, tuple(keys), rules.checks, rules.foreign_keys)


def constraints_of(name: ObjectName, body: TableBody) -> Constraints:
    """The CHECK and FOREIGN KEY constraints a CREATE or ALTER TABLE writes down."""
    return Constraints(tuple(_checks(name, body)), tuple(_foreign(name, body)))


def from_body(
    name: ObjectName, body: TableBody, aliases: Mapping[str, SqlType], kind: TableKind
) -> Definition:
    """The definition a CREATE TABLE (or a table variable) writes down."""
    keys = list(_keys(name, body))
    primary = {c.casefold() for key in keys if key.kind == "PRIMARY KEY" for c in key.columns}
    defaults = {
        c.columns[0].casefold(): c.expression.text
        for c in body.constraints
        if c.kind is ConstraintKind.DEFAULT and c.expression is not None
    }
    columns = tuple(_column(c, primary, defaults, aliases) for c in body.columns)
    identities = [c for c in body.columns if c.identity is not None]
    identity = None
    if identities and identities[0].identity is not None:
        found = identities[0].identity
        identity = Identity(identities[0].name, found.seed, found.increment)
    table = Table(name, columns, kind, tuple(key.columns for key in keys))
    return Definition(
        table, identity, tuple(keys), tuple(_checks(name, body)), tuple(_foreign(name, body))
    )


def _column(
    column: nodes.ColumnDefinition,
    primary: Iterable[str],
    defaults: Mapping[str, str],
    aliases: Mapping[str, SqlType],
) -> Column:
    key = column.name.casefold()
    type_ = type_of_name(column.type, aliases, column.span.line) if column.type else NULL
    nullable = column.nullable is not False and column.identity is None and key not in set(primary)
    default = column.default.text if column.default else defaults.get(key)
    return Column(
        column.name,
        type_,
        nullable=nullable,
        identity=column.identity is not None,
        default=default,
        computed=column.computed.text if column.computed else None,
        collation=column.collation,
    )


def _keys(name: ObjectName, body: TableBody) -> Iterable[Key]:
    for constraint in body.constraints:
        if constraint.kind is ConstraintKind.PRIMARY_KEY:
            yield Key(constraint.columns, "PRIMARY KEY", constraint.name or f"PK_{name.name}")
        elif constraint.kind is ConstraintKind.UNIQUE:
            yield Key(constraint.columns, "UNIQUE KEY", constraint.name or f"UQ_{name.name}")
    for column in body.columns:
        if column.primary_key:
            label = _constraint_name(column, "key") or f"PK_{name.name}"
            yield Key((column.name,), "PRIMARY KEY", label)
        if column.unique:
            label = _constraint_name(column, "key") or f"UQ_{name.name}"
            yield Key((column.name,), "UNIQUE KEY", label)


def _constraint_name(column: nodes.ColumnDefinition, kind: str) -> str | None:
    return dict(column.constraint_names).get(kind)


def _checks(name: ObjectName, body: TableBody) -> Iterable[Check]:
    for constraint in body.constraints:
        if constraint.kind is ConstraintKind.CHECK and constraint.expression is not None:
            yield Check(constraint.name or f"CK_{name.name}", constraint.expression.text)
    for column in body.columns:
        if column.check is not None:
            label = _constraint_name(column, "check") or f"CK_{name.name}_{column.name}"
            yield Check(label, column.check.text, column.name)


def _foreign(name: ObjectName, body: TableBody) -> Iterable[ForeignKey]:
    for constraint in body.constraints:
        if constraint.kind is ConstraintKind.FOREIGN_KEY and constraint.references is not None:
            yield ForeignKey(
                constraint.name or f"FK_{name.name}",
                constraint.columns,
                schema_name(constraint.references),
                constraint.referenced_columns,
                constraint.on_delete,
                constraint.on_update,
            )
    for column in body.columns:
        if column.references is not None:
            yield ForeignKey(
                _constraint_name(column, "references") or f"FK_{name.name}_{column.name}",
                (column.name,),
                schema_name(column.references),
                column.referenced_columns,
                column.on_delete,
                column.on_update,
            )
