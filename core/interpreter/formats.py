""".NET format strings of FORMAT, in the en-US culture (``functions/format-transact-sql``)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from sqlglot import exp

from core.interpreter.casts import convert
from core.interpreter.errors import Refused, sql_text
from core.tsql import types as t
from core.tsql.types import SqlType
from core.tsql.typing import line_of, type_of

if TYPE_CHECKING:
    from core.interpreter.expressions import ExpressionEmitter

_DATE_TOKEN = re.compile(r"d+|M+|y+|H+|h+|m+|s+|f+|F+|t+|g+|'[^']*'|\"[^\"]*\"|\\.|%|.", re.DOTALL)
_DATE_PIECES = {
    "d": "%-d",
    "dd": "%d",
    "ddd": "%a",
    "dddd": "%A",
    "M": "%-m",
    "MM": "%m",
    "MMM": "%b",
    "MMMM": "%B",
    "yy": "%y",
    "yyyy": "%Y",
    "yyy": "%Y",
    "H": "%-H",
    "HH": "%H",
    "h": "%-I",
    "hh": "%I",
    "m": "%-M",
    "mm": "%M",
    "s": "%-S",
    "ss": "%S",
    "tt": "%p",
}
_STANDARD_DATES = {
    "d": "M/d/yyyy",
    "D": "dddd, MMMM d, yyyy",
    "f": "dddd, MMMM d, yyyy h:mm tt",
    "F": "dddd, MMMM d, yyyy h:mm:ss tt",
    "g": "M/d/yyyy h:mm tt",
    "G": "M/d/yyyy h:mm:ss tt",
    "m": "MMMM d",
    "M": "MMMM d",
    "y": "MMMM yyyy",
    "Y": "MMMM yyyy",
    "t": "h:mm tt",
    "T": "h:mm:ss tt",
    "s": "yyyy-MM-ddTHH:mm:ss",
    "u": "yyyy-MM-dd HH:mm:ssZ",
    "o": "yyyy-MM-ddTHH:mm:ss.fffffff",
    "O": "yyyy-MM-ddTHH:mm:ss.fffffff",
    "R": "ddd, dd MMM yyyy HH:mm:ss GMT",
}


def format_value(emitter: ExpressionEmitter, node: exp.Expr) -> str:
    """``FORMAT(value, 'pattern' [, 'en-US'])``; the pattern must be a literal."""
    value, pattern, *culture = node.expressions
    if culture and not (
        isinstance(culture[0], exp.Literal | exp.National)
        and culture[0].name.lower() in ("en-us", "en")
    ):
        raise Refused(
            "FORMAT", "FORMAT in a culture other than en-US is not supported", line_of(node)
        )
    if not isinstance(pattern, exp.Literal | exp.National):
        raise Refused("FORMAT", "FORMAT needs a literal pattern", line_of(node))
    type_ = type_of(value)
    sql = emitter.value(value)
    if type_.is_datetime:
        return _date(convert(sql, type_, t.DATETIME2), pattern.name, line_of(node))
    if type_.is_numeric:
        return _number(sql, type_, pattern.name, line_of(node))
    raise Refused("FORMAT", f"FORMAT of {type_} is not allowed", line_of(node))


def _date(sql: str, pattern: str, line: int) -> str:
    pattern = _STANDARD_DATES.get(pattern, pattern)
    pieces: list[str] = []
    constant = ""
    for token in _DATE_TOKEN.findall(pattern):
        if token == "%":
            continue
        if token[0] in "'\"":
            constant += token[1:-1].replace("%", "%%")
        elif token[0] == "\\":
            constant += token[1:].replace("%", "%%")
        elif token[0] in "fF":
            if constant:
                pieces.append(f"strftime({sql}, {sql_text(constant)})")
                constant = ""
            pieces.append(f"left(strftime({sql}, '%f') || '0', {len(token)})")
        elif token == "t":
            if constant:
                pieces.append(f"strftime({sql}, {sql_text(constant)})")
                constant = ""
            pieces.append(f"left(strftime({sql}, '%p'), 1)")
        elif token in _DATE_PIECES:
            constant += _DATE_PIECES[token]
        elif token[0] in "dMyHhmst" and len(token) > 2:
            raise Refused("FORMAT", f"the date pattern {token} is not supported", line)
        else:
            constant += token
    if constant:
        pieces.append(f"strftime({sql}, {sql_text(constant)})")
    return "(" + " || ".join(pieces or [f"strftime({sql}, '')"]) + ")"


_STANDARD_NUMBER = re.compile(r"([NnFfPpDdCcGgXxEe])(\d*)")
_PICTURE = re.compile(r"[#0]+(?:[-/ ()]+[#0]+)+")
_CUSTOM = re.compile(r"(?P<head>[^0#.,%]*)(?P<body>[0#,]*(?:\.[0#]+)?)(?P<tail>[^0#.,]*)")


def _number(sql: str, type_: SqlType, pattern: str, line: int) -> str:
    standard = _STANDARD_NUMBER.fullmatch(pattern)
    if standard:
        return _standard_number(sql, type_, standard[1].upper(), standard[2], line)
    if _PICTURE.fullmatch(pattern) and not _CUSTOM.fullmatch(pattern):
        return _picture(_exact(sql, type_), pattern)
    custom = _CUSTOM.fullmatch(pattern)
    if custom is None or not custom["body"]:
        raise Refused("FORMAT", f"the number pattern {pattern!r} is not supported", line)
    percent = "%" in custom["tail"]
    value = f"({_exact(sql, type_)} * 100)" if percent else _exact(sql, type_)
    whole, _, fraction = custom["body"].partition(".")
    least = whole.count("0")
    digits = len(fraction)
    text = _fixed(value, digits, grouped="," in whole)
    if fraction.endswith("#"):
        kept = fraction.rstrip("#").count("0")
        text = f"regexp_replace({text}, '(\\.[0-9]{{{kept}}}[0-9]*?)0+$', '\\1')"
        text = f"rtrim({text}, '.')"
    if least > 1:
        width = least + (digits + 1 if digits else 0)
        text = (
            f"CASE WHEN {value} < 0 THEN '-' || ts_pad(ltrim({text}, '-'), {width}) "
            f"ELSE ts_pad({text}, {width}) END"
        )
    if least == 0:
        text = f"regexp_replace({text}, '^(-?)0(\\.|$)', '\\1\\2')"
    head, tail = custom["head"].replace("\\", ""), custom["tail"].replace("\\", "")
    parts = [sql_text(head)] if head else []
    parts.append(f"({text})")
    if tail:
        parts.append(sql_text(tail))
    return "(" + " || ".join(parts) + ")"


def _picture(value: str, pattern: str) -> str:
    """``###-##-####``: digits from the right into the places, constants in between.

    Digits that have no place stand before the first one; ``#`` without a digit is nothing.
    """
    places = [i for i, c in enumerate(pattern) if c in "#0"]
    zeros = [i for i, c in enumerate(pattern) if c == "0"]
    count = len(places)
    digits = f"CAST(CAST(abs(round({value}, 0)) AS DECIMAL(38, 0)) AS VARCHAR)"
    if zeros:
        digits = f"ts_pad({digits}, {count - places.index(zeros[0])})"
    padded = f"lpad({digits}, CAST(greatest({count}, length({digits})) AS INTEGER), chr(1))"
    parts = [f"CASE WHEN {value} < 0 THEN '-' ELSE '' END"]
    for index, char in enumerate(pattern):
        if index not in places:
            parts.append(sql_text(char))
            continue
        behind = count - places.index(index)
        if index == places[0]:
            parts.append(f"left({padded}, -{behind - 1})" if behind > 1 else padded)
        else:
            parts.append(f"left(right({padded}, {behind}), 1)")
    return f"replace({' || '.join(parts)}, chr(1), '')"


def _exact(sql: str, type_: SqlType) -> str:
    return f"CAST({sql} AS DECIMAL(38, 10))" if not type_.is_approximate else f"({sql})"


def _fixed(value: str, digits: int, *, grouped: bool) -> str:
    """Rounded half away from zero to `digits`, with thousands separators when `grouped`."""
    rounded = f"CAST(CAST(round({value}, {digits}) AS DECIMAL(28, {digits})) AS VARCHAR)"
    if not grouped:
        return rounded
    whole = f"split_part({rounded}, '.', 1)"
    groups = (
        f"regexp_replace(reverse(regexp_replace(reverse({whole}), '([0-9]{{3}})', '\\1,', 'g')), "
        "'^(-?),', '\\1')"
    )
    return f"{groups} || '.' || split_part({rounded}, '.', 2)" if digits else groups


def _standard_number(sql: str, type_: SqlType, letter: str, precision: str, line: int) -> str:
    digits = int(precision) if precision else 2
    value = _exact(sql, type_)
    if letter == "N":
        return _fixed(value, digits, grouped=True)
    if letter == "F":
        return _fixed(value, digits, grouped=False)
    if letter == "P":
        return f"({_fixed(f'({value} * 100)', digits, grouped=True)} || '%')"
    if letter == "C":
        amount = _fixed(f"abs({value})", digits, grouped=True)
        return f"(CASE WHEN {value} < 0 THEN '-$' || {amount} ELSE '$' || {amount} END)"
    if letter == "D" and type_.is_integer:
        width = int(precision) if precision else 1
        return (
            f"(CASE WHEN {sql} < 0 THEN '-' ELSE '' END || "
            f"ts_pad(CAST(abs({sql}) AS VARCHAR), {width}))"
        )
    if letter == "X" and type_.is_integer:
        return f"ts_pad(printf('%X', {sql}), {precision or 1})"
    if letter == "G" and not precision:
        return f"CAST({sql} AS VARCHAR)"
    raise Refused("FORMAT", f"the number format {letter}{precision} is not supported", line)
