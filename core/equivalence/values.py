"""Candidate values of a column: literals of the procedure and their neighbours, boundaries."""

from __future__ import annotations

import re
import uuid
from datetime import date, datetime, time, timedelta
from decimal import Decimal, InvalidOperation

from core.equivalence.hints import Hints
from core.tsql.schema import Column
from core.tsql.types import MAX, SqlType, TypeName

T = TypeName

_RANGES = {
    T.BIT: (0, 1),
    T.TINYINT: (0, 255),
    T.SMALLINT: (-(2**15), 2**15 - 1),
    T.INT: (-(2**31), 2**31 - 1),
    T.BIGINT: (-(2**63), 2**63 - 1),
}
_MOMENTS = frozenset({T.DATE, T.DATETIME, T.DATETIME2, T.SMALLDATETIME, T.DATETIMEOFFSET})
_WORDS = ("Alpha", "Pad ", "Beta two")
"""All begin alike: their order is the same with and without regard to case."""
_OTHERS = 12
"""Literals that are compared with no column we know of, which a column is given all the same."""
_DATE_TEXT = re.compile(r"\d{4}-\d{2}-\d{2}(?:[ T]\d{2}:\d{2}(?::\d{2}(?:\.\d{1,6})?)?)?|\d{8}")


def candidates(
    column: Column, hints: Hints, clock: datetime, *, is_key: bool, vary_case: bool = False
) -> list[object]:
    """Values worth storing in a column, likely ones first; NULL is not among them.

    A key column gets few values, so that joins match, miss and match several times; values of
    others vary more. Text never differs from another candidate by case or trailing blanks only,
    unless ``vary_case``: then every other text has a twin that does.
    """
    type_ = column.type
    name = column.name.lower()
    texts, numbers = hints.texts_for(name), hints.numbers_for(name)
    if type_.is_string:
        if is_key and hints.trims:
            texts = [*texts, "A1", "B2", " A1"]
        found = _texts(type_, texts, numbers, hints.all_texts, is_key=is_key)
        return _with_twins(found, type_) if vary_case else found
    if type_.name in _RANGES:
        return _integers(type_, [*numbers, *texts], hints, is_key=is_key)
    if type_.is_decimal or type_.is_money or type_.is_approximate:
        return _decimals(type_, numbers)
    if type_.name in _MOMENTS:
        return _moments(type_, texts, hints, clock)
    if type_.name is T.TIME:
        return [time(0), time(10, 30), time(23, 59, 59)]
    if type_.name is T.UNIQUEIDENTIFIER:
        return [uuid.UUID(int=n) for n in (1, 2, 3)]
    if type_.is_binary:
        return [b"\x01", b"\x02\xff"]
    return list(_WORDS)


def _texts(
    type_: SqlType, literals: list[str], numbers: list[str], others: list[str], *, is_key: bool
) -> list[object]:
    limit = type_.length if type_.length not in (None, MAX) else 60
    assert limit is not None
    basic = ["A1", "B2", "C3"] if is_key else [*_WORDS, " Lead", "Gamma", "12", "3.50"]
    found: dict[str, str] = {}
    for text in [*literals, *numbers, *basic, *([""] if not is_key else [])]:
        cut = text[:limit]
        found.setdefault(cut.rstrip(" ").casefold(), cut)
    for text in [] if is_key else others[:_OTHERS]:
        if 0 < len(text) <= min(limit, 20):
            found.setdefault(text.rstrip(" ").casefold(), text)
    if not is_key and limit >= 12:
        found.setdefault("long", ("Word " * 40)[: min(limit, 30)].rstrip())
    if type_.name in (T.CHAR, T.NCHAR):
        return [text.rstrip(" ") for text in found.values()]
    return list(found.values())


def _with_twins(texts: list[object], type_: SqlType) -> list[object]:
    """Each text followed by one the server takes for the same: other case, or a blank behind."""
    found: list[object] = []
    fixed = type_.name in (T.CHAR, T.NCHAR)
    for number, text in enumerate(texts):
        found.append(text)
        assert isinstance(text, str)
        twin = text.swapcase()
        room = type_.length in (None, MAX) or len(text) < (type_.length or 0)
        if number % 2 and room and text and not fixed:
            twin = f"{text} "
        if twin != text:
            found.append(twin)
    return found


