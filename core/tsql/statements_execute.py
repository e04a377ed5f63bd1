"""EXEC in its forms: a procedure, a string, sp_executesql."""

from __future__ import annotations

from core.tsql.boundaries import is_label
from core.tsql.nodes import (
    Argument,
    Execute,
    ExecuteSql,
    ExecuteString,
    Expr,
    ObjectName,
    SideStatement,
)
from core.tsql.statements_side import side_statement
from core.tsql.stream import Stream
from core.tsql.tokens import TokenKind, unquoted

Call = Execute | ExecuteString | ExecuteSql


def execute_statement(stream: Stream) -> Call | SideStatement:
    if stream.upper(1) == "AS" and stream.upper(2) in ("USER", "LOGIN", "CALLER", "OWNER", "SELF"):
        return side_statement(stream, 2)
    return execute(stream)


def execute(stream: Stream) -> Call:
    """A call at the word EXEC or EXECUTE."""
    first = stream.position
    stream.take()
    if stream.kind() is TokenKind.OPEN:
        return _execute_string(stream, first)
    return_variable = None
    if stream.kind() is TokenKind.VARIABLE and stream.upper(1) == "=":
        return_variable = stream.variable()
        stream.position += 1
    return _call(stream, first, return_variable)


def bare_call(stream: Stream) -> Call:
    """A call without EXEC: allowed for the first statement of a batch."""
    return _call(stream, stream.position, None)


def _call(stream: Stream, first: int, return_variable: str | None) -> Call:
    name, variable = None, None
    if stream.kind() is TokenKind.VARIABLE:
        variable = stream.variable()
    else:
        name = stream.object_name()
    if stream.at(";") and stream.kind(1) is TokenKind.NUMBER:
        stream.position += 2  # the number of a grouped procedure: EXEC p;2
    arguments = _arguments(stream)
    if name is not None and _is_executesql(name):
        return _executesql(stream, first, arguments, return_variable)
    options = _with_options(stream)
    return Execute(stream.span(first), name, arguments, return_variable, variable, options)


def _with_options(stream: Stream) -> str | None:
    if not stream.at("WITH") or stream.upper(1) not in ("RECOMPILE", "RESULT"):
        return None
    first = stream.position
    stream.position += 2
    if stream.accept("SETS"):
        if stream.kind() is TokenKind.OPEN:
            stream.skip_parens()
        else:
            stream.accept_any("NONE", "UNDEFINED")
    return stream.text(first)


def _arguments(stream: Stream) -> tuple[Argument, ...]:
    if _no_argument(stream):
        return ()
    found = [_argument(stream)]
    while stream.kind() is TokenKind.COMMA:
        stream.position += 1
        found.append(_argument(stream))
    return tuple(found)


def _no_argument(stream: Stream) -> bool:
    return stream.at_statement_end or stream.at("WITH") or stream.kind() is TokenKind.CLOSE


def _argument(stream: Stream) -> Argument:
    first = stream.position
    name = None
    if stream.kind() is TokenKind.VARIABLE and stream.upper(1) == "=":
        name = stream.variable()
        stream.position += 1
    if stream.accept("DEFAULT"):
        return Argument(stream.span(first), None, name)
    value = _argument_value(stream)
    is_output = stream.accept_any("OUTPUT", "OUT") is not None
    return Argument(stream.span(first), value, name, is_output)


def _argument_value(stream: Stream) -> Expr:
    """A constant, a variable, or a bare word, which is a string."""
    if stream.kind() in (TokenKind.WORD, TokenKind.QUOTED) and not stream.at_any("NULL"):
        follows = stream.peek(1)
        if follows is None or follows.kind not in (TokenKind.OPEN, TokenKind.DOT):
            if is_label(stream.tokens, stream.position):
                raise stream.stuck("expected an argument")
            token = stream.tokens[stream.position]
            stream.position += 1
            span = stream.span(stream.position - 1)
            return Expr(span, "'" + unquoted(token).replace("'", "''") + "'")
    return stream.expression("OUTPUT", "OUT", "WITH")


def _execute_string(stream: Stream, first: int) -> ExecuteString:
    close = stream.match[stream.position]
    if close < 0:
        raise stream.stuck("EXEC has no closing parenthesis")
    stream.position += 1
    sql = stream.expression()
    arguments: list[Argument] = []
    while stream.kind() is TokenKind.COMMA:
        stream.position += 1
        arguments.append(_argument(stream))
    if stream.position != close:
        raise stream.stuck("expected the end of EXEC's string")
    stream.position += 1
    user, server = None, None
    if stream.at("AS") and stream.upper(1) in ("USER", "LOGIN"):
        stream.position += 2
        stream.expect("=")
        user = stream.take().text
    if stream.accept("AT"):
        stream.accept("DATA_SOURCE")
        server = stream.name()
    _with_options(stream)
    return ExecuteString(stream.span(first), sql, server, user, tuple(arguments))


# --- sp_executesql ---


def _is_executesql(name: ObjectName) -> bool:
    return name.name.casefold() == "sp_executesql" and name.server is None


def _executesql(
    stream: Stream, first: int, arguments: tuple[Argument, ...], return_variable: str | None
) -> ExecuteSql:
    """The first two arguments are ``@stmt`` and ``@params``, by name or by place."""
    if not arguments or arguments[0].value is None:
        raise stream.stuck("sp_executesql without a statement")
    sql, parameters = arguments[0].value, None
    passed = arguments[1:]
    if passed and (
        passed[0].name is None or passed[0].name.casefold() in ("@params", "@parameters")
    ):
        parameters, passed = passed[0].value, passed[1:]
    return ExecuteSql(stream.span(first), sql, parameters, passed, return_variable)
