"""Data statements: find their extent and kind; their inside is `core.tsql.leaves`' business."""

from __future__ import annotations

from core.tsql.boundaries import leaf_end
from core.tsql.nodes import InsertExec, Leaf, LeafKind, SelectAssign, Statement
from core.tsql.statements_execute import execute
from core.tsql.statements_side import side_statement
from core.tsql.stream import Stream
from core.tsql.tokens import TokenKind

_ASSIGNMENTS = frozenset({"=", "+=", "-=", "*=", "/=", "%=", "&=", "^=", "|=", "||="})
_REMOTE = frozenset({"OPENQUERY", "OPENROWSET", "OPENDATASOURCE"})


def verb_position(stream: Stream, index: int) -> int:
    """Index of the verb behind the CTEs of a ``WITH``; `index` itself when there is none."""
    tokens, match = stream.tokens, stream.match
    if index >= len(tokens) or tokens[index].upper != "WITH":
        return index
    index += 1
    while index < len(tokens):
        # name [(columns)] AS (query), or XMLNAMESPACES (…)
        if tokens[index].kind not in (TokenKind.WORD, TokenKind.QUOTED):
            raise stream.stuck("expected the name of a CTE")
        index += 1
        if index < len(tokens) and match[index] >= 0:
            index = match[index] + 1
        if index < len(tokens) and tokens[index].upper == "AS":
            index += 1
            if index >= len(tokens) or match[index] < 0:
                raise stream.stuck("a CTE has no query in parentheses")
            index = match[index] + 1
        if index < len(tokens) and tokens[index].kind is TokenKind.COMMA:
            index += 1
            continue
        return index
    raise stream.stuck("a WITH clause has no statement behind it")


def with_(stream: Stream) -> Statement:
    verb = verb_position(stream, stream.position)
    word = stream.tokens[verb].upper if verb < len(stream.tokens) else ""
    reader = _VERBS.get(word)
    if reader is None:
        raise stream.stuck("a WITH clause has no statement behind it")
    return reader(stream, verb)


def query(stream: Stream) -> Leaf:
    """A SELECT with its CTEs, for definitions that contain one (views, inline functions)."""
    verb = verb_position(stream, stream.position)
    end = leaf_end(stream.tokens, stream.match, verb)
    if end == stream.position:
        raise stream.stuck("expected a query")
    return stream.leaf_to(end, LeafKind.SELECT)


def select(stream: Stream) -> Statement:
    return _select(stream, stream.position)


def _select(stream: Stream, verb: int) -> Statement:
    first = stream.position
    end = leaf_end(stream.tokens, stream.match, verb)
    if _assigns(stream, verb, end):
        leaf = stream.leaf_to(end, LeafKind.SELECT_ASSIGN, first)
        return SelectAssign(leaf.span, leaf)
    kind = LeafKind.SELECT_INTO if _has_into(stream, verb, end) else LeafKind.SELECT
    return stream.leaf_to(end, kind, first)


def _assigns(stream: Stream, verb: int, end: int) -> bool:
    """Whether the first item of the select list is ``@variable =``."""
    tokens = stream.tokens
    index = verb + 1
    while index < end and tokens[index].upper in ("ALL", "DISTINCT"):
        index += 1
    if index < end and tokens[index].upper == "TOP":
        index += 1
        index = stream.match[index] + 1 if index < end and stream.match[index] >= 0 else index + 1
        while index < end and tokens[index].upper in ("PERCENT", "WITH", "TIES"):
            index += 1
    return (
        index + 1 < end
        and tokens[index].kind is TokenKind.VARIABLE
        and tokens[index + 1].upper in _ASSIGNMENTS
    )


def _has_into(stream: Stream, verb: int, end: int) -> bool:
    index = verb
    while index < end:
        if stream.match[index] >= 0:
            index = stream.match[index]
        elif stream.tokens[index].upper in ("FROM", "UNION", "EXCEPT", "INTERSECT"):
            return False
        elif stream.tokens[index].upper == "INTO":
            return True
        index += 1
    return False


def update(stream: Stream) -> Statement:
    if stream.at("UPDATE", "STATISTICS"):
        return side_statement(stream, 2)
    return _update(stream, stream.position)


