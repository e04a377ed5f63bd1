"""Conversions in DuckDB: CAST, CONVERT, TRY_CAST, and the implicit ones.

``functions/cast-and-convert-transact-sql``: decimal and float to int truncate, money to int rounds,
decimal to decimal rounds; text is cut to the target's length; ``''`` is 0 as an int and 1900-01-01
as a date; datetime keeps 1/300 of a second. An int too long for its char or varchar is ``*``.
"""

from __future__ import annotations

import re
from decimal import Decimal

from sqlglot import exp

from core.tsql import types as t
from core.tsql.meaning import sql
from core.tsql.meaning.duckdb_quotients import cut_quotient
from core.tsql.meaning.duckdb_styles import moment_text
from core.tsql.meaning.literals import Moment, moment_from_days, parse_moment, parse_number
from core.tsql.meaning.moment_texts import FAILED, formats_of, guarded, parsed_moment
from core.tsql.meaning.options import Options, TextConversion
from core.tsql.meaning.refusal import refuse
from core.tsql.meaning.values import Value
from core.tsql.types import SqlType, TypeName, duckdb_storage
from core.tsql.typing import unwrapped

EPOCH_TIMESTAMP = "1900-01-01"

_INTEGER_TEXT = r"\s*[+-]?\d+\s*"
_DECIMAL_TEXT = r"\s*[+-]?(\d+\.?\d*|\.\d+)\s*"
_FLOAT_TEXT = r"\s*[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?\s*"


def storage(type_: SqlType) -> exp.DataType:
    """DuckDB's type for a T-SQL type."""
    return sql.data_type(duckdb_storage(type_))


def convert(
    value: Value, to: SqlType, options: Options, *, style: int | None = None, safe: bool = False
) -> exp.Expr:
    """``CAST(value AS to)`` with T-SQL's meaning; ``safe`` gives NULL where it would fail."""
    if value.is_null or value.type.is_null:
        return sql.cast(exp.Null() if value.is_null else value.tree, storage(to))
    if to.is_string:
        return _to_text(value, to, style, options)
    if to.is_numeric:
        return _to_number(value, to, options, safe, style)
    if to.is_datetime:
        return _to_moment(value, to, options, safe, style)
    if to.is_binary:
        return _to_binary(value, to, style)
    if to.name is TypeName.UNIQUEIDENTIFIER and (
        value.type.is_string or value.type.name is TypeName.UNIQUEIDENTIFIER
    ):
        return (sql.try_cast if safe else sql.cast)(value.tree, "UUID")
    if to.name is value.type.name:
        return value.tree
    raise refuse(
        value.source, f"CAST to {to.name}", f"{value.type} to {to} has no counterpart in DuckDB."
    )


def align(value: Value, to: SqlType, options: Options) -> exp.Expr:
    """The value in a comparison, CASE, COALESCE or UNION whose common type is ``to``.

    DuckDB widens within a kind by itself; a conversion is written out only across kinds.
    """
    source = value.type
    if value.is_null or source.is_null or source == to:
        return value.tree
    if source.is_string and to.is_string:
        return value.tree
    if source.is_numeric and to.is_numeric and source.name is not TypeName.BIT:
        if _narrows(source, to):
            return convert(value, to, options)
        return value.tree
    if source.name is TypeName.BIT and to.is_numeric:
        return value.tree
    if source.name is TypeName.DATE and to.is_timestamp and value.text is None:
        return value.tree
    if (
        source.is_timestamp
        and to.is_timestamp
        and TypeName.DATETIMEOFFSET
        not in (
            source.name,
            to.name,
        )
    ):
        return value.tree
    return convert(value, to, options)


def _narrows(source: SqlType, to: SqlType) -> bool:
    if to.is_decimal and source.is_decimal:
        return (to.scale or 0) < (source.scale or 0)
    if to.is_integer and not source.is_integer:
        return True
    return to.is_money and source.is_decimal and (source.scale or 0) > 4


# --- to text --------------------------------------------------------------------------------------

_DIGITS = {
    TypeName.BIT: 1,
    TypeName.TINYINT: 3,
    TypeName.SMALLINT: 5,
    TypeName.INT: 10,
    TypeName.BIGINT: 19,
}


