"""Conversions between T-SQL types, written in DuckDB SQL.

`convert` takes SQL text of a value kept as `duckdb_storage(source)` and gives SQL text of a value
kept as `duckdb_storage(target)`. The rules are those of
``functions/cast-and-convert-transact-sql`` (truncation, rounding, styles) and of
``data-types/data-type-conversion-database-engine``.
"""

from __future__ import annotations

from enum import Enum

from core.interpreter.casts_dates import (
    date_from_text,
    date_to_text,
    to_datetime,
)
from core.interpreter.errors import Refused, SqlError, raising, sql_text
from core.interpreter.naming import once
from core.tsql import types as t
from core.tsql.types import SqlType, TypeName, duckdb_storage

N = TypeName


class Mode(Enum):
    """Why a value is converted.

    IMPLICIT: an operand, a variable or a parameter (text is cut without a word). EXPLICIT: CAST and
    CONVERT. TRY: TRY_CAST and TRY_CONVERT (NULL for an error). ASSIGN: into a column of a table
    (text too long is error 2628).
    """

    IMPLICIT = "implicit"
    EXPLICIT = "explicit"
    TRY = "try"
    ASSIGN = "assign"


def convert(
    sql: str,
    source: SqlType,
    target: SqlType,
    mode: Mode = Mode.IMPLICIT,
    style: int | None = None,
    place: str = "",
) -> str:
    """SQL text of the value as `target`; `place` names table and column for error 2628.

    Raises `Refused` for conversions SQL Server allows and this does not know.
    """
    if source.is_null or sql == "NULL":
        return f"CAST(NULL AS {duckdb_storage(target)})"
    if source == target and not (mode is Mode.ASSIGN and target.is_string):
        return sql
    return once(sql, lambda value: _converted(value, source, target, mode, style, place))


def _converted(
    sql: str, source: SqlType, target: SqlType, mode: Mode, style: int | None, place: str
) -> str:
    if target.name is N.XML and (source.is_numeric or source.is_datetime):
        # functions/try-convert-transact-sql, example B: not allowed, not even tried.
        raise SqlError(
            529, f"Explicit conversion from data type {source} to {target} is not allowed."
        )
    if target.name is N.SQL_VARIANT and not source.is_string and source.name is not N.SQL_VARIANT:
        # It would be kept as text, and compare, add and come back as text.
        raise Refused("sql_variant", f"a sql_variant that holds a {source.name} is not supported")
    if target.is_string or target.name in (N.XML, N.SQL_VARIANT):
        return _to_text(sql, source, target, mode, style, place)
    if target.is_datetime:
        return _to_date(sql, source, target, mode, style)
    if target.is_numeric:
        return _to_number(sql, source, target, mode)
    if target.is_binary:
        return _to_binary(sql, source, target, mode, style)
    if target.name is N.UNIQUEIDENTIFIER:
        return _to_uuid(sql, source, mode)
    if target.is_null:
        return sql
    raise Refused("conversion", f"{source} to {target} is not supported")


# --- text -------------------------------------------------------------------------------------


def _to_text(
    sql: str, source: SqlType, target: SqlType, mode: Mode, style: int | None, place: str
) -> str:
    if source.is_string or source.name in (N.XML, N.SQL_VARIANT):
        text = sql
    elif source.is_numeric:
        text = _number_text(sql, source, style)
    elif source.is_datetime:
        text = date_to_text(sql, source, style)
    elif source.name is N.UNIQUEIDENTIFIER:
        text = f"upper(CAST({sql} AS VARCHAR))"
    elif source.is_binary:
        text = _binary_text(sql, style, target)
    else:
        raise Refused("conversion", f"{source} to {target} is not supported")
    return _fit(text, source, target, mode, place)


def _fit(text: str, source: SqlType, target: SqlType, mode: Mode, place: str) -> str:
    """Cut, padded or refused: text in a type of n characters."""
    length = target.length
    if length is None or length == t.MAX:
        return text
    return once(text, lambda value: _fit_to(value, length, source, target, mode, place))


def _fit_to(
    text: str, length: int, source: SqlType, target: SqlType, mode: Mode, place: str
) -> str:
    fixed = target.name in t.FIXED_STRINGS
    if source.is_string:
        shorter = source.length not in (None, t.MAX) and (source.length or 0) <= length
        if not shorter:
            text = _cut(text, length, mode, place)
    elif source.is_numeric and (source.length or 0) == 0:
        text = _number_fit(text, source, target, mode)
    elif mode is Mode.ASSIGN:
        text = _cut(text, length, mode, place)
    else:
        text = f"left({text}, {length})"
    return f"rpad({text}, {length}, ' ')" if fixed else text


