"""Text functions and LIKE in DuckDB (``functions/string-functions-transact-sql``)."""

from __future__ import annotations

import re
from collections.abc import Mapping

from sqlglot import exp

from core.tsql import types as t
from core.tsql.meaning import sql
from core.tsql.meaning.duckdb_casts import convert, fit
from core.tsql.meaning.duckdb_styles import format_pattern, number_format
from core.tsql.meaning.options import Collation, Options
from core.tsql.meaning.refusal import refuse
from core.tsql.meaning.rules import Rule
from core.tsql.meaning.values import Call, Value
from core.tsql.types import SqlType, TypeName, as_decimal
from core.tsql.typing import type_of


def folded(tree: exp.Expr) -> exp.Expr:
    """Text whose equality is that of a case-insensitive collation, trailing blanks ignored."""
    if isinstance(tree, exp.Literal) and tree.is_string:
        return sql.text(tree.name.rstrip(" ").lower())
    return sql.fn("lower", sql.fn("rtrim", tree))


def ignores_case(options: Options, *values: Value) -> bool:
    """Whether a search must ignore case: under ``preserve``, unless a COLLATE says otherwise."""
    if options.collation is not Collation.PRESERVE:
        return False
    return not any(value.is_case_sensitive for value in values)


def text_of(value: Value, options: Options) -> exp.Expr:
    """A value as text: what string functions do to an argument that is none."""
    if value.type.is_string:
        return value.tree
    if value.is_null:
        return sql.cast(exp.Null(), "VARCHAR")
    return convert(value, t.varchar(8000), options)


def int_of(value: Value, options: Options) -> exp.Expr:
    """A value as an integer: what a count or a position argument becomes."""
    if value.type.is_integer or value.type.is_null:
        return value.tree
    return convert(value, t.INT, options)


def concatenation(left: Value, right: Value, type_: SqlType, options: Options) -> exp.Expr:
    """``a + b``; a result that can pass 8000 bytes is cut there, as SQL Server cuts it."""
    tree = sql.concat(text_of(left, options), text_of(right, options))
    limit = 4000 if type_.is_unicode else 8000
    if type_.is_max or _longest(left.source) + _longest(right.source) <= limit:
        return tree
    return sql.fn("left", tree, limit)


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
    """An expression that is at least 1 by construction: ``CHARINDEX(…) + 1``."""
    while isinstance(node, exp.Paren):
        node = node.this
    if isinstance(node, exp.Add):
        sides = (node.this, node.expression)
        counts = [s for s in sides if isinstance(s, exp.Anonymous)]
        ones = [
            s for s in sides if isinstance(s, exp.Literal) and s.name.isdecimal() and s.name != "0"
        ]
        return (
            len(counts) == 1
            and len(ones) == 1
            and counts[0].name.upper() in ("CHARINDEX", "LEN", "PATINDEX")
        )
    return False


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


def _concat(call: Call) -> exp.Expr:
    """CONCAT ignores NULL, as DuckDB's does."""
    return sql.fn("concat", *(text_of(argument, call.options) for argument in call.arguments))


def _concat_ws(call: Call) -> exp.Expr:
    return sql.fn("concat_ws", *(text_of(argument, call.options) for argument in call.arguments))


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


def _str(call: Call) -> exp.Expr:
    """STR(x, length, decimals): right-justified, ``*`` when it does not fit."""
    value = call.arguments[0]
    length = call.arguments[1].integer if len(call.arguments) > 1 else 10
    decimals = call.arguments[2].integer if len(call.arguments) > 2 else 0
    if length is None or decimals is None:
        raise refuse(call.node, "STR", "length and decimals must be literals.")
    decimals = min(decimals, 16)
    number = value.tree
    if value.type.is_exact:
        rounded = sql.cast(number, f"DECIMAL(38, {decimals})")
    else:
        rounded = sql.cast(sql.fn("round", number, decimals), f"DECIMAL(38, {decimals})")
    text = sql.cast(rounded, "VARCHAR")
    fits = exp.LTE(this=sql.fn("length", text.copy()), expression=sql.number(length))
    return sql.case(
        (fits, sql.fn("lpad", text, length, " ")),
        (exp.Not(this=sql.is_null(number.copy())), sql.text("*" * length)),
    )


