"""Date and time functions in DuckDB (``functions/date-and-time-data-types-and-functions``)."""

from __future__ import annotations

from collections.abc import Mapping

from sqlglot import exp

from core.tsql import types as t
from core.tsql.meaning import sql
from core.tsql.meaning.duckdb_casts import (
    convert,
    round_moment,
    storage,
)
from core.tsql.meaning.duckdb_text import int_of
from core.tsql.meaning.literals import parse_moment
from core.tsql.meaning.options import Options
from core.tsql.meaning.refusal import refuse
from core.tsql.meaning.rules import Rule
from core.tsql.meaning.values import Call, Value
from core.tsql.types import SqlType, TypeName

_PLUS = {
    "year": "to_years",
    "month": "to_months",
    "day": "to_days",
    "dayofyear": "to_days",
    "weekday": "to_days",
    "week": "to_weeks",
    "hour": "to_hours",
    "minute": "to_minutes",
    "second": "to_seconds",
    "millisecond": "to_milliseconds",
    "microsecond": "to_microseconds",
}
_TIME_PARTS = frozenset({"hour", "minute", "second", "millisecond", "microsecond", "nanosecond"})


def moment_of(value: Value, options: Options, fallback: SqlType = t.DATETIME2) -> Value:
    """An argument as a date or time: text and numbers converted, typed values as they are.

    Text is read as ``datetime2`` where the function only measures, so that no digit is rounded.
    """
    if value.type.is_datetime:
        return value
    to = t.DATETIME if value.type.is_numeric else fallback
    if value.text is not None:
        moment = parse_moment(value.text)
        midnight = moment is not None and not (
            moment.hour or moment.minute or moment.second or moment.fraction
        )
        if midnight and fallback is not t.DATETIME:
            to = t.DATE
    return Value(convert(value, to, options), to, value.source)


def clock(type_: SqlType, options: Options) -> exp.Expr:
    """GETDATE and its siblings: the caller's clock, as the type asks."""
    now: exp.Expr = sql.parsed(options.clock)
    if type_.name is TypeName.DATE:
        return sql.cast(now, "DATE")
    if type_.name is TypeName.DATETIMEOFFSET:
        return sql.cast(now, storage(type_))
    return now


def _dateadd(call: Call) -> exp.Expr:
    """DATEADD: the number is truncated to an int; a month end stays inside the month."""
    number, value = call.arguments
    part = call.part or ""
    if value.type.is_datetime and value.type.name is TypeName.DATE and part in _TIME_PARTS:
        raise refuse(call.node, "DATEADD", f"SQL Server has no {part} in a date (error 9810).")
    if (start := _idiom(call, number, value)) is not None:
        return start
    moment = moment_of(value, call.options, t.DATETIME)
    if part == "quarter":
        step: exp.Expr = sql.fn("to_months", _scaled(number, 3, call))
    elif part in _PLUS:
        step = _step(number, part, call)
    else:
        raise refuse(call.node, f"DATEADD {part}", "DuckDB keeps microseconds only.")
    if number.text is None and number.integer is not None and number.integer < 0 and part in _PLUS:
        positive = sql.interval(-number.integer, part if part in _UNITS else "day")
        return _retyped(sql.sub(moment.tree, positive), call)
    return _retyped(sql.add(moment.tree, step), call)


_UNITS = frozenset({"year", "month", "day", "week", "hour", "minute", "second"})


def _step(number: Value, part: str, call: Call) -> exp.Expr:
    if number.integer is not None and part in _UNITS:
        return sql.interval(number.integer, part)
    if number.integer is not None and part in ("dayofyear", "weekday"):
        return sql.interval(number.integer, "day")
    return sql.fn(_PLUS[part], _integer(number, call.options))


def _scaled(number: Value, factor: int, call: Call) -> exp.Expr:
    if number.integer is not None:
        return sql.number(number.integer * factor)
    return sql.mul(_integer(number, call.options), factor)


def _integer(number: Value, options: Options) -> exp.Expr:
    """A count for ``to_days`` and its siblings, which take an INTEGER and nothing wider."""
    tree = int_of(number, options)
    narrow = (TypeName.TINYINT, TypeName.SMALLINT, TypeName.INT)
    if isinstance(tree, exp.Column) and number.type.name in narrow:
        return tree
    return sql.cast(tree, "INTEGER")