def _integers(type_: SqlType, literals: list[str], hints: Hints, *, is_key: bool) -> list[object]:
    low, high = _RANGES[type_.name]
    wanted: list[int] = []
    for literal in literals:
        try:
            value = int(Decimal(literal))
        except (InvalidOperation, ValueError):
            continue
        wanted += [value, value - 1, value + 1]
    basic = [1, 2, 3] if is_key else [1, 2, 7, 0, -3, 10]
    if not is_key:
        dates = [int(t) for t in hints.all_texts if _is_day_number(t)]
        wanted += dates[:2]
        basic += [int(n) for n in hints.all_numbers[:_OTHERS] if n.isdigit()]
    found = dict.fromkeys(v for v in [*wanted, *basic] if low <= v <= high)
    return list(found)


def _is_day_number(text: str) -> bool:
    return len(text) == 8 and text.isdigit() and 1900 <= int(text[:4]) <= 2100


def _decimals(type_: SqlType, literals: list[str]) -> list[object]:
    scale = 4 if type_.is_money else type_.scale or 0 if type_.is_decimal else 3
    precision = 19 if type_.is_money else type_.precision or 18 if type_.is_decimal else 15
    unit = Decimal(1).scaleb(-scale)
    wanted = [Decimal("10"), Decimal("0"), Decimal("2.5"), Decimal("33.335"), Decimal("-7.25")]
    wanted += [Decimal("100.01"), Decimal("0.005"), Decimal("1")]
    # Large enough that a rate or a share of them is not rounded to nothing.
    wanted += [Decimal("98765.43"), Decimal("-54321.09")]
    for literal in literals:
        try:
            value = Decimal(literal)
        except InvalidOperation:
            continue
        wanted = [value, value - unit, value + unit, *wanted]
    found = {}
    for value in wanted:
        stored = value.quantize(unit)
        if abs(stored) < Decimal(10) ** (precision - scale):
            found[stored] = float(stored) if type_.is_approximate else stored
    return list(found.values())


def _moments(type_: SqlType, texts: list[str], hints: Hints, clock: datetime) -> list[object]:
    today = clock.replace(hour=0, minute=0, second=0, microsecond=0)
    day = timedelta(days=1)
    wanted = []
    for text in texts:
        if (moment := _read(text)) is not None:
            wanted += _neighbours(moment)
    wanted += [
        clock - timedelta(hours=1),
        today,
        today - day,
        today - 3 * day + timedelta(hours=23, minutes=50),
        today - 40 * day,
        today.replace(day=1),
        today.replace(day=1) - day,
        today.replace(year=today.year - 1),
        datetime(2024, 2, 29),
        today - 8 * day,
        today.replace(month=12, day=31) - 366 * day,
    ]
    for text in hints.all_texts:
        if (moment := _read(text)) is not None:
            wanted += [moment, moment + day] if moment.year < 9000 else [moment]
    found: dict[object, None] = {}
    for moment in wanted:
        stored = _stored(moment, type_)
        if stored is not None:
            found[stored] = None
    return list(found)


def _neighbours(moment: datetime) -> list[datetime]:
    """A moment with the days before and after, as far as the calendar goes (9999-12-31)."""
    day = timedelta(days=1)
    found = [moment]
    if moment - datetime.min >= day:
        found.append(moment - day)
    if datetime.max - moment >= day:
        found.append(moment + day)
    return found


def _read(text: str) -> datetime | None:
    if not _DATE_TEXT.fullmatch(text.strip()):
        return None
    text = text.strip()
    if len(text) == 8:
        text = f"{text[:4]}-{text[4:6]}-{text[6:]}"
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None


def _stored(moment: datetime, type_: SqlType) -> date | datetime | None:
    if type_.name is T.DATE:
        return moment.date()
    if type_.name is T.SMALLDATETIME:
        if not datetime(1900, 1, 1) <= moment <= datetime(2079, 6, 6):
            return None
        return moment.replace(second=0, microsecond=0)
    return moment.replace(microsecond=0)
