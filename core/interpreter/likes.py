"""LIKE and PATINDEX: T-SQL's wildcards as regular expressions (``language-elements/like``)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from sqlglot import exp

from core.interpreter.casts import convert
from core.interpreter.errors import sql_text
from core.interpreter.naming import once
from core.tsql import types as t
from core.tsql.typing import type_of

if TYPE_CHECKING:
    from core.interpreter.expressions import ExpressionEmitter


def like(emitter: ExpressionEmitter, node: exp.Expr, escape: str | None) -> str:
    """``text LIKE pattern [ESCAPE e]``: the whole text, case as the collation says.

    Trailing blanks of a (var)char text are ignored, those of a pattern count.
    """
    text = _text(emitter, node.this)
    flags = "(?s)" if emitter.case_sensitive(node.this, node.expression) else "(?is)"
    unicode = type_of(node.this).is_unicode or type_of(node.expression).is_unicode
    tail = "" if unicode else " *"
    pattern = node.expression
    while isinstance(pattern, exp.Paren):
        pattern = pattern.this
    if isinstance(pattern, exp.Literal | exp.National):
        regex = sql_text(flags + pattern_regex(pattern.name, escape) + tail)
    else:
        if escape is not None:
            arguments = [_text(emitter, pattern), sql_text(escape)]
            body = emitter.context.computed("like", arguments, t.varchar(t.MAX))
        else:
            body = f"ts_like_body({_text(emitter, pattern)})"
        regex = f"{sql_text(flags)} || {body}" + (f" || {sql_text(tail)}" if tail else "")
    return f"regexp_full_match({text}, {regex})"


def _text(emitter: ExpressionEmitter, node: exp.Expr) -> str:
    type_ = type_of(node)
    sql = emitter.value(node)
    return sql if type_.is_string else convert(sql, type_, t.varchar(8000))


def pattern_regex(pattern: str, escape: str | None = None) -> str:
    """The regular expression of a LIKE pattern, without anchors."""
    parts: list[str] = []
    index = 0
    while index < len(pattern):
        char = pattern[index]
        if escape and char == escape and index + 1 < len(pattern):
            parts.append(re.escape(pattern[index + 1]))
            index += 2
            continue
        close = _class_end(pattern, index) if char == "[" else -1
        if close > 0:
            parts.append(_class(pattern[index + 1 : close]))
            index = close + 1
            continue
        parts.append({"%": ".*", "_": "."}.get(char) or re.escape(char))
        index += 1
    return "".join(parts)


def _class_end(pattern: str, start: int) -> int:
    """Where ``[…]`` closes; a ``]`` right behind the bracket is an ordinary character."""
    return pattern.find("]", start + 2)


def _class(body: str) -> str:
    negated = body.startswith("^")
    inner = body[1:] if negated else body
    escaped = re.sub(r"([\\\[\]^&~|])", r"\\\1", inner)
    return f"[{'^' if negated else ''}{escaped}]"


def patindex(emitter: ExpressionEmitter, node: exp.Expr) -> str:
    """PATINDEX: where the pattern first matches; ``%`` at either end is the usual form."""
    pattern, text = node.expressions
    while isinstance(pattern, exp.Paren):
        pattern = pattern.this
    subject = _text(emitter, text)
    flags = "(?s)" if emitter.case_sensitive(text) else "(?is)"
    if not isinstance(pattern, exp.Literal | exp.National):
        arguments = [_text(emitter, pattern)]
        regex = emitter.context.computed("patindex", arguments, t.varchar(t.MAX))
        return once(
            f"({sql_text(flags)} || {regex})",
            lambda r: once(subject, lambda s: _position(s, r)),
        )
    regex = sql_text(flags + patindex_regex(pattern.name))
    return once(subject, lambda s: _position(s, regex))


def _position(subject: str, regex: str) -> str:
    return (
        f"CASE WHEN {subject} IS NULL THEN NULL WHEN regexp_matches({subject}, {regex}) "
        f"THEN CAST(length(regexp_extract({subject}, {regex}, 1)) + 1 AS INTEGER) "
        f"WHEN {regex} IS NOT NULL THEN 0 END"
    )


def patindex_regex(body: str) -> str:
    """The regular expression of a PATINDEX pattern; its first group is what comes before."""
    head = body.startswith("%")
    tail = body.endswith("%") and len(body) > 1
    core = body[1 if head else 0 : -1 if tail else len(body)]
    regex = f"^(.*?){pattern_regex(core)}" if head else f"^(){pattern_regex(core)}"
    return regex if tail else regex + "$"
