"""CREATE, ALTER and DROP TABLE, and indexes."""

from __future__ import annotations

from dataclasses import replace

from core.tsql.boundaries import leaf_end
from core.tsql.columns import column_definition, definitions, table_body
from core.tsql.nodes import (
    AlterTable,
    CreateTable,
    DropTable,
    IndexAction,
    IndexStatement,
    LeafKind,
    TableBody,
)
from core.tsql.statements_data import verb_position
from core.tsql.statements_side import skip_to_end
from core.tsql.stream import Stream
from core.tsql.tokens import TokenKind

_NAMES = (TokenKind.WORD, TokenKind.QUOTED)


def create_table(stream: Stream) -> CreateTable:
    """At CREATE, with TABLE behind it. Synapse's ``CREATE TABLE … WITH (…) AS SELECT`` too."""
    first = stream.position
    stream.expect("CREATE", "TABLE")
    name = stream.object_name()
    if stream.kind() is TokenKind.OPEN:
        body = table_body(stream)
    else:
        body = TableBody(stream.empty_span(), ())
    options_from = stream.position
    while _table_option(stream):
        pass
    options = stream.text(options_from) if stream.position > options_from else None
    query = None
    if stream.accept("AS"):
        verb = verb_position(stream, stream.position)
        end = leaf_end(stream.tokens, stream.match, verb)
        query = stream.leaf_to(end, LeafKind.SELECT)
    elif not body.columns:
        raise stream.stuck("expected column definitions")
    return CreateTable(stream.span(first), name, body, options, query)


def _table_option(stream: Stream) -> bool:
    if stream.at_any("ON", "TEXTIMAGE_ON", "FILESTREAM_ON"):
        stream.position += 1
        stream.name()
        if stream.kind() is TokenKind.OPEN:
            stream.skip_parens()
    elif stream.at("WITH", "("):
        stream.position += 1
        stream.skip_parens()
    elif stream.at("AS") and stream.upper(1) in ("NODE", "EDGE", "FILETABLE"):
        stream.position += 2
    else:
        return False
    return True


def drop_table(stream: Stream) -> DropTable:
    first = stream.position
    stream.expect("DROP", "TABLE")
    if_exists = stream.accept("IF", "EXISTS")
    names = [stream.object_name()]
    while stream.kind() is TokenKind.COMMA:
        stream.position += 1
        names.append(stream.object_name())
    return DropTable(stream.span(first), tuple(names), if_exists)


# --- ALTER TABLE ---

# Words that start a statement elsewhere and belong to ALTER TABLE's actions.
_ALTER_INNER = frozenset({"WITH", "SET", "MERGE", "ENABLE", "DISABLE"})
_ACTIONS = ("SWITCH", "REBUILD", "SET", "CHECK", "NOCHECK", "ENABLE", "DISABLE")


def alter_table(stream: Stream) -> AlterTable:
    first = stream.position
    stream.expect("ALTER", "TABLE")
    name = stream.object_name()
    alter = AlterTable(stream.span(first), name, "OTHER", "")
    if stream.at("WITH") and stream.upper(1) in ("CHECK", "NOCHECK"):
        stream.position += 2
    if stream.accept("ADD"):
        columns_from = stream.position
        columns, constraints = definitions(stream)
        added = TableBody(stream.span(columns_from), columns, constraints)
        alter = replace(alter, action="ADD", add=added)
    elif stream.accept("ALTER", "COLUMN"):
        alter = replace(alter, action="ALTER COLUMN")
        if stream.upper(1) not in ("ADD", "DROP"):
            alter = replace(alter, alter_column=column_definition(stream))
        else:
            stream.position += 2
            skip_to_end(stream)
    elif stream.accept("DROP"):
        alter = _drop_from_table(stream, alter)
    else:
        action = stream.upper() if stream.at_any(*_ACTIONS) else "OTHER"
        alter = replace(alter, action=action)
        stream.take()
        skip_to_end(stream, _ALTER_INNER - {"WITH"})
    if stream.accept("WITH"):
        stream.skip_parens()
    return replace(alter, span=stream.span(first), text=stream.text(first))


def _drop_from_table(stream: Stream, alter: AlterTable) -> AlterTable:
    """``DROP COLUMN a, b`` or ``DROP [CONSTRAINT] c``, with IF EXISTS."""
    action = "DROP COLUMN" if stream.at("COLUMN") else "DROP CONSTRAINT"
    if not stream.accept("COLUMN"):
        stream.accept("CONSTRAINT")
    stream.accept("IF", "EXISTS")
    names = [stream.name()]
    while stream.kind() is TokenKind.COMMA:
        stream.position += 1
        if stream.at_any("COLUMN", "CONSTRAINT") and stream.kind(1) in _NAMES:
            stream.position += 1
        names.append(stream.name())
    dropped = tuple(names) if action == "DROP COLUMN" else ()
    return replace(alter, action=action, drop_columns=dropped)


# --- indexes ---

_INDEX_WORDS = ("UNIQUE", "CLUSTERED", "NONCLUSTERED", "COLUMNSTORE", "PRIMARY", "XML", "SPATIAL")


def at_index(stream: Stream) -> bool:
    """Whether CREATE, ALTER or DROP is followed by INDEX and the words before it."""
    ahead = 1
    while stream.upper(ahead) in _INDEX_WORDS:
        ahead += 1
    return stream.upper(ahead) == "INDEX"


def create_index(stream: Stream) -> IndexStatement:
    first = stream.position
    stream.expect("CREATE")
    is_unique = stream.at("UNIQUE")
    while stream.at_any(*_INDEX_WORDS):
        stream.position += 1
    stream.expect("INDEX")
    name = stream.name()
    stream.expect("ON")
    table = stream.object_name()
    columns = stream.names_in_parens() if stream.kind() is TokenKind.OPEN else ()
    skip_to_end(stream)
    return IndexStatement(
        stream.span(first), IndexAction.CREATE, stream.text(first), table, name, columns, is_unique
    )


def drop_index(stream: Stream) -> IndexStatement:
    """``DROP INDEX [IF EXISTS] i ON t`` or ``DROP INDEX t.i``, also several."""
    first = stream.position
    stream.expect("DROP", "INDEX")
    stream.accept("IF", "EXISTS")
    index = stream.object_name()
    table = None
    if stream.accept("ON"):
        table = stream.object_name()
    elif len(index.parts) > 1:
        table = replace(index, parts=index.parts[:-1])
    skip_to_end(stream)
    return IndexStatement(
        stream.span(first), IndexAction.DROP, stream.text(first), table, index.name
    )


def alter_index(stream: Stream) -> IndexStatement:
    first = stream.position
    stream.expect("ALTER", "INDEX")
    name = stream.name()
    stream.expect("ON")
    table = stream.object_name()
    skip_to_end(stream, frozenset({"SET"}) if stream.at("SET", "(") else frozenset())
    return IndexStatement(stream.span(first), IndexAction.ALTER, stream.text(first), table, name)
