"""OUTPUT: the rows a write touched, as a result set or into a table.

A write that has an OUTPUT clause stages its rows with structs ``inserted``, ``deleted`` and one for
each source relation, so that ``inserted.x`` means in DuckDB what it means in the clause.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlglot import exp

from core.interpreter.errors import SqlError
from core.interpreter.naming import quoted
from core.interpreter.queries import QueryEmitter
from core.interpreter.state import ResultSet
from core.interpreter.translate import Translation
from core.tsql import types as t
from core.tsql.binding_from import table_name
from core.tsql.leaves import Output
from core.tsql.schema import Table
from core.tsql.scope import OutputColumn, Relation
from core.tsql.types import duckdb_storage
from core.tsql.typing import type_of

if TYPE_CHECKING:
    from core.interpreter.session import Session

ACTION = OutputColumn("$action", t.nvarchar(10))


@dataclass(frozen=True)
class Emitted:
    """The rows of an OUTPUT clause."""

    columns: tuple[OutputColumn, ...]
    rows: tuple[tuple[object, ...], ...]


def table_columns(table: Table) -> tuple[OutputColumn, ...]:
    return tuple(OutputColumn(c.name, c.type, c.nullable) for c in table.columns)


def struct(columns: Sequence[OutputColumn], values: Sequence[str]) -> str:
    """A struct with the columns' names."""
    parts = ", ".join(
        f"{quoted(c.name or '')} := {v}" for c, v in zip(columns, values, strict=True)
    )
    return f"struct_pack({parts})"


def null_struct(columns: Sequence[OutputColumn]) -> str:
    return struct(columns, [f"CAST(NULL AS {duckdb_storage(c.type)})" for c in columns])


def mentions(output: Output, name: str) -> bool:
    """Whether the clause uses columns of a relation."""
    wanted = name.lower()
    return any(
        column.table.lower() == wanted
        for item in output.items
        for column in item.find_all(exp.Column)
    )


def emit(
    session: Session,
    output: Output,
    table: Table,
    sources: Sequence[Relation],
    staged: str,
    node: object,
) -> Emitted:
    """Work out the clause over ``staged``, a query with the structs and ``$action``."""

    def build() -> Translation:
        columns = table_columns(table)
        relations = [
            Relation("inserted", columns),
            Relation("deleted", columns),
            *(Relation(r.alias, r.columns) for r in sources),
            Relation("", (ACTION,)),
        ]
        items: list[exp.Expr] = []
        names: list[str | None] = []
        for item in output.items:
            for expanded in _expanded(item, relations):
                inner = expanded.this if isinstance(expanded, exp.Alias) else expanded
                items.append(session.translator.bind_value(inner, relations))
                names.append(expanded.alias_or_name or None)
        context = session.translator.context()
        emitter = QueryEmitter(context).expressions
        sql = ", ".join(emitter.value(item) for item in items)
        shown = tuple(
            OutputColumn(name, type_of(item)) for name, item in zip(names, items, strict=True)
        )
        return session.translator.made(context, sql, shown)

    translation = session.translator.remembered(node, "output", build)
    rows = session.execute(translation, f"SELECT {translation.sql} FROM ({staged}) AS st")
    return Emitted(translation.columns, tuple(rows))


def _expanded(item: exp.Expr, relations: Sequence[Relation]) -> list[exp.Expr]:
    """``inserted.*`` as its columns."""
    if isinstance(item, exp.Column) and isinstance(item.this, exp.Star):
        for relation in relations:
            if relation.alias.lower() == item.table.lower():
                return [exp.column(c.name or "", table=relation.alias) for c in relation.columns]
    return [item]


def deliver(session: Session, output: Output, emitted: Emitted) -> None:
    """Give the rows to the client, or put them into the INTO table."""
    if output.into is None:
        session.give(ResultSet(emitted.columns, emitted.rows))
        return
    from core.interpreter.inserts import insert_rows

    stored = session.stored(table_name(output.into))
    insert_rows(session, stored, output.into_columns, emitted.columns, emitted.rows)


def refuse_mismatch(expected: int, given: int, has_list: bool, *, values: bool = False) -> None:
    """A source with another number of columns than the target.

    Error 213 without a column list; 120 and 121 for a SELECT, 109 and 110 for VALUES.
    """
    if expected == given:
        return
    if not has_list:
        raise SqlError(
            213, "Column name or number of supplied values does not match table definition."
        )
    if values:
        word, number = ("more", 109) if given < expected else ("fewer", 110)
        raise SqlError(
            number,
            f"There are {word} columns in the INSERT statement than values specified in the VALUES "
            "clause. The number of values in the VALUES clause must match the number of columns "
            "specified in the INSERT statement.",
            severity=15,
        )
    word, number = ("fewer", 120) if given < expected else ("more", 121)
    raise SqlError(
        number,
        f"The select list for the INSERT statement contains {word} items than the insert list. The "
        "number of SELECT values must match the number of INSERT columns.",
        severity=15,
    )
