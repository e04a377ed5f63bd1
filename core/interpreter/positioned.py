"""``UPDATE … WHERE CURRENT OF cursor`` and ``DELETE … WHERE CURRENT OF cursor``.

The statement is read without its last clause and then limited to the one row the cursor stands on
(``queries/update-transact-sql``, ``statements/delete-transact-sql``: CURRENT OF).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from core.interpreter.errors import SqlError
from core.interpreter.sources import ROW_ID
from core.interpreter.translate import Translation
from core.tsql.errors import LeafError
from core.tsql.nodes import Leaf
from core.tsql.parser import parse_script
from core.tsql.schema import Column
from core.tsql.tokens import TokenKind

if TYPE_CHECKING:
    from core.interpreter.cursors import CursorState
    from core.interpreter.session import Session
    from core.interpreter.tables import StoredTable

CONSTRUCT = "WHERE CURRENT OF"


@dataclass(frozen=True)
class Positioned:
    """A change of a cursor's row: the statement without the clause, and the cursor's name."""

    leaf: Leaf
    cursor: str


def positioned(leaf: Leaf) -> Positioned | None:
    """The parts of a statement that ends with ``WHERE CURRENT OF``; None for any other."""
    parsed = leaf.parsed
    if not isinstance(parsed, LeafError) or parsed.construct != CONSTRUCT:
        return None
    tokens = [t for t in leaf.tokens or () if t.kind is not TokenKind.SEMICOLON]
    words = [t.text.upper() for t in tokens]
    found = [i for i in range(len(words)) if words[i : i + 3] == ["WHERE", "CURRENT", "OF"]]
    if not found:
        return None
    start = found[-1]
    name = tokens[start + 3 :]
    if name and name[0].text.upper() == "GLOBAL":
        name = name[1:]
    if len(name) != 1:
        return None
    kept = leaf.text[: tokens[start].start - tokens[0].start]
    statements = parse_script("\n" * (leaf.span.line - 1) + kept).statements
    if len(statements) != 1 or not isinstance(statements[0], Leaf):
        return None
    return Positioned(statements[0], name[0].text.strip("[]"))


def current_row(cursor: CursorState, stored: StoredTable, columns: tuple[Column, ...]) -> int:
    """The row id in `stored` of the row the cursor stands on; errors 16929 and following."""
    definition = cursor.definition
    read_only = {"READ_ONLY", "FAST_FORWARD", "STATIC", "INSENSITIVE"} & set(definition.options)
    if not cursor.is_open:
        raise SqlError(16917, "Cursor is not open.")
    if read_only or not cursor.tables:
        raise SqlError(16929, "The cursor is READ ONLY.")
    if stored.table.name.key not in cursor.tables:
        raise SqlError(
            16933,
            "The cursor does not include the table being modified or the table is not updatable "
            "through the cursor.",
        )
    allowed = {name.lower() for name in definition.update_columns}
    if allowed and any(column.name.lower() not in allowed for column in columns):
        raise SqlError(
            16932,
            "The cursor has a FOR UPDATE list and the requested column to be updated is not in "
            "this list.",
        )
    if not 0 <= cursor.position < len(cursor.rows):
        raise SqlError(16931, "There are no rows in the current fetch buffer.")
    at = cursor.tables.index(stored.table.name.key)
    return int(cursor.row_ids[cursor.position][at])


def limited(session: Session, translation: Translation, row: int) -> Translation:
    """The translation of a change, of this one row; error 16947 when the row is gone."""
    sql = f"SELECT * FROM ({translation.sql}) AS cur WHERE cur.{ROW_ID} = {row}"
    made = replace(translation, sql=sql)
    if not session.run(made):
        raise SqlError(16947, "No rows were updated or deleted.")
    return made