def _to_text(value: Value, to: SqlType, style: int | None, options: Options) -> exp.Expr:
    source = value.type
    if source.is_string:
        return fit(value.tree, to, source.length if source.length != t.MAX else None)
    if source.is_integer:
        return _integer_text(value, to)
    if source.is_decimal:
        return _decimal_text(value, to)
    if source.is_money:
        return _fit_number(_money_text(value, style), to, 26 if (style or 0) == 1 else 22)
    if source.is_approximate:
        if style not in (None, 0):
            raise refuse(value.source, f"CONVERT style {style}", "float styles are not supported.")
        return _fit_number(_float_text(value.tree), to, 13)
    if source.is_datetime:
        text = moment_text(value.tree, source, style)
        if text is None or source.name is TypeName.DATETIMEOFFSET:
            raise refuse(
                value.source, f"CONVERT style {style}", f"no exact text of {source} in this style."
            )
        return fit(text, to, _moment_length(source, style))
    if source.is_binary:
        return _binary_text(value, to, style)
    if source.name is TypeName.UNIQUEIDENTIFIER:
        return fit(sql.fn("upper", sql.cast(value.tree, "VARCHAR")), to, 36)
    if source.name is TypeName.XML:
        return fit(value.tree, to, None)
    raise refuse(value.source, f"CAST of {source.name}", f"{source} has no exact text.")


def fit(text: exp.Expr, to: SqlType, longest: int | None) -> exp.Expr:
    """Text cut to the length of ``to`` unless it can be no longer; char(n) is padded.

    ``longest`` is the most characters the text can have, None when unknown.
    """
    if to.length in (None, t.MAX):
        return text
    assert to.length is not None
    if to.name in t.FIXED_STRINGS:
        if longest is not None and longest == to.length and _always_full(text):
            return text
        if isinstance(text, exp.Literal) and text.is_string:
            return sql.text(text.name[: to.length].ljust(to.length))
        if _padded_length(text) == to.length:
            return text
        return sql.fn("rpad", text, to.length, " ")
    if longest is not None and longest <= to.length:
        return text
    if isinstance(text, exp.Literal) and text.is_string:
        return sql.text(text.name[: to.length])
    return sql.fn("left", text, to.length)


def _padded_length(text: exp.Expr) -> int | None:
    """The length of ``rpad(x, n, ' ')``."""
    if isinstance(text, exp.Anonymous) and text.name == "rpad":
        size = text.expressions[1]
        return int(size.name) if isinstance(size, exp.Literal) else None
    return None


def _always_full(text: exp.Expr) -> bool:
    """strftime with fixed-width parts only."""
    if not (isinstance(text, exp.Anonymous) and text.name == "strftime"):
        return False
    return not any(part in text.expressions[1].name for part in ("%-", "%B", "%A"))


def _moment_length(type_: SqlType, style: int | None) -> int | None:
    if style in (23, 101, 102, 103, 104, 105, 110, 111):
        return 10
    if style is None:
        return {TypeName.DATE: 10}.get(type_.name, 30)
    return {
        112: 8,
        12: 6,
        1: 8,
        2: 8,
        3: 8,
        4: 8,
        5: 8,
        10: 8,
        11: 8,
        8: 8,
        24: 8,
        108: 8,
        120: 19,
        20: 19,
        106: 11,
        107: 12,
        0: 19,
        100: 19,
    }.get(style)


def _integer_text(value: Value, to: SqlType) -> exp.Expr:
    text: exp.Expr = sql.cast(value.tree, "VARCHAR")
    if value.integer is not None:
        digits = str(value.integer)
        if to.length in (None, t.MAX) or len(digits) <= (to.length or 0):
            return fit(sql.text(digits), to, len(digits))
    longest = _longest_digits(value)
    if to.length in (None, t.MAX) or (to.length or 0) >= longest:
        return fit(text, to, to.length if to.name not in t.FIXED_STRINGS else None)
    # Too short for the number: '*' for char and varchar, error 8115 for nchar and nvarchar.
    failure = sql.raise_error("Arithmetic overflow") if to.is_unicode else sql.text("*")
    too_long = exp.GT(this=sql.fn("length", text.copy()), expression=sql.number(to.length or 0))
    return fit(sql.case((too_long, failure), default=text), to, to.length)


