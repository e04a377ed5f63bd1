"""Rows converted to a table's columns and types, as an INSERT or UPDATE stores them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlglot import exp

from core.compiler import trees
from core.compiler.registry import Relations
from core.compiler.relations import Origin, Relation, RelationKind
from core.compiler.result import Refused
from core.tsql.leaves import ParsedExpr
from core.tsql.nodes import Expr, Span
from core.tsql.schema import Column, Table
from core.tsql.types import SqlType, TypeName

_UNWRITABLE = (TypeName.ROWVERSION,)


def needs_cast(have: SqlType, want: SqlType) -> bool:
    """Whether storing a value of one type in a column of another converts it.

    A text in a text column is stored as it is: too long a text is an error in SQL Server, never
    cut (error 2628), so no cast that would cut is added. So are bytes, unless padding is due.
    """
    if have == want:
        return False
    if have.is_binary and want.is_binary:
        return want.name is TypeName.BINARY and have.length != want.length
    return not (have.is_string and want.is_string)


def assigned_value(value: exp.Expr, column: Column) -> exp.Expr:
    """A value as it is written for a column: a flag or a date's text gets the type at once."""
    plain = trees.unwrapped(value)
    if isinstance(plain, exp.National) or (isinstance(plain, exp.Literal) and plain.is_string):
        if not column.type.is_string:
            return trees.cast(plain.copy(), column.type)
    elif (
        column.type.name is TypeName.BIT
        and isinstance(plain, exp.Literal)
        and plain.name in ("0", "1")
    ):
        return trees.cast(plain.copy(), column.type)
    return value.copy()


def typed_null(type_: SqlType) -> exp.Expr:
    return trees.cast(exp.Null(), type_)


def parsed_text(text: str, what: str) -> exp.Expr:
    """The tree of a default or computed column's text. Raises `Refused` when it has none."""
    parsed = Expr(Span(0, len(text), 1, 1, 1), text).parsed
    if not isinstance(parsed, ParsedExpr):
        raise Refused(f"{what} is not understood: {parsed.reason}", parsed.construct)
    return parsed.tree.copy()


def default_of(column: Column) -> exp.Expr:
    """What a column holds that an INSERT does not name: its DEFAULT, else NULL."""
    if column.default is None:
        return typed_null(column.type)
    return parsed_text(column.default, f"the default of column {column.name}")


def writable(table: Table) -> list[Column]:
    """The columns an INSERT without a column list fills, in order."""
    return [
        column
        for column in table.columns
        if not column.identity and column.computed is None and column.type.name not in _UNWRITABLE
    ]


def aligned(
    relations: Relations,
    rows: Relation,
    table: Table,
    values: Mapping[str, exp.Expr],
    hint: str,
    origin: Origin,
) -> Relation:
    """`rows` with exactly the table's columns and types.

    `values` gives an expression over `rows` (lower-case column name to tree) for each column that
    is not simply the column of that name. Gives `rows` itself when nothing is to be done.
    """
    items: list[exp.Expr] = []
    same = len(rows.columns) == len(table.columns)
    computed = [column for column in table.columns if column.computed is not None]
    for position, column in enumerate(table.columns):
        if column.computed is not None:
            same = False
            continue
        value = values.get(column.name.lower())
        if value is not None:
            items.append(trees.alias(trees.cast(value, column.type), column.name))
            same = False
            continue
        have = rows.column(column.name)
        if have is None:
            raise Refused(f"no value for column {column.name}", "missing column")
        plain = trees.column(have.name)
        if needs_cast(have.type, column.type):
            items.append(trees.alias(trees.cast(plain, column.type), column.name))
            same = False
        elif have.name == column.name:
            items.append(plain)
        else:
            items.append(trees.alias(plain, column.name))
            same = False
        same = same and position < len(rows.columns) and rows.columns[position] is have
    if same:
        return rows
    query = trees.select(items, rows.ref())
    keys = tuple(key for key in rows.keys if all(table.column(name) for name in key))
    stored = relations.query(query, hint, origin, RelationKind.ALIGNMENT, keys=keys)
    return _with_computed(relations, stored, table, computed, hint, origin) if computed else stored


def _with_computed(
    relations: Relations,
    stored: Relation,
    table: Table,
    computed: Sequence[Column],
    hint: str,
    origin: Origin,
) -> Relation:
    items: list[exp.Expr] = []
    for column in table.columns:
        if column.computed is None:
            items.append(trees.column(column.name))
        else:
            value = parsed_text(column.computed, f"the computed column {column.name}")
            items.append(trees.alias(value, column.name))
    return relations.query(trees.select(items, stored.ref()), hint, origin, keys=stored.keys)
