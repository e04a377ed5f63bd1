"""Data statements: leaves and table DDL applied to the state."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from sqlglot import exp

from core.compiler import trees
from core.compiler.align import aligned
from core.compiler.computed import with_computed_types
from core.compiler.deletes import delete_through, deleted, emptied, truncated
from core.compiler.effects import schema_name, switch_target
from core.compiler.inserts import unordered, with_every_name
from core.compiler.merges import Merger
from core.compiler.naming import snake
from core.compiler.outputs import OutputSource, merge_output, plain_output, update_output
from core.compiler.relations import Relation
from core.compiler.result import Refused, Unsupported
from core.compiler.state import Group, GroupKind, State, TableState, Value
from core.compiler.tables import merged
from core.compiler.top import top_rows, topped
from core.tsql import nodes
from core.tsql import types as t
from core.tsql.binding_from import table_name
from core.tsql.errors import LeafError
from core.tsql.leaves import ParsedLeaf
from core.tsql.nodes import LeafKind
from core.tsql.schema import Column, ObjectName, Table, TableKind

if TYPE_CHECKING:
    from core.compiler.binder import Context
    from core.compiler.executor import Executor


_TOPPED = (LeafKind.INSERT, LeafKind.UPDATE, LeafKind.DELETE)


def _check_no_top(parsed: ParsedLeaf) -> None:
    if parsed.top is not None:
        raise Refused(f"{parsed.kind.upper()} TOP (n) through a CTE", "TOP in DML")


def leaf(ex: Executor, node: nodes.Leaf, state: State) -> None:
    """Apply SELECT INTO, INSERT, UPDATE, DELETE, MERGE or TRUNCATE."""
    if node.kind is LeafKind.SELECT and ex.results is not None:
        _returned(ex, node, state)
        return
    if node.kind is LeafKind.SELECT:
        ex.drop("SELECT that returns rows to the caller", node)
        state.lazies["@@rowcount"] = _unknown_count(ex.line(node))
        return
    parsed = node.parsed
    if isinstance(parsed, LeafError):
        raise Refused(parsed.reason, parsed.construct, parsed.line if not ex.called_from else 0)
    if parsed.remote and parsed.target is not None and parsed.target.table.args.get("catalog"):
        pass
    apply(ex, parsed, node, state)


def _returned(ex: Executor, node: nodes.Leaf, state: State) -> None:
    """A SELECT inside INSERT … EXEC: its rows are what is inserted."""
    from core.compiler.executor import ResultSet

    parsed = node.parsed
    if isinstance(parsed, LeafError) or parsed.query is None:
        raise Refused("a SELECT that is not understood", "INSERT EXEC")
    if parsed.for_xml is not None:
        raise Refused("FOR XML or FOR JSON rows", "INSERT EXEC")
    query, _ = unordered(parsed.query)
    context = ex.context(node, state)
    bound = with_every_name(ex.binder.query(query, context))
    rows = ex.relations.query(bound, "returned_rows", context.origin)
    assert ex.results is not None
    ex.results.append(ResultSet(rows))
    set_count(state, [rows], context.origin.first_line)


def apply(ex: Executor, parsed: ParsedLeaf, node: nodes.Node, state: State) -> None:
    """Apply one parsed data statement."""
    context = ex.context(node, state)
    if parsed.top is not None and parsed.kind not in _TOPPED:
        raise Refused(f"{parsed.kind.upper()} TOP (n)", "TOP in DML")
    match parsed.kind:
        case LeafKind.TRUNCATE:
            _truncate(ex, parsed, context, state)
        case LeafKind.SELECT_INTO:
            _select_into(ex, parsed, context, state)
        case LeafKind.INSERT:
            _insert(ex, parsed, context, state)
        case LeafKind.UPDATE:
            _update(ex, parsed, context, state)
        case LeafKind.DELETE:
            _delete(ex, parsed, context, state)
        case LeafKind.MERGE:
            _merge(ex, parsed, context, state)
        case _:
            raise Refused(f"{parsed.kind} is not a data statement", str(parsed.kind))


def _target(ex: Executor, parsed: ParsedLeaf, context: Context) -> tuple[str, TableState]:
    assert parsed.target is not None
    name = table_name(parsed.target.table)
    line = context.origin.first_line
    found = ex.tables.state_of(name, context.state, line)
    if found.poison is not None and parsed.kind is not LeafKind.TRUNCATE:
        raise Refused(found.poison.reason, found.poison.construct, found.poison.line)
    return ex.tables.key(name), found


def set_count(state: State, relations: list[Relation], line: int) -> None:
    """``@@ROWCOUNT`` counts the rows of these relations, should anybody ask."""

    def count() -> Value:
        total: exp.Expr | None = None
        for relation in relations:
            query = trees.select([trees.call("COUNT", exp.Star())], relation.ref())
            part: exp.Expr = exp.Subquery(this=query)
            total = part if total is None else exp.Add(this=total, expression=part)
        return Value(t.INT, total if total is not None else exp.Literal.number(0))

    state.lazies["@@rowcount"] = count


def set_identity(state: State, table: Table, rows: Relation) -> None:
    """``SCOPE_IDENTITY()``: the largest identity value of the new rows; without any, as before."""
    column = next((c for c in table.columns if c.identity), None)
    if column is None:
        return
    before = state.lazies.get("scope_identity()")
    type_ = t.parse_type("numeric(38, 0)")

    def identity() -> Value:
        query = trees.select([trees.call("MAX", trees.column(column.name))], rows.ref())
        last: exp.Expr = trees.cast(exp.Subquery(this=query), type_)
        if len(rows.keys) and frozenset() in rows.keys:
            return Value(type_, last)
        old = before() if before is not None else None
        if old is None or old.expression is None:
            why = Unsupported("SCOPE_IDENTITY() before this INSERT is not known", 0, "IDENTITY")
            return Value(type_, unknown=old.unknown if old is not None else why)
        if isinstance(old.expression, exp.Null):
            return Value(type_, last)
        return Value(type_, trees.call("ISNULL", last, old.expression.copy()))

    state.lazies["scope_identity()"] = identity


def _unknown_count(line: int):  # type: ignore[no-untyped-def]
    why = Unsupported("@@ROWCOUNT of a statement that is not counted", line, "@@ROWCOUNT")
    return lambda: Value(t.INT, unknown=why)


def _truncate(ex: Executor, parsed: ParsedLeaf, context: Context, state: State) -> None:
    key, found = _target(ex, parsed, context)
    state.tables[key] = truncated(found)
    state.lazies["@@rowcount"] = lambda: Value(t.INT, exp.Literal.number(0))


def _select_into(ex: Executor, parsed: ParsedLeaf, context: Context, state: State) -> None:
    assert parsed.target is not None
    assert parsed.query is not None
    name = table_name(parsed.target.table)
    key = ex.tables.key(name)
    query, _ = unordered(parsed.query)
    hint = name.name.lstrip("#@")
    rows = ex.binder.relation(query, context, hint)
    known = None if name.is_temporary else ex.relations.schema.table(name)
    if known is not None and {c.name.lower() for c in known.columns} == {
        n.lower() for n in rows.names
    }:
        # The catalog describes the table this statement makes: its types are the query's own.
        columns = tuple(
            replace(c, default=None, computed=None, identity=False) for c in known.columns
        )
        table = replace(known, columns=columns)
        rows = aligned(ex.relations, rows, table, {}, hint, context.origin)
    else:
        table = Table(name, rows.columns)
    group = Group(rows, GroupKind.NEW)
    state.tables[key] = TableState(table, (group,), written=True, reseeded=True, deleted=True)
    set_count(state, [rows], context.origin.first_line)


def _insert(ex: Executor, parsed: ParsedLeaf, context: Context, state: State) -> None:
    key, found = _target(ex, parsed, context)
    assert parsed.target is not None
    query: exp.Expr | None = parsed.query
    if parsed.top is not None:
        query = top_rows(ex, parsed, context)
    if parsed.nested is not None:
        query, context = _nested(ex, parsed, context, state)
        found = ex.tables.state_of(
            table_name(parsed.target.table), state, context.origin.first_line
        )
    keep = key in state.identity_insert
    new, rows = ex.inserter.insert(found, parsed.target, query, context, keep_identity=keep)
    state.tables[key] = new
    set_count(state, [rows], context.origin.first_line)
    set_identity(state, found.table, rows)
    if parsed.output is not None and parsed.output.into is not None:
        plain_output(ex, parsed.output, [OutputSource(inserted=rows)], context, state)


def _nested(
    ex: Executor, parsed: ParsedLeaf, context: Context, state: State
) -> tuple[exp.Expr, Context]:
    """``INSERT … SELECT … FROM (MERGE … OUTPUT …) AS x``: the inner rows become a CTE."""
    inner = parsed.nested
    assert inner is not None
    assert parsed.query is not None
    if inner.kind is not LeafKind.MERGE or inner.output is None:
        raise Refused("INSERT over a statement other than MERGE … OUTPUT", "nested DML")
    rows = _merge(ex, inner, context, state, want_output=True)
    assert rows is not None
    inner_context = type(context)(
        state, {**context.ctes, "__nested_dml__": rows}, context.origin, context.comments
    )
    return parsed.query, inner_context


def _update(ex: Executor, parsed: ParsedLeaf, context: Context, state: State) -> None:
    assert parsed.target is not None
    assert parsed.query is not None
    if parsed.target.is_cte:
        from core.compiler.through_cte import update_through_cte

        _check_no_top(parsed)
        update_through_cte(ex, parsed, context, state)
        return
    key, found = _target(ex, parsed, context)
    joined = ex.updater.joined(parsed.query, parsed.target, context, ex.guard)
    if parsed.top is not None:
        joined = topped(ex, found, joined, parsed.top, context)
    inner = _with_ctes(ex, parsed, context)
    values = ex.updater.assignments(parsed.assignments, inner, joined.alias, found)
    new, changed = ex.updater.update(found, joined, values, context)
    state.tables[key] = new
    in_place = any(g.kind is GroupKind.NEW for g in found.groups)
    if in_place and (joined.where is not None or joined.others):
        state.lazies["@@rowcount"] = _unknown_count(context.origin.first_line)
    else:
        set_count(state, [rows for _, rows in changed], context.origin.first_line)
    if parsed.output is not None and parsed.output.into is not None:
        update_output(ex, parsed.output, found, joined, values, inner, state)


def _with_ctes(ex: Executor, parsed: ParsedLeaf, context: Context) -> Context:
    with_ = parsed.query.args.get("with_") if parsed.query is not None else None
    if with_ is None:
        return context
    return ex.binder.with_ctes(with_.copy(), context, raw=True)


def _delete(ex: Executor, parsed: ParsedLeaf, context: Context, state: State) -> None:
    assert parsed.target is not None
    assert parsed.query is not None
    if parsed.target.is_cte:
        from core.compiler.through_cte import delete_through_cte

        _check_no_top(parsed)
        delete_through_cte(ex, parsed, context, state)
        return
    key, found = _target(ex, parsed, context)
    joined = ex.updater.joined(parsed.query, parsed.target, context, ex.guard)
    if parsed.top is not None:
        joined = topped(ex, found, joined, parsed.top, context)
    if not joined.others and joined.where is None:
        rows = [group.relation for group in found.groups]
        state.tables[key] = emptied(found)
    else:
        state.tables[key], rows = deleted(ex.updater, found, joined, context)
    if len(rows) == len(found.groups):
        set_count(state, rows, context.origin.first_line)
    else:
        state.lazies["@@rowcount"] = _unknown_count(context.origin.first_line)
    if parsed.output is not None and parsed.output.into is not None:
        if len(rows) != len(found.groups):
            raise Refused("OUTPUT of a DELETE with several matches", "DELETE OUTPUT")
        sources = [OutputSource(deleted=relation) for relation in rows]
        plain_output(ex, parsed.output, sources, context, state)


def _merge(
    ex: Executor, parsed: ParsedLeaf, context: Context, state: State, *, want_output: bool = False
) -> Relation | None:
    key, found = _target(ex, parsed, context)
    if parsed.target is not None and parsed.target.is_cte:
        raise Refused("MERGE into a CTE", "MERGE into a CTE")
    merger = Merger(ex.binder, ex.tables, ex.inserter, ex.updater, ex.assumptions)
    new = merger.merge(found, parsed, context)
    output = parsed.output
    rows: Relation | None = None
    if output is not None and (output.into is not None or want_output):
        rows = merge_output(ex, output, merger.branches, found, parsed, context)
    state.tables[key] = new
    state.lazies["@@rowcount"] = _unknown_count(context.origin.first_line)
    if any(c.identity for c in found.table.columns):
        state.lazies.pop("scope_identity()", None)
    if rows is not None and output is not None and output.into is not None:
        into = ex.tables.state_of(table_name(output.into), state, context.origin.first_line)
        from core.compiler.outputs import append_output

        append_output(ex, into, rows, output, context, state)
    return rows


# --- tables ---------------------------------------------------------------------------------------


def table_of(ex: Executor, name: ObjectName, body: nodes.TableBody, kind: TableKind) -> Table:
    """The table a CREATE TABLE or DECLARE @t TABLE makes. Raises `Refused` for unknown types."""
    columns: list[Column] = []
    for column in body.columns:
        computed = column.computed.text if column.computed is not None else None
        if column.type is None:
            columns.append(Column(column.name, t.SQL_VARIANT, computed=computed))
            continue
        try:
            type_ = t.parse_type(column.type.text, aliases=ex.relations.schema.alias_types)
        except t.UnknownTypeError as error:
            raise Refused(error.reason, "unknown type", column.span.line) from None
        default = column.default.text if column.default is not None else None
        columns.append(
            Column(
                column.name,
                type_,
                nullable=column.nullable is not False and not column.primary_key,
                identity=column.identity is not None,
                default=default,
                computed=computed,
            )
        )
    table = Table(name, tuple(columns), kind, body.keys)
    if not any(column.computed is not None for column in columns):
        return table
    table = with_computed_types(table, ex.relations.schema)
    for made in table.columns:
        if made.computed is not None and made.type == t.SQL_VARIANT:
            raise Refused(f"the computed column {made.name} of {name}", "computed column")
    return table


def create_table(ex: Executor, node: nodes.CreateTable, state: State) -> None:
    """CREATE TABLE: an empty table. A permanent one has what the catalog says it has."""
    name = schema_name(node.name)
    key = ex.tables.key(name)
    if node.query is not None:
        raise Refused("CREATE TABLE AS SELECT", "CTAS")
    known = None if name.is_temporary else ex.relations.schema.table(name)
    table = known or table_of(ex, name, node.body, TableKind.TEMP)
    state.tables[key] = TableState(table, written=True, reseeded=True, deleted=True)


def drop_table(ex: Executor, node: nodes.DropTable, state: State) -> None:
    """DROP TABLE: a permanent table is empty until it is created again."""
    for dropped in node.names:
        name = schema_name(dropped)
        key = ex.tables.key(name)
        if name.is_temporary:
            state.tables.pop(key, None)
            continue
        table = ex.relations.schema.table(name)
        if table is not None:
            state.tables[key] = TableState(table, written=True, reseeded=True, deleted=True)


def alter_table(ex: Executor, node: nodes.AlterTable, state: State) -> None:
    """ALTER TABLE: constraints do not matter; new columns of temp tables do."""
    action = node.action.upper()
    if action in ("DROP CONSTRAINT", "CHECK", "NOCHECK", "ENABLE", "DISABLE", "REBUILD", "SET"):
        ex.drop(f"ALTER TABLE … {action}", node)
        return
    if action == "ADD" and node.add is not None and not node.add.columns:
        ex.drop("ALTER TABLE … ADD constraint", node)
        return
    name = schema_name(node.name)
    if action == "SWITCH":
        _switch(ex, node, name, state)
        return
    if action == "ADD" and node.add is not None and name.is_temporary:
        _add_columns(ex, node, name, state)
        return
    raise Refused(f"ALTER TABLE … {action}", "ALTER TABLE")


def _switch(ex: Executor, node: nodes.AlterTable, name: ObjectName, state: State) -> None:
    """SWITCH moves all rows of a table to another, which has to be empty."""
    other = switch_target(node)
    if other is None:
        raise Refused("ALTER TABLE … SWITCH of a partition", "ALTER TABLE SWITCH")
    line = ex.line(node)
    source = ex.tables.state_of(name, state, line)
    target = ex.tables.state_of(other, state, line)
    if target.groups or target.poison is not None or source.poison is not None:
        raise Refused(f"it is not known that {other} is empty before SWITCH", "ALTER TABLE SWITCH")
    content = ex.tables.content(source, line)
    hint = snake(other.name)
    rows = ex.binder.projected(content, list(target.table_names), hint, ex.origin(node))
    stored = aligned(ex.relations, rows, target.table, {}, hint, ex.origin(node))
    group = Group(stored, GroupKind.NEW)
    state.tables[ex.tables.key(other)] = replace(target, groups=(group,), written=True)
    state.tables[ex.tables.key(name)] = emptied(source)


def _add_columns(ex: Executor, node: nodes.AlterTable, name: ObjectName, state: State) -> None:
    found = ex.tables.state_of(name, state, ex.line(node))
    assert node.add is not None
    added = table_of(ex, name, node.add, TableKind.TEMP).columns
    if any(column.identity or column.computed for column in added):
        raise Refused("an identity or computed column is added to a temp table", "ALTER TABLE")
    table = replace(found.table, columns=(*found.table.columns, *added))
    groups = []
    for group in found.groups:
        items: list[exp.Expr] = [trees.column(n) for n in group.relation.names]
        items += [trees.alias(trees.cast(exp.Null(), c.type), c.name) for c in added]
        query = trees.select(items, group.relation.ref())
        rows = ex.relations.query(query, group.relation.hint, group.relation.origin)
        groups.append(replace(group, relation=rows))
    key = ex.tables.key(name)
    state.tables[key] = replace(found, table=table, groups=tuple(groups))


def poison_table(ex: Executor, state: State, name: ObjectName, why: Unsupported) -> None:
    """A table's content becomes unknown."""
    key = ex.tables.key(name)
    found = state.tables.get(key)
    if found is None:
        table = ex.relations.schema.table(name) or Table(name, ())
        found = TableState(table)
    state.tables[key] = found.poisoned(why)


def poison_table_variable(state: State, name: str, why: Unsupported) -> None:
    if name in state.tables:
        state.tables[name] = state.tables[name].poisoned(why)


def whole(ex: Executor, found: TableState, line: int) -> tuple[TableState, Relation]:
    """A table with all its rows in one group, and that group's relation."""
    content = ex.tables.content(found, line)
    return merged(found, content), content


__all__ = ["delete_through", "leaf", "snake"]
