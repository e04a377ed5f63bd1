"""CREATE/ALTER of procedures, functions, views, triggers and types, and of every other object."""

from __future__ import annotations

from core.tsql.columns import table_body
from core.tsql.header import definition_verb, parameters, with_options
from core.tsql.nodes import (
    Block,
    CreateFunction,
    CreateProcedure,
    CreateTrigger,
    CreateType,
    CreateView,
    FunctionKind,
    Leaf,
    OtherDefinition,
    SideStatement,
    Statement,
)
from core.tsql.statements_data import query
from core.tsql.statements_flow import statement_list
from core.tsql.statements_side import skip_to_end
from core.tsql.stream import Stream
from core.tsql.tokens import TokenKind
from core.tsql.type_names import type_name


def create_procedure(stream: Stream) -> CreateProcedure:
    """The procedure takes everything up to the end of the batch, as SQL Server does, or up to the
    next module where a script has lost its GO lines."""
    first = stream.position
    verb = definition_verb(stream)
    if not stream.accept_any("PROC", "PROCEDURE"):
        raise stream.stuck("expected PROCEDURE")
    name = stream.object_name()
    group_number = None
    if stream.at(";") and stream.kind(1) is TokenKind.NUMBER:
        stream.position += 1
        number = stream.take().text
        group_number = int(number) if number.isdecimal() else None
    listed = parameters(stream)
    options = with_options(stream)
    for_replication = stream.accept("FOR", "REPLICATION")
    stream.expect("AS")
    if stream.at("EXTERNAL", "NAME"):
        raise stream.stuck("the body of this procedure is an assembly, not T-SQL")
    body, trailing = _body_of_batch(stream)
    return CreateProcedure(
        stream.span(first),
        name,
        listed,
        body,
        verb,
        options,
        group_number,
        for_replication,
        trailing,
    )


def _body_of_batch(stream: Stream) -> tuple[tuple[Statement, ...], tuple[Statement, ...]]:
    """Every statement left in the batch; behind one BEGIN … END stand trailing statements."""
    found: list[Statement] = []
    while not stream.at_end and not _at_module(stream):
        found.extend(statement_list(stream, _at_module))
        if not stream.at_end and not _at_module(
            stream
        ):  # a stray END or ELSE: read on, it becomes an Unparsed
            found.append(stream.nested_statement())
    if found and isinstance(found[0], Block):
        return (found[0],), tuple(found[1:])
    return tuple(found), ()


def _at_module(stream: Stream) -> bool:
    """CREATE or ALTER of a module. It has to be alone in its batch, so it never stands in a body
    (``statements/create-procedure-transact-sql``, Limitations)."""
    ahead = 3 if stream.at("CREATE", "OR", "ALTER") else 1
    return stream.at_any("CREATE", "ALTER") and stream.upper(ahead) in (
        "PROC",
        "PROCEDURE",
        "FUNCTION",
        "VIEW",
        "TRIGGER",
    )


def create_function(stream: Stream) -> CreateFunction:
    first = stream.position
    verb = definition_verb(stream)
    stream.expect("FUNCTION")
    name = stream.object_name()
    listed = parameters(stream)
    stream.expect("RETURNS")
    if stream.kind() is TokenKind.VARIABLE:
        variable = stream.variable()
        stream.expect("TABLE")
        table = table_body(stream)
        options = with_options(stream)
        body = _function_body(stream)
        return CreateFunction(
            stream.span(first), name, listed, FunctionKind.TABLE, verb,
            body=body, table_variable=variable, table=table, options=options,
        )  # fmt: skip
    if stream.accept("TABLE"):
        options = with_options(stream)
        stream.accept("AS")
        stream.expect("RETURN")
        inline = _returned_query(stream)
        return CreateFunction(
            stream.span(first), name, listed, FunctionKind.INLINE_TABLE, verb,
            query=inline, options=options,
        )  # fmt: skip
    returns = type_name(stream)
    options = with_options(stream)
    body = _function_body(stream)
    return CreateFunction(
        stream.span(first), name, listed, FunctionKind.SCALAR, verb,
        returns=returns, body=body, options=options,
    )  # fmt: skip


def _function_body(stream: Stream) -> tuple[Statement, ...]:
    stream.accept("AS")
    if not stream.at("BEGIN"):
        raise stream.stuck("expected the function's BEGIN")
    return (stream.nested_statement(),)


def _returned_query(stream: Stream) -> Leaf:
    """``RETURN (SELECT …)`` or ``RETURN SELECT …``: the query without the parentheses."""
    opened = 0
    while stream.kind() is TokenKind.OPEN and stream.match[stream.position] >= 0:
        close = stream.match[stream.position]
        behind = close + 1
        if behind < len(stream.tokens) and stream.tokens[behind].upper in (
            "UNION",
            "EXCEPT",
            "INTERSECT",
        ):
            break
        stream.position += 1
        opened += 1
    inline = query(stream)
    for _ in range(opened):
        stream.expect(")")
    return inline