def _cut(text: str, length: int, mode: Mode, place: str) -> str:
    if mode is not Mode.ASSIGN:
        return f"left({text}, {length})"
    head = f"~2628~String or binary data would be truncated in {place}. Truncated value: '"
    error = f"error({sql_text(head)} || left({text}, {length}) || {sql_text(chr(39) + '.')})"
    return (
        f"CASE WHEN length({text}) > {length} AND length(rtrim({text}, ' ')) > {length} "
        f"THEN {error} ELSE left({text}, {length}) END"
    )


def _number_fit(text: str, source: SqlType, target: SqlType, mode: Mode) -> str:
    """A number that does not fit: ``*`` for small integers to (var)char, an error otherwise."""
    length = target.length or 30
    longest = {N.BIT: 1, N.TINYINT: 3, N.SMALLINT: 6, N.INT: 11, N.BIGINT: 20}.get(source.name, 45)
    if longest <= length:
        return text
    star = source.name in (N.TINYINT, N.SMALLINT, N.INT) and not target.is_unicode
    if star:
        otherwise = "'*'"
    elif mode is Mode.TRY:
        otherwise = "NULL"
    else:
        shown = "numeric" if source.is_decimal else str(source.name)
        if source.is_integer:
            shown = "expression"
        message = f"Arithmetic overflow error converting {shown} to data type {target.name}."
        otherwise = raising(8115, message)
    return f"CASE WHEN length({text}) > {length} THEN {otherwise} ELSE {text} END"


def _number_text(sql: str, source: SqlType, style: int | None) -> str:
    if source.is_money:
        return _money_text(sql, style)
    if source.is_approximate:
        return _float_text(sql, source, style)
    return f"CAST({sql} AS VARCHAR)"


def _money_text(sql: str, style: int | None) -> str:
    if style in (2, 126):
        return f"CAST(CAST({sql} AS DECIMAL(19, 4)) AS VARCHAR)"
    cents = f"CAST(CAST({sql} AS DECIMAL(19, 2)) AS VARCHAR)"
    if style != 1:
        return cents
    return (
        f"regexp_replace(reverse(regexp_replace(reverse(split_part({cents}, '.', 1)), "
        r"'([0-9]{3})', '\1,', 'g')), '^(-?),', '\1')"
        f" || '.' || split_part({cents}, '.', 2)"
    )


def _float_text(sql: str, source: SqlType, style: int | None) -> str:
    """Style 0: at most 6 digits, scientific where that needs it; 1: 8 digits; 2: 16 digits."""
    if style in (1, 2, 3):
        digits = {1: 7, 2: 15, 3: 16}[style]
        return rf"regexp_replace(printf('%.{digits}e', {sql}), 'e([+-])([0-9]{{2}})$', 'e\10\2')"
    general = f"printf('%.6g', {sql}::DOUBLE)"
    return rf"regexp_replace({general}, 'e([+-])([0-9]{{2}})$', 'e\10\2')"


def _binary_text(sql: str, style: int | None, target: SqlType) -> str:
    if style == 1:
        return f"'0x' || upper(hex({sql}))"
    if style == 2:
        return f"upper(hex({sql}))"
    if target.is_unicode:
        return (
            f"coalesce(list_aggregate(list_transform(range(0, octet_length({sql}) // 2), "
            f"lambda i: chr((('0x' || substring(hex({sql}), i * 4 + 3, 2) || "
            f"substring(hex({sql}), i * 4 + 1, 2))::INTEGER))), 'string_agg', ''), '')"
        )
    return f"decode({sql})"


# --- numbers ----------------------------------------------------------------------------------


def _to_number(sql: str, source: SqlType, target: SqlType, mode: Mode) -> str:
    if source.is_string or source.name is N.SQL_VARIANT:
        return _text_to_number(sql, source, target, mode)
    if source.is_datetime:
        return _date_to_number(sql, source, target, mode)
    if source.is_binary:
        if not target.is_integer:
            raise Refused("conversion", f"{source} to {target} is not supported")
        return _guarded(f"CAST('0x' || hex({sql}) AS BIGINT)", t.BIGINT, target, mode)
    if not source.is_numeric:
        raise Refused("conversion", f"{source} to {target} is not supported")
    if target.name is N.BIT:
        return f"CAST(CASE WHEN {sql} <> 0 THEN 1 WHEN {sql} = 0 THEN 0 END AS UTINYINT)"
    return _guarded(sql, source, target, mode)


