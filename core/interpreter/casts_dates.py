"""Dates and text: CONVERT's styles in both directions, and the rounding of each date type.

The styles are those of ``functions/cast-and-convert-transact-sql``, "Date and time styles".
"""

from __future__ import annotations

from core.interpreter.errors import Refused, sql_text
from core.tsql.types import SqlType, TypeName

N = TypeName

#: style -> strftime pattern of its date part (four-digit years; two-digit ones are style - 100).
_DATE_STYLES = {
    101: "%m/%d/%Y",
    102: "%Y.%m.%d",
    103: "%d/%m/%Y",
    104: "%d.%m.%Y",
    105: "%d-%m-%Y",
    106: "%d %b %Y",
    107: "%b %d, %Y",
    110: "%m-%d-%Y",
    111: "%Y/%m/%d",
    112: "%Y%m%d",
    23: "%Y-%m-%d",
}
_TIMES = ("", " %H:%M", " %H:%M:%S", " %H:%M:%S.%f", " %I:%M%p", " %I:%M:%S%p", " %I:%M %p")


def date_from_text(sql: str, style: int | None, is_try: bool, *, is_datetime: bool = False) -> str:
    """A TIMESTAMP read from text, in a style or in any unambiguous form.

    For a (small)datetime, text with the shape of a date that is none is error 242, not 241.
    """
    function = "ts_try_text_ts" if is_try else "ts_text_dt" if is_datetime else "ts_text_ts"
    pattern = _DATE_STYLES.get(style or 0)
    short = _DATE_STYLES.get((style or 0) + 100) if style and style < 15 else None
    if style in (0, None, 100, 9, 109, 20, 21, 25, 120, 121, 126, 127, 112, 23, 101, 1, 110, 10):
        return f"{function}({sql})"
    if pattern is None and short is None:
        raise Refused("CONVERT style", f"style {style} is not supported for text to dates")
    day_first = pattern or (short or "").replace("%Y", "%y")
    formats = ", ".join(f"'{day_first}{time}'" for time in _TIMES)
    parsed = f"try_strptime(ts_clean({sql}), [{formats}])"
    if short:
        parsed = f"ts_pivot({parsed})"
    # A style that does not fit may still be an unambiguous date (yyyymmdd, ISO with T).
    iso = f"CASE WHEN regexp_matches({sql}, '^ *[0-9]{{4}}') THEN ts_try_text_ts({sql}) END"
    if style in (102, 111, 11, 2):
        value = f"coalesce({parsed}, ts_try_text_ts({sql}))"
    else:
        value = f"coalesce({parsed}, {iso})"
    return value if is_try else f"ts_or_bad_date({sql}, {value})"


def to_datetime(
    sql: str,
    target: SqlType,
    is_try: bool,
    *,
    source: SqlType | None = None,
    from_text: bool = False,
) -> str:
    """A TIMESTAMP (or TIME) as one of the date types, rounded as the type is."""
    name = target.name
    if name is N.DATE:
        return f"CAST({sql} AS DATE)"
    if name is N.DATETIME:
        if source is not None and source.name in (N.SMALLDATETIME, N.DATETIME):
            return sql
        return f"ts_try_datetime({sql})" if is_try else f"ts_datetime({sql})"
    if name is N.SMALLDATETIME:
        return f"ts_smalldatetime({sql})"
    digits = 7 if target.scale is None else target.scale
    finer = source is None or source.scale is None or source.scale > digits
    if source is not None and source.name in (N.SMALLDATETIME, N.DATE):
        finer = False
    if name is N.TIME:
        if source is not None and source.name is N.TIME:
            sql = f"(DATE '1900-01-01' + {sql})"
        return f"CAST({_rounded(sql, digits, finer)} AS TIME)"
    value = _rounded(sql, digits, finer)
    if name is N.DATETIMEOFFSET:
        return f"({value} AT TIME ZONE 'UTC')"
    return value


def _rounded(sql: str, digits: int, finer: bool) -> str:
    if digits >= 6 or not finer:
        return sql
    return f"ts_round_ts({sql}, {10 ** (6 - digits)})"


def date_to_text(sql: str, source: SqlType, style: int | None) -> str:
    """A date as text in a style; without one each type has its own."""
    if source.name is N.TIME:
        sql = f"(DATE '1900-01-01' + {sql})"
    elif source.name is N.DATETIMEOFFSET:
        sql = f"({sql} AT TIME ZONE 'UTC')"
    elif source.name is N.DATE:
        sql = f"CAST({sql} AS TIMESTAMP)"
    if style is None:
        style = 0 if source.name in (N.DATETIME, N.SMALLDATETIME) else 121
    return _styled(sql, source, style)


