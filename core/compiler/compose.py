"""Merges a conversion step into the query it converts, where that reads better and means the same.

``orders_2 as (select id, cast(amount as decimal(18, 2)) as amount from orders_1)`` after
``orders_1 as (select … )`` that nothing else reads is one CTE. Safe when the inner query is one
SELECT that neither removes duplicates nor limits rows, and the step only computes columns.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from sqlglot import exp

from core.compiler import trees
from core.compiler.relations import Relation, RelationKind


def composed(order: Sequence[Relation], kept: set[str]) -> list[Relation]:
    """`order` with each single-use input of a conversion step merged into it.

    ``kept`` are ids that are read from outside of `order` and stay as they are.
    """
    uses: dict[str, int] = {}
    for relation in order:
        for read in relation.inputs:
            uses[read.id] = uses.get(read.id, 0) + 1
    gone: set[str] = set()
    out: list[Relation] = []
    known = {relation.id: relation for relation in order}
    for relation in order:
        if relation.kind is RelationKind.ALIGNMENT and len(relation.inputs) == 1:
            inner = known[relation.inputs[0].id]
            if uses[inner.id] == 1 and inner.id not in kept:
                merged = _merged(relation, inner)
                if merged is not None:
                    gone.add(inner.id)
                    known[relation.id] = merged
                    out.append(merged)
                    continue
        out.append(relation)
    return [relation for relation in out if relation.id not in gone]


def _merged(step: Relation, inner: Relation) -> Relation | None:
    query, body = step.duckdb, inner.duckdb
    if not isinstance(query, exp.Select) or not isinstance(body, exp.Select) or inner.recursive:
        return None
    if inner.kind not in (RelationKind.QUERY, RelationKind.ALIGNMENT):
        return None
    if any(body.args.get(key) for key in ("distinct", "limit", "offset", "order", "qualify")):
        return None
    if any(query.args.get(key) for key in ("where", "joins", "group", "distinct", "limit")):
        return None
    values: dict[str, exp.Expr] = {}
    for item in body.expressions:
        if item.is_star or not item.alias_or_name:
            return None
        values[item.alias_or_name.lower()] = item.this if isinstance(item, exp.Alias) else item
    computes = any(query.find(kind) for kind in (exp.Window, exp.Subquery))
    if computes and not _is_plain(body):
        return None
    items = [_filled(item, values) for item in query.expressions]
    if any(item is None for item in items):
        return None
    tree = body.copy()
    tree.set("expressions", items)
    return replace(step, duckdb=tree, inputs=_inputs(step, inner), origin=inner.origin)


def _inputs(step: Relation, inner: Relation) -> tuple[Relation, ...]:
    return inner.inputs


def _is_plain(body: exp.Select) -> bool:
    """Neither grouped nor windowed nor aggregated: one output row per joined row."""
    if body.args.get("group") is not None or body.args.get("having") is not None:
        return False
    return not any(
        item.find(exp.Window, exp.AggFunc) is not None
        or any(
            call.name.lower() in ("sum", "count", "min", "max", "avg", "string_agg")
            for call in item.find_all(exp.Anonymous)
        )
        for item in body.expressions
    )


def _filled(item: exp.Expr, values: Mapping[str, exp.Expr]) -> exp.Expr | None:
    """A step's output with the inner query's expressions in the place of its columns."""
    name = item.alias_or_name
    holder = exp.Paren(this=(item.this if isinstance(item, exp.Alias) else item).copy())
    if holder.find(exp.Subquery) is not None:
        return None
    for column in list(holder.find_all(exp.Column)):
        value = values.get(column.name.lower())
        if value is None:
            return None
        new = value.copy()
        if isinstance(new, exp.Binary | exp.Not | exp.Case) and not isinstance(
            column.parent, exp.Paren | exp.Cast
        ):
            new = exp.Paren(this=new)
        column.replace(new)
    value = constant_flags(holder).this
    if isinstance(value, exp.Column) and value.name == name:
        return value
    return exp.Alias(this=value, alias=exp.to_identifier(name, quoted=True))


def constant_flags(tree: exp.Expr) -> exp.Expr:
    """``cast(1 <> 0 as utinyint)`` is ``cast(1 as utinyint)``."""
    for node in list(tree.find_all(exp.NEQ)):
        left, right = trees.unwrapped(node.this), node.expression
        if (
            isinstance(node.parent, exp.Cast)
            and isinstance(left, exp.Literal)
            and not left.is_string
            and left.name.isdecimal()
            and right.sql() == "0"
        ):
            node.replace(exp.Literal.number(1 if int(left.name) else 0))
    return tree
