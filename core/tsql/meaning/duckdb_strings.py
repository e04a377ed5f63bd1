"""Text functions in DuckDB (``functions/string-functions-transact-sql``)."""

from __future__ import annotations

import re
from collections.abc import Mapping

from sqlglot import exp

from core.tsql import types as t
from core.tsql.meaning import sql
from core.tsql.meaning.duckdb_casts import failing
from core.tsql.meaning.duckdb_text import ignores_case, int_of, text_of
from core.tsql.meaning.options import Options
from core.tsql.meaning.refusal import refuse
from core.tsql.meaning.rules import Rule
from core.tsql.meaning.values import Call, Value
from core.tsql.types import SqlType, TypeName
from core.tsql.typing import type_of, unwrapped


def concatenation(left: Value, right: Value, type_: SqlType, options: Options) -> exp.Expr:
    """``a + b``; a result that can pass 8000 bytes is cut there, as SQL Server cuts it."""
    tree = sql.concat(_padded(left, options), _padded(right, options))
    limit = 4000 if type_.is_unicode else 8000
    if type_.is_max or _longest(left.source) + _longest(right.source) <= limit:
        return tree
    return sql.fn("left", tree, limit)


def _padded(value: Value, options: Options) -> exp.Expr:
    """A text to be put before another: a char(n) with its blanks, which loaders trim."""
    tree = text_of(value, options)
    type_, node = value.type, unwrapped(value.source)
    if type_.name not in t.FIXED_STRINGS or not type_.length or type_.length == 1:
        return tree
    if isinstance(node, exp.Cast | exp.TryCast | exp.Convert) or tree.sql().startswith("rpad("):
        return tree  # as long as its type already
    return sql.fn("rpad", tree, type_.length, " ")


def _longest(node: exp.Expr) -> int:
    """A bound of a text's length that looks through functions SQL Server types as 8000 bytes."""
    while isinstance(node, exp.Paren):
        node = node.this
    type_ = type_of(node)
    if isinstance(node, exp.Add) and type_.is_string:
        return _longest(node.this) + _longest(node.expression)
    if isinstance(node, exp.Anonymous):
        name, arguments = node.name.upper(), node.expressions
        if name == "REPLICATE" and (count := Value(node, t.INT, arguments[1]).integer) is not None:
            return _longest(arguments[0]) * max(count, 0)
        if name in ("REPLACE", "STUFF", "SPACE", "REPLICATE"):
            return 2 * _longest(arguments[0]) if name in ("REPLACE", "STUFF") else 100
    if type_.is_string and type_.length is not None and type_.length != t.MAX:
        return type_.length
    return 0 if type_.is_null else t.text_length(type_)


def _len(call: Call) -> exp.Expr:
    value = call.arguments[0]
    if value.type.is_binary:
        return sql.fn("octet_length", value.tree)
    if value.text is not None:
        return sql.number(len(value.text.rstrip(" ")))
    text = text_of(value, call.options)
    trimmed = isinstance(text, exp.Anonymous) and text.name in ("rtrim", "trim")
    if trimmed and len(text.expressions) == 1:
        return sql.fn("length", text)
    return sql.fn("length", sql.fn("rtrim", text) if value.type.is_string else text)


def _datalength(call: Call) -> exp.Expr:
    value = call.arguments[0]
    sizes = {
        TypeName.TINYINT: 1,
        TypeName.BIT: 1,
        TypeName.SMALLINT: 2,
        TypeName.INT: 4,
        TypeName.BIGINT: 8,
        TypeName.FLOAT: 8,
        TypeName.REAL: 4,
        TypeName.MONEY: 8,
        TypeName.SMALLMONEY: 4,
        TypeName.DATETIME: 8,
        TypeName.SMALLDATETIME: 4,
        TypeName.DATE: 3,
        TypeName.UNIQUEIDENTIFIER: 16,
    }
    type_ = value.type
    if type_.is_binary:
        return sql.fn("octet_length", value.tree)
    if type_.name in t.FIXED_STRINGS and type_.length:
        size = sql.number(type_.length * (2 if type_.is_unicode else 1))
        return sql.case((sql.is_null(value.tree), exp.Null()), default=size)
    if type_.is_string:
        length = sql.fn("length", value.tree)
        return sql.mul(length, 2) if type_.is_unicode else length
    if type_.name in sizes:
        size = sql.number(sizes[type_.name])
        if isinstance(value.tree, exp.Literal):
            return size
        return sql.case((sql.is_null(value.tree), exp.Null()), default=size)
    raise refuse(call.node, "DATALENGTH", f"the size of a {type_} is not known.")