_PART_DIGITS = {"year": 4, "quarter": 1, "month": 2, "day": 2, "dayofyear": 3, "week": 2}
"""The most digits of a part of a date, by the DuckDB function that gives it."""


def _longest_digits(value: Value) -> int:
    tree = value.tree
    if isinstance(tree, exp.Anonymous) and tree.name in _PART_DIGITS:
        return _PART_DIGITS[tree.name]
    return _DIGITS[value.type.name] + _has_sign(value)


def _has_sign(value: Value) -> int:
    """1 for a type with negative numbers, unless the expression is a count or a length."""
    call = unwrapped(value.source)
    counts = ("COUNT", "COUNT_BIG", "LEN", "DATALENGTH", "ROW_NUMBER", "YEAR", "MONTH", "DAY")
    if isinstance(call, exp.Window):
        call = call.this
    if isinstance(call, exp.Anonymous) and call.name.upper() in (*counts, "DATEPART"):
        return 0
    return 0 if value.type.name in (TypeName.BIT, TypeName.TINYINT) else 1


def _decimal_text(value: Value, to: SqlType) -> exp.Expr:
    if value.number is not None and not value.number.startswith("-"):
        digits = value.number if not value.number.startswith(".") else f"0{value.number}"
        return _fit_number(sql.text(digits), to, len(digits))
    tree = value.tree
    if not isinstance(tree, exp.Column | exp.Cast):
        tree = sql.cast(tree, storage(value.type))
    precision, scale = value.type.precision or 38, value.type.scale or 0
    # A sign, a point, and the zero before it when there is no other digit.
    longest = precision + 1 + (1 if scale else 0) + (1 if scale == precision else 0)
    return _fit_number(sql.cast(tree, "VARCHAR"), to, longest)


def _fit_number(text: exp.Expr, to: SqlType, longest: int) -> exp.Expr:
    """The text of a decimal, money or float: too long for the type, it is error 8115."""
    if to.length in (None, t.MAX) or longest <= (to.length or 0):
        return fit(text, to, longest)
    limit = sql.number(to.length or 0)
    if isinstance(text, exp.Literal):
        return failing("Arithmetic overflow", to)
    too_long = exp.GT(this=sql.fn("length", text.copy()), expression=limit)
    checked = sql.case((too_long, sql.raise_error("Arithmetic overflow")), default=text)
    return fit(checked, to, to.length)


def _money_text(value: Value, style: int | None) -> exp.Expr:
    """Style 0 and 1 have two decimals, 1 with commas; 2 has four (money and smallmoney styles)."""
    if style in (None, 0):
        return sql.cast(sql.cast(value.tree, "DECIMAL(19, 2)"), "VARCHAR")
    if style == 1:
        return sql.fn("format", "{:,.2f}", sql.cast(value.tree, "DECIMAL(19, 2)"))
    if style in (2, 126):
        return sql.cast(sql.cast(value.tree, "DECIMAL(19, 4)"), "VARCHAR")
    raise refuse(value.source, f"CONVERT style {style}", "not a money style.")


def _float_text(value: exp.Expr) -> exp.Expr:
    """Six significant digits, scientific when needed, the exponent with three digits."""
    short = sql.fn("printf", "%g", value)
    return sql.fn("regexp_replace", short, r"e([+-])(\d\d)$", r"e\10\2")


def _binary_text(value: Value, to: SqlType, style: int | None) -> exp.Expr:
    call = unwrapped(value.source)
    if style == 2:
        hashed = hash_digest(value.tree)
        return fit(
            sql.fn("upper", hashed) if hashed is not None else sql.fn("hex", value.tree), to, None
        )
    if style == 1:
        return fit(sql.concat("0x", sql.fn("hex", value.tree)), to, None)
    if to.is_unicode:
        raise refuse(value.source, "CAST of binary", "binary to nvarchar reads UTF-16.")
    if isinstance(call, exp.HexString):
        data = bytes.fromhex(call.name.rjust(len(call.name) + len(call.name) % 2, "0"))
        if data.isascii():
            return fit(sql.text(data.decode("ascii")), to, len(data))
    raise refuse(
        value.source, "CAST of binary", "the bytes would be read in the database's code page."
    )