def _retyped(tree: exp.Expr, call: Call) -> exp.Expr:
    """DuckDB's date plus interval is a timestamp: bring it back to the T-SQL type."""
    name = call.type.name
    if name is TypeName.DATE:
        return sql.cast(tree, "DATE")
    if name is TypeName.DATETIME and call.part in ("millisecond", "microsecond"):
        return round_moment(exp.Paren(this=tree), call.type, source_digits=6)
    if name is TypeName.SMALLDATETIME and call.part in _TIME_PARTS - {"hour", "minute"}:
        return round_moment(exp.Paren(this=tree), call.type, source_digits=0)
    return tree


def _idiom(call: Call, number: Value, value: Value) -> exp.Expr | None:
    """``DATEADD(part, DATEDIFF(part, 0, x), 0)``: the start of x's month, day, …"""
    inner = number.source
    while isinstance(inner, exp.Paren):
        inner = inner.this
    if (
        value.integer != 0
        or not isinstance(inner, exp.Anonymous)
        or inner.name.upper() != "DATEDIFF"
    ):
        return None
    part, base = inner.expressions[0].name, inner.expressions[1]
    if part != call.part or part not in ("year", "quarter", "month", "day", "hour", "minute"):
        return None
    if not (isinstance(base, exp.Literal) and base.name == "0" and not base.is_string):
        return None
    translated = number.tree
    while isinstance(translated, exp.Paren):
        translated = translated.this
    moment = _second_moment(translated)
    return None if moment is None else sql.fn("date_trunc", part, moment)


def _second_moment(tree: exp.Expr) -> exp.Expr | None:
    """The later date inside a translated DATEDIFF."""
    if isinstance(tree, exp.Anonymous) and tree.name == "date_diff":
        later: exp.Expr = tree.expressions[2].copy()
        return later
    return None


def _datediff(call: Call) -> exp.Expr:
    """DATEDIFF counts the boundaries crossed; weeks begin on Sunday whatever DATEFIRST says."""
    first, second = (moment_of(argument, call.options) for argument in call.arguments)
    part = call.part or ""
    if part in ("dayofyear", "weekday"):
        part = "day"
    if part == "week":
        return sql.sub(_week_number(second), _week_number(first))
    if part in ("iso_week", "tzoffset", "nanosecond"):
        raise refuse(call.node, f"DATEDIFF {part}", "DuckDB keeps microseconds only.")
    times = all(value.type.name is TypeName.TIME for value in (first, second))
    if times and part not in _TIME_PARTS:
        return sql.number(0)
    left, right = _same_kind(first, second, part)
    return sql.fn("date_diff", part, left, right)


def _same_kind(first: Value, second: Value, part: str) -> tuple[exp.Expr, exp.Expr]:
    """Both sides as timestamps when they differ in kind; TIME on SQL Server's day zero."""
    times = [value.type.name is TypeName.TIME for value in (first, second)]
    if all(times):
        return first.tree, second.tree
    trees = [
        sql.add(sql.cast(sql.text("1900-01-01"), "DATE"), value.tree) if is_time else value.tree
        for value, is_time in zip((first, second), times, strict=True)
    ]
    dates = [value.type.name is TypeName.DATE for value in (first, second)]
    if all(dates) and part in _TIME_PARTS:
        trees = [
            sql.cast(_literal_date(tree), "TIMESTAMP") if is_date else tree
            for tree, is_date in zip(trees, dates, strict=True)
        ]
    return trees[0], trees[1]


def _literal_date(tree: exp.Expr) -> exp.Expr:
    if isinstance(tree, exp.Cast) and isinstance(tree.this, exp.Literal):
        return tree.this
    return tree


def _week_number(value: Value) -> exp.Expr:
    """Whole weeks since a Sunday before every date that matters."""
    days = sql.fn("date_diff", "day", sql.cast(sql.text("0001-12-30"), "DATE"), _as_date(value))
    return sql.int_div(days, 7)


def _as_date(value: Value) -> exp.Expr:
    return value.tree if value.type.name is TypeName.DATE else sql.cast(value.tree, "DATE")


