"""TOP (n) in INSERT, UPDATE and DELETE: n of the rows that qualify.

T-SQL does not say which rows these are ("the rows referenced in the TOP expression used with
INSERT, UPDATE, MERGE, or DELETE are not arranged in any order", Transact-SQL reference, TOP). Any
n of them are right, so the model takes the first by key, which is the same in every run.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlglot import exp

from core.compiler import trees
from core.compiler.binder import Context
from core.compiler.joins import JoinedTarget
from core.compiler.naming import snake
from core.compiler.relations import Relation
from core.compiler.result import Assumption, AssumptionKind, Refused
from core.compiler.state import TableState
from core.tsql.leaves import ParsedLeaf, Top

if TYPE_CHECKING:
    from core.compiler.executor import Executor


def topped(
    ex: Executor, state: TableState, joined: JoinedTarget, top: Top, context: Context
) -> JoinedTarget:
    """The statement's FROM, restricted to n of its target rows. Raises `Refused`."""
    if top.percent or top.with_ties:
        raise Refused("TOP PERCENT or WITH TIES of a data statement", "TOP in DML")
    if joined.others and not joined.matches_once(ex.relations):
        raise Refused("TOP (n) over a join that may find a row several times", "TOP in DML")
    content = ex.tables.content(state, context.origin.first_line)
    key = _key(state, content)
    if key is None:
        raise Refused(f"TOP (n) of rows of {state.table.name}, which has no key", "TOP in DML")
    name = snake(state.table.name.name)
    number = "row_place"
    while content.column(number) is not None:
        number += "_"
    place = trees.row_number([trees.column(c, joined.alias) for c in key])
    items: list[exp.Expr] = [
        *(trees.column(c, joined.alias) for c in key),
        trees.alias(place, number),
    ]
    numbered = joined.with_target(content.ref(joined.alias), items)
    placed = ex.relations.query(numbered, f"numbered_{name}", context.origin)
    limit = exp.LTE(this=trees.column(number), expression=_count(ex, top, context))
    query = trees.select([trees.column(c) for c in key], placed.ref(), limit)
    chosen = ex.relations.query(query, f"first_{name}", context.origin)
    _note(ex, f"{state.table.name}", context)
    bound = joined.query.copy()
    where = bound.args.get("where")
    among = _among(key, joined.alias, chosen)
    both = trees.all_of([where.this if where is not None else None, among])
    bound.set("where", exp.Where(this=both))
    return JoinedTarget(bound, joined.alias)


def top_rows(ex: Executor, parsed: ParsedLeaf, context: Context) -> exp.Expr:
    """The query of an INSERT TOP (n): its own TOP. Raises `Refused`."""
    top, query = parsed.top, parsed.query
    assert top is not None
    if top.percent or top.with_ties:
        raise Refused("TOP PERCENT or WITH TIES of a data statement", "TOP in DML")
    if not isinstance(query, exp.Select) or query.args.get("limit") is not None:
        raise Refused("INSERT TOP (n) of a query that is not one plain SELECT", "TOP in DML")
    limited = query.copy()
    limited.set("limit", exp.Limit(expression=top.count.copy()))
    if not query.args.get("order"):
        _note(ex, "the query", context)
    return limited


def _key(state: TableState, content: Relation) -> list[str] | None:
    """Columns that are unique in the table and never NULL."""
    keys = [
        [column.name for column in content.columns if column.name.lower() in key]
        for key in content.keys
        if key and all((c := state.table.column(n)) is not None and not c.nullable for n in key)
    ]
    declared = [
        [c.name for c in state.table.columns if c.name.lower() in {n.lower() for n in names}]
        for names in state.table.keys
        if names and all((c := state.table.column(n)) and not c.nullable for n in names)
    ]
    found = [key for key in [*keys, *declared] if key]
    return min(found, key=lambda key: (len(key), key)) if found else None


def _among(key: list[str], alias: str, chosen: Relation) -> exp.Expr:
    if len(key) == 1:
        query = trees.select([trees.column(key[0])], chosen.ref())
        return exp.In(this=trees.column(key[0], alias), query=exp.Subquery(this=query))
    same = trees.all_of(
        exp.EQ(this=trees.column(c, "first_rows"), expression=trees.column(c, alias)) for c in key
    )
    return trees.exists(trees.select([trees.one()], chosen.ref("first_rows"), same))


def _count(ex: Executor, top: Top, context: Context) -> exp.Expr:
    return ex.binder.expression(top.count, context)


def _note(ex: Executor, what: str, context: Context) -> None:
    ex.assumptions.append(
        Assumption(
            AssumptionKind.OTHER,
            f"TOP (n) without an order takes any n rows of {what}; the model takes the first by "
            "key",
            line=context.origin.first_line,
        )
    )
