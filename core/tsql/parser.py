"""The structure parser: text in, `Script` out.

`parse_script` reads a whole file, `parse_procedure` the first procedure of one. A statement is
recognised by its first word (`_READERS`) and read by the function registered for it; where that
function leaves off, the next statement begins. When a function gets stuck, or leaves tokens that
begin nothing, those tokens become an `Unparsed` node: the tree always covers the whole text.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from core.tsql import statements_cursors as cursors
from core.tsql import statements_data as data
from core.tsql import statements_execute as calls
from core.tsql import statements_flow as flow
from core.tsql import statements_modules as modules
from core.tsql import statements_side as side
from core.tsql import statements_tables as tables
from core.tsql import statements_variables as variables
from core.tsql.batches import RawBatch, split_batches
from core.tsql.boundaries import is_label, starts_statement
from core.tsql.errors import NotAProcedure, TsqlError
from core.tsql.lexer import tokenize
from core.tsql.nodes import (
    Batch,
    CreateFunction,
    CreateProcedure,
    Script,
    Span,
    Statement,
    Unparsed,
    walk,
)
from core.tsql.stream import Stream, Stuck, unknown_token
from core.tsql.tokens import TokenKind

Reader = Callable[[Stream], Statement]


def parse_script(text: str) -> Script:
    """The structure of a file: its batches and their statements.

    What is not understood is an `Unparsed` node. Raises `TooDeep` for blocks nested beyond reason,
    and nothing else.
    """
    tokens = tokenize(text)
    batches = tuple(_batch(text, raw) for raw in split_batches(tokens))
    sqlcmd = tuple(
        Span(token.start, token.end, token.line, token.column, token.line)
        for token in tokens
        if token.kind is TokenKind.SQLCMD
    )
    last_line = tokens[-1].line if tokens else 1
    return Script(Span(0, len(text), 1, 1, last_line), text, batches, sqlcmd)


def parse_procedure(text: str) -> CreateProcedure:
    """The first procedure in a text.

    Raises `NotAProcedure` when there is none or its head cannot be read, `TooDeep` as
    `parse_script` does.
    """
    script = parse_script(text)
    for node in walk(script):
        if isinstance(node, CreateProcedure):
            return node
    for statement in script.statements:
        if isinstance(statement, Unparsed):
            raise NotAProcedure(
                f"there is no procedure that can be read here: {statement.reason}",
                line=statement.span.line,
                column=statement.span.column,
            )
    raise NotAProcedure("there is no CREATE PROCEDURE in this text")


def _batch(text: str, raw: RawBatch) -> Batch:
    stream = Stream(text, raw.tokens, _statement)
    found: list[Statement] = []
    while not stream.at_end:
        if stream.kind() is TokenKind.SEMICOLON:
            stream.position += 1
        elif not found and _is_bare_call(stream):
            found.append(_read(stream, calls.bare_call))
        else:
            found.append(_statement(stream))
    first = raw.tokens[0]
    before = first.line if first.start else 0  # it begins behind the GO, on the GO's line
    statements = tuple(
        replace(s, lines_before=before) if isinstance(s, CreateProcedure | CreateFunction) else s
        for s in found
    )
    return Batch(stream.span(0), statements, raw.repeat, before)


def _is_bare_call(stream: Stream) -> bool:
    """The first statement of a batch may be a procedure call without EXEC."""
    return (
        stream.kind() in (TokenKind.WORD, TokenKind.QUOTED)
        and not starts_statement(stream.tokens, stream.position)
        and stream.upper() not in _READERS
    )


def _statement(stream: Stream) -> Statement:
    """One statement, whatever it is. Always takes at least one token."""
    word = stream.upper()
    reader = _READERS.get(word) if stream.kind() is not TokenKind.QUOTED else None
    if reader is not None and stream.upper(1) in _SECOND_WORDS.get(word, (stream.upper(1),)):
        return _read(stream, reader)
    if is_label(stream.tokens, stream.position):
        return flow.label(stream)
    return _unparsed(stream, stream.position, _why_not_a_start(stream))


def _why_not_a_start(stream: Stream) -> str:
    token = stream.tokens[stream.position]
    if token.kind is TokenKind.UNKNOWN:
        return unknown_token(token)
    if token.upper in ("END", "ELSE"):
        return f"{token.upper} without a beginning"
    return f"no statement starts with {token.text[:40]!r}"


def _read(stream: Stream, reader: Reader) -> Statement:
    first = stream.position
    try:
        return reader(stream)
    except Stuck as error:
        stream.position = first
        return _unparsed(stream, first, error.message)


def _unparsed(stream: Stream, first: int, reason: str) -> Unparsed:
    """Everything up to the next place where a statement can begin."""
    stream.position = first + 1
    while not stream.at_end and not stream.at_statement_end:
        close = stream.match[stream.position]
        stream.position = max(close, stream.position) + 1
    return Unparsed(stream.span(first), reason, stream.text(first))


# --- what starts with CREATE, ALTER, DROP ---


def _definition(stream: Stream) -> Statement:
    ahead = 3 if stream.at("CREATE", "OR", "ALTER") else 1
    reader = _MODULES.get(stream.upper(ahead))
    if reader is not None:
        return reader(stream)
    verb = stream.upper()
    if verb == "CREATE" and stream.upper(1) == "TABLE":
        return tables.create_table(stream)
    if verb == "CREATE" and stream.upper(1) == "TYPE":
        return modules.create_type(stream)
    if verb == "ALTER" and stream.upper(1) == "TABLE":
        return tables.alter_table(stream)
    if tables.at_index(stream):
        return tables.create_index(stream) if verb == "CREATE" else tables.alter_index(stream)
    return modules.other_definition(stream)


def _drop(stream: Stream) -> Statement:
    if stream.upper(1) == "TABLE":
        return tables.drop_table(stream)
    if stream.upper(1) == "INDEX":
        return tables.drop_index(stream)
    return modules.other_definition(stream)


_MODULES: dict[str, Reader] = {
    "PROC": modules.create_procedure,
    "PROCEDURE": modules.create_procedure,
    "FUNCTION": modules.create_function,
    "VIEW": modules.create_view,
    "TRIGGER": modules.create_trigger,
}

_READERS: dict[str, Reader] = {
    "(": data.select,
    "ALTER": _definition,
    "BACKUP": side.one_word,
    "BEGIN": flow.begin,
    "BREAK": flow.break_,
    "BULK": side.bulk_insert,
    "CHECKPOINT": side.one_word,
    "CLOSE": cursors.close,
    "COMMIT": flow.commit,
    "CONTINUE": flow.continue_,
    "COPY": side.copy_into,
    "CREATE": _definition,
    "DBCC": side.one_word,
    "DEALLOCATE": cursors.deallocate,
    "DECLARE": variables.declare,
    "DELETE": data.delete,
    "DENY": side.permission,
    "DISABLE": side.trigger_switch,
    "DROP": _drop,
    "ENABLE": side.trigger_switch,
    "EXEC": calls.execute_statement,
    "EXECUTE": calls.execute_statement,
    "FETCH": cursors.fetch,
    "GOTO": flow.goto,
    "GRANT": side.permission,
    "IF": flow.if_,
    "INSERT": data.insert,
    "KILL": side.one_word,
    "MERGE": data.merge,
    "OPEN": cursors.open_,
    "PRINT": side.print_,
    "RAISERROR": side.raiserror,
    "RECONFIGURE": side.one_word,
    "RENAME": modules.other_definition,
    "RESTORE": side.one_word,
    "RETURN": flow.return_,
    "REVERT": side.one_word,
    "REVOKE": side.permission,
    "ROLLBACK": flow.rollback,
    "SAVE": flow.save,
    "SELECT": data.select,
    "SET": variables.set_,
    "SHUTDOWN": side.one_word,
    "THROW": side.throw,
    "TRUNCATE": data.truncate,
    "UPDATE": data.update,
    "USE": side.use,
    "WAITFOR": side.wait_for,
    "WHILE": flow.while_,
    "WITH": data.with_,
}

# Starters that are no reserved words need their second word to be one.
_SECOND_WORDS = {
    "COPY": ("INTO",),
    "ENABLE": ("TRIGGER",),
    "DISABLE": ("TRIGGER",),
    "RENAME": ("OBJECT",),
}

__all__ = ["TsqlError", "parse_procedure", "parse_script"]
