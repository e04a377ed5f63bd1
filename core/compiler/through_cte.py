"""UPDATE and DELETE through a CTE over one table: the de-duplication idiom and its relatives."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from sqlglot import exp

from core.compiler import trees
from core.compiler.binder import Context
from core.compiler.deletes import delete_through
from core.compiler.relations import Relation
from core.compiler.result import Refused
from core.compiler.state import Group, State, TableState
from core.compiler.tables import merged
from core.tsql.binding_from import table_name
from core.tsql.leaves import ParsedLeaf

if TYPE_CHECKING:
    from core.compiler.executor import Executor


@dataclass(frozen=True)
class _Through:
    """The base table's key, state and content; the CTE's rows over it (its columns behind the
    table's, its own WHERE kept); the statement's WHERE; the CTE's name and the table's alias.
    """

    key: str
    state: TableState
    content: Relation
    rows: exp.Select
    condition: exp.Expr | None
    name: str
    alias: str


def _split(ex: Executor, parsed: ParsedLeaf, context: Context, state: State) -> _Through:
    assert parsed.target is not None
    assert parsed.query is not None
    with_ = parsed.query.args.get("with_")
    name = parsed.target.table.name.lower()
    if with_ is None or parsed.query.args.get("joins"):
        raise Refused("a CTE that is written through is joined", "DML through a CTE")
    ctes = [cte for cte in with_.expressions if cte.alias.lower() == name]
    if len(ctes) != 1 or ctes[0].args["alias"].columns:
        raise Refused("this CTE cannot be written through", "DML through a CTE")
    body = ctes[0].this
    if len(with_.expressions) > 1:
        others = exp.With(
            expressions=[c.copy() for c in with_.expressions if c.alias.lower() != name]
        )
        context = ex.binder.with_ctes(others, context, raw=True)
    source = body.args.get("from_") if isinstance(body, exp.Select) else None
    plain = isinstance(body, exp.Select) and not any(
        body.args.get(k) for k in ("joins", "group", "having", "distinct", "laterals")
    )
    if not plain or source is None or not isinstance(source.this, exp.Table):
        raise Refused("this CTE is not a plain query over one table", "DML through a CTE")
    base = source.this
    if base.name.lower() in context.ctes and not base.db:
        raise Refused("a CTE over a CTE is written through", "DML through a CTE")
    line = context.origin.first_line
    found = ex.tables.state_of(table_name(base), state, line)
    if found.poison is not None:
        raise Refused(found.poison.reason, found.poison.construct, found.poison.line)
    content = ex.tables.content(found, line)
    tree = ex.binder.expression(body, context)
    alias = base.alias or base.name
    items: list[exp.Expr] = [trees.column(n, alias) for n in content.names]
    known = {n.lower() for n in content.names}
    for item in tree.expressions:
        if item.is_star:
            continue
        label = item.alias_or_name
        value = item.this if isinstance(item, exp.Alias) else item
        if isinstance(value, exp.Column) and value.name.lower() == label.lower():
            continue
        if label.lower() in known:
            raise Refused(f"the CTE gives column '{label}' another meaning", "DML through a CTE")
        items.append(item)
    if tree.args.get("limit") is not None or tree.args.get("order") is not None:
        raise Refused("TOP in a CTE that is written through", "DML through a CTE")
    tree.set("expressions", items)
    where = parsed.query.args.get("where")
    condition = ex.binder.expression(where.this, context) if where is not None else None
    target_alias = parsed.target.alias or parsed.target.table.name
    key = ex.tables.key(table_name(base))
    if not isinstance(tree, exp.Select):
        raise Refused("this CTE is not a plain query over one table", "DML through a CTE")
    return _Through(key, found, content, tree, condition, target_alias, alias)


def delete_through_cte(ex: Executor, parsed: ParsedLeaf, context: Context, state: State) -> None:
    cte = _split(ex, parsed, context, state)
    state.tables[cte.key] = delete_through(
        ex.updater, cte.state, cte.content, cte.rows, cte.condition, cte.name, context
    )
    state.lazies.pop("@@rowcount", None)


def update_through_cte(ex: Executor, parsed: ParsedLeaf, context: Context, state: State) -> None:
    """The CTE's rows that the WHERE selects get new values; all others stay."""
    cte = _split(ex, parsed, context, state)
    found, content, condition = cte.state, cte.content, cte.condition
    where = cte.rows.args.get("where")
    rows = ex.relations.query(cte.rows, f"numbered_{content.hint}", context.origin)
    values = ex.updater.assignments(parsed.assignments, context, cte.name, found)
    items: list[exp.Expr] = []
    for column in found.table.columns:
        new = values.get(column.name.lower())
        old: exp.Expr = trees.column(column.name, cte.name)
        if new is None:
            items.append(old)
        elif condition is None:
            items.append(trees.alias(new, column.name))
        else:
            branch = exp.If(this=condition.copy(), true=trees.cast(new, column.type))
            items.append(trees.alias(exp.Case(ifs=[branch], default=old), column.name))
    query: exp.Expr = trees.select(items, rows.ref(cte.name))
    changed = ex.updater._stored(found, query, f"corrected_{content.hint}", context)
    one = merged(found, content)
    group = one.groups[0]
    groups = [ex.updater._changed(group, changed, values, every_row=condition is None)]
    if where is not None:
        outside = trees.select(
            [exp.Star()], content.ref(cte.alias), trees.is_not_true(where.this.copy())
        )
        kept = ex.relations.query(outside, f"unchanged_{content.hint}", context.origin)
        groups.append(Group(kept, group.kind, group.changed))
    state.tables[cte.key] = replace(one, groups=tuple(groups), written=True, upsert=None)
    state.lazies.pop("@@rowcount", None)