def create_view(stream: Stream) -> CreateView:
    first = stream.position
    verb = definition_verb(stream)
    stream.expect("VIEW")
    name = stream.object_name()
    columns = stream.names_in_parens() if stream.kind() is TokenKind.OPEN else ()
    options = with_options(stream)
    stream.expect("AS")
    selected = query(stream)
    with_check = stream.accept("WITH", "CHECK", "OPTION")
    return CreateView(stream.span(first), name, columns, selected, verb, options, with_check)


def create_trigger(stream: Stream) -> CreateTrigger:
    """DML triggers have a table; DDL and logon triggers are ON DATABASE or ON ALL SERVER."""
    first = stream.position
    verb = definition_verb(stream)
    stream.expect("TRIGGER")
    name = stream.object_name()
    stream.expect("ON")
    table = None
    if not stream.accept("DATABASE") and not stream.accept("ALL", "SERVER"):
        table = stream.object_name()
    options = with_options(stream)
    timing = stream.accept_any("FOR", "AFTER", "INSTEAD")
    if timing is None:
        raise stream.stuck("expected FOR, AFTER or INSTEAD OF")
    if timing == "INSTEAD":
        stream.expect("OF")
        timing = "INSTEAD OF"
    events = [stream.take().upper]
    while stream.kind() is TokenKind.COMMA:
        stream.position += 1
        events.append(stream.take().upper)
    stream.accept("WITH", "APPEND")
    stream.accept("NOT", "FOR", "REPLICATION")
    stream.expect("AS")
    body, trailing = _body_of_batch(stream)
    return CreateTrigger(
        stream.span(first), name, table, timing, tuple(events), body + trailing, verb, options
    )


def create_type(stream: Stream) -> CreateType:
    first = stream.position
    stream.expect("CREATE", "TYPE")
    name = stream.object_name()
    if stream.accept("AS", "TABLE"):
        table = table_body(stream)
        if stream.at("WITH", "("):
            stream.position += 1
            stream.skip_parens()
        return CreateType(stream.span(first), name, table)
    stream.expect("FROM")
    base = type_name(stream)
    if not stream.accept("NOT", "NULL"):
        stream.accept("NULL")
    return CreateType(stream.span(first), name, base=base)


# --- every other object ---

# Kinds of object with more than one word, and words their definitions contain that start
# statements elsewhere.
_TWO_WORDS = {
    ("PARTITION", "FUNCTION"),
    ("PARTITION", "SCHEME"),
    ("EXTERNAL", "TABLE"),
    ("EXTERNAL", "DATA"),
    ("EXTERNAL", "FILE"),
    ("XML", "SCHEMA"),
    ("SERVER", "ROLE"),
    ("SECURITY", "POLICY"),
    ("MASTER", "KEY"),
    ("SYMMETRIC", "KEY"),
    ("DATABASE", "SCOPED"),
    ("MATERIALIZED", "VIEW"),
    ("REMOTE", "TABLE"),
}
_INNER_WORDS: dict[str, frozenset[str]] = {
    "ALTER DATABASE": frozenset({"SET"}),
    "ALTER DATABASE SCOPED": frozenset({"SET"}),
    "ALTER PARTITION FUNCTION": frozenset({"MERGE"}),
    "ALTER ROLE": frozenset({"DROP"}),
    "ALTER SERVER ROLE": frozenset({"DROP"}),
    "CREATE SEQUENCE": frozenset({"WITH"}),
    "ALTER SEQUENCE": frozenset({"WITH"}),
    "CREATE EXTERNAL TABLE": frozenset({"SELECT", "WITH"}),
    "CREATE MATERIALIZED VIEW": frozenset({"SELECT", "WITH"}),
}


def other_definition(stream: Stream) -> OtherDefinition | SideStatement:
    """``CREATE SCHEMA x``, ``DROP PROCEDURE IF EXISTS p``: the name and the text."""
    first = stream.position
    kind = stream.take().upper
    if kind == "CREATE" and stream.accept("OR", "ALTER"):
        kind = "CREATE OR ALTER"
    words = 2 if (stream.upper(), stream.upper(1)) in _TWO_WORDS else 1
    for _ in range(words):
        kind += f" {stream.take().upper}"
    stream.accept("IF", "EXISTS")
    name = None
    if stream.kind() in (TokenKind.WORD, TokenKind.QUOTED) and not stream.at_any("ON", "FOR"):
        name = stream.object_name()
    if kind == "CREATE STATISTICS":
        skip_to_end(stream)
        return SideStatement(stream.span(first), kind, stream.text(first), name)
    skip_to_end(stream, _INNER_WORDS.get(kind, frozenset()))
    return OtherDefinition(stream.span(first), kind, name, stream.text(first))
