"""Recursive CTEs: an anchor, UNION ALL, and a step that reads the rows found before."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlglot import exp

from core.compiler.relations import Relation
from core.compiler.result import Refused

if TYPE_CHECKING:
    from core.compiler.binder import Binder, Context


def recursive_relation(
    binder: Binder, name: str, body: exp.Expr, columns: list[str], context: Context
) -> Relation:
    """The relation of a recursive CTE. Its query reads itself by its own id.

    T-SQL gives the CTE the anchor's types and refuses a step of other types, so the anchor alone
    says what the columns are.
    """
    from core.compiler.binder import with_names

    if not isinstance(body, exp.Union) or body.args.get("distinct"):
        raise Refused(
            f"the recursive CTE {name} is not an anchor UNION ALL a step", "recursive CTE"
        )
    anchor = binder._bound(body.this.copy(), context)
    if columns and (anchor := with_names(anchor, list(columns)) or anchor) is None:
        raise Refused(
            f"the anchor of the recursive CTE {name} is not a list of columns", "recursive CTE"
        )
    first = binder.relations.query(anchor, f"{name}_anchor", context.origin)
    if columns and [c.lower() for c in first.names] != [c.lower() for c in columns]:
        raise Refused(f"the columns of the recursive CTE {name} are not known", "recursive CTE")
    stand_in = binder.relations.recursive(first, name, context.origin)
    inner = type(context)(
        context.state, {**context.ctes, name.lower(): stand_in}, context.origin, context.comments
    )
    step = binder._bound(body.expression.copy(), inner)
    whole = exp.Union(this=anchor, expression=step, distinct=False)
    return binder.relations.recursion(stand_in, whole, name, context.origin)
