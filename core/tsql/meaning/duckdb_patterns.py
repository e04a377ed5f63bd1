"""LIKE and PATINDEX in DuckDB (``language-elements/like-transact-sql``)."""

from __future__ import annotations

import re
from collections.abc import Mapping

from sqlglot import exp

from core.tsql.meaning import sql
from core.tsql.meaning.duckdb_text import ignores_case, text_of
from core.tsql.meaning.options import Collation, Options
from core.tsql.meaning.refusal import refuse
from core.tsql.meaning.rules import Rule
from core.tsql.meaning.values import Call, Value
from core.tsql.types import TypeName


def _patindex(call: Call) -> exp.Expr:
    """PATINDEX with a literal pattern: the position where it matches, 0 without a match."""
    pattern = call.arguments[0].text
    if pattern is None:
        raise refuse(call.node, "PATINDEX", "the pattern must be a literal.")
    text = text_of(call.arguments[1], call.options)
    open_start, open_end = pattern.startswith("%"), pattern.endswith("%")
    core = pattern[
        1 if open_start else 0 : len(pattern) - 1 if open_end and len(pattern) > 1 else None
    ]
    body = like_regex(core, None, lazy=True)
    if body is None:
        raise refuse(call.node, "PATINDEX", "the pattern is not understood.")
    flags = "(?is)" if ignores_case(call.options, *call.arguments) else "(?s)"
    tail = "" if open_end else "$"
    if not open_start:
        matched = sql.fn("regexp_matches", text, f"{flags}^{body}{tail}")
        return sql.case(
            (matched, sql.number(1)), (exp.Not(this=sql.is_null(text.copy())), sql.number(0))
        )
    before = sql.fn("regexp_extract", text, f"{flags}^(.*?){body}{tail}", 1)
    matched = sql.fn("regexp_matches", text.copy(), f"{flags}{body}{tail}")
    return sql.case(
        (matched, sql.add(sql.fn("length", before), 1)),
        (exp.Not(this=sql.is_null(text.copy())), sql.number(0)),
    )


def like_regex(pattern: str, escape: str | None, *, lazy: bool = False) -> str | None:
    """A LIKE pattern as a regular expression; None when SQL Server would not match anything.

    ``language-elements/like-transact-sql``: ``%``, ``_``, ``[a-c]``, ``[^a]``, ESCAPE. A ``[``
    without its ``]`` matches nothing.
    """
    result: list[str] = []
    position = 0
    while position < len(pattern):
        mark = pattern[position]
        position += 1
        if escape is not None and mark == escape:
            if position >= len(pattern):
                return None
            result.append(re.escape(pattern[position]))
            position += 1
        elif mark == "%":
            result.append(".*?" if lazy else ".*")
        elif mark == "_":
            result.append(".")
        elif mark == "[":
            end = _class_end(pattern, position, escape)
            if end < 0:
                return None
            result.append(_class(pattern[position:end], escape))
            position = end + 1
        else:
            result.append(re.escape(mark))
    return "".join(result)


def _class_end(pattern: str, start: int, escape: str | None) -> int:
    position = start
    if pattern[position : position + 1] == "^":
        position += 1
    if pattern[position : position + 1] == "]":
        return -1
    while position < len(pattern):
        if escape is not None and pattern[position] == escape:
            position += 2
            continue
        if pattern[position] == "]":
            return position
        position += 1
    return -1


def _class(content: str, escape: str | None) -> str:
    negated = content.startswith("^")
    marks = content[1:] if negated else content
    if escape is not None:
        marks = marks.replace(escape, "")
    escaped = "".join(f"\\{mark}" if mark in "\\[]^" else mark for mark in marks)
    return f"[{'^' if negated else ''}{escaped}]"


def like(value: Value, pattern: Value, escape: str | None, options: Options) -> exp.Expr:
    """``value LIKE pattern``; a pattern with a class becomes a regular expression."""
    text = text_of(value, options)
    insensitive = ignores_case(options, value, pattern)
    if pattern.text is None:
        if escape is not None:
            raise refuse(pattern.source, "LIKE", "ESCAPE needs a literal pattern.")
        kind = exp.ILike if insensitive else exp.Like
        return kind(this=sql.wrap(text), expression=sql.wrap(text_of(pattern, options)))
    written = pattern.text
    if _ignores_trailing_blanks(value, written, options):
        text = sql.fn("rtrim", text)
    if "[" not in written and escape is None:
        cased = written.lower() != written.upper()
        kind = exp.ILike if insensitive and cased else exp.Like
        if "\\" not in written:
            return kind(this=sql.wrap(text), expression=sql.text(written))
    regex = like_regex(written, escape)
    if regex is None:
        return exp.and_(exp.Not(this=sql.is_null(text)), exp.false())
    return sql.fn("regexp_full_match", text, regex, "is" if insensitive else "s")


def _ignores_trailing_blanks(value: Value, pattern: str, options: Options) -> bool:
    """Trailing blanks of a text that is not Unicode do not count, unless the pattern has some.

    ``language-elements/like-transact-sql``, "Pattern Matching by Using LIKE".
    """
    if value.type.is_unicode or not value.type.is_string or pattern.endswith((" ", "%")):
        return False
    return value.type.name is TypeName.CHAR or options.collation is Collation.PRESERVE


RULES: Mapping[str, Rule] = {
    "PATINDEX": _patindex,
}
