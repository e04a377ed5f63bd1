"""Cursors: their definition, OPEN, FETCH, CLOSE, DEALLOCATE."""

from __future__ import annotations

from core.tsql.boundaries import leaf_end
from core.tsql.nodes import (
    CloseCursor,
    Cursor,
    DeallocateCursor,
    Expr,
    Fetch,
    LeafKind,
    OpenCursor,
    SideStatement,
)
from core.tsql.statements_data import verb_position
from core.tsql.statements_side import side_statement
from core.tsql.stream import Stream
from core.tsql.tokens import TokenKind

_OPTIONS = frozenset(
    {
        *("INSENSITIVE", "SCROLL", "LOCAL", "GLOBAL", "FORWARD_ONLY", "STATIC", "KEYSET"),
        *("DYNAMIC", "FAST_FORWARD", "READ_ONLY", "SCROLL_LOCKS", "OPTIMISTIC", "TYPE_WARNING"),
    }
)
_DIRECTIONS = ("NEXT", "PRIOR", "FIRST", "LAST")


def cursor_definition(stream: Stream) -> Cursor:
    """``[INSENSITIVE] [SCROLL] CURSOR [options] FOR query [FOR READ ONLY | FOR UPDATE [OF …]]``."""
    first = stream.position
    options: list[str] = []
    while stream.upper() in _OPTIONS:
        options.append(stream.take().upper)
    stream.expect("CURSOR")
    while stream.upper() in _OPTIONS:
        options.append(stream.take().upper)
    stream.expect("FOR")
    verb = verb_position(stream, stream.position)
    end = leaf_end(stream.tokens, stream.match, verb, in_cursor=True)
    if end == stream.position:
        raise stream.stuck("expected the cursor's query")
    query = stream.leaf_to(end, LeafKind.SELECT)
    for_update = False
    columns: tuple[str, ...] = ()
    if stream.accept("FOR", "READ"):
        stream.expect("ONLY")
        options.append("READ_ONLY")
    elif stream.accept("FOR", "UPDATE"):
        for_update, columns = True, _update_columns(stream)
    return Cursor(stream.span(first), tuple(options), query, for_update, columns)


def _update_columns(stream: Stream) -> tuple[str, ...]:
    if not stream.accept("OF"):
        return ()
    names = [stream.name()]
    while stream.kind() is TokenKind.COMMA:
        stream.position += 1
        names.append(stream.name())
    return tuple(names)


def _cursor_name(stream: Stream) -> str:
    if stream.at("GLOBAL") and stream.kind(1) in (TokenKind.WORD, TokenKind.QUOTED):
        stream.position += 1
    if stream.kind() is TokenKind.VARIABLE:
        return stream.variable()
    return stream.name()


def open_(stream: Stream) -> OpenCursor | SideStatement:
    if stream.upper(1) in ("SYMMETRIC", "MASTER") and stream.upper(2) == "KEY":
        return side_statement(stream, 3)
    first = stream.position
    stream.expect("OPEN")
    name = _cursor_name(stream)
    return OpenCursor(stream.span(first), name)


def close(stream: Stream) -> CloseCursor | SideStatement:
    if stream.upper(1) in ("SYMMETRIC", "MASTER", "ALL"):
        return side_statement(stream, 3)
    first = stream.position
    stream.expect("CLOSE")
    name = _cursor_name(stream)
    return CloseCursor(stream.span(first), name)


def deallocate(stream: Stream) -> DeallocateCursor:
    first = stream.position
    stream.expect("DEALLOCATE")
    stream.accept("CURSOR")
    name = _cursor_name(stream)
    return DeallocateCursor(stream.span(first), name)


def fetch(stream: Stream) -> Fetch:
    first = stream.position
    stream.expect("FETCH")
    direction, offset = "NEXT", None
    if stream.upper(1) == "FROM" and stream.at_any(*_DIRECTIONS):
        direction = stream.take().upper
    elif stream.at_any("ABSOLUTE", "RELATIVE"):
        direction = stream.take().upper
        offset = _row_number(stream)
    stream.accept("FROM")
    name = _cursor_name(stream)
    into: list[str] = []
    if stream.accept("INTO"):
        into.append(stream.variable())
        while stream.kind() is TokenKind.COMMA:
            stream.position += 1
            into.append(stream.variable())
    return Fetch(stream.span(first), name, direction, offset, tuple(into))


def _row_number(stream: Stream) -> Expr:
    end = stream.position + (2 if stream.at("-") else 1)
    if end > len(stream.tokens):
        raise stream.stuck("FETCH needs a row number")
    return stream.expression_to(end)