def _styled(sql: str, source: SqlType, style: int) -> str:
    if style in _DATE_STYLES:
        return _formatted(sql, _DATE_STYLES[style])
    if style + 100 in _DATE_STYLES and style < 15:
        return _formatted(sql, _DATE_STYLES[style + 100].replace("%Y", "%y"))
    if source.name is N.TIME and style in (20, 120, 21, 25, 121, 126):
        return _formatted(sql, "%H:%M:%S") + (_fraction(sql, source) if style != 120 else "")
    if source.name is N.DATE and style in (20, 120, 21, 25, 121, 126, 127):
        return _formatted(sql, "%Y-%m-%d")
    if style in (0, 100):
        return _default_style(sql, source)
    return _moment_style(sql, source, style)


def _default_style(sql: str, source: SqlType) -> str:
    """``Jan  5 2024 10:11AM``, as far as the type has these parts."""
    clock = f"ts_hour12({sql}) || strftime({sql}, ':%M%p')"
    if source.name is N.DATE:
        return _month_day(sql)
    return clock if source.name is N.TIME else f"{_month_day(sql)} || ' ' || {clock}"


def _moment_style(sql: str, source: SqlType, style: int) -> str:
    match style:
        case 9 | 109:
            clock = f"ts_hour12({sql}) || strftime({sql}, ':%M:%S')"
            fraction = _fraction(sql, source, ":" if source.scale is None else ".")
            return f"{_month_day(sql)} || ' ' || {clock}{fraction} || strftime({sql}, '%p')"
        case 8 | 108 | 24:
            return _formatted(sql, "%H:%M:%S")
        case 14 | 114:
            return _formatted(sql, "%H:%M:%S") + _fraction(
                sql, source, ":" if source.scale is None else "."
            )
        case 13 | 113:
            return _formatted(sql, "%d %b %Y %H:%M:%S") + _fraction(
                sql, source, ":" if source.scale is None else "."
            )
        case 22:
            return f"{_formatted(sql, '%m/%d/%y')} || ' ' || ts_hour12({sql}) || " + (
                _formatted(sql, ":%M:%S %p")
            )
        case 20 | 120:
            return _formatted(sql, "%Y-%m-%d %H:%M:%S")
        case 21 | 25 | 121:
            return _formatted(sql, "%Y-%m-%d %H:%M:%S") + _fraction(sql, source) + _zone(source)
        case 126:
            return _iso(sql, source) + _zone(source).replace(" ", "")
        case 127:
            return _iso(sql, source) + " || 'Z'" * (source.name is N.DATETIMEOFFSET)
        case 130 | 131:
            raise Refused("CONVERT style", "the Hijri calendar (styles 130, 131) is not supported")
    raise Refused("CONVERT style", f"style {style} is not supported for dates to text")


def _formatted(sql: str, pattern: str) -> str:
    return f"strftime({sql}, {sql_text(pattern)})"


def _month_day(sql: str) -> str:
    """``Jan  5 2024``: the day is padded with a blank."""
    return (
        f"strftime({sql}, '%b ') || lpad(strftime({sql}, '%-d'), 2, ' ') || strftime({sql}, ' %Y')"
    )


def _zone(source: SqlType) -> str:
    return " || ' +00:00'" if source.name is N.DATETIMEOFFSET else ""


def _fraction(sql: str, source: SqlType, separator: str = ".") -> str:
    """The fraction of a second with the digits of the type (3 for datetime)."""
    if source.name is N.SMALLDATETIME:
        return f" || '{separator}000'"
    digits = 3 if source.name is N.DATETIME else (7 if source.scale is None else source.scale)
    if digits == 0:
        return ""
    return f" || '{separator}' || left(strftime({sql}, '%f') || '0', {digits})"


def _iso(sql: str, source: SqlType) -> str:
    """ISO 8601: the fraction is left out when it is zero, for datetime."""
    head = _formatted(sql, "%Y-%m-%dT%H:%M:%S")
    if source.name in (N.DATETIME, N.SMALLDATETIME):
        return (
            f"{head} || CASE WHEN ts_us({sql}) % 1000000 = 0 THEN '' "
            f"ELSE '.' || left(strftime({sql}, '%f'), 3) END"
        )
    return head + _fraction(sql, source)
