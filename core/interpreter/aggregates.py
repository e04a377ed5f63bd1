"""Aggregates with T-SQL's result types (``functions/aggregate-functions-transact-sql``)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlglot import exp

from core.interpreter.casts import convert
from core.interpreter.errors import Refused
from core.interpreter.functions_text import text
from core.interpreter.naming import once
from core.tsql import types as t
from core.tsql.types import duckdb_storage
from core.tsql.typing import line_of, type_of

if TYPE_CHECKING:
    from core.interpreter.expressions import ExpressionEmitter

_STATISTICS = {"STDEV": "stddev_samp", "STDEVP": "stddev_pop", "VAR": "var_samp", "VARP": "var_pop"}


def aggregate(emitter: ExpressionEmitter, node: exp.Expr) -> str:
    """An aggregate of the query being written: grouped queries compute it one level further in."""
    grouping = emitter.query.grouping
    if grouping is not None:
        return grouping.aggregate(node)
    return aggregate_sql(emitter, node)


def aggregate_sql(emitter: ExpressionEmitter, node: exp.Expr, over: str = "") -> str:
    """The aggregate itself; `over` is the text of an OVER clause, if it has one."""
    order: exp.Expr | None = None
    call = node
    if isinstance(node, exp.WithinGroup):
        call, order = node.this, node.expression
    name = call.name.upper()
    arguments = list(call.expressions)
    distinct = len(arguments) == 1 and isinstance(arguments[0], exp.Distinct)
    if distinct:
        arguments = list(arguments[0].expressions)
    if name in ("COUNT", "COUNT_BIG"):
        return _count(emitter, node, arguments, distinct, over)
    if name == "STRING_AGG":
        return _string_agg(emitter, arguments, order, over)
    if name in ("GROUPING", "GROUPING_ID"):
        raise Refused(name, f"{name} outside a grouped query is not allowed", line_of(node))
    return _plain(emitter, node, name, arguments[0], distinct, over)


def _count(
    emitter: ExpressionEmitter, node: exp.Expr, arguments: list[exp.Expr], distinct: bool, over: str
) -> str:
    storage = duckdb_storage(type_of(node))
    if not arguments or isinstance(arguments[0], exp.Star):
        return f"CAST(count(*){over} AS {storage})"
    if isinstance(arguments[0], exp.Null):
        raise Refused("COUNT(NULL)", "COUNT of a bare NULL is not allowed", line_of(node))
    sql = emitter.folded(arguments[0]) if distinct else emitter.value(arguments[0])
    word = "DISTINCT " if distinct else ""
    return f"CAST(count({word}{sql}){over} AS {storage})"


def _plain(
    emitter: ExpressionEmitter,
    node: exp.Expr,
    name: str,
    argument: exp.Expr,
    distinct: bool,
    over: str,
) -> str:
    value = emitter.value(argument)
    word = "DISTINCT " if distinct else ""
    return aggregate_over(emitter, name, value, type_of(argument), type_of(node), word, over)


def aggregate_over(
    emitter: ExpressionEmitter,
    name: str,
    sql: str,
    source: t.SqlType,
    target: t.SqlType,
    word: str = "",
    over: str = "",
) -> str:
    """An aggregate of a value that is written already; `word` is ``DISTINCT `` or nothing."""
    storage = duckdb_storage(target)
    if name in ("MIN", "MAX"):
        if source.is_string:
            # The least text by the collation, as it is written in some row that has it.
            function = "arg_min" if name == "MIN" else "arg_max"
            return f"{function}({sql}, {emitter.fold(sql, source)}){over}"
        return f"{name.lower()}({sql}){over}"
    if name in _STATISTICS:
        return f"{_STATISTICS[name]}({word}{convert(sql, source, t.FLOAT)}){over}"
    if name == "CHECKSUM_AGG":
        return f"CAST(bit_xor({word}{convert(sql, source, t.INT)}){over} AS INTEGER)"
    if name == "APPROX_COUNT_DISTINCT":
        return f"CAST(count(DISTINCT {emitter.fold(sql, source)}){over} AS BIGINT)"
    value = sql
    if source.is_string or source.is_null:
        value = convert(value, source, target)
    if name == "SUM":
        total = f"sum({word}{value}){over}"
        if target.is_integer:
            return once(total, lambda v: convert(v, t.decimal(38, 0), target))
        return f"CAST({total} AS {storage})"
    if name == "AVG":
        return _average(value, word, target, source, over)
    raise Refused(name, f"the aggregate {name} is not supported")


def _average(value: str, word: str, target: t.SqlType, source: t.SqlType, over: str) -> str:
    """AVG of integers is an integer; of decimals it is cut at its scale."""
    total, count = f"sum({word}{value}){over}", f"count({word}{value}){over}"
    storage = duckdb_storage(target)
    if target.is_integer:
        return f"CAST(({total} // nullif({count}, 0)) AS {storage})"
    if target.is_decimal or target.is_money:
        scale = target.scale if target.is_decimal else 4
        own = source.scale if source.is_decimal else 4 if source.is_money else 0
        shift = max((scale or 0) - 0, 0)
        digits = f"ts_digits(CAST({total} AS DECIMAL(38, {own or 0})))"
        divisor = f"(nullif({count}, 0)::HUGEINT * (10::HUGEINT ** {own or 0})::HUGEINT)"
        first, second = min(shift, 19), max(shift - 19, 0)
        return f"CAST(ts_ddiv({digits}, {divisor}, {first}, {second}) AS {storage})"
    return f"CAST(avg({word}{value}){over} AS {storage})"


def _string_agg(
    emitter: ExpressionEmitter, arguments: list[exp.Expr], order: exp.Expr | None, over: str
) -> str:
    value, separator = arguments
    sql, glue = text(emitter, value), emitter.value(separator)
    ordering = ""
    if order is not None:
        ordering = " ORDER BY " + ", ".join(order_key(emitter, item) for item in order.expressions)
    return f"string_agg({sql}, coalesce({glue}, ''){ordering}){over}"


def order_key(
    emitter: ExpressionEmitter,
    item: exp.Expr,
    sql: str | None = None,
    target: exp.Expr | None = None,
) -> str:
    """One ORDER BY item: NULLs first ascending and last descending, text by the collation.

    `target` is the expression the item stands for (a select-list item), `sql` its finished text.
    """
    if target is None:
        target = item.this if isinstance(item, exp.Ordered) else item
    type_ = type_of(target)
    strict = emitter.case_sensitive(target)
    key = emitter.fold(sql if sql is not None else emitter.value(target), type_, strict)
    if item.args.get("desc"):
        return f"{key} DESC NULLS LAST"
    return f"{key} ASC NULLS FIRST"