def hash_digest(tree: exp.Expr) -> exp.Expr | None:
    """The hex digest behind ``unhex(md5(…))``, which HASHBYTES becomes."""
    if isinstance(tree, exp.Anonymous) and tree.name == "unhex":
        inner = tree.expressions[0]
        if isinstance(inner, exp.Anonymous) and inner.name in ("md5", "sha1", "sha256"):
            return inner
    return None


def hash_size(tree: exp.Expr) -> int | None:
    """How many bytes what HASHBYTES became has; None for another tree."""
    digest = hash_digest(tree)
    return None if digest is None else {"md5": 16, "sha1": 20, "sha256": 32}[digest.name]


# --- to numbers -----------------------------------------------------------------------------------


def _to_number(
    value: Value, to: SqlType, options: Options, safe: bool, style: int | None
) -> exp.Expr:
    source = value.type
    if source.is_string:
        return _text_to_number(value, to, options, safe)
    if source.is_numeric:
        return _number_to_number(value, to, safe)
    if source.is_datetime:
        return _moment_to_number(value, to)
    raise refuse(value.source, f"CAST to {to.name}", f"{source} to {to} is not supported.")


def _text_to_number(value: Value, to: SqlType, options: Options, safe: bool) -> exp.Expr:
    if value.text is not None:
        number = parse_number(value.text, to)
        if number is None:
            return _failure(to, safe)
        return number_tree(number, to)
    tree = value.tree
    target = storage(to)
    if options.text_conversion is TextConversion.PLAIN or _is_digits(tree):
        return (sql.try_cast if safe else sql.cast)(tree, target)
    if to.name is TypeName.BIT:
        raise refuse(value.source, "CAST to bit", "text to bit is not supported.")
    if to.is_money:
        tree = sql.fn("regexp_replace", tree, "[$,]", "", "g")
    pattern = _FLOAT_TEXT if to.is_approximate else _DECIMAL_TEXT
    if to.is_integer:
        pattern = _INTEGER_TEXT
    return _checked(tree, pattern, target, to, safe)


def _is_digits(tree: exp.Expr) -> bool:
    """Text that is a number by construction: ``strftime(d, '%Y%m%d')``, the usual date key."""
    if not (isinstance(tree, exp.Anonymous) and tree.name == "strftime"):
        return False
    pattern = tree.expressions[1].name
    return re.fullmatch(r"(%[YmdHMSyjgf])+", pattern) is not None


def _checked(
    tree: exp.Expr, pattern: str, target: exp.DataType, to: SqlType, safe: bool
) -> exp.Expr:
    """A cast of text that accepts what SQL Server accepts and nothing else."""
    branches: list[tuple[exp.Expr, exp.Expr]] = []
    if not to.is_decimal:
        branches.append((sql.eq(sql.fn("trim", tree.copy()), ""), sql.number(0)))
    plain = sql.fn("regexp_full_match", tree.copy(), pattern)
    if safe:
        branches.append((plain, sql.try_cast(tree.copy(), target)))
        return sql.case(*branches)
    branches.append((plain, sql.cast(tree.copy(), target)))
    otherwise = exp.Not(this=sql.is_null(tree.copy()))
    branches.append((otherwise, sql.raise_error(FAILED)))
    return sql.case(*branches)


def _failure(to: SqlType, safe: bool) -> exp.Expr:
    if safe:
        return sql.cast(exp.Null(), storage(to))
    return failing(FAILED, to)


def failing(message: str, to: SqlType) -> exp.Expr:
    """An expression of a type that fails: untyped, DuckDB would fold a call of it to NULL."""
    return sql.cast(sql.raise_error(message), storage(to))


def number_tree(number: Decimal, to: SqlType) -> exp.Expr:
    """A constant number as a literal of the target's type."""
    text = format(number, "f")
    if to.is_integer:
        tree = sql.number(int(number))
        return tree if to.name in (TypeName.INT, TypeName.BIGINT) else sql.cast(tree, storage(to))
    if to.is_decimal and "." in text and len(text.split(".")[1]) == to.scale:
        return sql.number(text)
    return sql.cast(sql.number(text), storage(to))


