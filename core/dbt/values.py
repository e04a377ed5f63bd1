"""Values of test specs as values of columns: read strictly, compared as SQL Server stores them.

A spec spells values as JSON (numbers as strings, dates in several spellings, ``true`` for a
bit). What a value means depends on the column's type; one that does not fit the type is a
:class:`Misfit`, never a silent cast (dbt itself would cast it and pass).
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Any

from core.tsql.types import MAX, SqlType, TypeName, UnknownTypeError, duckdb_storage, parse_type

T = TypeName

_INTEGER_RANGES = {
    T.TINYINT: (0, 255),
    T.SMALLINT: (-(2**15), 2**15 - 1),
    T.INT: (-(2**31), 2**31 - 1),
    T.BIGINT: (-(2**63), 2**63 - 1),
}
_SCALES = {T.MONEY: (19, 4), T.SMALLMONEY: (10, 4)}
_TEXT = frozenset({T.CHAR, T.VARCHAR, T.TEXT, T.NCHAR, T.NVARCHAR, T.NTEXT, T.XML, T.SQL_VARIANT})
_FIXED = frozenset({T.CHAR, T.NCHAR})
_MOMENTS = frozenset({T.DATETIME, T.DATETIME2, T.SMALLDATETIME, T.DATETIMEOFFSET})
_BINARY = frozenset({T.BINARY, T.VARBINARY, T.IMAGE, T.ROWVERSION})
_FRACTION = re.compile(r"(\.\d{6})\d+")
_COMPACT_DATE = re.compile(r"\d{8}")


@dataclass(frozen=True)
class Misfit:
    """A value that its column cannot hold, and why."""

    reason: str


@lru_cache(maxsize=4096)
def column_type(sql_type: str) -> SqlType | None:
    """The T-SQL type a catalog spells, or ``None`` when it is no type we know."""
    try:
        parsed = parse_type(sql_type)
    except (ValueError, UnknownTypeError):
        return None
    if parsed.length is not None and "(" not in sql_type:
        return replace(parsed, length=MAX)  # the catalog does not know it; T-SQL's 1 is not meant
    return parsed


def duckdb_type(sql_type: str) -> str:
    """The DuckDB type in which a column of this T-SQL type is kept; unknown types are text."""
    parsed = column_type(sql_type)
    return duckdb_storage(parsed) if parsed is not None else "VARCHAR"


def read_value(value: object, sql_type: str) -> Any | Misfit:
    """A spec's value as the Python value DuckDB stores for a column of that type."""
    if value is None:
        return None
    parsed = column_type(sql_type)
    if parsed is None or parsed.name in _TEXT:
        return _text(value, parsed)
    reader = _READERS.get(parsed.name)
    if reader is None:
        return str(value)
    try:
        return reader(value, parsed)
    except (ValueError, InvalidOperation, OverflowError):
        return Misfit(f"{value!r} is not a value of type {sql_type}")


def _text(value: object, type_: SqlType | None) -> str | Misfit:
    text = str(value)
    if type_ is None:
        return text
    if type_.name in _FIXED:
        text = text.rstrip(" ")
    limited = type_.length is not None and type_.length != MAX
    if limited and len(text.rstrip(" ")) > (type_.length or 0):
        return Misfit(f"{value!r} is longer than {type_.length} characters")
    return text


def _bit(value: object, type_: SqlType) -> int | Misfit:
    word = str(value).strip().lower()
    if word in ("1", "true", "1.0"):
        return 1
    if word in ("0", "false", "0.0"):
        return 0
    return Misfit(f"{value!r} is not 0 or 1")


def _integer(value: object, type_: SqlType) -> int | Misfit:
    number = _number(value)
    if number != number.to_integral_value():
        return Misfit(f"{value!r} is not a whole number")
    low, high = _INTEGER_RANGES[type_.name]
    if not low <= number <= high:
        return Misfit(f"{value!r} is out of range of {type_.name}")
    return int(number)


def _number(value: object) -> Decimal:
    if isinstance(value, bool):
        return Decimal(int(value))
    number = Decimal(str(value).strip())
    if not number.is_finite():
        raise ValueError("not finite")
    return number


