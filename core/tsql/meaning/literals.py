"""Text literals as SQL Server reads them: numbers and moments written in a string.

Folding a literal when translating is exact and gives the plainest SQL: ``d >= '20240201'`` becomes
``d >= cast('2024-02-01' as timestamp)``. Formats: ``data-types/date-transact-sql`` (supported
string literal formats, us_english), ``functions/cast-and-convert-transact-sql`` (styles).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation

from core.tsql.types import SqlType, TypeName

_FULL_MONTHS = {
    "january": 1,
    "february": 2,
    "march": 3,
    "april": 4,
    "may": 5,
    "june": 6,
    "july": 7,
    "august": 8,
    "september": 9,
    "october": 10,
    "november": 11,
    "december": 12,
}
_MONTHS = {name[:3]: number for name, number in _FULL_MONTHS.items()}
EPOCH = date(1900, 1, 1)

DAY_FIRST_STYLES = frozenset({3, 4, 5, 103, 104, 105, 6, 106, 13, 113, 131})
_YEAR_FIRST_STYLES = frozenset({2, 11, 102, 111, 12, 112, 20, 21, 23, 25, 120, 121, 126, 127})


@dataclass(frozen=True)
class Moment:
    """A parsed date and time; ``fraction`` in ten-millionths of a second."""

    day: date
    hour: int = 0
    minute: int = 0
    second: int = 0
    fraction: int = 0

    def rounded(self, type_: SqlType) -> Moment:
        """This moment as a value of a type: datetime keeps 1/300 s, smalldatetime minutes."""
        if type_.name is TypeName.DATE:
            return Moment(self.day)
        ticks = ((self.hour * 60 + self.minute) * 60 + self.second) * 10_000_000 + self.fraction
        if type_.name is TypeName.DATETIME:
            steps = (ticks * 3 + 50_000) // 100_000
            ticks = (steps * 10 + 1) // 3 * 10_000
        elif type_.name is TypeName.SMALLDATETIME:
            # Seconds round at 29.998 down, 29.999 up: data-types/smalldatetime-transact-sql.
            ticks = (ticks + 300_010_000) // 600_000_000 * 600_000_000
        elif type_.scale == 7:
            # The target keeps six digits; the seventh is cut, so that no boundary is crossed.
            ticks = ticks // 10 * 10
        elif type_.scale is not None:
            unit = 10 ** (7 - type_.scale)
            ticks = (ticks + unit // 2) // unit * unit
        day = self.day + timedelta(days=ticks // 864_000_000_000)
        ticks %= 864_000_000_000
        seconds, fraction = divmod(ticks, 10_000_000)
        return Moment(day, seconds // 3600, seconds // 60 % 60, seconds % 60, fraction)

    @property
    def date_text(self) -> str:
        """``2024-01-31``."""
        return self.day.isoformat()

    @property
    def time_text(self) -> str:
        """``10:11:12`` with as many fraction digits as there are."""
        base = f"{self.hour:02}:{self.minute:02}:{self.second:02}"
        micro = self.fraction // 10
        return base + (f".{micro:06}".rstrip("0") if micro else "")

    @property
    def text(self) -> str:
        """``2024-01-31 10:11:12``."""
        return f"{self.date_text} {self.time_text}"


_OFFSET = re.compile(r"(?<=\d)\s*[+-]\d{1,2}:\d{2}$")
_TIME = re.compile(
    r"^(?P<h>\d{1,2})(?::(?P<m>\d{1,2})(?::(?P<s>\d{1,2})(?:[.:](?P<f>\d{1,9}))?)?)?"
    r"\s*(?P<ap>am|pm)?$",
    re.IGNORECASE,
)
_COMPACT = re.compile(r"^(\d{4})(\d{2})(\d{2})$")
_SHORT_COMPACT = re.compile(r"^(\d{2})(\d{2})(\d{2})$")
_ISO = re.compile(r"^(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})$")
_NUMERIC = re.compile(r"^(\d{1,2})[-/.](\d{1,2})[-/.](\d{4}|\d{2})$")
_NAMED = (
    re.compile(r"^(?P<mon>[a-z]+)\.?\s+(?P<d>\d{1,2}),?\s+(?P<y>\d{4}|\d{2})$"),
    re.compile(r"^(?P<d>\d{1,2})[\s-]+(?P<mon>[a-z]+)\.?,?[\s-]+(?P<y>\d{4}|\d{2})$"),
    re.compile(r"^(?P<y>\d{4})\s+(?P<mon>[a-z]+)\s+(?P<d>\d{1,2})$"),
    re.compile(r"^(?P<mon>[a-z]+)\s+(?P<y>\d{4})$"),
)


def parse_moment(text: str, style: int | None = None) -> Moment | None:
    """The moment a string is to SQL Server under us_english, or None when it is none.

    ``style`` is that of CONVERT: it tells day-month-year from month-day-year.
    """
    text = text.strip()
    if not text:
        return Moment(EPOCH)
    if text.endswith(("Z", "z")) and "T" in text.upper():
        text = text[:-1]
    # An offset does not move the clock reading: data-types/datetimeoffset-transact-sql.
    text = _OFFSET.sub("", text)
    date_part, time_part = _split(text)
    day = EPOCH if date_part is None else _parse_date(date_part, style)
    if day is None:
        return None
    if time_part is None:
        return Moment(day)
    return _with_time(day, time_part)


def _split(text: str) -> tuple[str | None, str | None]:
    match = re.match(r"^(\d{4}-\d{2}-\d{2})[Tt](.+)$", text)
    if match:
        return match[1], match[2]
    match = re.match(r"^(.*?)\s*(\d{1,2}:\d.*|\d{1,2}\s*[aApP][mM])$", text)
    if match:
        return (match[1].strip() or None), match[2]
    return text, None


def _with_time(day: date, text: str) -> Moment | None:
    match = _TIME.match(text.strip())
    if not match:
        return None
    hour, minute, second = int(match["h"]), int(match["m"] or 0), int(match["s"] or 0)
    if match["ap"]:
        if not 1 <= hour <= 12:
            return None
        hour = hour % 12 + (12 if match["ap"].lower() == "pm" else 0)
    if hour > 23 or minute > 59 or second > 59:
        return None
    fraction = int((match["f"] or "0").ljust(7, "0")[:7])
    return Moment(day, hour, minute, second, fraction)


def _parse_date(text: str, style: int | None) -> date | None:
    if match := _COMPACT.match(text):
        return _date(int(match[1]), int(match[2]), int(match[3]))
    if match := _SHORT_COMPACT.match(text):
        return _date(_century(int(match[1])), int(match[2]), int(match[3]))
    if match := _ISO.match(text):
        return _date(int(match[1]), int(match[2]), int(match[3]))
    if match := _NUMERIC.match(text):
        first, second, year = int(match[1]), int(match[2]), match[3]
        if style in _YEAR_FIRST_STYLES and len(year) == 4:
            return None
        if style in _YEAR_FIRST_STYLES:
            return _date(_century(first), second, int(year))
        full = int(year) if len(year) == 4 else _century(int(year))
        return (
            _date(full, second, first) if style in DAY_FIRST_STYLES else _date(full, first, second)
        )
    lowered = text.lower()
    for pattern in _NAMED:
        if match := pattern.match(lowered):
            parts = match.groupdict()
            name = parts["mon"]
            month = _FULL_MONTHS.get(name) or (_MONTHS.get(name) if len(name) == 3 else None)
            if month is None:
                return None
            year = int(parts["y"])
            full = year if len(parts["y"]) == 4 else _century(year)
            return _date(full, month, int(parts.get("d") or 1))
    return None


def _century(year: int) -> int:
    """Two-digit years: 50 and later are 19xx (two digit year cutoff 2049)."""
    return year + (1900 if year >= 50 else 2000)


def _date(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None


_INTEGER = re.compile(r"^\s*[+-]?\s*\d+\s*$")
_NUMBER = re.compile(r"^\s*[+-]?\s*(\d+\.?\d*|\.\d+)\s*$")
_FLOAT = re.compile(r"^\s*[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?\s*$")
_CURRENCY = re.compile(r"^\s*[+-]?\s*[$£€¥]?\s*[+-]?[\d,]*\.?\d*\s*$")

_RANGES = {
    TypeName.TINYINT: (0, 255),
    TypeName.SMALLINT: (-(2**15), 2**15 - 1),
    TypeName.INT: (-(2**31), 2**31 - 1),
    TypeName.BIGINT: (-(2**63), 2**63 - 1),
}


def parse_number(text: str, type_: SqlType) -> Decimal | None:
    """The number a string is to SQL Server as a value of a numeric type; None when it is none.

    An empty or blank string is 0 for integers, money and float and no decimal at all
    (``functions/cast-and-convert-transact-sql``).
    """
    if not text.strip():
        return None if type_.is_decimal else Decimal(0)
    cleaned = text.strip().replace(" ", "")
    try:
        if type_.is_integer:
            return _integer(text, cleaned, type_)
        if type_.is_decimal:
            return _fits(Decimal(cleaned), type_) if _NUMBER.match(text) else None
        if type_.is_money:
            if not _CURRENCY.match(text) or not re.search(r"\d", text):
                return None
            return Decimal(re.sub(r"[$£€¥,]", "", cleaned)).quantize(
                Decimal("0.0001"), ROUND_HALF_UP
            )
        return Decimal(cleaned) if _FLOAT.match(text) else None
    except InvalidOperation:
        return None


def _integer(text: str, cleaned: str, type_: SqlType) -> Decimal | None:
    if type_.name is TypeName.BIT:
        words = {"true": 1, "false": 0}
        if cleaned.lower() in words:
            return Decimal(words[cleaned.lower()])
        return Decimal(int(int(cleaned) != 0)) if _INTEGER.match(text) else None
    if not _INTEGER.match(text):
        return None
    number = int(cleaned)
    low, high = _RANGES[type_.name]
    return Decimal(number) if low <= number <= high else None


def _fits(number: Decimal, type_: SqlType) -> Decimal | None:
    scale = type_.scale or 0
    rounded = number.quantize(Decimal(1).scaleb(-scale), ROUND_HALF_UP)
    digits = len(rounded.as_tuple().digits)
    return rounded if digits <= (type_.precision or 38) or rounded == 0 else None


def moment_from_days(days: Decimal) -> Moment:
    """The moment a number is as a datetime: days since 1900-01-01, the fraction as time of day."""
    whole = days.to_integral_value(rounding="ROUND_FLOOR")
    seconds = (days - whole) * 86400
    base = datetime(1900, 1, 1) + timedelta(days=int(whole))
    ticks = int((seconds * 10_000_000).to_integral_value(ROUND_HALF_UP))
    moment = Moment(base.date())
    total, fraction = divmod(ticks, 10_000_000)
    return Moment(moment.day, total // 3600, total // 60 % 60, total % 60, fraction)
