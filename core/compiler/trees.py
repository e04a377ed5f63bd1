"""Small builders for T-SQL trees, in the form the leaf parser gives them.

Built-in calls are ``exp.Anonymous``, casts carry their T-SQL type in ``meta["tsql_type"]``; see
`core.tsql.leaves`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from sqlglot import ErrorLevel, exp

from core.tsql.types import SqlType

MIRRORED: Mapping[type[exp.Expr], type[exp.Expr]] = {
    exp.EQ: exp.EQ,
    exp.NEQ: exp.NEQ,
    exp.LT: exp.GT,
    exp.LTE: exp.GTE,
    exp.GT: exp.LT,
    exp.GTE: exp.LTE,
}
"""The comparison that says the same with its sides exchanged."""

OPPOSITE: Mapping[type[exp.Expr], type[exp.Expr]] = {
    exp.EQ: exp.NEQ,
    exp.NEQ: exp.EQ,
    exp.LT: exp.GTE,
    exp.LTE: exp.GT,
    exp.GT: exp.LTE,
    exp.GTE: exp.LT,
}
"""The comparison that holds where this one is false (not where it is unknown)."""


def column(name: str, table: str | None = None) -> exp.Column:
    """``[table].[name]``, quoted so that any name survives."""
    return exp.Column(
        this=exp.to_identifier(name, quoted=True),
        table=exp.to_identifier(table, quoted=True) if table else None,
    )


def alias(value: exp.Expr, name: str) -> exp.Alias:
    """``value AS [name]``."""
    return exp.Alias(this=value, alias=exp.to_identifier(name, quoted=True))


def call(name: str, *arguments: exp.Expr) -> exp.Anonymous:
    """A built-in function call."""
    return exp.Anonymous(this=name, expressions=list(arguments))


def cast(value: exp.Expr, to: SqlType) -> exp.Cast:
    """``CAST(value AS to)`` with T-SQL's meaning of it."""
    text = to.sql()
    node = exp.Cast(this=value, to=exp.DataType.build(text, dialect="tsql", udt=True))
    node.meta["tsql_type"] = text
    return node


def all_of(conditions: Iterable[exp.Expr | None]) -> exp.Expr | None:
    """The conjunction of what is there, or None when nothing is."""
    found: exp.Expr | None = None
    for condition in conditions:
        if condition is None:
            continue
        part = _operand(condition)
        found = part if found is None else exp.And(this=found, expression=part)
    return found


def _operand(condition: exp.Expr) -> exp.Expr:
    return exp.Paren(this=condition) if isinstance(condition, exp.Or) else condition


def is_not_true(condition: exp.Expr) -> exp.Expr:
    """The rows a condition does not select: false *or unknown*.

    ``NOT p`` would lose the rows where p is unknown. T-SQL has no ``IS NOT TRUE``; a CASE says
    it, and translation turns exactly this CASE into ``(p) is not true``.
    """
    branch = exp.If(this=condition, true=exp.Literal.number(1))
    case = exp.Case(ifs=[branch], default=exp.Literal.number(0))
    return exp.EQ(this=case, expression=exp.Literal.number(0))


def negated_case(node: exp.Expr) -> exp.Expr | None:
    """The p of what `is_not_true` built, or None."""
    if not isinstance(node, exp.EQ) or not isinstance(node.this, exp.Case):
        return None
    case = node.this
    branches = case.args.get("ifs") or []
    default = case.args.get("default")
    if (
        case.this is not None
        or len(branches) != 1
        or default is None
        or branches[0].args["true"].sql() != "1"
        or default.sql() != "0"
        or node.expression.sql() != "0"
    ):
        return None
    found: exp.Expr = branches[0].this
    return found


def exists(query: exp.Select) -> exp.Exists:
    return exp.Exists(this=query)


def select(
    items: Sequence[exp.Expr],
    source: exp.Expr,
    where: exp.Expr | None = None,
    joins: Sequence[exp.Expr] = (),
) -> exp.Select:
    """``SELECT items FROM source joins WHERE where``."""
    node = exp.Select(expressions=list(items), from_=exp.From(this=source))
    if joins:
        node.set("joins", list(joins))
    if where is not None:
        node.set("where", exp.Where(this=where))
    return node


def applied(query: exp.Expr, alias: str, *, outer: bool = False) -> exp.Join:
    """``CROSS APPLY (query) AS alias``, or OUTER APPLY."""
    lateral = exp.Lateral(
        this=exp.Subquery(this=query),
        alias=exp.TableAlias(this=exp.to_identifier(alias, quoted=True)),
        cross_apply=not outer,
    )
    join = exp.Join(this=lateral)
    join.meta["tsql_apply"] = "OUTER" if outer else "CROSS"
    return join


def one() -> exp.Expr:
    return exp.Literal.number(1)


def row_number(order: Sequence[exp.Expr], partition: Sequence[exp.Expr] = ()) -> exp.Window:
    """``ROW_NUMBER() OVER ([PARTITION BY …] ORDER BY …)``."""
    ordered = [item if isinstance(item, exp.Ordered) else exp.Ordered(this=item) for item in order]
    window = exp.Window(this=call("ROW_NUMBER"), order=exp.Order(expressions=ordered), over="OVER")
    if partition:
        window.set("partition_by", list(partition))
    return window


def union_all(queries: Sequence[exp.Expr]) -> exp.Expr:
    """The queries one after the other, duplicates kept."""
    found = queries[0]
    for query in queries[1:]:
        found = exp.Union(this=found, expression=query, distinct=False)
    return found


def text(node: exp.Expr) -> str:
    """A tree as text to compare with others; what the text leaves out raises no warning."""
    return node.sql(comments=False, unsupported_level=ErrorLevel.IGNORE)


def unwrapped(node: exp.Expr) -> exp.Expr:
    """A node without the parentheses around it."""
    while isinstance(node, exp.Paren):
        node = node.this
    return node


_DATE_PART_CALLS = frozenset(
    {"DATEADD", "DATEDIFF", "DATEDIFF_BIG", "DATEPART", "DATENAME", "DATETRUNC", "DATE_BUCKET"}
)


def columns_in(node: exp.Expr) -> list[exp.Column]:
    """The columns an unbound tree reads: ``day`` in ``DATEADD(day, 1, d)`` is none."""
    return [column for column in node.find_all(exp.Column) if not _is_date_part(column)]


def _is_date_part(column: exp.Column) -> bool:
    parent = column.parent
    return (
        isinstance(parent, exp.Anonymous)
        and parent.name.upper() in _DATE_PART_CALLS
        and bool(parent.expressions)
        and parent.expressions[0] is column
    )


def is_default(node: exp.Expr) -> bool:
    """The word DEFAULT in place of a value."""
    if isinstance(node, exp.Var):
        return node.name.upper() == "DEFAULT"
    return isinstance(node, exp.Column) and not node.table and node.name.upper() == "DEFAULT"
