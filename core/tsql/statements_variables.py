"""DECLARE, SET and the session options that SET also sets."""

from __future__ import annotations

from core.tsql.columns import table_body
from core.tsql.nodes import (
    Declare,
    DeclareCursor,
    ObjectName,
    SetOption,
    SetVariable,
    Statement,
    Variable,
)
from core.tsql.statements_cursors import cursor_definition
from core.tsql.stream import Stream
from core.tsql.tokens import TokenKind
from core.tsql.type_names import type_name

ASSIGNMENT_OPERATORS = ("=", "+=", "-=", "*=", "/=", "%=", "&=", "^=", "|=", "||=")


def declare(stream: Stream) -> Statement:
    first = stream.position
    stream.expect("DECLARE")
    if stream.kind() is not TokenKind.VARIABLE:
        name = stream.name()
        cursor = cursor_definition(stream)
        return DeclareCursor(stream.span(first), name, cursor)
    variables = [_variable(stream)]
    while stream.kind() is TokenKind.COMMA:
        stream.position += 1
        variables.append(_variable(stream))
    return Declare(stream.span(first), tuple(variables))


def _variable(stream: Stream) -> Variable:
    first = stream.position
    name = stream.variable()
    stream.accept("AS")
    if stream.at("TABLE") and stream.kind(1) is TokenKind.OPEN:
        stream.position += 1
        table = table_body(stream)
        return Variable(stream.span(first), name, table=table)
    if stream.accept("CURSOR"):
        return Variable(stream.span(first), name)
    declared = type_name(stream)
    if not stream.accept("NOT", "NULL"):
        stream.accept("NULL")
    value = stream.expression() if stream.accept("=") else None
    return Variable(stream.span(first), name, declared, value)


def set_(stream: Stream) -> Statement:
    first = stream.position
    stream.expect("SET")
    if stream.kind() is not TokenKind.VARIABLE:
        return _set_option(stream, first)
    name = stream.variable()
    operator = stream.upper()
    if operator not in ASSIGNMENT_OPERATORS:
        raise stream.stuck(f"SET {name} without an assignment (a method call changes XML in place)")
    stream.position += 1
    if stream.at("CURSOR"):
        cursor = cursor_definition(stream)
        return SetVariable(stream.span(first), name, operator, None, cursor)
    value = stream.expression()
    return SetVariable(stream.span(first), name, operator, value)


def _set_option(stream: Stream, first: int) -> SetOption:
    target: ObjectName | None = None
    if stream.accept("TRANSACTION", "ISOLATION", "LEVEL"):
        names: tuple[str, ...] = ("TRANSACTION ISOLATION LEVEL",)
    elif stream.accept("IDENTITY_INSERT"):
        names, target = ("IDENTITY_INSERT",), stream.object_name()
    elif stream.at("STATISTICS"):
        stream.position += 1
        names = (f"STATISTICS {stream.name().upper()}",)
        while stream.kind() is TokenKind.COMMA:
            stream.position += 1
            names += (f"STATISTICS {stream.name().upper()}",)
    else:
        names = (stream.name().upper(),)
        while stream.kind() is TokenKind.COMMA:
            stream.position += 1
            names += (stream.name().upper(),)
    value = _option_value(stream)
    return SetOption(stream.span(first), names, value, target)


def _option_value(stream: Stream) -> str:
    """ON, OFF, a literal, a variable, or the words of an isolation level."""
    if stream.at_end:
        raise stream.stuck("SET needs a value")
    first = stream.position
    if stream.kind() is TokenKind.OPERATOR:
        stream.position += 1
    stream.take()
    while (
        not stream.at_any("ON", "OFF")
        and not stream.at_statement_end
        and stream.kind() is TokenKind.WORD
        and stream.tokens[stream.position - 1].upper in ("READ", "REPEATABLE")
    ):
        stream.position += 1
    return stream.text(first)
