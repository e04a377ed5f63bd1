"""CONVERT styles and FORMAT patterns in DuckDB.

Styles: ``functions/cast-and-convert-transact-sql``, "Date and time styles", "money styles",
"binary styles". Patterns: ``functions/format-transact-sql`` and .NET's custom format strings, which
it refers to.
"""

from __future__ import annotations

import re

from sqlglot import exp

from core.tsql.meaning import sql
from core.tsql.types import SqlType, TypeName

_DEFAULT_STYLES = {
    TypeName.DATE: 23,
    TypeName.TIME: 114,
    TypeName.DATETIME2: 121,
    TypeName.DATETIMEOFFSET: 121,
    TypeName.DATETIME: 0,
    TypeName.SMALLDATETIME: 0,
}

_DATE_STYLES = {
    1: "%m/%d/%y",
    2: "%y.%m.%d",
    3: "%d/%m/%y",
    4: "%d.%m.%y",
    5: "%d-%m-%y",
    6: "%d %b %y",
    7: "%b %d, %y",
    10: "%m-%d-%y",
    11: "%y/%m/%d",
    12: "%y%m%d",
    23: "%Y-%m-%d",
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
}
_TIME_STYLES = {8: "%H:%M:%S", 24: "%H:%M:%S", 108: "%H:%M:%S"}
# {f} is the fraction with its point, {c} the fraction behind a colon.
_MOMENT_STYLES = {
    20: "%Y-%m-%d %H:%M:%S",
    120: "%Y-%m-%d %H:%M:%S",
    21: "%Y-%m-%d %H:%M:%S{f}",
    25: "%Y-%m-%d %H:%M:%S{f}",
    121: "%Y-%m-%d %H:%M:%S{f}",
    126: "%Y-%m-%dT%H:%M:%S{f}",
    13: "%d %b %Y %H:%M:%S{c}",
    113: "%d %b %Y %H:%M:%S{c}",
    14: "%H:%M:%S{c}",
    114: "%H:%M:%S{c}",
}
KNOWN_STYLES = frozenset({0, 9, 100, 109, *_DATE_STYLES, *_TIME_STYLES, *_MOMENT_STYLES})


def fraction_digits(type_: SqlType) -> int:
    """How many fraction digits a type's text shows by default."""
    if type_.name is TypeName.DATETIME:
        return 3
    return (type_.scale or 0) if type_.name is not TypeName.SMALLDATETIME else 0


def moment_text(value: exp.Expr, type_: SqlType, style: int | None) -> exp.Expr | None:
    """A date or time as text in a CONVERT style (None: the type's default); None if unknown."""
    if style is None:
        style = _DEFAULT_STYLES[type_.name]
    if style in (0, 100, 9, 109):
        return _month_day_text(value, type_, long=style in (9, 109))
    if style in _DATE_STYLES and type_.name is not TypeName.TIME:
        return strftime(value, _DATE_STYLES[style])
    if style in _TIME_STYLES:
        return None if type_.name is TypeName.DATE else _time_text(value, type_, "%H:%M:%S")
    if style not in _MOMENT_STYLES:
        return None
    pattern = _MOMENT_STYLES[style]
    if type_.name is TypeName.DATE:
        pattern = pattern.split(" %H")[0].split("T%H")[0]
        return None if pattern.startswith("%H") else strftime(value, pattern)
    if type_.name is TypeName.TIME:
        pattern = pattern[pattern.index("%H") :].replace("{c}", "{f}")
        return _time_text(value, type_, pattern)
    if style == 126 and type_.name is TypeName.DATETIME:
        # Style 126 leaves out a fraction of zero for datetime.
        whole = strftime(value, pattern.replace("{f}", ""))
        with_fraction = strftime(value, pattern.replace("{f}", ".%g"))
        zero = sql.eq(sql.mod(sql.fn("microsecond", value.copy()), 1_000_000), 0)
        return sql.case((zero, whole), default=with_fraction)
    return _with_fraction(value, type_, pattern)


def strftime(value: exp.Expr, pattern: str) -> exp.Expr:
    """``strftime(value, 'pattern')``."""
    return sql.fn("strftime", value.copy(), pattern)


def _with_fraction(value: exp.Expr, type_: SqlType, pattern: str) -> exp.Expr:
    digits = fraction_digits(type_)
    if "{f}" not in pattern and "{c}" not in pattern:
        return strftime(value, pattern)
    mark = "." if "{f}" in pattern else ":"
    stem = pattern.replace("{f}", "").replace("{c}", "")
    if digits == 0:
        return strftime(value, stem)
    if digits == 3:
        return strftime(value, f"{stem}{mark}%g")
    full = strftime(value, f"{stem}{mark}%f")
    if digits == 6:
        return full
    if digits == 7:
        # DuckDB keeps microseconds: the seventh digit of datetime2(7) is always 0 there.
        return sql.concat(full, "0")
    return sql.fn("left", full, 20 + digits - (0 if stem.startswith("%Y") else 11))


