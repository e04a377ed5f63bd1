"""T-SQL values as Python values: in from files and callers, out as JSON."""

from __future__ import annotations

import datetime as dt
import struct
import uuid
from collections.abc import Callable
from decimal import Decimal, InvalidOperation

from core.tsql import types as t
from core.tsql.types import SqlType, TypeName

Value = object
"""None, int, Decimal, float, str, bytes, date, time, datetime or UUID."""


def coerced(value: object, type_: SqlType) -> object:
    """A value given by a caller (JSON, a spec, Python) as one of the type.

    Texts are read leniently (``2024-01-15T00:00:00``, ``true``, ``1,5`` is not). What cannot be
    read is passed on as it is: DuckDB's cast then says what is wrong with it.
    """
    if value is None:
        return None
    reader = _READERS.get(type_.name)
    if reader is None:
        return _text(value, type_)
    try:
        return reader(value, type_)
    except (ValueError, TypeError, InvalidOperation, ArithmeticError):
        return value


def _text(value: object, type_: SqlType) -> object:
    if isinstance(value, bool):
        value = int(value)
    text = value if isinstance(value, str) else str(value)
    if type_.name in t.FIXED_STRINGS and type_.length:
        return text.ljust(type_.length)[: max(type_.length, len(text.rstrip(" ")))]
    return text


def _whole(value: object, type_: SqlType) -> object:
    if isinstance(value, str):
        text = value.strip()
        if text.lower() in ("true", "false"):
            return int(text.lower() == "true")
        return int(Decimal(text))
    return int(value)  # type: ignore[call-overload]


def _bit(value: object, type_: SqlType) -> object:
    return int(bool(_whole(value, type_)))


def _decimal(value: object, type_: SqlType) -> object:
    number = Decimal(str(value).strip().replace("$", ""))
    if type_.is_money:
        return number.quantize(Decimal("0.0001"))
    return number.quantize(Decimal(1).scaleb(-(type_.scale or 0)), rounding="ROUND_HALF_UP")


def _float(value: object, type_: SqlType) -> object:
    return float(value)  # type: ignore[arg-type]


def _date(value: object, type_: SqlType) -> object:
    found = _moment(value)
    return found.date()


def _datetime(value: object, type_: SqlType) -> object:
    return _moment(value)


def _moment(value: object) -> dt.datetime:
    if isinstance(value, dt.datetime):
        return value.replace(tzinfo=None)
    if isinstance(value, dt.date):
        return dt.datetime(value.year, value.month, value.day)
    text = str(value).strip()
    head, _, fraction = text.partition(".")
    zone = ""
    if fraction:
        digits = fraction.rstrip("Zz")
        fraction = "".join(c for c in digits if c.isdigit())[:6].ljust(6, "0")
        head += "." + fraction
    if head.isdigit() and len(head) == 8:
        return dt.datetime.strptime(head, "%Y%m%d")
    return dt.datetime.fromisoformat(head.rstrip("Zz") + zone).replace(tzinfo=None)


def _time(value: object, type_: SqlType) -> object:
    if isinstance(value, dt.time):
        return value
    if isinstance(value, dt.datetime):
        return value.time()
    head, _, fraction = str(value).strip().partition(".")
    return dt.time.fromisoformat(head + (f".{fraction[:6].ljust(6, '0')}" if fraction else ""))


def _binary(value: object, type_: SqlType) -> object:
    if isinstance(value, bytes | bytearray):
        return bytes(value)
    text = str(value)
    return bytes.fromhex(text[2:]) if text[:2].lower() == "0x" else text.encode()


def _uuid(value: object, type_: SqlType) -> object:
    return value if isinstance(value, uuid.UUID) else uuid.UUID(str(value).strip("{} "))


_READERS: dict[TypeName, Callable[[object, SqlType], object]] = {
    TypeName.BIT: _bit,
    TypeName.TINYINT: _whole,
    TypeName.SMALLINT: _whole,
    TypeName.INT: _whole,
    TypeName.BIGINT: _whole,
    TypeName.DECIMAL: _decimal,
    TypeName.MONEY: _decimal,
    TypeName.SMALLMONEY: _decimal,
    TypeName.REAL: _float,
    TypeName.FLOAT: _float,
    TypeName.DATE: _date,
    TypeName.DATETIME: _datetime,
    TypeName.DATETIME2: _datetime,
    TypeName.SMALLDATETIME: _datetime,
    TypeName.TIME: _time,
    TypeName.BINARY: _binary,
    TypeName.VARBINARY: _binary,
    TypeName.ROWVERSION: _binary,
    TypeName.UNIQUEIDENTIFIER: _uuid,
}


def json_value(value: object, type_: SqlType) -> object:
    """A value as ``--json`` shows it.

    bit and integers are numbers, decimals and money texts with their scale, dates ISO texts,
    binaries ``0x…``, uniqueidentifiers upper case.
    """
    if isinstance(value, float) and type_.name is TypeName.REAL:
        return _shortest_real(value)
    if value is None or isinstance(value, bool | float | str):
        return value
    if isinstance(value, Decimal):
        if type_.is_integer:
            return int(value)
        return str(value) if not type_.is_decimal else f"{value:.{type_.scale or 0}f}"
    if isinstance(value, int):
        return value
    if isinstance(value, bytes):
        return "0x" + value.hex().upper()
    if isinstance(value, dt.datetime):
        return _iso(value, type_)
    if isinstance(value, dt.date):
        return value.isoformat()
    if isinstance(value, dt.time):
        return value.strftime("%H:%M:%S") + _digits(value.microsecond, type_)
    return str(value).upper() if isinstance(value, uuid.UUID) else str(value)


def _shortest_real(value: float) -> float:
    """The shortest number that is this one in four bytes: 0.1, not 0.10000000149011612."""
    for digits in range(6, 10):
        found = float(f"{value:.{digits}g}")
        if struct.unpack("f", struct.pack("f", found))[0] == value:
            return found
    return value


def _iso(value: dt.datetime, type_: SqlType) -> str:
    if type_.name is TypeName.DATETIMEOFFSET:
        value = value.astimezone(dt.UTC).replace(tzinfo=None)
        return f"{value:%Y-%m-%dT%H:%M:%S}{_digits(value.microsecond, type_)}+00:00"
    return f"{value.year:04d}-{value:%m-%dT%H:%M:%S}{_digits(value.microsecond, type_)}"


def _digits(microseconds: int, type_: SqlType) -> str:
    """The fraction of a second: nothing for zero, else 3 or 6 digits."""
    if microseconds == 0:
        return ""
    if microseconds % 1000 == 0:
        return f".{microseconds // 1000:03d}"
    return f".{microseconds:06d}"
