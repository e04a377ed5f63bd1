"""Cursors: a query's rows, one at a time (``language-elements/declare-cursor-transact-sql``).

Every cursor is read when it is opened (STATIC); a DYNAMIC one would see later changes, which no
load procedure should count on.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sqlglot import exp

from core.interpreter.casts import convert
from core.interpreter.errors import Refused, SqlError
from core.interpreter.queries import QueryEmitter
from core.interpreter.state import ResultSet
from core.interpreter.translate import Translation, parsed_leaf
from core.tsql import nodes as n
from core.tsql import types as t
from core.tsql.binding import BoundQuery
from core.tsql.nodes import Statement
from core.tsql.scope import OutputColumn
from core.tsql.types import duckdb_storage

if TYPE_CHECKING:
    from core.interpreter.session import Session


@dataclass
class CursorState:
    """A declared cursor; `position` is the index of the current row, -1 before the first.

    `tables` are the keys of the stored tables its rows come from, where each row is a row of
    theirs; `row_ids` are then those rows' ids.
    """

    definition: n.Cursor
    is_open: bool = False
    rows: list[tuple[Any, ...]] = field(default_factory=list)
    row_ids: list[tuple[Any, ...]] = field(default_factory=list)
    tables: tuple[tuple[str, str], ...] = ()
    columns: tuple[OutputColumn, ...] = ()
    position: int = -1

    @property
    def is_scrollable(self) -> bool:
        """FORWARD_ONLY is the default unless STATIC, KEYSET or DYNAMIC is said."""
        options = set(self.definition.options)
        if {"FORWARD_ONLY", "FAST_FORWARD"} & options:
            return False
        return bool({"SCROLL", "STATIC", "KEYSET", "DYNAMIC"} & options)


def find_cursor(session: Session, name: str) -> CursorState | None:
    """The cursor of a name (or of a cursor variable) that is visible here."""
    key = name.lower()
    frame = session.frame
    key = frame.aliases.get(key, key)
    return frame.cursors.get(key) or session.global_cursors.get(key)


def cursor(session: Session, name: str) -> CursorState:
    """The visible cursor of a name; error 16916 when there is none."""
    found = find_cursor(session, name)
    if found is None:
        raise SqlError(16916, f"A cursor with the name '{name}' does not exist.")
    return found


def set_cursor(session: Session, name: str, definition: n.Cursor) -> None:
    """``SET @c = CURSOR FOR …``."""
    session.frame.cursors[name.lower()] = CursorState(definition)


def copy_cursor(session: Session, name: str, source: str) -> None:
    """``SET @c = other_cursor``."""
    session.frame.aliases[name.lower()] = source.strip().lower()


def statement(session: Session, node: Statement) -> None:
    """DECLARE CURSOR, OPEN, FETCH, CLOSE, DEALLOCATE."""
    match node:
        case n.DeclareCursor(name=name, cursor=definition):
            _declare(session, name, definition)
        case n.OpenCursor(name=name):
            _open(session, cursor(session, name))
        case n.Fetch():
            _fetch(session, node)
        case n.CloseCursor(name=name):
            found = cursor(session, name)
            if not found.is_open:
                raise SqlError(16917, "Cursor is not open.")
            found.is_open = False
            session.cursor_rows = 0
            found.rows = []
        case n.DeallocateCursor(name=name):
            cursor(session, name)
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
        emitter = QueryEmitter(context)
        tables = _row_tables(session, bound)
        extra = [emitter.sources.row_id(node) for _, node in tables]
        sql = emitter.query(bound.tree, extra=extra)
        keys = tuple(key for key, _ in tables)
        return session.translator.made(context, sql, bound.columns, {"tables": keys})

    translation = session.translator.remembered(leaf, "cursor", build)
    width = len(translation.columns)
    found = session.run(translation)
    cursor.rows = [row[:width] for row in found]
    cursor.row_ids = [row[width:] for row in found]
    cursor.tables = translation.extra["tables"]  # type: ignore[assignment]
    cursor.columns = translation.columns
    cursor.position = -1
    cursor.is_open = True
    # functions/cursor-rows-transact-sql: -1 for a dynamic cursor, which knows no number of rows.
    fixed = {"STATIC", "KEYSET", "INSENSITIVE"} & set(cursor.definition.options)
    session.cursor_rows = len(cursor.rows) if fixed or not cursor.rows else -1


def _row_tables(session: Session, bound: BoundQuery) -> list[tuple[tuple[str, str], exp.Table]]:
    """The stored tables of which each row of the query is a row; none for groups and sets."""
    tree = bound.tree
    if not isinstance(tree, exp.Select) or tree.args.get("with_"):
        return []
    if any(tree.args.get(part) for part in ("group", "having", "distinct", "limit", "fetch")):
        return []
    if any(e.find(exp.AggFunc) for e in tree.expressions):
        return []
    found: dict[tuple[str, str], exp.Table] = {}
    for relation in bound.relations:
        stored = session.store.find(relation.table) if relation.table is not None else None
        if stored is not None and isinstance(relation.node, exp.Table):
            found.setdefault(stored.table.name.key, relation.node)
    return list(found.items())


def _check_direction(cursor: CursorState, direction: str) -> None:
    """``language-elements/fetch-transact-sql``: what each kind of cursor can fetch."""
    if direction != "NEXT" and not cursor.is_scrollable:
        raise SqlError(
            16911,
            f"fetch: The fetch type {direction.lower()} cannot be used with forward only cursors.",
        )
    if direction == "ABSOLUTE" and "DYNAMIC" in cursor.definition.options:
        raise SqlError(16925, "The fetch type absolute cannot be used with dynamic cursors.")


def _fetch(session: Session, node: n.Fetch) -> None:
    at = cursor(session, node.cursor)
    if not at.is_open:
        raise SqlError(16917, "Cursor is not open.")
    _check_direction(at, node.direction.upper())
    offset = 0
    if node.offset is not None:
        offset = int(str(session.scalar(session.translator.value(node.offset, t.INT)) or 0))
    last = len(at.rows) - 1
    match node.direction.upper():
        case "NEXT":
            at.position += 1
        case "PRIOR":
            at.position -= 1
        case "FIRST":
            at.position = 0
        case "LAST":
            at.position = last
        case "ABSOLUTE":
            at.position = offset - 1 if offset > 0 else last + 1 + offset
        case _:
            at.position += offset
    if not 0 <= at.position <= last:
        at.position = max(-1, min(at.position, last + 1))
        session.fetch_status = -1
        session.rowcount = 0
        return
    row = at.rows[at.position]
    session.fetch_status = 0
    session.rowcount = 1
    if not node.into:
        session.give(ResultSet(at.columns, (row,)))
        return
    if len(node.into) != len(row):
        raise SqlError(
            16924,
            "Cursorfetch: The number of variables declared in the INTO list must match that of "
            "selected columns.",
        )
    for name, column, value in zip(node.into, at.columns, row, strict=True):
        variable = session.variable(name, node.span.line)
        variable.value = _converted(session, value, column, variable.type)


def _converted(session: Session, value: object, column: OutputColumn, target: t.SqlType) -> object:
    if value is None or column.type == target:
        return value
    sql = convert(f"CAST($x AS {duckdb_storage(column.type)})", column.type, target)
    if sql == "$x":
        return value
    return session.engine.query(f"SELECT {sql}", {"x": value})[0][0]