def _guarded(sql: str, source: SqlType, target: SqlType, mode: Mode) -> str:
    """A number as another kind of number, with the server's overflow error."""
    storage = duckdb_storage(target)
    value = sql
    if target.is_integer and not source.is_integer:
        # Truncation, except for money, which rounds (functions/cast-and-convert, table).
        value = f"round({sql}, 0)" if source.is_money else f"trunc({sql})"
    elif source.is_approximate and (target.is_decimal or target.is_money):
        value = f"round({sql}, {target.scale if target.is_decimal else 4})"
    if _never_overflows(source, target):
        return f"CAST({value} AS {storage})"
    if mode is Mode.TRY:
        return f"TRY_CAST({value} AS {storage})"
    return (
        f"CASE WHEN {sql} IS NOT NULL AND TRY_CAST({value} AS {storage}) IS NULL "
        f"THEN {_overflow(sql, source, target)} ELSE TRY_CAST({value} AS {storage}) END"
    )


def _never_overflows(source: SqlType, target: SqlType) -> bool:
    if target.is_approximate:
        return source.name is not N.FLOAT or target.name is N.FLOAT
    if source.is_approximate:
        return False
    if source.is_integer and target.is_integer:
        order = (N.BIT, N.TINYINT, N.SMALLINT, N.INT, N.BIGINT)
        return order.index(source.name) <= order.index(target.name)
    a, b = t.as_decimal(source), t.as_decimal(target)
    if target.is_integer:
        return (a.precision or 38) - (a.scale or 0) < (b.precision or 0)
    # One digit of room: rounding may carry.
    carry = 1 if (a.scale or 0) > (b.scale or 0) else 0
    return (a.precision or 38) - (a.scale or 0) + carry <= (b.precision or 0) - (b.scale or 0)


def _overflow(sql: str, source: SqlType, target: SqlType) -> str:
    if target.name in (N.TINYINT, N.SMALLINT) and source.is_integer:
        head = f"~220~Arithmetic overflow error for data type {target.name}, value = "
        return f"error({sql_text(head)} || CAST({sql} AS VARCHAR) || '.')"
    if target.is_integer and source.is_approximate:
        head = f"~232~Arithmetic overflow error for type {target.name}, value = "
        return f"error({sql_text(head)} || printf('%.6f', {sql}::DOUBLE) || '.')"
    shown = "numeric" if source.is_decimal else str(source.name)
    goal = "numeric" if target.is_decimal else str(target.name)
    if target.is_integer or target.is_money:
        shown = "expression"
    return raising(8115, f"Arithmetic overflow error converting {shown} to data type {goal}.")


def _text_to_number(sql: str, source: SqlType, target: SqlType, mode: Mode) -> str:
    kind = str(source.name) if source.is_string else "varchar"
    prefix = "ts_try_text_" if mode is Mode.TRY else "ts_text_"
    if target.is_integer:
        named = f", k := '{kind}'" if kind != "varchar" and mode is not Mode.TRY else ""
        return f"{prefix}{target.name}({sql}{named})"
    trimmed = f"trim({sql}, ' ')"
    if target.is_money:
        shape = r"[+-]?[$€£]? *[+-]?([0-9][0-9,]*\.?[0-9]*|\.[0-9]+)"
        trimmed = f"regexp_replace({trimmed}, '[$€£, ]', '', 'g')"
        empty, number = "0", 235
        message = "Cannot convert a char value to money. The char value has incorrect syntax."
    elif target.is_decimal:
        shape = r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)"
        empty, number = None, 8114
        message = f"Error converting data type {kind} to numeric."
    else:
        shape = r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?"
        empty, number = "0", 8114
        message = f"Error converting data type {kind} to {target.name}."
    storage = duckdb_storage(target)
    bad = "NULL" if mode is Mode.TRY else raising(number, message)
    far = (
        "NULL"
        if mode is Mode.TRY
        else raising(
            8115,
            f"Arithmetic overflow error converting {kind} to data type "
            f"{'numeric' if target.is_decimal else target.name}.",
        )
    )
    blank = f"WHEN trim({sql}, ' ') = '' THEN CAST({empty} AS {storage}) " if empty else ""
    return (
        f"CASE WHEN {sql} IS NULL THEN NULL {blank}"
        f"WHEN NOT regexp_full_match(trim({sql}, ' '), {sql_text(shape)}) THEN {bad} "
        f"WHEN TRY_CAST({trimmed} AS {storage}) IS NULL THEN {far} "
        f"ELSE TRY_CAST({trimmed} AS {storage}) END"
    )


def _date_to_number(sql: str, source: SqlType, target: SqlType, mode: Mode) -> str:
    if source.name not in t.LEGACY_DATETIMES:
        raise Refused("conversion", f"{source} to {target} is not allowed")
    days = f"ts_ts_days({sql})"
    if target.is_integer:
        return _guarded(f"CAST(round({days}, 0) AS BIGINT)", t.BIGINT, target, mode)
    return _guarded(days, t.FLOAT, target, mode)