def _decimal(value: object, type_: SqlType) -> Decimal | Misfit:
    precision, scale = _SCALES.get(type_.name, (type_.precision or 18, type_.scale or 0))
    number = _number(value)
    quantum = Decimal(1).scaleb(-scale)
    if abs(number) >= Decimal(10) ** (precision - scale):
        return Misfit(f"{value!r} does not fit {type_.name}({precision},{scale})")
    from decimal import localcontext

    with localcontext() as context:
        context.prec = 60
        stored = number.quantize(quantum)
        if stored != number:
            return Misfit(f"{value!r} has more than {scale} decimal places")
    return stored


def _float(value: object, type_: SqlType) -> float:
    return float(_number(value))


def _date(value: object, type_: SqlType) -> date | Misfit:
    moment = _moment(str(value))
    if moment.timetz().replace(tzinfo=None) != time(0):
        return Misfit(f"{value!r} has a time of day, and the column is a date")
    return moment.date()


def _moment(text: str) -> datetime:
    text = _FRACTION.sub(r"\1", text.strip())
    if _COMPACT_DATE.fullmatch(text):
        text = f"{text[:4]}-{text[4:6]}-{text[6:]}"
    return datetime.fromisoformat(text)


def _timestamp(value: object, type_: SqlType) -> datetime:
    moment = _moment(str(value))
    if type_.name is T.DATETIMEOFFSET:
        return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    return moment.astimezone(UTC).replace(tzinfo=None) if moment.tzinfo else moment


def _time(value: object, type_: SqlType) -> time:
    text = _FRACTION.sub(r"\1", str(value).strip())
    if " " in text or "T" in text:
        return _moment(text).time()
    return time.fromisoformat(text)


def _binary(value: object, type_: SqlType) -> bytes:
    text = str(value).strip()
    digits = text[2:] if text.lower().startswith("0x") else text
    return bytes.fromhex(digits)


def _guid(value: object, type_: SqlType) -> uuid.UUID:
    return uuid.UUID(str(value).strip().strip("{}"))


_READERS: Mapping[TypeName, Callable[[object, SqlType], Any]] = {
    T.BIT: _bit,
    **dict.fromkeys(_INTEGER_RANGES, _integer),
    T.DECIMAL: _decimal,
    T.MONEY: _decimal,
    T.SMALLMONEY: _decimal,
    T.REAL: _float,
    T.FLOAT: _float,
    T.DATE: _date,
    **dict.fromkeys(_MOMENTS, _timestamp),
    T.TIME: _time,
    **dict.fromkeys(_BINARY, _binary),
    T.UNIQUEIDENTIFIER: _guid,
}


def canonical(value: object, sql_type: str) -> object:
    """A stored value in the form in which two of the same column compare equal.

    Numbers compare by value, ``datetime`` at its 1/300 second, floats at 12 digits, text without
    trailing blanks (as SQL Server compares it), moments in UTC.
    """
    parsed = column_type(sql_type)
    name = parsed.name if parsed is not None else None
    match value:
        case None:
            return None
        case bool():
            return Decimal(int(value))
        case int() | Decimal() | float():
            return _canonical_number(value, name)
        case datetime():
            return _canonical_moment(value, name)
        case date():
            midnight = datetime(value.year, value.month, value.day)
            return value if name is T.DATE else _canonical_moment(midnight, name)
        case str():
            return _canonical_text(value, sql_type, name)
        case bytes() | bytearray():
            return bytes(value)
        case uuid.UUID():
            return str(value)
    return value if isinstance(value, time) else str(value)


def _canonical_number(value: int | Decimal | float, name: TypeName | None) -> object:
    if name in (T.FLOAT, T.REAL):
        digits = 12 if name is T.FLOAT else 6
        return Decimal(f"{float(value):.{digits}g}").normalize()
    if isinstance(value, float):
        return Decimal(repr(value)) if value == value else "nan"
    return Decimal(value)


def _canonical_moment(value: datetime, name: TypeName | None) -> object:
    if value.tzinfo is not None:
        value = value.astimezone(UTC).replace(tzinfo=None)
    if name is T.DATE and value.time() == time(0):
        return value.date()
    if name is T.DATETIME:
        midnight = value.replace(hour=0, minute=0, second=0, microsecond=0)
        ticks = round((value - midnight) / timedelta(seconds=1) * 300)
        return (midnight, ticks)
    return value


def _canonical_text(value: str, sql_type: str, name: TypeName | None) -> object:
    if name is not None and name not in _TEXT:
        stored = read_value(value, sql_type)
        if not isinstance(stored, Misfit | str):
            return canonical(stored, sql_type)
    if name is T.UNIQUEIDENTIFIER:
        return value.lower()
    return value.rstrip(" ")
