"""Texts of a column as moments in DuckDB: what is read, what fails, what is no moment.

SQL Server reads dates in more spellings than any list of formats has
(``data-types/date-transact-sql``, ``data-types/datetime-transact-sql``: supported string literal
formats, us_english). So three kinds of text are told apart: those of a format listed here, those
that are a moment in no spelling, and the rest, for which the query fails instead of guessing.
Years have four digits here: DuckDB takes ``1/5/24`` for the year 24, and puts the years 50 to 68
into another century than SQL Server does.
"""

from __future__ import annotations

import re

from sqlglot import exp

from core.tsql.meaning import sql

FAILED = "Conversion failed"
UNKNOWN_SPELLING = "Conversion failed: a date in a spelling that is not supported"

_DATES = (
    "%Y-%m-%d",
    "%Y%m%d",
    "%m/%d/%Y",
    "%Y/%m/%d",
    "%m-%d-%Y",
    "%m.%d.%Y",
    "%Y.%m.%d",
    "%d %b %Y",
    "%d-%b-%Y",
    "%b %d %Y",
    "%b %d, %Y",
    "%d %B %Y",
    "%B %d, %Y",
    "%B %d %Y",
)
_MOMENTS = (
    "%Y-%m-%d %H:%M:%S",
    "%Y-%m-%d %H:%M:%S.%n",
    "%Y-%m-%dT%H:%M:%S",
    "%Y-%m-%dT%H:%M:%S.%n",
    "%Y-%m-%d %H:%M",
    "%Y%m%d %H:%M:%S",
    "%Y/%m/%d %H:%M:%S",
    "%m/%d/%Y %H:%M",
    "%m/%d/%Y %H:%M:%S",
    "%m/%d/%Y %I:%M %p",
    "%m/%d/%Y %I:%M:%S %p",
    "%b %d %Y %I:%M%p",
    *_DATES,
)
_STYLES = {
    101: ("%m/%d/%Y", "%m-%d-%Y", "%m.%d.%Y"),
    102: ("%Y.%m.%d", "%Y-%m-%d", "%Y/%m/%d", "%Y%m%d"),
    103: ("%d/%m/%Y", "%d-%m-%Y", "%d.%m.%Y"),
    104: ("%d.%m.%Y", "%d/%m/%Y", "%d-%m-%Y"),
    105: ("%d-%m-%Y", "%d/%m/%Y", "%d.%m.%Y"),
    106: ("%d %b %Y",),
    107: ("%b %d, %Y",),
    110: ("%m-%d-%Y", "%m/%d/%Y"),
    111: ("%Y/%m/%d", "%Y-%m-%d", "%Y%m%d"),
    112: ("%Y%m%d",),
    120: ("%Y-%m-%d %H:%M:%S", "%Y-%m-%d", "%Y%m%d"),
    121: ("%Y-%m-%d %H:%M:%S.%n", "%Y-%m-%d %H:%M:%S", "%Y-%m-%d", "%Y%m%d"),
    23: ("%Y-%m-%d",),
    126: ("%Y-%m-%dT%H:%M:%S.%n", "%Y-%m-%dT%H:%M:%S"),
}

# A year of four digits, alone or at the head of yyyymmdd.
_FULL_YEAR = r"(^|\D)\d{4}(\D|$)|^\s*\d{8}(\D|$)"
# What could be a moment in some spelling: three numbers, a month's name, a time, a bare number.
_MAYBE = (
    r"(?i)\d\s*[-/.]\s*\d+\s*[-/.]\s*\d|\d:\d|\d\s*[ap]m\b|^\s*(\d{4}|\d{6}|\d{8})\s*$"
    r"|\d.*(jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)"
    r"|(jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec).*\d"
)


def formats_of(style: int | None) -> tuple[str, ...] | None:
    """The formats of a CONVERT style, or those without one; None for an unknown style."""
    return _MOMENTS if style is None else _STYLES.get(style)


def parsed_moment(tree: exp.Expr, formats: tuple[str, ...], *, safe: bool) -> exp.Expr:
    """``strptime`` with the formats; to be put behind `guarded`."""
    listed = exp.Array(expressions=[sql.text(pattern) for pattern in formats])
    return sql.fn("try_strptime" if safe else "strptime", sql.fn("trim", tree.copy()), listed)


_SHAPES = {
    "%Y": r"\d{4}",
    **dict.fromkeys(("%m", "%d", "%H", "%I", "%M", "%S"), r"\d{1,2}"),
    "%n": r"\d{1,9}",
    "%b": "[A-Za-z]{3}",
    "%B": "[A-Za-z]{3,9}",
    "%p": "[AaPp][Mm]",
}


def _shape(formats: tuple[str, ...]) -> str:
    """What texts of these formats look like, whether or not their numbers make a moment."""
    shapes = []
    for pattern in formats:
        parts = re.findall(r"%.|.", pattern)
        shape = "".join(_SHAPES.get(p) or re.escape(p).replace("\\ ", " +") for p in parts)
        shapes.append(shape.replace(r"\d{4}\d{1,2}\d{1,2}", r"\d{8}"))
    return rf"\s*({'|'.join(dict.fromkeys(shapes))})\s*"


def guarded(
    tree: exp.Expr, moment: exp.Expr, epoch: exp.Expr, formats: tuple[str, ...], *, safe: bool
) -> exp.Expr:
    """`moment` for texts that look like the formats, `epoch` for blank ones; else failure or NULL.

    A text of another look that could be a moment to SQL Server fails even when `safe`: NULL would
    be a guess.
    """
    if safe:
        known = sql.fn("regexp_full_match", tree.copy(), _shape(formats))
    else:
        known = sql.fn("regexp_matches", tree.copy(), _FULL_YEAR)
    branches = [(sql.eq(sql.fn("trim", tree.copy()), ""), epoch), (known, moment)]
    if safe:
        maybe = sql.fn("regexp_matches", tree.copy(), _MAYBE)
        branches.append((maybe, sql.raise_error(UNKNOWN_SPELLING)))
    else:
        given = exp.Not(this=sql.is_null(tree.copy()))
        branches.append((given, sql.raise_error(FAILED)))
    return sql.case(*branches)
