"""PIVOT and UNPIVOT as plain queries: conditional aggregation, and one SELECT per column.

``PIVOT (SUM(amount) FOR quarter IN ([Q1], [Q2]))`` over columns region, quarter, amount is
``SELECT region, SUM(CASE WHEN quarter = 'Q1' THEN amount END) AS [Q1], … GROUP BY region``:
every column that is neither aggregated nor spread is grouped by.
``UNPIVOT (amount FOR quarter IN ([Q1], [Q2]))`` is one SELECT per listed column without its NULLs,
put together with UNION ALL.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlglot import exp

from core.compiler import trees
from core.compiler.relations import Relation
from core.compiler.result import Refused
from core.tsql.leaves import line_of

if TYPE_CHECKING:
    from core.compiler.binder import Binder, Context


def without_pivot(binder: Binder, item: exp.Expr, context: Context) -> exp.Expr:
    """The FROM item that reads what a PIVOT or UNPIVOT of `item` gives."""
    pivots = item.args["pivots"]
    if len(pivots) != 1:
        raise Refused("several PIVOT clauses on one table", "PIVOT", line_of(item))
    pivot = pivots[0]
    item.set("pivots", None)
    bound = binder._item(item, context)
    if not isinstance(bound, exp.Table):
        raise Refused("PIVOT of something that is no table", "PIVOT", line_of(item))
    source = binder.relations[bound.name]
    name = pivot.alias or "pivoted"
    query = _unpivoted(source, pivot) if pivot.args.get("unpivot") else _pivoted(source, pivot)
    return binder.relations.query(query, name, context.origin).ref(name)


def _field(pivot: exp.Pivot) -> exp.In:
    fields = pivot.args.get("fields") or []
    if len(fields) != 1 or not isinstance(fields[0], exp.In):
        raise Refused("this form of PIVOT is not understood", "PIVOT", line_of(pivot))
    found: exp.In = fields[0]
    return found


def _label(value: exp.Expr) -> tuple[str, str]:
    """The value a PIVOT column stands for, and its name."""
    name = value.alias if isinstance(value, exp.PivotAlias | exp.Alias) else ""
    while isinstance(value, exp.PivotAlias | exp.Alias):
        value = value.this
    return value.name, name or value.name


def _pivoted(source: Relation, pivot: exp.Pivot) -> exp.Select:
    field = _field(pivot)
    aggregates = pivot.expressions
    if len(aggregates) != 1:
        raise Refused("a PIVOT with several aggregates", "PIVOT", line_of(pivot))
    aggregate = trees.unwrapped(aggregates[0])
    if isinstance(aggregate, exp.Alias):
        aggregate = aggregate.this
    if not isinstance(aggregate, exp.Anonymous) or len(aggregate.expressions) != 1:
        raise Refused("this aggregate of a PIVOT is not understood", "PIVOT", line_of(pivot))
    value = aggregate.expressions[0]
    spread = field.this
    used = {c.name.lower() for c in value.find_all(exp.Column)} | {spread.name.lower()}
    groups = [name for name in source.names if name.lower() not in used]
    items: list[exp.Expr] = [trees.column(name) for name in groups]
    for entry in field.expressions:
        text, name = _label(entry)
        branch = exp.If(
            this=exp.EQ(this=trees.column(spread.name), expression=exp.Literal.string(text)),
            true=value.copy(),
        )
        items.append(trees.alias(trees.call(aggregate.name, exp.Case(ifs=[branch])), name))
    query = trees.select(items, source.ref())
    if groups:
        query.set("group", exp.Group(expressions=[trees.column(name) for name in groups]))
    return query


def _unpivoted(source: Relation, pivot: exp.Pivot) -> exp.Expr:
    field = _field(pivot)
    values = pivot.expressions
    if len(values) != 1:
        raise Refused("an UNPIVOT with several value columns", "UNPIVOT", line_of(pivot))
    value, label = values[0].name, field.this.name
    columns = [entry.name for entry in field.expressions]
    taken = {name.lower() for name in columns}
    kept = [name for name in source.names if name.lower() not in taken]
    parts: list[exp.Expr] = []
    for name in columns:
        known = source.column(name)
        if known is None:
            raise Refused(f"UNPIVOT of an unknown column '{name}'", "UNPIVOT", line_of(pivot))
        items: list[exp.Expr] = [trees.column(other) for other in kept]
        items.append(trees.alias(trees.column(name), value))
        items.append(trees.alias(exp.Literal.string(known.name), label))
        where = exp.Not(this=exp.Is(this=trees.column(name), expression=exp.Null()))
        parts.append(trees.select(items, source.ref(), where))
    return trees.union_all(parts)
