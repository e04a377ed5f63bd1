"""Date functions (``functions/<name>-transact-sql``)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from sqlglot import exp

from core.interpreter.casts import Mode, convert
from core.interpreter.casts_dates import date_from_text
from core.interpreter.errors import Refused, SqlError, raising
from core.interpreter.naming import once
from core.tsql import types as t
from core.tsql.types import SqlType, TypeName
from core.tsql.typing import line_of, type_of

if TYPE_CHECKING:
    from core.interpreter.expressions import ExpressionEmitter

Writer = Callable[["ExpressionEmitter", exp.Expr], str]

_STEPS = {
    "year": "to_years(CAST({n} AS INTEGER))",
    "quarter": "to_months(CAST({n} AS INTEGER) * 3)",
    "month": "to_months(CAST({n} AS INTEGER))",
    "day": "to_days(CAST({n} AS INTEGER))",
    "dayofyear": "to_days(CAST({n} AS INTEGER))",
    "weekday": "to_days(CAST({n} AS INTEGER))",
    "week": "to_days(CAST({n} AS INTEGER) * 7)",
    "iso_week": "to_days(CAST({n} AS INTEGER) * 7)",
    "hour": "to_hours({n})",
    "minute": "to_minutes({n})",
    "second": "to_microseconds(({n}) * 1000000)",
    "millisecond": "to_microseconds(({n}) * 1000)",
    "microsecond": "to_microseconds({n})",
    "nanosecond": "to_microseconds(({n}) // 1000)",
}


def moment(emitter: ExpressionEmitter, node: exp.Expr) -> tuple[str, SqlType]:
    """An argument as a TIMESTAMP (or DATE), with the date type it has; text is a datetime."""
    from core.interpreter.time_zones import local_time

    local = local_time(emitter, node)
    if local is not None:
        return local, t.DATETIME2
    type_ = type_of(node)
    sql = emitter.value(node)
    if type_.name is TypeName.TIME:
        return f"(DATE '1900-01-01' + {sql})", type_
    if type_.name is TypeName.DATETIMEOFFSET:
        return f"({sql} AT TIME ZONE 'UTC')", type_
    if type_.is_datetime:
        return sql, type_
    if type_.is_string:
        # Text is read as datetime2 in date functions, so that no digit is lost.
        # A seventh digit crosses no boundary that six do not: functions/datediff-transact-sql.
        return once(sql, lambda text: date_from_text(text, None, False)), t.DATETIME2
    return convert(sql, type_, t.DATETIME), t.DATETIME


_OF_DAYS = frozenset(
    {"year", "quarter", "month", "dayofyear", "day", "week", "weekday", "iso_week"}
)


def _require_part(node: exp.Expr, part: str, date: exp.Expr) -> None:
    """Error 9810: a date has no hours, a time no days (``functions/datepart-transact-sql``)."""
    type_ = type_of(date)
    of_days = part in _OF_DAYS
    if (type_.name is TypeName.DATE and not of_days) or (
        type_.name is TypeName.TIME and (of_days or part == "tzoffset")
    ):
        raise SqlError(
            9810,
            f"The datepart {part} is not supported by date function {node.name.lower()} for data "
            f"type {type_.name}.",
            line=line_of(node),
        )


def _dateadd(emitter: ExpressionEmitter, node: exp.Expr) -> str:
    part, number, date = node.expressions
    step = _STEPS.get(part.name)
    if step is None:
        raise Refused("DATEADD", f"the date part {part.name} is not supported", line_of(node))
    _require_part(node, part.name, date)
    target = type_of(node)
    value, _ = moment(emitter, date)
    count = convert(emitter.value(number), type_of(number), t.BIGINT, Mode.EXPLICIT)
    moved = once(value, lambda v: f"ts_in_range({v} + {step.format(n=count)})")
    if target.name is TypeName.TIME:
        return f"CAST({moved} AS TIME)"
    if target.name is TypeName.DATE:
        return f"CAST({moved} AS DATE)"
    return convert(moved, t.DATETIME2, target)


def _datediff(emitter: ExpressionEmitter, node: exp.Expr) -> str:
    """DATEDIFF counts the boundaries crossed; weeks begin on Sunday whatever DATEFIRST says."""
    part, start, end = node.expressions
    a, _ = moment(emitter, start)
    b, _ = moment(emitter, end)
    if part.name == "week":
        count = f"(ts_week_number({b}) - ts_week_number({a}))"
    elif part.name in ("year", "quarter", "month"):
        count = f"date_diff('{part.name}', CAST({a} AS DATE), CAST({b} AS DATE))"
    elif part.name in ("day", "dayofyear", "weekday"):
        count = f"date_diff('day', CAST({a} AS DATE), CAST({b} AS DATE))"
    elif part.name in ("hour", "minute", "second", "millisecond", "microsecond"):
        count = f"date_diff('{part.name}', CAST({a} AS TIMESTAMP), CAST({b} AS TIMESTAMP))"
    elif part.name == "nanosecond":
        count = f"(date_diff('microsecond', CAST({a} AS TIMESTAMP), CAST({b} AS TIMESTAMP)) * 1000)"
    else:
        raise Refused("DATEDIFF", f"the date part {part.name} is not supported", line_of(node))
    if node.name.upper() == "DATEDIFF_BIG":
        return f"CAST({count} AS BIGINT)"
    return once(count, lambda n: f"ts_int_diff({n})")


def part_of(emitter: ExpressionEmitter, part: str, value: str, line: int) -> str:
    """One part of a moment as an int."""
    simple = {
        "year": "year({0})",
        "quarter": "quarter({0})",
        "month": "month({0})",
        "day": "day({0})",
        "dayofyear": "dayofyear({0})",
        "hour": "date_part('hour', CAST({0} AS TIMESTAMP))",
        "minute": "date_part('minute', CAST({0} AS TIMESTAMP))",
        "second": "date_part('second', CAST({0} AS TIMESTAMP))",
        "millisecond": "(ts_us(CAST({0} AS TIMESTAMP)) % 1000000) // 1000",
        "microsecond": "(ts_us(CAST({0} AS TIMESTAMP)) % 1000000)",
        "nanosecond": "(ts_us(CAST({0} AS TIMESTAMP)) % 1000000) * 1000",
        "iso_week": "weekofyear({0})",
    }
    if part in simple:
        return f"CAST({simple[part].format(value)} AS INTEGER)"
    if part in ("week", "weekday"):
        first = emitter.context.system("@@datefirst", t.TINYINT)
        return once(value, lambda v: f"ts_{part}({v}, CAST({first} AS INTEGER))")
    if part == "tzoffset":
        return f"CASE WHEN {value} IS NOT NULL THEN 0 END"
    raise Refused("DATEPART", f"the date part {part} is not supported", line)


def _datepart(emitter: ExpressionEmitter, node: exp.Expr) -> str:
    part, date = node.expressions
    _require_part(node, part.name, date)
    return part_of(emitter, part.name, moment(emitter, date)[0], line_of(node))


def _single(part: str) -> Writer:
    def write(emitter: ExpressionEmitter, node: exp.Expr) -> str:
        return part_of(emitter, part, moment(emitter, node.expressions[0])[0], line_of(node))

    return write


def _datename(emitter: ExpressionEmitter, node: exp.Expr) -> str:
    part, date = node.expressions
    _require_part(node, part.name, date)
    value = moment(emitter, date)[0]
    if part.name == "month":
        return f"monthname({value})"
    if part.name == "weekday":
        return f"dayname({value})"
    return f"CAST({part_of(emitter, part.name, value, line_of(node))} AS VARCHAR)"


def _eomonth(emitter: ExpressionEmitter, node: exp.Expr) -> str:
    date, *months = node.expressions
    value = moment(emitter, date)[0]
    if not months:
        return f"last_day({value})"
    count = emitter.converted(months[0], t.INT, Mode.EXPLICIT)
    return f"last_day(CAST({value} AS DATE) + to_months(coalesce({count}, 0)))"


def _from_parts(emitter: ExpressionEmitter, node: exp.Expr) -> str:
    values = [emitter.converted(a, t.INT, Mode.EXPLICIT) for a in node.expressions]
    name = node.name.upper()
    if name == "DATEFROMPARTS":
        return f"ts_date_of({', '.join(values)})"
    if name == "TIMEFROMPARTS":
        return f"CAST(DATE '1900-01-01' + {_clock(values[:3], values[3], values[4], node)} AS TIME)"
    date = f"ts_date_of({', '.join(values[:3])})"
    if name == "SMALLDATETIMEFROMPARTS":
        return f"({date} + {_clock([*values[3:5], '0'], '0', '0', node)})"
    if name == "DATETIMEFROMPARTS":
        return convert(
            f"({date} + {_clock(values[3:6], values[6], '3', node)})", t.DATETIME2, t.DATETIME
        )
    if name == "DATETIME2FROMPARTS":
        return f"({date} + {_clock(values[3:6], values[6], values[7], node)})"
    raise Refused(name, f"{name} is not supported", line_of(node))


def _clock(parts: list[str], fraction: str, digits: str, node: exp.Expr) -> str:
    hour, minute, second = parts
    bad = raising(
        289,
        "Cannot construct data type time, some of the arguments have values which are not valid.",
    )
    return (
        f"CASE WHEN {hour} NOT BETWEEN 0 AND 23 OR {minute} NOT BETWEEN 0 AND 59 OR {second} "
        f"NOT BETWEEN 0 AND 59 THEN {bad} ELSE to_microseconds(CAST((({hour})::BIGINT * 3600 + "
        f"({minute}) * 60 + ({second})) * 1000000 + ({fraction}) * power(10, 6 - ({digits})) "
        "AS BIGINT)) END"
    )


def _isdate(emitter: ExpressionEmitter, node: exp.Expr) -> str:
    """ISDATE: whether text is a datetime (1753 to 9999)."""
    argument = node.expressions[0]
    type_ = type_of(argument)
    if type_.name in t.LEGACY_DATETIMES or type_.name is TypeName.DATE:
        return f"CASE WHEN {emitter.value(argument)} IS NULL THEN 0 ELSE 1 END"
    if not type_.is_string:
        return "0"
    return once(
        emitter.value(argument),
        lambda v: (
            f"CASE WHEN trim({v}) <> '' AND year(ts_try_text_ts({v})) BETWEEN 1753 AND 9999 "
            rf"AND NOT regexp_matches({v}, '\.[0-9]{{4,}}') THEN 1 ELSE 0 END"
        ),
    )


def _datetrunc(emitter: ExpressionEmitter, node: exp.Expr) -> str:
    part, date = node.expressions
    target = type_of(node)
    value, _ = moment(emitter, date)
    if part.name == "week":
        first = emitter.context.system("@@datefirst", t.TINYINT)
        start = once(
            value,
            lambda v: (
                f"CAST(CAST({v} AS DATE) - (ts_weekday({v}, CAST({first} AS INTEGER)) - 1) "
                "AS TIMESTAMP)"
            ),
        )
    elif part.name == "iso_week":
        start = f"date_trunc('week', CAST({value} AS TIMESTAMP))"
    elif part.name in ("dayofyear", "day"):
        start = f"date_trunc('day', CAST({value} AS TIMESTAMP))"
    else:
        start = f"date_trunc('{part.name}', CAST({value} AS TIMESTAMP))"
    return convert(start, t.DATETIME2, target)


def _date_bucket(emitter: ExpressionEmitter, node: exp.Expr) -> str:
    """DATE_BUCKET: the start of the bucket of `number` parts, counted from an origin."""
    part, number, date, *rest = node.expressions
    target = type_of(node)
    value, _ = moment(emitter, date)
    origin = moment(emitter, rest[0])[0] if rest else "TIMESTAMP '1900-01-01'"
    count = emitter.converted(number, t.BIGINT, Mode.EXPLICIT)
    if part.name in ("year", "quarter", "month"):
        months = {"year": 12, "quarter": 3, "month": 1}[part.name]
        elapsed = f"date_diff('month', CAST({origin} AS DATE), CAST({value} AS DATE))"
        steps = (
            f"CAST(floor({elapsed} / (({count}) * {months}.0)) AS BIGINT) * ({count}) * {months}"
        )
        start = f"(CAST({origin} AS TIMESTAMP) + to_months(CAST({steps} AS INTEGER)))"
    else:
        micro = {
            "week": 604800000000,
            "day": 86400000000,
            "hour": 3600000000,
            "minute": 60000000,
            "second": 1000000,
            "millisecond": 1000,
        }.get(part.name)
        if micro is None:
            raise Refused("DATE_BUCKET", f"the part {part.name} is not supported", line_of(node))
        gap = f"(epoch_us(CAST({value} AS TIMESTAMP)) - epoch_us(CAST({origin} AS TIMESTAMP)))"
        width = f"(({count}) * {micro})"
        start = (
            f"make_timestamp(CAST(epoch_us(CAST({origin} AS TIMESTAMP)) + "
            f"floor({gap} / {width}::DOUBLE) * {width} AS BIGINT))"
        )
    return convert(start, t.DATETIME2, target)


def _clock_now(emitter: ExpressionEmitter, node: exp.Expr) -> str:
    return emitter.context.clock(type_of(node))


FUNCTIONS: dict[str, Writer] = {
    "DATEADD": _dateadd,
    "DATEDIFF": _datediff,
    "DATEDIFF_BIG": _datediff,
    "DATEPART": _datepart,
    "DATENAME": _datename,
    "YEAR": _single("year"),
    "MONTH": _single("month"),
    "DAY": _single("day"),
    "EOMONTH": _eomonth,
    "DATEFROMPARTS": _from_parts,
    "DATETIMEFROMPARTS": _from_parts,
    "SMALLDATETIMEFROMPARTS": _from_parts,
    "DATETIME2FROMPARTS": _from_parts,
    "TIMEFROMPARTS": _from_parts,
    "ISDATE": _isdate,
    "DATETRUNC": _datetrunc,
    "DATE_BUCKET": _date_bucket,
    "GETDATE": _clock_now,
    "GETUTCDATE": _clock_now,
    "SYSDATETIME": _clock_now,
    "SYSUTCDATETIME": _clock_now,
    "SYSDATETIMEOFFSET": _clock_now,
    "CURRENT_TIMESTAMP": _clock_now,
    "CURRENT_DATE": _clock_now,
}