def _number_to_number(value: Value, to: SqlType, safe: bool) -> exp.Expr:
    source, tree = value.type, value.tree
    cast = sql.try_cast if safe else sql.cast
    if to.name is TypeName.BIT:
        if source.name is TypeName.BIT:
            return tree
        return sql.cast(exp.NEQ(this=sql.wrap(tree), expression=sql.number(0)), "UTINYINT")
    if to.is_integer and (source.is_decimal or source.is_approximate):
        if value.number is not None and "e" not in value.number.lower():
            return number_tree(Decimal(int(Decimal(value.number))), to)
        return cast(sql.fn("trunc", tree), storage(to))
    if source == to and not isinstance(tree, exp.Literal):
        return tree
    if to.is_decimal and isinstance(unwrapped(value.source), exp.Div):
        tree = cut_quotient(tree, (to.scale or 0) + 1)
    return cast(tree, storage(to))


def _moment_to_number(value: Value, to: SqlType) -> exp.Expr:
    """datetime to a number: days since 1900-01-01; to an int it rounds to the nearest day."""
    if value.type.name not in t.LEGACY_DATETIMES:
        raise refuse(
            value.source, "CAST of date", f"SQL Server does not convert {value.type} to {to}."
        )
    moment = value.tree
    days = exp.Div(
        this=sql.fn("epoch", exp.Paren(this=sql.sub(moment, _epoch()))),
        expression=sql.number(86400),
    )
    if to.is_integer:
        return sql.cast(sql.fn("round", days), storage(to))
    return sql.cast(days, storage(to))


def _epoch() -> exp.Expr:
    return sql.cast(sql.text(EPOCH_TIMESTAMP), "TIMESTAMP")


# --- to dates and times ---------------------------------------------------------------------------


def moment_tree(moment: Moment, to: SqlType) -> exp.Expr:
    """A constant moment as a typed literal."""
    if to.name is TypeName.DATE:
        return sql.cast(sql.text(moment.date_text), "DATE")
    if to.name is TypeName.TIME:
        return sql.cast(sql.text(moment.time_text), "TIME")
    midnight = not (moment.hour or moment.minute or moment.second or moment.fraction)
    return sql.cast(sql.text(moment.date_text if midnight else moment.text), "TIMESTAMP")


def _to_moment(
    value: Value, to: SqlType, options: Options, safe: bool, style: int | None
) -> exp.Expr:
    source = value.type
    if TypeName.DATETIMEOFFSET in (source.name, to.name):
        return _offset_conversion(value, to)
    if source.is_string:
        return _text_to_moment(value, to, options, safe, style)
    if source.is_numeric:
        return _number_to_moment(value, to)
    if source.is_datetime:
        return _moment_to_moment(value, to)
    raise refuse(value.source, f"CAST to {to.name}", f"{source} to {to} is not supported.")


def _offset_conversion(value: Value, to: SqlType) -> exp.Expr:
    zoned = unwrapped(value.source)
    if to.name is value.type.name:
        return value.tree
    if isinstance(zoned, exp.AtTimeZone) and to.name is not TypeName.DATETIMEOFFSET:
        # AT TIME ZONE on a moment without offset keeps its clock reading.
        return sql.cast(value.tree, storage(to))
    raise refuse(
        value.source, "datetimeoffset", "the offset of a datetimeoffset is lost in DuckDB."
    )


def _text_to_moment(
    value: Value, to: SqlType, options: Options, safe: bool, style: int | None
) -> exp.Expr:
    if value.text is not None:
        moment = parse_moment(value.text, style)
        if moment is None:
            return _failure(to, safe)
        return moment_tree(moment.rounded(to), to)
    target = storage(to)
    tree = value.tree
    if to.name is TypeName.TIME:
        return (sql.try_cast if safe else sql.cast)(tree, target)
    if options.text_conversion is TextConversion.PLAIN and style is None:
        return (sql.try_cast if safe else sql.cast)(tree, target)
    formats = formats_of(style)
    if formats is None:
        raise refuse(value.source, f"CONVERT style {style}", "not supported for text to date.")
    parsed = parsed_moment(tree, formats, safe=safe)
    moment_: exp.Expr = sql.cast(parsed, target) if to.name is TypeName.DATE else parsed
    if to.name in t.LEGACY_DATETIMES:
        moment_ = round_moment(parsed, to, source_digits=7)
    epoch = sql.cast(sql.text(EPOCH_TIMESTAMP), target)
    return guarded(tree, moment_, epoch, formats, safe=safe)


