"""Long values of variables, worked out once: a CTE of one row that the others read.

``SET @from = ISNULL(@from, EOMONTH(GETDATE(), -1))`` gives a value that depends on nothing but
parameters and the clock. Written out at each of its uses it hides the query around it, so it gets
a column of the CTE ``parameters`` under the variable's name, and the uses read that.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from sqlglot import exp

from core.compiler import trees
from core.compiler.naming import snake

_LONG = 50
_VERY_LONG = 90


def hoisted(
    queries: Mapping[str, exp.Expr],
    values: Iterable[tuple[str, exp.Expr]],
    name: str,
    size: Callable[[exp.Expr], int],
) -> tuple[dict[str, exp.Expr], exp.Select | None]:
    """`queries` with the uses of `values` replaced, and the query of the CTE `name`.

    None when no value is long and used often enough; `size` is the length of a tree as text.
    """
    found = dict(queries)
    items: list[exp.Expr] = []
    taken: set[str] = set()
    for variable, value in sorted(values, key=lambda pair: -size(pair[1])):
        length = size(value)
        column = snake(variable)
        if length < _LONG or column in taken:
            continue
        uses = [node for query in found.values() for node in _uses(query, value)]
        if not uses or (len(uses) == 1 and length < _VERY_LONG):
            continue
        copies = {key: query.copy() for key, query in found.items()}
        for query in copies.values():
            for node in _uses(query, value):
                read = trees.select([trees.column(column)], exp.to_table(name))
                node.replace(exp.Subquery(this=read))
        found = copies
        taken.add(column)
        items.append(trees.alias(value.copy(), column))
    if not items:
        return dict(queries), None
    return found, exp.Select(expressions=items)


def _uses(query: exp.Expr, value: exp.Expr) -> list[exp.Expr]:
    return [
        node
        for node in query.find_all(type(value))
        if node == value and node is not query and _is_allowed(node)
    ]


def _is_allowed(node: exp.Expr) -> bool:
    """Not where DuckDB takes no subquery: the ON of an outer join, a table function, a LIMIT."""
    above: exp.Expr | None = node.parent
    while above is not None and not isinstance(above, exp.Select):
        if isinstance(above, exp.Table | exp.Unnest | exp.Limit | exp.Values | exp.AggFunc):
            return False
        if isinstance(above, exp.Join) and above.args.get("side"):
            return False
        above = above.parent
    return above is not None


def closed(tree: exp.Expr) -> bool:
    """Whether a T-SQL value depends on parameters and the clock at most, and not on nothing."""
    if tree.find(exp.Select, exp.Table) is not None or trees.columns_in(tree):
        return False
    return not isinstance(trees.unwrapped(tree), exp.Parameter | exp.Literal | exp.Null)
