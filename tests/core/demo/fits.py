"""Whether a value of a test spec can stand in a column of a T-SQL type as it is spelled.

SQL Server would round, cut or refuse what does not fit, so a row with such a value cannot have
been captured from a table.
"""

from __future__ import annotations

import re
from datetime import date, datetime
from decimal import Decimal
from typing import Any

_WHOLE = {
    "TINYINT": (0, 255),
    "SMALLINT": (-(2**15), 2**15 - 1),
    "INT": (-(2**31), 2**31 - 1),
    "BIGINT": (-(2**63), 2**63 - 1),
}
_TYPE = re.compile(r"(\w+)(?:\((\w+)(?:,(\d+))?\))?")


def misfit(value: Any, sql_type: str) -> str | None:
    """Why ``value`` cannot be in a column of ``sql_type``, or ``None`` when it can."""
    matched = _TYPE.fullmatch(sql_type.upper())
    assert matched, sql_type
    base, first, second = matched.groups()
    try:
        return _problem(value, base, first, int(second or 0))
    except (ValueError, ArithmeticError) as error:
        return f"{value!r} is not a {base}: {error}"


def _problem(value: Any, base: str, first: str | None, scale: int) -> str | None:
    if base in _WHOLE:
        low, high = _WHOLE[base]
        return None if low <= int(str(value)) <= high else f"{value} is out of range"
    if base == "BIT":
        return None if str(value).lower() in ("0", "1", "true", "false") else f"{value} is no bit"
    if base == "MONEY":
        return _decimal_problem(value, 19, 4)
    if base in ("DECIMAL", "NUMERIC"):
        return _decimal_problem(value, int(first or 18), scale)
    if base == "DATE":
        moment = datetime.fromisoformat(value)
        return None if moment.time().isoformat() == "00:00:00" else f"{value} has a time"
    if base in ("DATETIME", "DATETIME2"):
        return _moment_problem(value, base, int(first or 7))
    if base.endswith("CHAR"):
        if not isinstance(value, str):
            return f"{value!r} is not text"
        longest = None if first == "MAX" else int(first or 1)
        return None if longest is None or len(value) <= longest else f"{value!r} is too long"
    return f"{base} is not known here"


def _decimal_problem(value: Any, precision: int, scale: int) -> str | None:
    number = Decimal(str(value))
    if number != round(number, scale):
        return f"{value} has more than {scale} decimal places"
    return None if abs(number) < Decimal(10) ** (precision - scale) else f"{value} is too large"


def _moment_problem(value: Any, base: str, digits: int) -> str | None:
    moment = datetime.fromisoformat(value)
    if base == "DATETIME":
        # datetime keeps milliseconds that end in 0, 3 or 7, from 1753 on.
        if moment.date() < date(1753, 1, 1) or moment.microsecond % 1000:
            return f"{value} is not a datetime"
        return None if moment.microsecond // 1000 % 10 in (0, 3, 7) else f"{value} would round"
    unit = 10 ** max(0, 6 - digits)
    return None if moment.microsecond % unit == 0 else f"{value} would round"