def _time_text(value: exp.Expr, type_: SqlType, pattern: str) -> exp.Expr:
    """strftime knows no TIME: on a fixed day it prints the same."""
    if type_.name is TypeName.TIME:
        value = sql.add(sql.cast(sql.text("1900-01-01"), "DATE"), value.copy())
    return _with_fraction(value, type_, pattern)


def _month_day_text(value: exp.Expr, type_: SqlType, *, long: bool) -> exp.Expr | None:
    """``Jan  5 2024 10:11AM``: day and hour are padded with a blank to two places."""
    pad = sql.fn("lpad", strftime(value, "%-d"), 2, " ")
    day = sql.concat(strftime(value, "%b "), pad, strftime(value, " %Y"))
    if type_.name is TypeName.DATE:
        return day
    if type_.name is TypeName.TIME:
        return None
    hour = sql.fn("lpad", strftime(value, "%-I"), 2, " ")
    digits = fraction_digits(type_)
    if not long:
        clock = strftime(value, ":%M%p")
    elif digits in (0, 3):
        clock = strftime(value, ":%M:%S:%g%p" if digits else ":%M:%S%p")
    else:
        return None
    return sql.concat(day, " ", hour, clock)


_TOKEN = re.compile(
    r"yyyy|yy|MMMM|MMM|MM|M|dddd|ddd|dd|d|HH|H|hh|h|mm|m|ss|s|f{1,6}|tt|'[^']*'|\\.|%|[^a-zA-Z%'\\]+"
)
_TOKENS = {
    "yyyy": "%Y",
    "yy": "%y",
    "MMMM": "%B",
    "MMM": "%b",
    "MM": "%m",
    "M": "%-m",
    "dddd": "%A",
    "ddd": "%a",
    "dd": "%d",
    "d": "%-d",
    "HH": "%H",
    "H": "%-H",
    "hh": "%I",
    "h": "%-I",
    "mm": "%M",
    "m": "%-M",
    "ss": "%S",
    "s": "%-S",
    "fff": "%g",
    "ffffff": "%f",
    "tt": "%p",
}
_STANDARD_PATTERNS = {
    "d": "M/d/yyyy",
    "D": "dddd, MMMM d, yyyy",
    "g": "M/d/yyyy h:mm tt",
    "G": "M/d/yyyy h:mm:ss tt",
    "t": "h:mm tt",
    "T": "h:mm:ss tt",
    "s": "yyyy-MM-dd'T'HH:mm:ss",
    "u": "yyyy-MM-dd HH:mm:ss'Z'",
    "f": "dddd, MMMM d, yyyy h:mm tt",
    "F": "dddd, MMMM d, yyyy h:mm:ss tt",
    "M": "MMMM d",
    "m": "MMMM d",
    "Y": "MMMM yyyy",
    "y": "MMMM yyyy",
}


def format_pattern(pattern: str) -> str | None:
    """A FORMAT pattern for dates (culture en-US) as a strftime pattern; None if not expressible."""
    if len(pattern) == 1:
        standard = _STANDARD_PATTERNS.get(pattern)
        if standard is None:
            return None
        pattern = standard
    result: list[str] = []
    position = 0
    while position < len(pattern):
        match = _TOKEN.match(pattern, position)
        if match is None:
            return None
        token = match[0]
        position = match.end()
        if token in _TOKENS:
            result.append(_TOKENS[token])
        elif token.startswith("'"):
            result.append(token[1:-1].replace("%", "%%"))
        elif token.startswith("\\"):
            result.append(token[1].replace("%", "%%"))
        elif token == "%":
            continue
        elif token[0].isalpha():
            return None
        else:
            result.append(token)
    return "".join(result)


def number_format(pattern: str) -> tuple[str, int] | None:
    """A FORMAT pattern for numbers: (kind, decimals), kind of ``N F C P D 0``; None if unknown.

    ``0`` are custom patterns ``0``, ``0.00``, ``#,##0.00``, with kind ``,0`` when grouped.
    """
    if match := re.fullmatch(r"([nNfFcCpP])(\d?)", pattern):
        kind = match[1].upper()
        return kind, int(match[2]) if match[2] else 2
    if match := re.fullmatch(r"[dD](\d{1,2})", pattern):
        return "D", int(match[1])
    if match := re.fullmatch(r"(#,##0|0)(?:\.(0+))?", pattern):
        return (",0" if "," in match[1] else "0"), len(match[2] or "")
    if re.fullmatch(r"0+", pattern):
        return "D", len(pattern)
    return None
