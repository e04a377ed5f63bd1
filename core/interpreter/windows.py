"""Window functions (``queries/select-over-clause-transact-sql``)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlglot import exp

from core.interpreter.aggregates import aggregate_sql, order_key
from core.interpreter.errors import Refused
from core.tsql import functions as built_in
from core.tsql import types as t
from core.tsql.types import duckdb_storage
from core.tsql.typing import line_of, type_of

if TYPE_CHECKING:
    from core.interpreter.expressions import ExpressionEmitter

_RANKING = {
    "ROW_NUMBER": "row_number()",
    "RANK": "rank()",
    "DENSE_RANK": "dense_rank()",
    "CUME_DIST": "cume_dist()",
    "PERCENT_RANK": "percent_rank()",
}


def window(emitter: ExpressionEmitter, node: exp.Expr) -> str:
    """``function(…) OVER (PARTITION BY … ORDER BY … frame)``."""
    function = node.this
    ignore_nulls = isinstance(function, exp.IgnoreNulls)
    while isinstance(function, exp.IgnoreNulls | exp.RespectNulls):
        function = function.this
    name = (function.this if isinstance(function, exp.WithinGroup) else function).name.upper()
    if name.startswith("PERCENTILE_"):
        return _percentile(emitter, node, function)
    over = f" OVER ({_specification(emitter, node)})"
    if name in built_in.AGGREGATES:
        return aggregate_sql(emitter, function, over)
    if name in _RANKING:
        return f"CAST({_RANKING[name]}{over} AS {duckdb_storage(type_of(node))})"
    if name == "NTILE":
        return f"ntile({emitter.converted(function.expressions[0], t.BIGINT)}){over}"
    nulls = " IGNORE NULLS" if ignore_nulls else ""
    if name in ("FIRST_VALUE", "LAST_VALUE"):
        value = emitter.value(function.expressions[0])
        return f"{name.lower()}({value}{nulls}){over}"
    if name in ("LAG", "LEAD"):
        value, *rest = function.expressions
        parts = [emitter.value(value)]
        if rest:
            parts.append(emitter.converted(rest[0], t.BIGINT))
        if len(rest) > 1:
            parts.append(emitter.converted(rest[1], type_of(value)))
        return f"{name.lower()}({', '.join(parts)}{nulls}){over}"
    raise Refused(name, f"{name} OVER is not supported", line_of(node))


def _specification(emitter: ExpressionEmitter, node: exp.Expr) -> str:
    parts = []
    partition = node.args.get("partition_by") or []
    if partition:
        parts.append("PARTITION BY " + ", ".join(emitter.folded(item) for item in partition))
    order = node.args.get("order")
    if order is not None:
        keys = [
            order_key(emitter, item)
            for item in order.expressions
            if not isinstance(item.this, exp.Subquery)
        ]
        if keys:
            parts.append("ORDER BY " + ", ".join(keys))
    spec = node.args.get("spec")
    if spec is not None:
        parts.append(_frame(spec))
    return " ".join(parts)


def _frame(spec: exp.Expr) -> str:
    def bound(edge: object, side: object) -> str:
        text = edge.sql() if isinstance(edge, exp.Expr) else str(edge)
        return f"{text} {side}" if side else text

    start = bound(spec.args.get("start"), spec.args.get("start_side"))
    kind = str(spec.args.get("kind") or "ROWS")
    end = spec.args.get("end")
    if end is None:
        return f"{kind} BETWEEN {start} AND CURRENT ROW"
    return f"{kind} BETWEEN {start} AND {bound(end, spec.args.get('end_side'))}"


def _percentile(emitter: ExpressionEmitter, node: exp.Expr, function: exp.Expr) -> str:
    if not isinstance(function, exp.WithinGroup):
        raise Refused("PERCENTILE", "PERCENTILE_CONT needs WITHIN GROUP", line_of(node))
    call, order = function.this, function.expression
    fraction = emitter.converted(call.expressions[0], t.FLOAT)
    item = order.expressions[0]
    continuous = call.name.upper() == "PERCENTILE_CONT"
    value = emitter.converted(item.this, t.FLOAT) if continuous else emitter.value(item.this)
    if item.args.get("desc"):
        fraction = f"(1 - {fraction})"
    name = "quantile_cont" if continuous else "quantile_disc"
    return f"{name}({value}, {fraction}) OVER ({_specification(emitter, node)})"
