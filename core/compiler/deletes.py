"""DELETE and TRUNCATE: groups lose rows."""

from __future__ import annotations

from dataclasses import replace

from sqlglot import exp

from core.compiler import trees
from core.compiler.binder import Context
from core.compiler.joins import JoinedTarget
from core.compiler.naming import snake
from core.compiler.relations import Relation
from core.compiler.state import Group, GroupKind, TableState
from core.compiler.updates import Updater


def truncated(state: TableState) -> TableState:
    """No rows; identity starts again."""
    prior = any(group.kind is not GroupKind.NEW for group in state.groups)
    return replace(
        state,
        groups=(),
        deleted=state.deleted or prior,
        written=True,
        upsert=None,
        poison=None,
        reseeded=True,
    )


def deleted(
    updater: Updater, state: TableState, joined: JoinedTarget, context: Context
) -> tuple[TableState, list[Relation]]:
    """The state after ``DELETE … WHERE`` or ``DELETE … FROM … JOIN``, and the deleted rows."""
    groups: list[Group] = []
    gone: list[Relation] = []
    loses_prior = state.deleted
    updater.check_names(joined, [])
    for group in state.groups:
        query = joined.with_target(
            group.relation.ref(joined.alias),
            [trees.column(name, joined.alias) for name in group.relation.names],
        )
        if not joined.others or joined.matches_once(updater.binder.relations):
            hint = f"deleted_{snake(state.table.name.name)}"
            gone.append(updater.binder.relations.query(query, hint, context.origin))
        kept = updater.unmatched(group.relation, joined, context, state)
        if group.kind is not GroupKind.NEW:
            loses_prior = True
        if kept is not None:
            hint = f"kept_{snake(state.table.name.name)}"
            groups.append(replace(group, relation=_renamed(kept, hint)))
    new = replace(state, groups=tuple(groups), deleted=loses_prior, written=True, upsert=None)
    return new, gone


def _renamed(relation: Relation, hint: str) -> Relation:
    """A fresh relation may still take the name of what it is for."""
    if relation.hint.startswith("unchanged_"):
        object.__setattr__(relation, "hint", hint)
    return relation


def emptied(state: TableState) -> TableState:
    """DELETE without WHERE: as TRUNCATE, but identity goes on where it was."""
    return replace(truncated(state), reseeded=False)


def delete_through(
    updater: Updater,
    state: TableState,
    source: Relation,
    numbered: exp.Select,
    condition: exp.Expr | None,
    alias: str,
    context: Context,
) -> TableState:
    """DELETE through a CTE over one table (the de-duplication idiom).

    ``numbered`` selects the table's columns and the CTE's own over `source`, the table's whole
    content, without the CTE's WHERE; rows its WHERE leaves out are not deleted.
    """
    relations = updater.binder.relations
    name = snake(state.table.name.name)
    where = numbered.args.get("where")
    rows = relations.query(numbered, f"numbered_{name}", context.origin)
    kept_condition = trees.is_not_true(condition.copy()) if condition is not None else None
    items: list[exp.Expr] = [trees.column(n, alias) for n in source.names]
    if kept_condition is None and where is None:
        return emptied(state)
    parts: list[exp.Expr] = []
    if kept_condition is not None:
        parts.append(trees.select(items, rows.ref(alias), kept_condition))
    if where is not None:
        outside = numbered.copy()
        outside.set("where", exp.Where(this=trees.is_not_true(where.this.copy())))
        outside.set("expressions", [exp.Star()])
        parts.append(outside)
    kept = relations.query(trees.union_all(parts), f"kept_{name}", context.origin)
    prior = any(group.kind is not GroupKind.NEW for group in state.groups)
    kind = state.groups[0].kind if len(state.groups) == 1 else GroupKind.NEW
    return replace(
        state,
        groups=(Group(kept, kind),),
        deleted=state.deleted or prior,
        written=True,
        upsert=None,
    )