def _format(call: Call) -> exp.Expr:
    """FORMAT with a literal pattern, culture en-US."""
    value, pattern = call.arguments[0], call.arguments[1].text
    if len(call.arguments) > 2:
        culture = call.arguments[2].text
        if culture is None or culture.lower() not in ("en-us", "en"):
            raise refuse(call.node, "FORMAT culture", "only en-US is supported.")
    if pattern is None:
        raise refuse(call.node, "FORMAT pattern", "the pattern must be a literal.")
    if value.type.is_datetime:
        strftime_pattern = format_pattern(pattern)
        if strftime_pattern is None or value.type.name in (TypeName.TIME, TypeName.DATETIMEOFFSET):
            raise refuse(call.node, "FORMAT pattern", f"'{pattern}' is not supported.")
        return sql.fn("strftime", value.tree, strftime_pattern)
    if not value.type.is_numeric:
        raise refuse(call.node, "FORMAT", f"a {value.type} cannot be formatted.")
    return _format_number(call, value, pattern)


def _format_number(call: Call, value: Value, pattern: str) -> exp.Expr:
    found = number_format(pattern)
    if found is None:
        raise refuse(call.node, "FORMAT pattern", f"'{pattern}' is not supported.")
    kind, decimals = found
    number = value.tree
    if kind == "D":
        if not value.type.is_integer:
            raise refuse(call.node, "FORMAT pattern", f"'{pattern}' needs an integer.")
        digits = sql.cast(sql.fn("abs", number), "VARCHAR")
        longer = sql.fn("greatest", sql.fn("length", digits.copy()), decimals)
        width = sql.cast(longer, "INTEGER")
        padded = sql.fn("lpad", digits, width, "0")
        negative = exp.LT(this=sql.wrap(number.copy()), expression=sql.number(0))
        return sql.case((negative, sql.concat("-", padded)), default=padded.copy())
    if kind == "P":
        number = sql.mul(number, 100)
    rounded = sql.cast(number, f"DECIMAL(38, {decimals})")
    grouped = kind in ("N", "C", "P", ",0")
    if value.type.is_approximate:
        raise refuse(call.node, "FORMAT", "a float is rounded differently by .NET.")
    exact = as_decimal(value.type)
    if (exact.precision or 38) - (exact.scale or 0) > 18:
        raise refuse(call.node, "FORMAT", "numbers of more than 18 digits are not supported.")
    text = _fixed_point(rounded, decimals, grouped=grouped, signed=kind != "C")
    if kind == "P":
        return sql.concat(text, "%")
    if kind == "C":
        negative = exp.LT(this=sql.wrap(number.copy()), expression=sql.number(0))
        sign = sql.case((negative, sql.text("-$")), default=sql.text("$"))
        return sql.concat(sign, text)
    return text


def _fixed_point(rounded: exp.Expr, decimals: int, *, grouped: bool, signed: bool) -> exp.Expr:
    """An exact number with its decimals, the integral part in groups of three if asked."""
    text: exp.Expr = sql.cast(rounded, "VARCHAR")
    if not grouped:
        return text
    whole = sql.cast(sql.fn("trunc", sql.fn("abs", rounded.copy())), "BIGINT")
    grouped_text: exp.Expr = sql.fn("format", "{:,}", whole)
    if decimals:
        grouped_text = sql.concat(grouped_text, sql.fn("right", text, decimals + 1))
    if not signed:
        return grouped_text
    negative = exp.LT(this=rounded.copy(), expression=sql.number(0))
    return sql.concat(sql.case((negative, sql.text("-")), default=sql.text("")), grouped_text)


def _string_agg(call: Call) -> exp.Expr:
    value, separator = call.arguments
    return sql.fn("string_agg", text_of(value, call.options), text_of(separator, call.options))