def _update(stream: Stream, verb: int) -> Leaf:
    end = leaf_end(stream.tokens, stream.match, verb, sets=1)
    return stream.leaf_to(end, LeafKind.UPDATE)


def delete(stream: Stream) -> Leaf:
    return _delete(stream, stream.position)


def _delete(stream: Stream, verb: int) -> Leaf:
    end = leaf_end(stream.tokens, stream.match, verb)
    return stream.leaf_to(end, LeafKind.DELETE)


def merge(stream: Stream) -> Leaf:
    return _merge(stream, stream.position)


def _merge(stream: Stream, verb: int) -> Leaf:
    end = leaf_end(stream.tokens, stream.match, verb, is_merge=True)
    return stream.leaf_to(end, LeafKind.MERGE)


def truncate(stream: Stream) -> Leaf:
    first = stream.position
    stream.expect("TRUNCATE", "TABLE")
    stream.object_name()
    if stream.at("WITH", "("):
        stream.position += 1
        stream.skip_parens()
    return stream.leaf_to(stream.position, LeafKind.TRUNCATE, first)


# --- INSERT ---


def insert(stream: Stream) -> Statement:
    return _insert(stream, stream.position)


def _insert(stream: Stream, verb: int) -> Statement:
    """``INSERT [TOP (n)] [INTO] target [WITH (…)] [(columns)] [OUTPUT …] source``."""
    first = stream.position
    stream.position = verb
    stream.expect("INSERT")
    if stream.at("BULK"):
        return side_statement(stream, 2, first)
    if stream.accept("TOP"):
        stream.skip_parens()
        stream.accept("PERCENT")
    stream.accept("INTO")
    target = None
    if stream.upper() in _REMOTE and stream.kind(1) is TokenKind.OPEN:
        stream.position += 1
        stream.skip_parens()
        while stream.kind() is TokenKind.DOT:
            stream.position += 1
            if stream.kind() is not TokenKind.DOT:
                stream.name()
    else:
        target = stream.object_name()
    if stream.at("WITH", "("):
        stream.position += 1
        stream.skip_parens()
    columns: tuple[str, ...] = ()
    if stream.kind() is TokenKind.OPEN and not _opens_query(stream):
        columns = stream.names_in_parens()
    if stream.at("OUTPUT"):
        _skip_output(stream)
    if stream.at_any("EXEC", "EXECUTE"):
        if target is None:
            raise stream.stuck("INSERT … EXEC into a remote table")
        call = execute(stream)
        return InsertExec(stream.span(first), target, columns, call)
    end = _source_end(stream)
    return stream.leaf_to(end, LeafKind.INSERT, first)


def _opens_query(stream: Stream) -> bool:
    ahead = 1
    while stream.kind(ahead) is TokenKind.OPEN:
        ahead += 1
    return stream.upper(ahead) in ("SELECT", "WITH", "VALUES")


def _skip_output(stream: Stream) -> None:
    while not stream.at_end and not stream.at_any("SELECT", "VALUES", "EXEC", "EXECUTE", "DEFAULT"):
        if stream.kind() is TokenKind.OPEN and _opens_query(stream):
            return
        if stream.kind() is TokenKind.SEMICOLON or stream.at_statement_end:
            break
        close = stream.match[stream.position]
        stream.position = max(close, stream.position) + 1


def _source_end(stream: Stream) -> int:
    if stream.accept("DEFAULT", "VALUES"):
        return stream.position
    if stream.at("VALUES"):
        stream.position += 1
        stream.skip_parens()
        while stream.kind() is TokenKind.COMMA:
            stream.position += 1
            stream.skip_parens()
        if stream.at("OPTION", "("):
            stream.position += 1
            stream.skip_parens()
        return stream.position
    if stream.at("SELECT") or (stream.kind() is TokenKind.OPEN and _opens_query(stream)):
        return leaf_end(stream.tokens, stream.match, stream.position)
    raise stream.stuck("expected VALUES, SELECT or EXEC")


_VERBS = {
    "SELECT": _select,
    "(": _select,
    "INSERT": _insert,
    "UPDATE": _update,
    "DELETE": _delete,
    "MERGE": _merge,
}
