"""Text functions (``functions/<name>-transact-sql``)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from sqlglot import exp

from core.interpreter.casts import Mode, convert
from core.interpreter.errors import Refused, raising, sql_text
from core.interpreter.formats import format_value
from core.interpreter.likes import patindex
from core.interpreter.naming import once
from core.tsql import types as t
from core.tsql.types import TypeName
from core.tsql.typing import line_of, type_of

if TYPE_CHECKING:
    from core.interpreter.expressions import ExpressionEmitter

Writer = Callable[["ExpressionEmitter", exp.Expr], str]
_LONG = t.varchar(t.MAX)
#: Characters a REPLICATE of a (max) text may make; a hostile script could ask for gigabytes.
_LONGEST = 50_000_000


def text(emitter: ExpressionEmitter, node: exp.Expr) -> str:
    """An argument as text, of any length."""
    type_ = type_of(node)
    sql = emitter.value(node)
    return sql if type_.is_string else convert(sql, type_, _LONG)


def whole(emitter: ExpressionEmitter, node: exp.Expr) -> str:
    """An argument as an int."""
    return emitter.converted(node, t.INT, Mode.EXPLICIT)


def _simple(template: str, *kinds: str) -> Writer:
    """``template`` over the arguments; `kinds` says ``t`` for text, ``i`` for int, one each."""

    def write(emitter: ExpressionEmitter, node: exp.Expr) -> str:
        values = [
            (text if kind == "t" else whole)(emitter, argument)
            for kind, argument in zip(kinds, node.expressions, strict=False)
        ]
        return _bound(template, values)

    return write


def _bound(template: str, values: list[str]) -> str:
    """The template with each value in it, long values evaluated once."""
    if not values:
        return template

    def step(done: list[str], rest: list[str]) -> str:
        if not rest:
            return template.format(*done)
        uses = template.count(f"{{{len(done)}}}")
        if uses < 2 and not template.startswith("ts_"):
            return step([*done, rest[0]], rest[1:])
        return once(rest[0], lambda v: step([*done, v], rest[1:]))

    return step([], values)


def _len(emitter: ExpressionEmitter, node: exp.Expr) -> str:
    argument = node.expressions[0]
    if type_of(argument).is_binary:
        return f"CAST(octet_length({emitter.value(argument)}) AS INTEGER)"
    return f"ts_len({text(emitter, argument)})"


def _datalength(emitter: ExpressionEmitter, node: exp.Expr) -> str:
    argument = node.expressions[0]
    type_ = type_of(argument)
    sql = emitter.value(argument)
    if type_.is_string:
        return f"CAST(length({sql}){' * 2' if type_.is_unicode else ''} AS INTEGER)"
    if type_.is_binary:
        return f"CAST(octet_length({sql}) AS INTEGER)"
    size = _SIZES.get(type_.name)
    if type_.is_decimal:
        digits = type_.precision or 18
        size = 5 if digits < 10 else 9 if digits < 20 else 13 if digits < 29 else 17
    elif type_.scale is not None:
        base = {TypeName.TIME: 3, TypeName.DATETIME2: 6, TypeName.DATETIMEOFFSET: 8}[type_.name]
        size = base + (0 if type_.scale < 3 else 1 if type_.scale < 5 else 2)
    if size is None:
        raise Refused("DATALENGTH", f"DATALENGTH of {type_} is not supported", line_of(node))
    return f"CASE WHEN {sql} IS NULL THEN NULL ELSE {size} END"


_SIZES = {
    TypeName.BIT: 1,
    TypeName.TINYINT: 1,
    TypeName.SMALLINT: 2,
    TypeName.INT: 4,
    TypeName.BIGINT: 8,
    TypeName.REAL: 4,
    TypeName.FLOAT: 8,
    TypeName.MONEY: 8,
    TypeName.SMALLMONEY: 4,
    TypeName.DATE: 3,
    TypeName.DATETIME: 8,
    TypeName.SMALLDATETIME: 4,
    TypeName.UNIQUEIDENTIFIER: 16,
}


def _substring(emitter: ExpressionEmitter, node: exp.Expr) -> str:
    first = node.expressions[0]
    start = whole(emitter, node.expressions[1])
    size = whole(emitter, node.expressions[2]) if len(node.expressions) > 2 else "2147483647"
    if type_of(first).is_binary:
        return f"unhex(substring(hex({emitter.value(first)}), ({start}) * 2 - 1, ({size}) * 2))"
    return _bound("ts_substring({0}, {1}, {2})", [text(emitter, first), start, size])


def _trimmed(function: str) -> Writer:
    def write(emitter: ExpressionEmitter, node: exp.Expr) -> str:
        value = text(emitter, node.expressions[0])
        characters = "' '"
        if len(node.expressions) > 1:
            characters = text(emitter, node.expressions[1])
        return f"{function}({value}, {characters})"

    return write


def _replace(emitter: ExpressionEmitter, node: exp.Expr) -> str:
    values = [text(emitter, argument) for argument in node.expressions]
    strict = emitter.case_sensitive(*node.expressions)
    name = "ts_replace_cs" if strict else "ts_replace"
    return _bound(name + "({0}, {1}, {2})", values)


def _charindex(emitter: ExpressionEmitter, node: exp.Expr) -> str:
    needle, haystack, *start = node.expressions
    values = [text(emitter, needle), text(emitter, haystack)]
    values.append(whole(emitter, start[0]) if start else "1")
    if emitter.case_sensitive(needle, haystack):
        return _bound(
            "CAST(CASE WHEN {0} = '' THEN 0 ELSE strpos({1}, {0}) END AS INTEGER)", values[:2]
        )
    return _bound("ts_charindex({0}, {1}, {2})", values)


def _concat(emitter: ExpressionEmitter, node: exp.Expr) -> str:
    """CONCAT: NULL counts as the empty string."""
    parts = [f"coalesce({text(emitter, argument)}, '')" for argument in node.expressions]
    return "(" + " || ".join(parts) + ")"


def _concat_ws(emitter: ExpressionEmitter, node: exp.Expr) -> str:
    separator, *rest = node.expressions
    parts = ", ".join(text(emitter, argument) for argument in rest)
    return f"concat_ws(coalesce({text(emitter, separator)}, ''), {parts})"


def _str(emitter: ExpressionEmitter, node: exp.Expr) -> str:
    number, *rest = node.expressions
    value = emitter.converted(number, t.FLOAT)
    length = whole(emitter, rest[0]) if rest else "10"
    decimals = whole(emitter, rest[1]) if len(rest) > 1 else "0"
    return _bound("ts_str({0}, {1}, {2})", [value, length, decimals])


def _quotename(emitter: ExpressionEmitter, node: exp.Expr) -> str:
    value, *quote = node.expressions
    mark = text(emitter, quote[0]) if quote else "'['"
    return _bound("ts_quotename({0}, {1})", [text(emitter, value), mark])


def _char(emitter: ExpressionEmitter, node: exp.Expr) -> str:
    limit = 255 if node.name.upper() == "CHAR" else 65535
    value = whole(emitter, node.expressions[0])
    return _bound(f"CASE WHEN {{0}} BETWEEN 0 AND {limit} THEN chr({{0}}) END", [value])


def _replicate(emitter: ExpressionEmitter, node: exp.Expr) -> str:
    """REPLICATE: cut at 8,000 bytes, unless the text is of a (max) type."""
    first = node.expressions[0]
    value, count = text(emitter, first), whole(emitter, node.expressions[1])
    if type_of(first).is_max:
        long = raising(-2, f"REPLICATE~a text of more than {_LONGEST} characters is not made")
        # The count is what fails: a folded constant would make the text before the test of it.
        times = f"CASE WHEN length({{0}}) * {{1}}::BIGINT > {_LONGEST} THEN {long} ELSE {{1}} END"
        return _bound(f"ts_replicate({{0}}, {times})", [value, count])
    limit = 4000 if type_of(first).is_unicode else 8000
    times = f"least({{1}}, {limit} // greatest(length({{0}}), 1) + 1)"
    return _bound(f"left(ts_replicate({{0}}, {times}), {limit})", [value, count])


def _translate(emitter: ExpressionEmitter, node: exp.Expr) -> str:
    values = [text(emitter, argument) for argument in node.expressions]
    bad = (
        raising(
            9828,
            "The second and third arguments of the TRANSLATE built-in function must contain an "
            "number of characters.",
        )
        .replace("{", "{{")
        .replace("}", "}}")
    )
    return _bound(
        f"CASE WHEN length({{1}}) <> length({{2}}) THEN {bad} "
        "ELSE translate({0}, {1}, {2}) END",
        values,
    )


def _format(emitter: ExpressionEmitter, node: exp.Expr) -> str:
    return format_value(emitter, node)


def _space(emitter: ExpressionEmitter, node: exp.Expr) -> str:
    return _bound(
        "CASE WHEN {0} < 0 THEN NULL ELSE repeat(' ', least(CAST({0} AS BIGINT), 8000)) END",
        [whole(emitter, node.expressions[0])],
    )


def _parsename(emitter: ExpressionEmitter, node: exp.Expr) -> str:
    part = whole(emitter, node.expressions[1])
    name = text(emitter, node.expressions[0])
    return emitter.context.computed("parsename", [name, part], type_of(node))


def _ascii(emitter: ExpressionEmitter, node: exp.Expr) -> str:
    value = text(emitter, node.expressions[0])
    return _bound("CASE WHEN {0} = '' THEN NULL ELSE CAST(unicode({0}) AS INTEGER) END", [value])


def _isnumeric(emitter: ExpressionEmitter, node: exp.Expr) -> str:
    argument = node.expressions[0]
    type_ = type_of(argument)
    if type_.is_numeric:
        return f"CASE WHEN {emitter.value(argument)} IS NULL THEN 0 ELSE 1 END"
    if type_.is_string:
        return _bound("ts_isnumeric({0})", [emitter.value(argument)])
    return "0"


def _string_escape(emitter: ExpressionEmitter, node: exp.Expr) -> str:
    value = text(emitter, node.expressions[0])
    for plain, escaped in (
        ("\\", "\\\\"),
        ('"', '\\"'),
        ("/", "\\/"),
        ("\n", "\\n"),
        ("\t", "\\t"),
    ):
        value = f"replace({value}, {sql_text(plain)}, {sql_text(escaped)})"
    return value


def _sounds(emitter: ExpressionEmitter, node: exp.Expr) -> str:
    arguments = [text(emitter, argument) for argument in node.expressions]
    return emitter.context.computed(node.name.lower(), arguments, type_of(node))


FUNCTIONS: dict[str, Writer] = {
    "LEN": _len,
    "DATALENGTH": _datalength,
    "LEFT": _simple("ts_left({0}, {1})", "t", "i"),
    "RIGHT": _simple("ts_right({0}, {1})", "t", "i"),
    "SUBSTRING": _substring,
    "UPPER": _simple("upper({0})", "t"),
    "LOWER": _simple("lower({0})", "t"),
    "LTRIM": _trimmed("ltrim"),
    "RTRIM": _trimmed("rtrim"),
    "TRIM": _trimmed("trim"),
    "REVERSE": _simple("reverse({0})", "t"),
    "REPLACE": _replace,
    "STUFF": _simple("ts_stuff({0}, {1}, {2}, {3})", "t", "i", "i", "t"),
    "REPLICATE": _replicate,
    "TRANSLATE": _translate,
    "CHARINDEX": _charindex,
    "PATINDEX": patindex,
    "SPACE": _space,
    "STR": _str,
    "CHAR": _char,
    "NCHAR": _char,
    "ASCII": _ascii,
    "UNICODE": _ascii,
    "CONCAT": _concat,
    "CONCAT_WS": _concat_ws,
    "QUOTENAME": _quotename,
    "FORMAT": _format,
    "PARSENAME": _parsename,
    "ISNUMERIC": _isnumeric,
    "STRING_ESCAPE": _string_escape,
    "SOUNDEX": _sounds,
    "DIFFERENCE": _sounds,
}