# --- dates ------------------------------------------------------------------------------------


def _to_date(sql: str, source: SqlType, target: SqlType, mode: Mode, style: int | None) -> str:
    if target.name is N.DATETIMEOFFSET and source.is_string:
        # Only the moment is kept: another offset than none would be lost.
        lost = raising(-2, "datetimeoffset~a value with an offset from UTC is not supported")
        sql = (
            f"CASE WHEN regexp_matches({sql}, '[+-](0[1-9]|1[0-9]|00:[0-5]*[1-9])[0-9:]* *$') "
            f"AND regexp_matches({sql}, ':') THEN {lost} ELSE {sql} END"
        )
    if source.is_string or source.name is N.SQL_VARIANT:
        return to_datetime(
            date_from_text(
                sql,
                style,
                mode is Mode.TRY,
                is_datetime=target.name in (N.DATETIME, N.SMALLDATETIME),
            ),
            target,
            mode is Mode.TRY,
            from_text=True,
        )
    if source.is_datetime:
        if source.name is N.TIME and target.name is not N.TIME:
            sql = f"(DATE '1900-01-01' + {sql})"
        elif source.name is N.DATETIMEOFFSET:
            sql = f"({sql} AT TIME ZONE 'UTC')"
        elif source.name is N.DATE:
            if target.name is N.TIME:
                raise Refused("conversion", "date to time is not allowed")
            sql = f"CAST({sql} AS TIMESTAMP)"
        return to_datetime(sql, target, mode is Mode.TRY, source=source)
    if source.is_numeric and target.name in t.LEGACY_DATETIMES:
        return to_datetime(f"ts_days_ts({sql})", target, mode is Mode.TRY)
    raise Refused("conversion", f"{source} to {target} is not allowed")


# --- binary, uniqueidentifier -----------------------------------------------------------------


def _to_binary(sql: str, source: SqlType, target: SqlType, mode: Mode, style: int | None) -> str:
    length = target.length
    if source.is_string:
        value = _text_bytes(sql, source, style)
    elif source.is_integer:
        width = {N.BIT: 1, N.TINYINT: 1, N.SMALLINT: 2, N.INT: 4, N.BIGINT: 8}[source.name]
        if target.name is N.BINARY and length:
            width = length
        modulus = f"(({sql})::HUGEINT + {2 ** (8 * min(width, 8))}) % {2 ** (8 * min(width, 8))}"
        digits = f"lpad(to_base(({modulus})::BIGINT, 16), {width * 2}, '0')"
        if width >= 8:
            digits = f"lpad(printf('%X', ({sql})::BIGINT), {width * 2}, '0')"
        value = f"unhex(right({digits}, {width * 2}))"
    elif source.is_binary:
        value = sql
    elif source.name is N.UNIQUEIDENTIFIER:
        value = f"unhex(replace(CAST({sql} AS VARCHAR), '-', ''))"
    else:
        raise Refused("conversion", f"{source} to {target} is not supported")
    if length in (None, t.MAX):
        return value
    same = source.is_binary and (source.length or t.MAX) != t.MAX and source.length <= length  # type: ignore[operator]
    if not same and not source.is_integer:
        value = f"unhex(left(hex({value}), {2 * (length or 1)}))"
    if target.name is N.BINARY and not source.is_integer:
        value = f"unhex(rpad(hex({value}), {2 * (length or 1)}, '0'))"
    return value


def _text_bytes(sql: str, source: SqlType, style: int | None) -> str:
    if style in (1, 2):
        bad = raising(8114, "Error converting data type varchar to varbinary.")
        digits = f"substring({sql}, 3)" if style == 1 else sql
        return (
            f"CASE WHEN regexp_full_match({digits}, '([0-9A-Fa-f]{{2}})*') "
            f"THEN unhex({digits}) WHEN {sql} IS NOT NULL THEN {bad} END"
        )
    return f"ts_utf16({sql})" if source.is_unicode else f"encode({sql})"


def _to_uuid(sql: str, source: SqlType, mode: Mode) -> str:
    if not source.is_string:
        raise Refused("conversion", f"{source} to uniqueidentifier is not supported")
    if mode is Mode.TRY:
        return f"TRY_CAST({sql} AS UUID)"
    bad = raising(
        8169, "Conversion failed when converting from a character string to uniqueidentifier."
    )
    value = f"TRY_CAST(trim({sql}, ' {{}}') AS UUID)"
    return f"CASE WHEN {sql} IS NOT NULL AND {value} IS NULL THEN {bad} ELSE {value} END"