def _number_to_moment(value: Value, to: SqlType) -> exp.Expr:
    if to.name not in t.LEGACY_DATETIMES:
        raise refuse(
            value.source, f"CAST to {to.name}", f"SQL Server does not convert numbers to {to.name}."
        )
    if value.number is not None and "e" not in value.number.lower():
        return moment_tree(moment_from_days(Decimal(value.number)).rounded(to), to)
    if not value.type.is_integer:
        raise refuse(value.source, "CAST to datetime", "fractions of days are not supported.")
    return sql.add(_epoch(), sql.fn("to_days", sql.cast(value.tree, "INTEGER")))


def _moment_to_moment(value: Value, to: SqlType) -> exp.Expr:
    source, tree = value.type, value.tree
    if source == to:
        return tree
    if to.name is TypeName.DATE:
        return sql.cast(tree, "DATE")
    if to.name is TypeName.TIME:
        if (to.scale or 0) < min(_digits(source), 6):
            tree = _rounded(tree, to.scale or 0)
        return sql.cast(tree, "TIME")
    if source.name is TypeName.TIME:
        return sql.add(sql.cast(sql.text(EPOCH_TIMESTAMP), "DATE"), tree)
    if source.name is TypeName.DATE:
        return sql.cast(tree, "TIMESTAMP")
    return round_moment(tree, to, source_digits=_digits(source))


def _digits(type_: SqlType) -> int:
    if type_.name is TypeName.DATETIME:
        return 3
    return type_.scale or 0


def round_moment(tree: exp.Expr, to: SqlType, *, source_digits: int) -> exp.Expr:
    """A timestamp rounded to what its T-SQL type can hold.

    ``data-types/datetime-transact-sql``: datetime has increments of .000, .003, .007 seconds.
    """
    if to.name is TypeName.DATETIME:
        if source_digits == 0:
            return tree
        micro = sql.mod(sql.fn("microsecond", tree.copy()), 1_000_000)
        steps = sql.int_div(sql.add(sql.mul(micro, 3), 5_000), 10_000)
        milli = sql.int_div(sql.add(sql.mul(steps, 10), 1), 3)
        return sql.add(sql.fn("date_trunc", "second", tree), sql.fn("to_milliseconds", milli))
    if to.name is TypeName.SMALLDATETIME:
        half = sql.add(tree, sql.interval(30, "second"))
        # 29.998 seconds and less go down, 29.999 and more up.
        shifted = sql.add(half, sql.interval(1, "millisecond")) if source_digits else half
        return sql.fn("date_trunc", "minute", shifted)
    scale = to.scale if to.scale is not None else 7
    if scale >= 6 or scale >= source_digits:
        return tree
    return _rounded(tree, scale)


def _rounded(tree: exp.Expr, scale: int) -> exp.Expr:
    if scale == 0:
        return sql.fn("date_trunc", "second", sql.add(tree, sql.interval(500, "millisecond")))
    unit = 10 ** (6 - scale)
    micro = sql.mod(sql.fn("microsecond", tree.copy()), 1_000_000)
    steps = sql.mul(sql.int_div(sql.add(micro, unit // 2), unit), unit)
    return sql.add(sql.fn("date_trunc", "second", tree), sql.fn("to_microseconds", steps))


def _to_binary(value: Value, to: SqlType, style: int | None) -> exp.Expr:
    if value.type.is_binary:
        if isinstance(unwrapped(value.source), exp.HexString) or to.is_max:
            return value.tree
        size = hash_size(value.tree)
        longest = value.type.length if size is None else size
        if to.name is TypeName.VARBINARY and to.length is not None:
            if longest is not None and longest != t.MAX and longest <= to.length:
                return value.tree
            return sql.fn("array_slice", value.tree, 1, to.length)
        fixed = size is not None or value.type.name is TypeName.BINARY
        if fixed and longest == to.length:
            return value.tree
    if value.type.name in (TypeName.CHAR, TypeName.VARCHAR) and style in (None, 0):
        text = value.text
        if text is not None and text.isascii() and len(text) <= (to.length or 0):
            return sql.fn("encode", text)
        if to.is_max or (value.type.length or 8001) <= (to.length or 0):
            return sql.fn("encode", value.tree)
    raise refuse(value.source, "CAST to binary", f"{value.type} to {to} is not supported.")
