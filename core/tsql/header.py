"""The head of a module: parameters and WITH options of procedures, functions, views, triggers."""

from __future__ import annotations

from core.tsql.columns import default_value
from core.tsql.nodes import DefinitionVerb, Parameter
from core.tsql.stream import Stream
from core.tsql.tokens import TokenKind
from core.tsql.type_names import type_name


def definition_verb(stream: Stream) -> DefinitionVerb:
    """CREATE, ALTER or CREATE OR ALTER, taken."""
    if stream.accept("CREATE", "OR", "ALTER"):
        return DefinitionVerb.CREATE_OR_ALTER
    if stream.accept("ALTER"):
        return DefinitionVerb.ALTER
    stream.expect("CREATE")
    return DefinitionVerb.CREATE


def parameters(stream: Stream) -> tuple[Parameter, ...]:
    """``@a int = 1, @b decimal(9, 2) OUTPUT``, with or without parentheses around the list."""
    in_parens = stream.kind() is TokenKind.OPEN
    if in_parens:
        stream.position += 1
    found: list[Parameter] = []
    while stream.kind() is TokenKind.VARIABLE:
        found.append(_parameter(stream))
        if stream.kind() is not TokenKind.COMMA:
            break
        stream.position += 1
    if in_parens:
        stream.expect(")")
    return tuple(found)


def _parameter(stream: Stream) -> Parameter:
    first = stream.position
    name = stream.variable()
    stream.accept("AS")
    declared = type_name(stream)
    is_varying = stream.accept("VARYING")
    nullable: bool | None = None
    if stream.accept("NOT", "NULL"):
        nullable = False
    elif stream.accept("NULL"):
        nullable = True
    default = default_value(stream) if stream.accept("=") else None
    is_output = is_readonly = False
    while word := stream.accept_any("OUTPUT", "OUT", "READONLY"):
        is_readonly = is_readonly or word == "READONLY"
        is_output = is_output or word != "READONLY"
    return Parameter(
        stream.span(first), name, declared, default, is_output, is_readonly, is_varying, nullable
    )


def with_options(stream: Stream) -> tuple[str, ...]:
    """``WITH RECOMPILE, EXECUTE AS 'x', SCHEMABINDING``: each option as text in upper case."""
    if not stream.accept("WITH"):
        return ()
    options = [_option(stream)]
    while stream.kind() is TokenKind.COMMA:
        stream.position += 1
        options.append(_option(stream))
    return tuple(options)


def _option(stream: Stream) -> str:
    first = stream.position
    if stream.at_any("EXEC", "EXECUTE"):
        stream.position += 1
        stream.expect("AS")
        stream.take()
    elif stream.accept("RETURNS", "NULL", "ON", "NULL", "INPUT") or stream.accept(
        "CALLED", "ON", "NULL", "INPUT"
    ):
        pass
    else:
        stream.name()
        if stream.accept("="):
            stream.take()
    return " ".join(token.upper for token in stream.tokens[first : stream.position])