def _left(call: Call) -> exp.Expr:
    text, size = text_of(call.arguments[0], call.options), call.arguments[1]
    _literal_size(call, size)
    if size.integer is not None:
        return sql.fn("left", text, int_of(size, call.options))
    return sql.fn("left", text, _not_negative(size, call))


def _right(call: Call) -> exp.Expr:
    text, size = text_of(call.arguments[0], call.options), call.arguments[1]
    _literal_size(call, size)
    if size.integer is not None:
        return sql.fn("right", text, int_of(size, call.options))
    return sql.fn("right", text, _not_negative(size, call))


def _literal_size(call: Call, size: Value) -> None:
    if size.integer is not None and size.integer < 0:
        raise refuse(call.node, call.name, "a negative length is an error in SQL Server (536).")


def _not_negative(size: Value, call: Call) -> exp.Expr:
    """A length that raises when negative, as SQL Server's error 536 or 537 does.

    DuckDB would count from the other end. LEN, CHARINDEX and other counts need no guard.
    """
    tree = int_of(size, call.options)
    source = size.source
    if size.integer is not None:
        return tree
    if isinstance(source, exp.Anonymous) and source.name.upper() in (
        "LEN",
        "CHARINDEX",
        "PATINDEX",
        "DATALENGTH",
    ):
        return tree
    negative = exp.LT(this=sql.wrap(tree.copy()), expression=sql.number(0))
    return sql.case((negative, sql.raise_error("Invalid length parameter")), default=tree)


def _substring(call: Call) -> exp.Expr:
    """Positions before 1 count towards the length: ``SUBSTRING('abc', 0, 2)`` is ``'a'``."""
    value, start = call.arguments[0], call.arguments[1]
    if value.type.is_binary:
        raise refuse(call.node, "SUBSTRING", "of binary data is not supported.")
    text = text_of(value, call.options)
    if len(call.arguments) == 2:
        first = start.integer
        if first is None:
            return sql.fn("substr", text, sql.fn("greatest", int_of(start, call.options), 1))
        return sql.fn("substr", text, max(first, 1))
    length = call.arguments[2]
    _literal_size(call, length)
    first, count = start.integer, length.integer
    if first is not None:
        if count is not None:
            if first >= 1:
                return sql.fn("substr", text, first, count)
            return sql.fn("substr", text, 1, max(first + count - 1, 0))
        if first >= 1:
            return sql.fn("substr", text, first, _not_negative(length, call))
    begin, size = int_of(start, call.options), _not_negative(length, call)
    if _is_position(start.source):
        return sql.fn("substr", text, begin, size)
    end = sql.sub(sql.add(begin.copy(), size), sql.fn("greatest", begin.copy(), 1))
    return sql.fn("substr", text, sql.fn("greatest", begin, 1), sql.fn("greatest", end, 0))


def _is_position(node: exp.Expr) -> bool:
    """An expression that is no negative number by construction: ``CHARINDEX(…) + 1``.

    DuckDB counts a start of 0 towards the length as SQL Server does, a negative one from the end.
    """
    while isinstance(node, exp.Paren):
        node = node.this
    if isinstance(node, exp.Add):
        return _is_position(node.this) and _is_position(node.expression)
    if isinstance(node, exp.Literal):
        return not node.is_string and node.name.isdecimal()
    return isinstance(node, exp.Anonymous) and node.name.upper() in ("CHARINDEX", "LEN", "PATINDEX")


def _case_function(name: str) -> Rule:
    return lambda call: sql.fn(name, text_of(call.arguments[0], call.options))


def _trim(name: str) -> Rule:
    def rule(call: Call) -> exp.Expr:
        arguments = [text_of(argument, call.options) for argument in call.arguments]
        return sql.fn(name, *arguments)

    return rule


