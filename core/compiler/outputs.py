"""OUTPUT … INTO: the rows a statement changed, as a query of their own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from sqlglot import exp

from core.compiler import trees
from core.compiler.align import typed_null
from core.compiler.inserts import listed_columns
from core.compiler.relations import Relation
from core.compiler.result import Refused
from core.compiler.state import State, TableState
from core.compiler.updates import stored_value
from core.tsql.binding_from import table_name
from core.tsql.leaves import Output, ParsedLeaf

if TYPE_CHECKING:
    from core.compiler.binder import Context
    from core.compiler.executor import Executor
    from core.compiler.joins import JoinedTarget
    from core.compiler.merges import Branch


@dataclass(frozen=True)
class OutputSource:
    """The rows of one group as they are (`inserted`) or were (`deleted`)."""

    inserted: Relation | None = None
    deleted: Relation | None = None


def plain_output(
    ex: Executor,
    output: Output,
    sources: Sequence[OutputSource],
    context: Context,
    state: State,
) -> None:
    """OUTPUT of an INSERT or DELETE, which only knows one of inserted and deleted."""
    assert output.into is not None
    queries: list[exp.Expr] = []
    for source in sources:
        known = source.inserted or source.deleted
        assert known is not None
        alias = "inserted" if source.inserted is not None else "deleted"
        items = []
        for position, item in enumerate(output.items):
            tree = ex.binder.expression(item, context)
            if any(c.table.lower() not in (alias, "") for c in trees.columns_in(tree)):
                raise Refused("OUTPUT of a column that is not the changed row's", "OUTPUT")
            items += _expanded(tree, known, alias, position)
        queries.append(trees.select(items, known.ref(alias)))
    if not queries:
        return
    rows = ex.relations.query(trees.union_all(queries), "output_rows", context.origin)
    into = ex.tables.state_of(table_name(output.into), state, context.origin.first_line)
    append_output(ex, into, rows, output, context, state)


def _expanded(tree: exp.Expr, known: Relation, alias: str, position: int) -> list[exp.Expr]:
    if tree.is_star:
        return [trees.column(name, alias) for name in known.names]
    value = tree.this if isinstance(tree, exp.Alias) else tree
    return [trees.alias(value, f"column_{position + 1}")]


def append_output(
    ex: Executor,
    into: TableState,
    rows: Relation,
    output: Output,
    context: Context,
    state: State,
) -> None:
    """Add the output's rows to the table OUTPUT … INTO names."""
    assert output.into is not None
    columns = listed_columns(into.table, output.into_columns, context.origin.first_line)
    named = ex.binder.projected(rows, [c.name for c in columns], "output_rows", context.origin)
    key = ex.tables.key(table_name(output.into))
    state.tables[key], _ = ex.inserter.append(into, named, columns, [], context, "output_rows")


def update_output(
    ex: Executor,
    output: Output,
    before: TableState,
    joined: JoinedTarget,
    values: Mapping[str, exp.Expr],
    context: Context,
    state: State,
) -> None:
    """OUTPUT of an UPDATE: the joined rows, with inserted.x the new and deleted.x the old value."""
    if joined.others and not joined.matches_once(ex.relations):
        raise Refused("OUTPUT of an UPDATE with several matches", "UPDATE OUTPUT")
    new = {
        column.name.lower(): stored_value(values[column.name.lower()].copy(), column)
        for column in before.table.columns
        if column.name.lower() in values
    }

    def seen(node: exp.Expr) -> exp.Expr:
        if not isinstance(node, exp.Column) or node.table.lower() not in ("inserted", "deleted"):
            return node
        if before.table.column(node.name) is None:
            raise Refused(f"OUTPUT of an unknown column '{node.name}'", "UPDATE OUTPUT")
        value = new.get(node.name.lower()) if node.table.lower() == "inserted" else None
        if value is not None:
            return exp.Paren(this=value.copy())
        return trees.column(node.name, joined.alias)

    items: list[exp.Expr] = []
    for item in output.items:
        tree = ex.binder.expression(item, context)
        if tree.is_star and not isinstance(tree, exp.Star):
            names = [trees.column(c.name, tree.args["table"].name) for c in before.table.columns]
            items += [name.transform(seen) for name in names]
        else:
            value = tree.this if isinstance(tree, exp.Alias) else tree
            items.append(exp.Paren(this=value.copy()).transform(seen))
    named = [trees.alias(item, f"column_{i + 1}") for i, item in enumerate(items)]
    queries = [
        joined.with_target(group.relation.ref(joined.alias), [item.copy() for item in named])
        for group in before.groups
    ]
    if not queries:
        return
    assert output.into is not None
    rows = ex.relations.query(trees.union_all(queries), "output_rows", context.origin)
    into = ex.tables.state_of(table_name(output.into), state, context.origin.first_line)
    append_output(ex, into, rows, output, context, state)


def merge_output(
    ex: Executor,
    output: Output,
    branches: Sequence[Branch],
    before: TableState,
    parsed: ParsedLeaf,
    context: Context,
) -> Relation:
    """What a MERGE puts out: one query per branch, old and new values written out."""
    if parsed.ctes is not None:
        context = ex.binder.with_ctes(parsed.ctes, context, raw=True)
    queries: list[exp.Expr] = []
    for branch in branches:
        query = branch.query.copy()
        items = []
        for position, item in enumerate(output.items):
            tree = ex.binder.expression(item, context)
            value = tree.this if isinstance(tree, exp.Alias) else tree
            if value.is_star:
                raise Refused("OUTPUT * of a MERGE", "MERGE OUTPUT")
            name = tree.alias_or_name.lstrip("$")
            if output.into is not None or not name:
                # inserted.x and deleted.x have one name; INTO goes by position.
                name = f"column_{position + 1}"
            items.append(trees.alias(_as_seen(value, branch, before), name))
        query.set("expressions", items)
        queries.append(query)
    if not queries:
        raise Refused("a MERGE without branches", "MERGE OUTPUT")
    return ex.relations.query(trees.union_all(queries), "merge_output", context.origin)


def _as_seen(value: exp.Expr, branch: Branch, before: TableState) -> exp.Expr:
    """An OUTPUT item with inserted.x, deleted.x and $action replaced by what they are here."""
    holder = exp.Paren(this=value.copy())
    for column in list(trees.columns_in(holder)):
        name = column.name.lower()
        if name == "$action" and not column.table:
            column.replace(exp.National(this=branch.action))
            continue
        which = column.table.lower()
        if which not in ("inserted", "deleted"):
            continue
        known = before.table.column(name)
        if known is None:
            raise Refused(f"OUTPUT of an unknown column '{column.name}'", "MERGE OUTPUT")
        new: exp.Expr = typed_null(known.type)
        if which == "deleted" and branch.target_alias is not None:
            new = trees.column(known.name, branch.target_alias)
        elif which == "inserted" and branch.action != "DELETE":
            if name in branch.values:
                new = trees.cast(branch.values[name].copy(), known.type)
            elif branch.target_alias is not None:
                new = trees.column(known.name, branch.target_alias)
            elif known.identity:
                raise Refused("OUTPUT of a new identity value of a MERGE", "MERGE OUTPUT")
        column.replace(new)
    found: exp.Expr = holder.this
    found.pop()
    return found


__all__ = ["OutputSource", "append_output", "merge_output", "plain_output", "replace"]