def _datepart_tree(call: Call, part: str, value: Value) -> exp.Expr:
    tree = value.tree
    if value.type.name is TypeName.DATE and part in _TIME_PARTS:
        raise refuse(call.node, call.name, f"SQL Server has no {part} in a date (error 9810).")
    plain = {
        "year": "year",
        "quarter": "quarter",
        "month": "month",
        "day": "day",
        "dayofyear": "dayofyear",
        "hour": "hour",
        "minute": "minute",
        "second": "second",
        "iso_week": "week",
    }
    if part in plain:
        return sql.fn(plain[part], tree)
    if part == "weekday":
        return _weekday(tree, call.options)
    if part == "week":
        return _week_of_year(tree, call.options)
    if part == "millisecond":
        return sql.mod(sql.fn("millisecond", tree), 1000)
    if part == "microsecond":
        return sql.mod(sql.fn("microsecond", tree), 1_000_000)
    if part == "nanosecond":
        return sql.mul(exp.Paren(this=sql.mod(sql.fn("microsecond", tree), 1_000_000)), 1000)
    raise refuse(call.node, f"{call.name} {part}", "this date part is not supported.")


def _weekday(tree: exp.Expr, options: Options) -> exp.Expr:
    """1 for the first day of the week by DATEFIRST (7: Sunday)."""
    if options.date_first == 7:
        return sql.add(sql.fn("dayofweek", tree), 1)
    shifted = sql.add(sql.fn("dayofweek", tree), 7 - options.date_first)
    return sql.add(exp.Paren(this=sql.mod(exp.Paren(this=shifted), 7)), 1)


def _week_of_year(tree: exp.Expr, options: Options) -> exp.Expr:
    """January 1st is in week 1; a week begins on DATEFIRST."""
    offset = options.date_first % 7
    first: exp.Expr = sql.fn("dayofweek", sql.fn("date_trunc", "year", tree.copy()))
    if offset:
        first = sql.mod(exp.Paren(this=sql.add(first, 7 - offset)), 7)
    days = sql.add(sql.fn("dayofyear", tree), sql.sub(first, 1))
    return sql.add(sql.int_div(exp.Paren(this=days), 7), 1)


def _datepart(call: Call) -> exp.Expr:
    return _datepart_tree(call, call.part or "", moment_of(call.arguments[0], call.options))


def _datename(call: Call) -> exp.Expr:
    """DATENAME: month and weekday by name, every other part as its number."""
    value = moment_of(call.arguments[0], call.options)
    if call.part == "month":
        return sql.fn("monthname", value.tree)
    if call.part == "weekday":
        return sql.fn("dayname", value.tree)
    return sql.cast(_datepart_tree(call, call.part or "", value), "VARCHAR")


def _part(part: str) -> Rule:
    def rule(call: Call) -> exp.Expr:
        return sql.fn(part, moment_of(call.arguments[0], call.options).tree)

    return rule


def _datetrunc(call: Call) -> exp.Expr:
    part = call.part or ""
    value = moment_of(call.arguments[0], call.options)
    if part in ("dayofyear", "weekday"):
        part = "day"
    if part == "week":
        day = _weekday(value.tree.copy(), call.options)
        start = sql.sub(_as_date(value), exp.Paren(this=sql.sub(sql.cast(day, "INTEGER"), 1)))
        return sql.cast(start, storage(call.type))
    if part == "iso_week":
        part = "week"
    if part not in (
        "year",
        "quarter",
        "month",
        "week",
        "day",
        "hour",
        "minute",
        "second",
        "millisecond",
        "microsecond",
    ):
        raise refuse(call.node, f"DATETRUNC {part}", "this date part is not supported.")
    tree = sql.fn("date_trunc", part, value.tree)
    return sql.cast(tree, "DATE") if call.type.name is TypeName.DATE else tree


def _eomonth(call: Call) -> exp.Expr:
    """EOMONTH(date, months): the last day of the month that many months on."""
    value = moment_of(call.arguments[0], call.options)
    if len(call.arguments) == 1 or call.arguments[1].integer == 0:
        return sql.fn("last_day", value.tree)
    months = call.arguments[1]
    step = (
        sql.interval(months.integer, "month")
        if months.integer is not None
        else sql.fn("to_months", _integer(months, call.options))
    )
    return sql.fn("last_day", sql.add(value.tree, step))


def _datefromparts(call: Call) -> exp.Expr:
    return sql.fn("make_date", *(int_of(argument, call.options) for argument in call.arguments))


