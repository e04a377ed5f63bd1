"""Numbers and dates as formatted text in DuckDB: FORMAT, STR, and ISNUMERIC."""

from __future__ import annotations

from collections.abc import Mapping

from sqlglot import exp

from core.tsql.meaning import sql
from core.tsql.meaning.duckdb_styles import format_pattern, number_format
from core.tsql.meaning.duckdb_text import text_of
from core.tsql.meaning.refusal import refuse
from core.tsql.meaning.rules import Rule
from core.tsql.meaning.values import Call, Value
from core.tsql.types import TypeName, as_decimal


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


def _isnumeric(call: Call) -> exp.Expr:
    value = call.arguments[0]
    if value.type.is_numeric:
        return sql.case((sql.is_null(value.tree), sql.number(0)), default=sql.number(1))
    pattern = r"\s*[+-]?\s*[$]?\s*(\d[\d,]*\.?\d*|\.\d+)([eE][+-]?\d+)?\s*|\s*[+-]\s*|\s*[$.,]\s*"
    matched = sql.fn("regexp_full_match", text_of(value, call.options), pattern)
    return sql.case((matched, sql.number(1)), default=sql.number(0))


RULES: Mapping[str, Rule] = {
    "FORMAT": _format,
    "STR": _str,
    "ISNUMERIC": _isnumeric,
}