def _replace(call: Call) -> exp.Expr:
    text, old, new = (text_of(argument, call.options) for argument in call.arguments)
    old_text = call.arguments[1].text
    if old_text == "":
        return text
    cased = old_text is None or old_text.lower() != old_text.upper()
    if ignores_case(call.options, *call.arguments) and cased:
        if old_text is None:
            raise refuse(call.node, "REPLACE", "ignoring case needs a literal search text.")
        pattern = re.escape(old_text).replace("\\ ", " ")
        if call.arguments[2].text is None:
            replacement: exp.Expr = sql.fn("replace", new, "\\", "\\\\")
        else:
            replacement = sql.text((call.arguments[2].text or "").replace("\\", "\\\\"))
        return sql.fn("regexp_replace", text, pattern, replacement, "gi")
    return sql.fn("replace", text, old, new)


def _stuff(call: Call) -> exp.Expr:
    """STUFF: NULL when the start is outside the text (``functions/stuff-transact-sql``)."""
    value, start, length, insert = call.arguments
    text = text_of(value, call.options)
    inserted = sql.text("") if insert.is_null else text_of(insert, call.options)
    first, count = start.integer, length.integer
    if not insert.is_null and insert.text is None:
        inserted = sql.fn("coalesce", inserted, "")
    if first is not None and count is not None:
        if first <= 0 or count < 0:
            return sql.cast(exp.Null(), "VARCHAR")
        if first == 1:
            rest = sql.fn("substr", text, 1 + count)
            if insert.text == "":
                # On an empty text STUFF is NULL, and so is nothing to aggregate: nullif keeps it.
                return (
                    sql.case(
                        (exp.GT(this=sql.fn("length", text.copy()), expression=sql.number(0)), rest)
                    )
                    if not _is_aggregated(value)
                    else rest
                )
            joined = sql.concat(inserted, rest)
        else:
            joined = sql.concat(
                sql.fn("left", text.copy(), first - 1),
                inserted,
                sql.fn("substr", text, first + count),
            )
        inside = exp.GTE(this=sql.fn("length", text.copy()), expression=sql.number(first))
        return sql.case((inside, joined))
    begin, size = int_of(start, call.options), int_of(length, call.options)
    joined = sql.concat(
        sql.fn("left", text.copy(), sql.sub(begin.copy(), 1)),
        inserted,
        sql.fn("substr", text.copy(), sql.add(begin.copy(), size.copy())),
    )
    low = exp.GTE(this=sql.wrap(begin.copy()), expression=sql.number(1))
    high = exp.LTE(this=sql.wrap(begin.copy()), expression=sql.fn("length", text.copy()))
    positive = exp.GTE(this=sql.wrap(size.copy()), expression=sql.number(0))
    return sql.case((exp.and_(low, high, positive), joined))


def _is_aggregated(value: Value) -> bool:
    """Text from the FOR XML PATH idiom: NULL without rows, never empty when it begins with one."""
    node = value.source
    while isinstance(node, exp.Paren):
        node = node.this
    return isinstance(node, exp.Subquery)


def _replicate(call: Call) -> exp.Expr:
    text, times = text_of(call.arguments[0], call.options), call.arguments[1]
    count = times.integer
    if count is not None:
        if count < 0:
            return sql.cast(exp.Null(), "VARCHAR")
        return sql.fn("repeat", text, count)
    number = int_of(times, call.options)
    # A negative count gives NULL in SQL Server, '' in DuckDB.
    positive = exp.GTE(this=sql.wrap(number.copy()), expression=sql.number(0))
    return sql.case((positive, sql.fn("repeat", text, number)))


def _space(call: Call) -> exp.Expr:
    return sql.fn("repeat", " ", int_of(call.arguments[0], call.options))


def _charindex(call: Call) -> exp.Expr:
    """CHARINDEX: position of the first hit at or after the start, else 0."""
    needle, text = call.arguments[0], call.arguments[1]
    find, within = text_of(needle, call.options), text_of(text, call.options)
    if ignores_case(call.options, *call.arguments):
        if needle.text is not None:
            find = sql.text(needle.text.lower())
            if needle.text.lower() != needle.text.upper():
                within = sql.fn("lower", within)
        else:
            find, within = sql.fn("lower", find), sql.fn("lower", within)
    if needle.text == "":
        return sql.number(0)
    if len(call.arguments) == 2 or (call.arguments[2].integer or 0) == 1:
        return sql.fn("strpos", within, find)
    start = call.arguments[2]
    first: exp.Expr
    if start.integer is not None:
        if start.integer <= 1:
            return sql.fn("strpos", within, find)
        first, offset = sql.number(start.integer), sql.number(start.integer - 1)
    else:
        first = sql.fn("greatest", int_of(start, call.options), 1)
        offset = sql.sub(first.copy(), 1)
    found = sql.fn("strpos", sql.fn("substr", within, first), find)
    hit = exp.GT(this=found.copy(), expression=sql.number(0))
    return sql.case((hit, sql.add(found, offset)), default=found.copy())