def _isnumeric(call: Call) -> exp.Expr:
    value = call.arguments[0]
    if value.type.is_numeric:
        return sql.case((sql.is_null(value.tree), sql.number(0)), default=sql.number(1))
    pattern = r"\s*[+-]?\s*[$]?\s*(\d[\d,]*\.?\d*|\.\d+)([eE][+-]?\d+)?\s*|\s*[+-]\s*|\s*[$.,]\s*"
    matched = sql.fn("regexp_full_match", text_of(value, call.options), pattern)
    return sql.case((matched, sql.number(1)), default=sql.number(0))


def _translate(call: Call) -> exp.Expr:
    return sql.fn("translate", *(text_of(argument, call.options) for argument in call.arguments))


def _hashbytes(call: Call) -> exp.Expr:
    """HASHBYTES over the bytes of the text: varchar as it is, nvarchar as UTF-16."""
    algorithm = (call.arguments[0].text or "").upper()
    names = {"MD5": "md5", "SHA": "sha1", "SHA1": "sha1", "SHA2_256": "sha256"}
    value = call.arguments[1]
    if algorithm not in names:
        raise refuse(call.node, f"HASHBYTES {algorithm}", "DuckDB has no such hash.")
    if value.type.is_binary:
        data = value.tree
    elif value.type.is_unicode:
        data = utf16(value.tree)
    elif value.type.is_string:
        data = value.tree
    else:
        raise refuse(call.node, "HASHBYTES", f"the bytes of a {value.type} are not available.")
    return sql.fn("unhex", sql.fn(names[algorithm], data))


def utf16(text: exp.Expr) -> exp.Expr:
    """The UTF-16 little-endian bytes of a text (characters up to U+FFFF; beyond, it raises)."""
    pair = (
        "case when unicode(c) > 65535 then error('character beyond U+FFFF') "
        "else printf('%02X%02X', unicode(c) & 255, unicode(c) >> 8) end"
    )
    lambda_ = exp.Lambda(this=sql.parsed(pair), expressions=[exp.to_identifier("c")])
    codes = sql.fn("list_transform", sql.fn("string_split", text, ""), lambda_)
    return sql.fn("unhex", sql.fn("array_to_string", codes, ""))


def _parsename(call: Call) -> exp.Expr:
    part = call.arguments[1].integer
    if part is None or not 1 <= part <= 4:
        raise refuse(call.node, "PARSENAME", "the part must be 1 to 4, written out.")
    text = text_of(call.arguments[0], call.options)
    return sql.fn("nullif", sql.fn("split_part", text, ".", sql.number(-part)), "")


def _json_value(call: Call) -> exp.Expr:
    path = call.arguments[1].text
    if path is None or path.strip().lower().startswith("strict"):
        raise refuse(call.node, "JSON_VALUE", "the path must be a literal in lax mode.")
    path = path.strip().removeprefix("lax").strip()
    text = text_of(call.arguments[0], call.options)
    scalar = sql.fn("json_type", text.copy(), path)
    inside = exp.Not(this=exp.In(this=scalar, expressions=[sql.text("OBJECT"), sql.text("ARRAY")]))
    value = sql.fn("json_extract_string", text, path)
    return sql.case((inside, fit(value, SqlType(TypeName.NVARCHAR, length=4000), None)))


def _isjson(call: Call) -> exp.Expr:
    text = text_of(call.arguments[0], call.options)
    valid = exp.and_(
        sql.fn("json_valid", text),
        exp.In(
            this=sql.fn("json_type", text.copy()),
            expressions=[sql.text("OBJECT"), sql.text("ARRAY")],
        ),
    )
    return sql.case(
        (sql.is_null(text.copy()), exp.Null()), (valid, sql.number(1)), default=sql.number(0)
    )


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
    "PATINDEX": _patindex,
    "CONCAT": _concat,
    "CONCAT_WS": _concat_ws,
    "QUOTENAME": _quotename,
    "CHAR": _char,
    "NCHAR": lambda call: sql.fn("chr", int_of(call.arguments[0], call.options)),
    "ASCII": _ascii,
    "STR": _str,
    "FORMAT": _format,
    "STRING_AGG": _string_agg,
    "ISNUMERIC": _isnumeric,
    "TRANSLATE": _translate,
    "HASHBYTES": _hashbytes,
    "PARSENAME": _parsename,
    "JSON_VALUE": _json_value,
    "ISJSON": _isjson,
}
