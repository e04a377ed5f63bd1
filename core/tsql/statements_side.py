"""Statements that change no row of a project table, and messages: PRINT, RAISERROR, THROW.

Side statements are kept as text with their leading words as `kind`; their end is found by the same
rules as every other statement's, with the words each of them may contain on top.
"""

from __future__ import annotations

from core.tsql.nodes import ObjectName, Print, RaiseError, SideStatement, Statement, Throw
from core.tsql.stream import Stream
from core.tsql.tokens import TokenKind


def side_statement(
    stream: Stream, words: int, first: int | None = None, inner: frozenset[str] = frozenset()
) -> SideStatement:
    """Take `words` words as the kind and everything up to the end of the statement.

    `inner` are words that start statements elsewhere but belong to this one.
    """
    first = stream.position if first is None else first
    kind_from = stream.position
    for _ in range(words):
        stream.take()
    kind = " ".join(token.upper for token in stream.tokens[kind_from : stream.position])
    skip_to_end(stream, inner)
    return SideStatement(stream.span(first), kind, stream.text(first))


def skip_to_end(stream: Stream, inner: frozenset[str] = frozenset()) -> None:
    """Move behind the last token of the statement, over parentheses and words of `inner`."""
    while not stream.at_end:
        if stream.at_statement_end and stream.upper() not in inner:
            return
        if stream.kind() in (TokenKind.SEMICOLON, TokenKind.CLOSE):
            return
        close = stream.match[stream.position]
        stream.position = max(close, stream.position) + 1


def one_word(stream: Stream) -> SideStatement:
    return side_statement(stream, 1)


def use(stream: Stream) -> SideStatement:
    first = stream.position
    stream.expect("USE")
    name = stream.object_name()
    return SideStatement(stream.span(first), "USE", stream.text(first), name)


def wait_for(stream: Stream) -> SideStatement:
    """``WAITFOR DELAY '…'``, ``WAITFOR TIME @t``, ``WAITFOR (RECEIVE …)``."""
    first = stream.position
    stream.expect("WAITFOR")
    if stream.kind() is TokenKind.OPEN:
        stream.skip_parens()
        if stream.kind() is TokenKind.COMMA:
            skip_to_end(stream)
        return SideStatement(stream.span(first), "WAITFOR", stream.text(first))
    word = stream.accept_any("DELAY", "TIME")
    if word is None:
        raise stream.stuck("expected DELAY or TIME behind WAITFOR")
    stream.expression()
    return SideStatement(stream.span(first), f"WAITFOR {word}", stream.text(first))


def permission(stream: Stream) -> SideStatement:
    """GRANT, DENY, REVOKE: the permissions are words that start statements elsewhere."""
    first = stream.position
    kind = stream.take().upper
    while not stream.at_end and not stream.at_any("TO", "FROM"):
        if stream.kind() is TokenKind.SEMICOLON:
            break
        stream.position = max(stream.match[stream.position], stream.position) + 1
    skip_to_end(stream, frozenset({"WITH"}))
    return SideStatement(stream.span(first), kind, stream.text(first))


def bulk_insert(stream: Stream) -> SideStatement:
    first = stream.position
    stream.expect("BULK", "INSERT")
    target = stream.object_name()
    skip_to_end(stream)
    return SideStatement(stream.span(first), "BULK INSERT", stream.text(first), target)


def copy_into(stream: Stream) -> SideStatement:
    """``COPY INTO table [(columns)] FROM 'files' WITH (…)`` of Synapse and Fabric."""
    first = stream.position
    stream.expect("COPY", "INTO")
    target = stream.object_name()
    skip_to_end(stream)
    return SideStatement(stream.span(first), "COPY INTO", stream.text(first), target)


def trigger_switch(stream: Stream) -> SideStatement:
    """``ENABLE TRIGGER …`` and ``DISABLE TRIGGER … ON table``."""
    first = stream.position
    kind = f"{stream.take().upper} {stream.take().upper}"
    target: ObjectName | None = None
    while not stream.at_end and not stream.at("ON") and not stream.at_statement_end:
        stream.position += 1
    if stream.accept("ON"):
        target = stream.object_name()
        stream.accept("SERVER")
    return SideStatement(stream.span(first), kind, stream.text(first), target)


# --- messages ---


def print_(stream: Stream) -> Print:
    first = stream.position
    stream.expect("PRINT")
    value = stream.expression()
    return Print(stream.span(first), value)


def throw(stream: Stream) -> Throw:
    first = stream.position
    stream.expect("THROW")
    if stream.at_statement_end:
        return Throw(stream.span(first))
    number = stream.expression()
    stream.expect(",")
    message = stream.expression()
    stream.expect(",")
    state = stream.expression()
    return Throw(stream.span(first), number, message, state)


def raiserror(stream: Stream) -> Statement:
    """``RAISERROR (message, severity, state [, arguments]) [WITH options]``, and the form without
    parentheses that old scripts have (``RAISERROR 50001 'text'``)."""
    first = stream.position
    stream.expect("RAISERROR")
    if stream.kind() is not TokenKind.OPEN:
        return _old_raiserror(stream, first)
    close = stream.match[stream.position]
    if close < 0:
        raise stream.stuck("RAISERROR has no closing parenthesis")
    stream.position += 1
    values = [stream.expression()]
    while stream.kind() is TokenKind.COMMA:
        stream.position += 1
        values.append(stream.expression())
    if stream.position != close:
        raise stream.stuck("expected a comma between RAISERROR's arguments")
    stream.position += 1
    options: list[str] = []
    if stream.at("WITH") and stream.upper(1) in ("LOG", "NOWAIT", "SETERROR"):
        stream.position += 1
        options.append(stream.take().upper)
        while stream.kind() is TokenKind.COMMA:
            stream.position += 1
            options.append(stream.name().upper())
    return RaiseError(
        stream.span(first),
        values[0],
        values[1] if len(values) > 1 else None,
        values[2] if len(values) > 2 else None,
        tuple(values[3:]),
        tuple(options),
    )


def _old_raiserror(stream: Stream, first: int) -> RaiseError:
    """``RAISERROR 50001 'text'``: a number and a text without a comma, or a text alone."""
    numbers = (TokenKind.NUMBER, TokenKind.VARIABLE)
    texts = (TokenKind.STRING, TokenKind.VARIABLE)
    number = None
    if stream.kind() in numbers and stream.kind(1) in texts:
        number = stream.expression_to(stream.position + 1)
    message = stream.expression()
    return RaiseError(stream.span(first), message, number=number)
