"""What GROUP BY, aggregates and window functions forbid: errors 147, 4108, 8120 and 8121."""

from __future__ import annotations

from collections.abc import Iterator

from sqlglot import ErrorLevel, exp

from core.tsql import functions
from core.tsql.scope import Relation, Scope
from core.tsql.typing import BindError, line_of


def is_aggregate(node: exp.Expr) -> bool:
    """A call of an aggregate function (whether or not OVER follows)."""
    return isinstance(node, exp.Anonymous) and node.name.upper() in functions.AGGREGATES


def aggregates(node: exp.Expr) -> Iterator[exp.Expr]:
    """The aggregate calls of a tree that group rows: not those with OVER, not in subqueries."""
    if isinstance(node, exp.Query):
        return
    if isinstance(node, exp.Window):
        # The function itself does not group, but its arguments and keys may hold aggregates.
        inner = node.this
        while isinstance(inner, exp.WithinGroup | exp.IgnoreNulls | exp.RespectNulls):
            inner = inner.this
        for argument in inner.iter_expressions():
            yield from aggregates(argument)
        for key, value in node.args.items():
            for part in value if isinstance(value, list) else [value]:
                if key != "this" and isinstance(part, exp.Expr):
                    yield from aggregates(part)
        return
    if is_aggregate(node):
        yield node
        return
    for child in node.iter_expressions():
        yield from aggregates(child)


def check_clauses(select: exp.Select) -> None:
    """No aggregate and no window function in WHERE (errors 147 and 4108)."""
    where = select.args.get("where")
    if where is None:
        return
    if (aggregate := next(aggregates(where.this), None)) is not None:
        raise BindError(
            147,
            "An aggregate may not appear in the WHERE clause unless it is in a subquery contained "
            "in a HAVING clause or a select list.",
            line=line_of(aggregate),
        )
    for window in where.find_all(exp.Window):
        if window.find_ancestor(exp.Select) is select:
            raise BindError(
                4108,
                "Windowed functions can only appear in the SELECT or ORDER BY clauses.",
                line=line_of(window),
            )


def is_grouped(select: exp.Select) -> bool:
    """Whether a query groups: GROUP BY, HAVING, or an aggregate in its select list."""
    if select.args.get("group") is not None or select.args.get("having") is not None:
        return True
    return any(True for item in select.expressions for _ in aggregates(item))


def check_grouping(select: exp.Select, scope: Scope) -> None:
    """Every column outside an aggregate must be a grouping expression (errors 8120 and 8121)."""
    if not is_grouped(select):
        return
    keys = {_key(item) for item in _grouping_expressions(select)}
    own = {id(column): relation for relation in scope.relations for column in relation.references}
    for item in select.expressions:
        _check(item, keys, own, 8120, "select list")
    if (having := select.args.get("having")) is not None:
        _check(having.this, keys, own, 8121, "HAVING clause")
    if (order := select.args.get("order")) is not None:
        for ordered in order.expressions:
            _check(ordered.this, keys, own, 8127, "ORDER BY clause")


def _grouping_expressions(select: exp.Select) -> Iterator[exp.Expr]:
    group = select.args.get("group")
    if group is None:
        return
    pending = list(group.expressions)
    for key in ("rollup", "cube", "grouping_sets"):
        pending.extend(p for p in group.args.get(key) or [] if isinstance(p, exp.Expr))
    while pending:
        item = pending.pop()
        if isinstance(item, exp.Rollup | exp.Cube | exp.GroupingSets | exp.Tuple):
            pending.extend(item.expressions)
        elif isinstance(item, exp.Paren):
            pending.append(item.this)
        else:
            yield item


def _key(node: exp.Expr) -> str:
    while isinstance(node, exp.Paren):
        node = node.this
    # For comparison only, so what another dialect cannot say (FOR XML) is no matter.
    return node.sql(unsupported_level=ErrorLevel.IGNORE).lower()


def _shown(column: exp.Column, relation: Relation) -> str:
    """A column as the server names it: by the table as FROM writes it, not by its alias."""
    node = relation.node
    if isinstance(node, exp.Table) and isinstance(node.this, exp.Identifier):
        parts = [node.catalog, node.db, node.name]
        return ".".join([*(part for part in parts if part), column.name])
    return f"{relation.alias}.{column.name}" if relation.alias else column.name


def _check(
    node: exp.Expr, keys: set[str], own: dict[int, Relation], number: int, clause: str
) -> None:
    if isinstance(node, exp.Alias | exp.Paren):
        _check(node.this, keys, own, number, clause)
        return
    if isinstance(node, exp.Column):
        if id(node) in own and _key(node) not in keys:
            raise BindError(
                number,
                f"Column '{_shown(node, own[id(node)])}' is invalid in the {clause} because "
                "it is not contained in either an aggregate function or the GROUP BY clause.",
                line=line_of(node),
            )
        return
    if isinstance(node, exp.WithinGroup) and not isinstance(node.parent, exp.Window):
        return
    if is_aggregate(node) and not isinstance(node.parent, exp.Window):
        return
    if keys and _key(node) in keys:
        return
    for child in node.iter_expressions():
        _check(child, keys, own, number, clause)
