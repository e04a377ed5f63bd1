"""Control flow: blocks, IF, WHILE, TRY, RETURN, GOTO and labels, transactions."""

from __future__ import annotations

from collections.abc import Callable

from core.tsql.nodes import (
    BeginTransaction,
    Block,
    Break,
    CommitTransaction,
    Continue,
    Expr,
    Goto,
    If,
    Label,
    Return,
    RollbackTransaction,
    SaveTransaction,
    Span,
    Statement,
    TryCatch,
    Unparsed,
    While,
)
from core.tsql.statements_side import side_statement
from core.tsql.stream import MAX_DEPTH, Stream
from core.tsql.tokens import TokenKind

_TRANSACTION_WORDS = ("TRAN", "TRANSACTION")


def _never(stream: Stream) -> bool:
    return False


def statement_list(
    stream: Stream, ends: Callable[[Stream], bool] = _never
) -> tuple[Statement, ...]:
    """Statements up to an END, an ELSE, what `ends` says, or the end of the batch, with the
    semicolons between."""
    found: list[Statement] = []
    while not stream.at_end and not ends(stream):
        if stream.kind() is TokenKind.SEMICOLON:
            stream.position += 1
        elif stream.at_any("END", "ELSE") and not stream.at("END", "CONVERSATION"):
            break
        else:
            found.append(stream.nested_statement())
    return tuple(found)


def missing(stream: Stream, reason: str) -> Unparsed:
    """A hole of no extent, where something had to stand."""
    return Unparsed(stream.empty_span(), reason, "")


def begin(stream: Stream) -> Statement:
    """Whatever starts with BEGIN."""
    following = stream.upper(1)
    if following in _TRANSACTION_WORDS or stream.at("BEGIN", "DISTRIBUTED"):
        return _begin_transaction(stream)
    if following == "TRY":
        return _try_catch(stream)
    if following in ("DIALOG", "CONVERSATION"):
        return side_statement(stream, 2)
    return block(stream)


def block(stream: Stream) -> Block:
    first = stream.position
    stream.expect("BEGIN")
    options = None
    if stream.accept("ATOMIC", "WITH"):
        options = stream.skip_parens()
    body = statement_list(stream)
    if not stream.accept("END"):
        line = stream.tokens[first].line
        body += (missing(stream, f"the BEGIN of line {line} has no END"),)
    return Block(stream.span(first), body, options)


def _try_catch(stream: Stream) -> TryCatch:
    first = stream.position
    stream.expect("BEGIN", "TRY")
    body = statement_list(stream)
    handler: tuple[Statement, ...] = ()
    line = stream.tokens[first].line
    if not stream.accept("END", "TRY"):
        body += (missing(stream, f"the BEGIN TRY of line {line} has no END TRY"),)
        return TryCatch(stream.span(first), body, handler)
    semicolons = stream.position
    while stream.kind() is TokenKind.SEMICOLON:
        stream.position += 1
    if not stream.accept("BEGIN", "CATCH"):
        stream.position = semicolons
        handler = (missing(stream, f"the BEGIN TRY of line {line} has no BEGIN CATCH"),)
        return TryCatch(stream.span(first), body, handler)
    handler = statement_list(stream)
    if not stream.accept("END", "CATCH"):
        handler += (missing(stream, f"the BEGIN CATCH for line {line} has no END CATCH"),)
    return TryCatch(stream.span(first), body, handler)


def if_(stream: Stream) -> Statement:
    """IF with all its ELSE IFs, read in a loop: a chain of a hundred is flat for its author."""
    arms: list[tuple[int, Expr, Statement]] = []
    otherwise: Statement | None = None
    while True:
        first = stream.position
        stream.expect("IF")
        condition = stream.expression(is_condition=True)
        arms.append((first, condition, _branch(stream, "IF")))
        before = stream.position
        if stream.kind() is TokenKind.SEMICOLON and stream.upper(1) == "ELSE":
            stream.position += 1
        if not stream.accept("ELSE"):
            stream.position = before
            break
        if stream.at("IF") and len(arms) < MAX_DEPTH * 2:
            continue
        otherwise = _branch(stream, "ELSE")
        break
    end = stream.position
    for first, condition, then in reversed(arms):
        stream.position = end
        otherwise = If(stream.span(first), condition, then, otherwise)
    assert otherwise is not None
    return otherwise


def _branch(stream: Stream, owner: str) -> Statement:
    if stream.at_end or stream.at_any("END", "ELSE") or stream.kind() is TokenKind.SEMICOLON:
        return missing(stream, f"no statement behind this {owner}")
    return stream.nested_statement()


def while_(stream: Stream) -> While:
    first = stream.position
    stream.expect("WHILE")
    condition = stream.expression(is_condition=True)
    body = _branch(stream, "WHILE")
    return While(stream.span(first), condition, body)


def break_(stream: Stream) -> Break:
    return Break(_word(stream))


def continue_(stream: Stream) -> Continue:
    return Continue(_word(stream))


def _word(stream: Stream) -> Span:
    first = stream.position
    stream.take()
    return stream.span(first)


def return_(stream: Stream) -> Return:
    first = stream.position
    stream.expect("RETURN")
    value = None if stream.at_statement_end else stream.expression()
    return Return(stream.span(first), value)


def goto(stream: Stream) -> Goto:
    first = stream.position
    stream.expect("GOTO")
    label = stream.name()
    return Goto(stream.span(first), label)


def label(stream: Stream) -> Label:
    first = stream.position
    name = stream.name()
    stream.expect(":")
    return Label(stream.span(first), name)


# --- transactions ---


def _transaction_name(stream: Stream) -> str | None:
    if stream.at_statement_end or stream.at("WITH"):
        return None
    if stream.kind() is TokenKind.VARIABLE:
        return stream.variable()
    if stream.kind() in (TokenKind.WORD, TokenKind.QUOTED):
        return stream.name()
    return None


def _begin_transaction(stream: Stream) -> BeginTransaction:
    first = stream.position
    stream.expect("BEGIN")
    stream.accept("DISTRIBUTED")
    stream.take()
    name = _transaction_name(stream)
    mark = None
    if stream.accept("WITH", "MARK") and stream.kind() in (TokenKind.STRING, TokenKind.VARIABLE):
        mark = stream.expression_to(stream.position + 1)
    return BeginTransaction(stream.span(first), name, mark)


def commit(stream: Stream) -> CommitTransaction:
    first = stream.position
    stream.expect("COMMIT")
    name = None
    if stream.accept_any(*_TRANSACTION_WORDS):
        name = _transaction_name(stream)
    else:
        stream.accept("WORK")
    if stream.at("WITH", "("):
        stream.position += 1
        stream.skip_parens()
    return CommitTransaction(stream.span(first), name)


def rollback(stream: Stream) -> RollbackTransaction:
    first = stream.position
    stream.expect("ROLLBACK")
    name = None
    if stream.accept_any(*_TRANSACTION_WORDS):
        name = _transaction_name(stream)
    else:
        stream.accept("WORK")
    return RollbackTransaction(stream.span(first), name)


def save(stream: Stream) -> SaveTransaction:
    first = stream.position
    stream.expect("SAVE")
    if not stream.accept_any(*_TRANSACTION_WORDS):
        raise stream.stuck("expected TRANSACTION behind SAVE")
    name = _transaction_name(stream)
    if name is None:
        raise stream.stuck("SAVE TRANSACTION needs a name")
    return SaveTransaction(stream.span(first), name)