def _concat(call: Call) -> exp.Expr:
    """CONCAT ignores NULL, as DuckDB's does."""
    return sql.fn("concat", *(_padded(argument, call.options) for argument in call.arguments))


def _concat_ws(call: Call) -> exp.Expr:
    return sql.fn("concat_ws", *(_padded(argument, call.options) for argument in call.arguments))


def _quotename(call: Call) -> exp.Expr:
    value = call.arguments[0]
    text = text_of(value, call.options)
    quote = call.arguments[1].text if len(call.arguments) > 1 else "["
    pairs = {
        "[": "[]",
        "]": "[]",
        "'": "''",
        '"': '""',
        "(": "()",
        ")": "()",
        "<": "<>",
        ">": "<>",
        "{": "{}",
        "}": "{}",
        "`": "``",
    }
    if quote is None or quote not in pairs:
        raise refuse(call.node, "QUOTENAME", "the quote character must be a known literal.")
    opening, closing = pairs[quote][0], pairs[quote][1]
    return sql.concat(opening, sql.fn("replace", text, closing, closing * 2), closing)


def _char(call: Call) -> exp.Expr:
    code = call.arguments[0].integer
    if code is None or code > 127:
        raise refuse(call.node, "CHAR", "codes past 127 depend on the code page.")
    return sql.fn("chr", code)


def _ascii(call: Call) -> exp.Expr:
    value = call.arguments[0]
    if value.text is not None and value.text[:1].isascii() and value.text:
        return sql.number(ord(value.text[0]))
    return sql.fn("ascii", text_of(value, call.options))


def _string_agg(call: Call) -> exp.Expr:
    value, separator = call.arguments
    return sql.fn("string_agg", text_of(value, call.options), text_of(separator, call.options))


def _translate(call: Call) -> exp.Expr:
    """TRANSLATE: an error when the two sets differ in length (DuckDB would delete)."""
    old, new = call.arguments[1].text, call.arguments[2].text
    if old is None or new is None:
        raise refuse(call.node, "TRANSLATE", "the characters must be literals.")
    if len(old) != len(new):
        return failing("TRANSLATE needs sets of equal length", call.type)
    return sql.fn("translate", *(text_of(argument, call.options) for argument in call.arguments))


def _parsename(call: Call) -> exp.Expr:
    part = call.arguments[1].integer
    if part is None or not 1 <= part <= 4:
        raise refuse(call.node, "PARSENAME", "the part must be 1 to 4, written out.")
    text = text_of(call.arguments[0], call.options)
    return sql.fn("nullif", sql.fn("split_part", text, ".", sql.number(-part)), "")


RULES: Mapping[str, Rule] = {
    "LEN": _len,
    "DATALENGTH": _datalength,
    "LEFT": _left,
    "RIGHT": _right,
    "SUBSTRING": _substring,
    "UPPER": _case_function("upper"),
    "LOWER": _case_function("lower"),
    "REVERSE": _case_function("reverse"),
    "UNICODE": _case_function("unicode"),
    "LTRIM": _trim("ltrim"),
    "RTRIM": _trim("rtrim"),
    "TRIM": _trim("trim"),
    "REPLACE": _replace,
    "STUFF": _stuff,
    "REPLICATE": _replicate,
    "SPACE": _space,
    "CHARINDEX": _charindex,
    "CONCAT": _concat,
    "CONCAT_WS": _concat_ws,
    "QUOTENAME": _quotename,
    "CHAR": _char,
    "NCHAR": lambda call: sql.fn("chr", int_of(call.arguments[0], call.options)),
    "ASCII": _ascii,
    "STRING_AGG": _string_agg,
    "TRANSLATE": _translate,
    "PARSENAME": _parsename,
}
