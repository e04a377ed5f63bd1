"""Cursors: a query's rows, one at a time (``language-elements/declare-cursor-transact-sql``).

Every cursor is read when it is opened (STATIC); a DYNAMIC one would see later changes, which no
load procedure should count on.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from core.interpreter.casts import convert
from core.interpreter.errors import Refused, SqlError
from core.interpreter.queries import QueryEmitter
from core.interpreter.state import ResultSet
from core.interpreter.translate import Translation, parsed_leaf
from core.tsql import nodes as n
from core.tsql import types as t
from core.tsql.nodes import Statement
from core.tsql.scope import OutputColumn
from core.tsql.types import duckdb_storage

if TYPE_CHECKING:
    from core.interpreter.session import Session


@dataclass
class CursorState:
    """A declared cursor; `position` is the index of the current row, -1 before the first."""

    definition: n.Cursor
    is_open: bool = False
    rows: list[tuple[Any, ...]] = field(default_factory=list)
    columns: tuple[OutputColumn, ...] = ()
    position: int = -1

    @property
    def is_scrollable(self) -> bool:
        return bool(
            {"SCROLL", "STATIC", "KEYSET", "DYNAMIC", "INSENSITIVE"} & set(self.definition.options)
        )


def find_cursor(session: Session, name: str) -> CursorState | None:
    """The cursor of a name (or of a cursor variable) that is visible here."""
    key = name.lower()
    frame = session.frame
    key = frame.aliases.get(key, key)
    return frame.cursors.get(key) or session.global_cursors.get(key)


def _cursor(session: Session, name: str) -> CursorState:
    found = find_cursor(session, name)
    if found is None:
        raise SqlError(16916, f"A cursor with the name '{name}' does not exist.")
    return found


def set_cursor(session: Session, name: str, cursor: n.Cursor) -> None:
    """``SET @c = CURSOR FOR …``."""
    session.frame.cursors[name.lower()] = CursorState(cursor)


def copy_cursor(session: Session, name: str, source: str) -> None:
    """``SET @c = other_cursor``."""
    session.frame.aliases[name.lower()] = source.strip().lower()


def statement(session: Session, node: Statement) -> None:
    """DECLARE CURSOR, OPEN, FETCH, CLOSE, DEALLOCATE."""
    match node:
        case n.DeclareCursor(name=name, cursor=cursor):
            _declare(session, name, cursor)
        case n.OpenCursor(name=name):
            _open(session, _cursor(session, name))
        case n.Fetch():
            _fetch(session, node)
        case n.CloseCursor(name=name):
            found = _cursor(session, name)
            if not found.is_open:
                raise SqlError(16917, "Cursor is not open.")
            found.is_open = False
            session.cursor_rows = 0
            found.rows = []
        case n.DeallocateCursor(name=name):
            _cursor(session, name)
            key = name.lower()
            if session.frame.aliases.pop(key, None) is None:
                session.frame.cursors.pop(key, None)
                session.global_cursors.pop(key, None)
    if isinstance(node, n.DeclareCursor):
        session.rowcount = 1  # functions/rowcount-transact-sql: DECLARE CURSOR sets it to 1
    elif not isinstance(node, n.Fetch):
        session.rowcount = 0


def _declare(session: Session, name: str, cursor: n.Cursor) -> None:
    key = name.lower()
    if find_cursor(session, name) is not None:
        raise SqlError(16915, f"A cursor with the name '{name}' already exists.")
    if "LOCAL" in cursor.options:
        session.frame.cursors[key] = CursorState(cursor)
    else:
        session.global_cursors[key] = CursorState(cursor)


def _open(session: Session, cursor: CursorState) -> None:
    if cursor.is_open:
        raise SqlError(16905, "The cursor is already open.")
    leaf = cursor.definition.query

    def build() -> Translation:
        parsed = parsed_leaf(leaf)
        if parsed.query is None:
            raise Refused("cursor", "the cursor has no query", leaf.span.line)
        bound = session.translator.bind(parsed.query)
        context = session.translator.context()
        sql = QueryEmitter(context).query(bound.tree)
        return session.translator.made(context, sql, bound.columns)

    translation = session.translator.remembered(leaf, "cursor", build)
    cursor.rows = session.run(translation)
    cursor.columns = translation.columns
    cursor.position = -1
    cursor.is_open = True
    # functions/cursor-rows-transact-sql: -1 for a dynamic cursor, which knows no number of rows.
    fixed = {"STATIC", "KEYSET", "INSENSITIVE"} & set(cursor.definition.options)
    session.cursor_rows = len(cursor.rows) if fixed or not cursor.rows else -1


def _fetch(session: Session, node: n.Fetch) -> None:
    cursor = _cursor(session, node.cursor)
    if not cursor.is_open:
        raise SqlError(16917, "Cursor is not open.")
    offset = 0
    if node.offset is not None:
        offset = int(str(session.scalar(session.translator.value(node.offset, t.INT)) or 0))
    last = len(cursor.rows) - 1
    match node.direction.upper():
        case "NEXT":
            cursor.position += 1
        case "PRIOR":
            cursor.position -= 1
        case "FIRST":
            cursor.position = 0
        case "LAST":
            cursor.position = last
        case "ABSOLUTE":
            cursor.position = offset - 1 if offset > 0 else last + 1 + offset
        case _:
            cursor.position += offset
    if not 0 <= cursor.position <= last:
        cursor.position = max(-1, min(cursor.position, last + 1))
        session.fetch_status = -1
        session.rowcount = 0
        return
    row = cursor.rows[cursor.position]
    session.fetch_status = 0
    session.rowcount = 1
    if not node.into:
        session.give(ResultSet(cursor.columns, (row,)))
        return
    if len(node.into) != len(row):
        raise SqlError(
            16924,
            "Cursorfetch: The number of variables declared in the INTO list must match that of "
            "selected columns.",
        )
    for name, column, value in zip(node.into, cursor.columns, row, strict=True):
        variable = session.variable(name, node.span.line)
        variable.value = _converted(session, value, column, variable.type)


def _converted(session: Session, value: object, column: OutputColumn, target: t.SqlType) -> object:
    if value is None or column.type == target:
        return value
    sql = convert(f"CAST($x AS {duckdb_storage(column.type)})", column.type, target)
    if sql == "$x":
        return value
    return session.engine.query(f"SELECT {sql}", {"x": value})[0][0]
