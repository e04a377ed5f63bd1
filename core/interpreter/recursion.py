"""Recursive CTEs, with the server's limit on their depth."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from sqlglot import exp

from core.interpreter.errors import Refused, raising
from core.interpreter.naming import quoted
from core.tsql.binding import columns_of
from core.tsql.typing import line_of

if TYPE_CHECKING:
    from core.interpreter.queries import QueryEmitter

DEPTH = '"~depth"'


def is_recursive(cte: exp.Expr) -> bool:
    """Whether a CTE names itself."""
    name = cte.alias.lower()
    return any(t.name.lower() == name and not t.db for t in cte.this.find_all(exp.Table))


def recursive_cte(query: QueryEmitter, cte: exp.Expr, names: Sequence[str]) -> str:
    """``name(columns, ~depth) AS (anchor UNION ALL member)``; error 530 beyond the limit."""
    from core.interpreter.queries import CteShape

    body = cte.this
    while isinstance(body, exp.Subquery | exp.Paren):
        body = body.this
    anchors, members = _split(body, cte.alias.lower())
    if not anchors or not members:
        raise Refused("recursive CTE", "this recursive CTE is not supported", line_of(cte))
    types = [column.type for column in columns_of(anchors[0])]
    query.ctes[cte.alias.lower()] = CteShape(cte.alias)
    first = [query.nested().query(anchor, types, extra=(f"0 AS {DEPTH}",)) for anchor in anchors]
    following = [_member(query, member, cte.alias, types) for member in members]
    listed = ", ".join([*(quoted(name) for name in names), DEPTH])
    anchor = " UNION ALL ".join(f"({text})" for text in first)
    step = " UNION ALL ".join(f"({text})" for text in following)
    if len(first) > 1:
        anchor = f"SELECT * FROM ({anchor}) AS anchor_rows"
    if len(following) > 1:
        step = f"SELECT * FROM ({step}) AS member_rows"
    return f"{quoted(cte.alias)}({listed}) AS (({anchor}) UNION ALL ({step}))"


def _split(body: exp.Expr, name: str) -> tuple[list[exp.Expr], list[exp.Expr]]:
    parts: list[exp.Expr] = []
    pending = [body]
    while pending:
        node = pending.pop()
        while isinstance(node, exp.Subquery | exp.Paren):
            node = node.this
        mentions = any(t.name.lower() == name and not t.db for t in node.find_all(exp.Table))
        if isinstance(node, exp.Union) and mentions:
            if node.args.get("distinct"):
                return [], []
            pending += [node.expression, node.this]
        else:
            parts.append(node)
    anchors = [p for p in parts if not _mentions(p, name)]
    return anchors, [p for p in parts if _mentions(p, name)]


def _mentions(node: exp.Expr, name: str) -> bool:
    return any(t.name.lower() == name and not t.db for t in node.find_all(exp.Table))


def _member(query: QueryEmitter, member: exp.Expr, name: str, types: Sequence[object]) -> str:
    if not isinstance(member, exp.Select):
        raise Refused("recursive CTE", "this recursive member is not supported", line_of(member))
    alias = _alias_of(member, name.lower())
    if alias is None:
        raise Refused(
            "recursive CTE", "the CTE is not in the FROM clause of its member", line_of(member)
        )
    depth = f"{quoted(alias)}.{DEPTH}"
    limit = query.context.max_recursion
    text = query.nested().query(member, types, extra=(f"{depth} + 1 AS {DEPTH}",))  # type: ignore[arg-type]
    if limit == 0:
        return text
    error = raising(
        530,
        f"The statement terminated. The maximum recursion {limit} has been exhausted before "
        "statement completion.",
    )
    width = ", ".join([*(f"m.c{n}" for n in range(1, len(types) + 1)), f"m.{DEPTH}"])
    guard = f"CASE WHEN m.{DEPTH} > {limit} THEN CAST({error} AS BOOLEAN) ELSE TRUE END"
    return f"SELECT {width} FROM ({text}) AS m WHERE {guard}"


def _alias_of(member: exp.Select, name: str) -> str | None:
    from_ = member.args.get("from_")
    sources = [from_.this] if from_ is not None else []
    sources += [join.this for join in member.args.get("joins") or []]
    for source in sources:
        if isinstance(source, exp.Table) and source.name.lower() == name and not source.db:
            return source.alias or source.name
    return None