def _datetimefromparts(call: Call) -> exp.Expr:
    """Year, month, day, hour, minute, second, and a fraction in the unit the precision names."""
    parts = [int_of(argument, call.options) for argument in call.arguments]
    if call.name == "SMALLDATETIMEFROMPARTS":
        return sql.fn("make_timestamp", *parts[:5], 0)
    digits: int | None = 3
    if call.name == "DATETIME2FROMPARTS":
        digits = call.arguments[7].integer
        if digits is None:
            raise refuse(call.node, call.name, "the precision must be a literal.")
    if call.arguments[6].integer == 0:
        return sql.fn("make_timestamp", *parts[:6])
    whole = sql.fn("make_timestamp", *parts[:6])
    if digits == 3:
        tree = sql.add(whole, sql.fn("to_milliseconds", parts[6]))
    elif digits is not None and digits <= 6:
        tree = sql.add(whole, sql.fn("to_microseconds", sql.mul(parts[6], 10 ** (6 - digits))))
    else:
        tree = sql.add(whole, sql.fn("to_microseconds", sql.int_div(parts[6], 10)))
    if call.type.name is TypeName.DATETIME:
        return round_moment(exp.Paren(this=tree), call.type, source_digits=3)
    return tree


def _timefromparts(call: Call) -> exp.Expr:
    parts = [int_of(argument, call.options) for argument in call.arguments]
    if call.arguments[3].integer != 0:
        raise refuse(call.node, "TIMEFROMPARTS", "a fraction is not supported.")
    return sql.fn("make_time", *parts[:3])


def _isdate(call: Call) -> exp.Expr:
    value = call.arguments[0]
    if value.text is not None:
        moment = parse_moment(value.text)
        valid = moment is not None and value.text.strip() != "" and moment.day.year >= 1753
        return sql.number(int(valid))
    if value.type.is_datetime:
        if value.type.name in (TypeName.DATETIME2, TypeName.DATETIMEOFFSET):
            raise refuse(call.node, "ISDATE", "a datetime2 is no valid argument of ISDATE.")
        return sql.case((sql.is_null(value.tree), sql.number(0)), default=sql.number(1))
    parsed = convert(value, t.DATETIME2, call.options, safe=True)
    blank = sql.eq(sql.fn("trim", value.tree.copy()), "")
    return sql.case(
        (blank, sql.number(0)),
        (exp.Not(this=sql.is_null(parsed)), sql.number(1)),
        default=sql.number(0),
    )


def arithmetic(node: exp.Expr, left: Value, right: Value, options: Options) -> exp.Expr:
    """``datetime ± number`` (days) and ``datetime - datetime`` (a datetime since 1900-01-01)."""
    epoch = sql.cast(sql.text("1900-01-01"), "TIMESTAMP")
    if left.type.is_datetime and right.type.is_datetime:
        if isinstance(node, exp.Sub):
            difference = sql.sub(left.tree, right.tree)
            return sql.add(epoch, exp.Paren(this=difference))
        return sql.add(left.tree, exp.Paren(this=sql.sub(right.tree, epoch)))
    moment, other = (left, right) if left.type.is_datetime else (right, left)
    if other.type.is_string:
        other = Value(convert(other, t.DATETIME, options), t.DATETIME, other.source)
        pair = (moment, other) if left.type.is_datetime else (other, moment)
        return arithmetic(node, pair[0], pair[1], options)
    if isinstance(node, exp.Sub) and moment is right:
        raise refuse(node, "number - datetime", "this is not supported.")
    step = _days(other, options)
    kind = exp.Sub if isinstance(node, exp.Sub) else exp.Add
    tree = sql.binary(kind, moment.tree, step)
    if other.type.is_integer:
        return tree
    return round_moment(exp.Paren(this=tree), moment.type, source_digits=6)


def _days(value: Value, options: Options) -> exp.Expr:
    if value.integer is not None and value.integer >= 0:
        return sql.interval(value.integer, "day")
    if value.type.is_integer or value.type.is_null:
        return sql.fn("to_days", sql.cast(value.tree, "INTEGER"))
    micro = sql.fn("round", sql.mul(value.tree, 86_400_000_000))
    return sql.fn("to_microseconds", sql.cast(micro, "BIGINT"))


RULES: Mapping[str, Rule] = {
    "DATEADD": _dateadd,
    "DATEDIFF": _datediff,
    "DATEDIFF_BIG": _datediff,
    "DATEPART": _datepart,
    "DATENAME": _datename,
    "DATETRUNC": _datetrunc,
    "YEAR": _part("year"),
    "MONTH": _part("month"),
    "DAY": _part("day"),
    "EOMONTH": _eomonth,
    "DATEFROMPARTS": _datefromparts,
    "DATETIMEFROMPARTS": _datetimefromparts,
    "DATETIME2FROMPARTS": _datetimefromparts,
    "SMALLDATETIMEFROMPARTS": _datetimefromparts,
    "TIMEFROMPARTS": _timefromparts,
    "ISDATE": _isdate,
}
