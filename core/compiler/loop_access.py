"""How the body of a loop over rows reaches tables, and its lookups and MERGEs over all rows.

A statement *pins* a table's column when it only reaches rows in which the column equals a value
of the loop's row. Row variables are columns of ``loop_rows`` by then (`core.compiler.row_loops`),
so a pin is a pair: the table's column and the column of ``loop_rows``.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from sqlglot import exp

from core.compiler import trees
from core.compiler.align import writable
from core.compiler.keys import conjuncts, is_aggregate
from core.compiler.relations import Relation
from core.compiler.result import Refused
from core.compiler.state import State
from core.compiler.variables import lookup, substituted, variable_name
from core.tsql import nodes
from core.tsql import types as t
from core.tsql.binding_from import table_name
from core.tsql.leaves import Merge, MergeMatch, ParsedLeaf
from core.tsql.nodes import LeafKind

if TYPE_CHECKING:
    from core.compiler.row_loops import RowLoop

ALIAS = "loop_rows"
Access = frozenset[tuple[str, str]]
"""What a statement pins of a table: (its column, the column of the loop's rows it equals)."""


def note_statement(loop: RowLoop, parsed: ParsedLeaf, state: State) -> None:
    """Note how a data statement reaches its target and the tables it reads."""
    target = parsed.target
    assert target is not None
    key = loop.ex.tables.key(table_name(target.table))
    alias = (target.alias or target.table.name).lower()
    if parsed.kind is LeafKind.MERGE:
        _note_merge(loop, parsed, state, key, alias)
        return
    query = substituted(parsed.query.copy(), state) if parsed.query is not None else None
    if parsed.kind is LeafKind.INSERT:
        pins = _inserted(loop, parsed, query, state)
    else:
        where = query.args.get("where") if query is not None else None
        pins = set(_pinned(loop, where.this if where is not None else None, alias, alone=True))
    loop.accesses.setdefault(key, []).append((parsed.kind, frozenset(pins)))
    if query is not None:
        noted(loop, None, query, alias if parsed.kind is not LeafKind.INSERT else None)
    for assignment in parsed.assignments:
        noted(loop, None, substituted(assignment.value.copy(), state), None)


def _note_merge(loop: RowLoop, parsed: ParsedLeaf, state: State, key: str, alias: str) -> None:
    assert parsed.merge is not None
    if any(w.match is MergeMatch.NOT_MATCHED_BY_SOURCE for w in parsed.merge.whens):
        raise Refused("WHEN NOT MATCHED BY SOURCE in a loop", "WHILE")
    if parsed.ctes is not None:
        raise Refused("a MERGE over a CTE in a loop", "WHILE")
    source = substituted(parsed.merge.source.copy(), state)
    outputs = _outputs(source)
    name = parsed.merge.source.alias_or_name.lower()
    pins: set[tuple[str, str]] = set()
    on = substituted(parsed.merge.on.copy(), state)
    for part in conjuncts(on):
        if not isinstance(part, exp.EQ):
            continue
        for one, other in ((part.this, part.expression), (part.expression, part.this)):
            one, other = trees.unwrapped(one), trees.unwrapped(other)
            if not isinstance(one, exp.Column) or one.table.lower() != alias:
                continue
            if isinstance(other, exp.Column) and other.table.lower() == name:
                other = outputs.get(other.name.lower(), other)
            row = row_key(loop, other)
            if row is not None:
                pins.add((one.name.lower(), row))
    inserted = [w for w in parsed.merge.whens if w.match is MergeMatch.NOT_MATCHED]
    for when in inserted:
        pins &= _merge_values(loop, when.columns, when.values, state, name, outputs)
    loop.accesses.setdefault(key, []).append((LeafKind.MERGE, frozenset(pins)))
    noted(loop, None, source, None)


def _merge_values(
    loop: RowLoop,
    columns: Sequence[str],
    values: Sequence[exp.Expr],
    state: State,
    source: str,
    outputs: dict[str, exp.Expr],
) -> set[tuple[str, str]]:
    found: set[tuple[str, str]] = set()
    for column, value in zip(columns, values, strict=False):
        tree = trees.unwrapped(substituted(value.copy(), state))
        if isinstance(tree, exp.Column) and tree.table.lower() in (source, ""):
            tree = outputs.get(tree.name.lower(), tree)
        row = row_key(loop, tree)
        if row is not None:
            found.add((column.lower(), row))
    return found


def _outputs(source: exp.Expr) -> dict[str, exp.Expr]:
    """The columns of a MERGE's USING (SELECT …) by name."""
    query = source.this if isinstance(source, exp.Subquery) else None
    if not isinstance(query, exp.Select):
        return {}
    names = [c.name for c in source.args["alias"].columns] if source.args.get("alias") else []
    found: dict[str, exp.Expr] = {}
    for position, item in enumerate(query.expressions):
        name = names[position] if position < len(names) else item.alias_or_name
        found[name.lower()] = item.this if isinstance(item, exp.Alias) else item
    return found


def merged_rows(loop: RowLoop, parsed: ParsedLeaf, rows: Relation, state: State) -> Merge:
    """The MERGE over all rows of the loop: they join its source, which passes them on."""
    merge = parsed.merge
    assert merge is not None
    source = substituted(merge.source.copy(), state)
    query = source.this if isinstance(source, exp.Subquery) else None
    if not isinstance(query, exp.Select) or source.args["alias"].columns:
        raise Refused("a MERGE whose source is not one SELECT in a loop", "WHILE")
    if any(query.args.get(k) for k in ("group", "distinct", "limit", "having")) or any(
        item.is_star for item in query.expressions
    ):
        raise Refused("a MERGE with grouped rows in a loop", "WHILE")
    name = source.alias
    joined = loop._joined(query, rows)
    taken = {item.alias_or_name.lower() for item in joined.expressions}
    passed = [trees.alias(trees.column(c, ALIAS), c) for c in rows.names if c.lower() not in taken]
    joined.set("expressions", [*joined.expressions, *passed])
    source.set("this", joined)

    def seen(tree: exp.Expr) -> exp.Expr:
        holder = exp.Paren(this=substituted(tree.copy(), state))
        for column in holder.find_all(exp.Column):
            if column.table == ALIAS:
                column.set("table", exp.to_identifier(name, quoted=True))
        found: exp.Expr = holder.this
        found.pop()
        return found

    whens = tuple(
        replace(
            when,
            condition=seen(when.condition) if when.condition is not None else None,
            assignments=tuple(replace(a, value=seen(a.value)) for a in when.assignments),
            values=tuple(seen(value) for value in when.values),
        )
        for when in merge.whens
    )
    return replace(merge, source=source, on=seen(merge.on), whens=whens)


def noted(loop: RowLoop, kind: LeafKind | None, tree: exp.Expr, target_alias: str | None) -> None:
    """Note the tables a tree reads and what it pins of them."""
    for select in tree.find_all(exp.Select):
        source = select.args.get("from_")
        items = [source.this] if source is not None else []
        items += [join.this for join in select.args.get("joins") or ()]
        for item in items:
            if not isinstance(item, exp.Table) or not isinstance(
                item.this, exp.Identifier | exp.Parameter
            ):
                continue
            if select is tree and item.alias_or_name.lower() == target_alias:
                continue
            key = loop.ex.tables.key(table_name(item))
            where = select.args.get("where")
            condition = where.this if where is not None else None
            alias = item.alias_or_name.lower()
            pins = frozenset(_pinned(loop, condition, alias, alone=len(items) == 1))
            loop.accesses.setdefault(key, []).append((kind, pins))


def _inserted(
    loop: RowLoop, parsed: ParsedLeaf, query: exp.Expr | None, state: State
) -> set[tuple[str, str]]:
    assert parsed.target is not None
    values: list[exp.Expr] = []
    if isinstance(query, exp.Values) and len(query.expressions) == 1:
        row = query.expressions[0]
        values = list(row.expressions) if isinstance(row, exp.Tuple) else [row]
    elif isinstance(query, exp.Select):
        values = [i.this if isinstance(i, exp.Alias) else i for i in query.expressions]
    names = parsed.target.columns
    if not names:
        name = table_name(parsed.target.table)
        table = loop.ex.tables.state_of(name, state, loop.ex.line(loop.node)).table
        names = tuple(column.name for column in writable(table))
    if len(values) != len(names):
        return set()
    return {
        (name.lower(), row_column)
        for name, value in zip(names, values, strict=True)
        if (row_column := row_key(loop, value)) is not None
    }


def _pinned(
    loop: RowLoop, condition: exp.Expr | None, alias: str, *, alone: bool
) -> Iterator[tuple[str, str]]:
    for part in conjuncts(condition) if condition is not None else []:
        if not isinstance(part, exp.EQ):
            continue
        for one, other in ((part.this, part.expression), (part.expression, part.this)):
            one = trees.unwrapped(one)
            if not isinstance(one, exp.Column) or one.table == ALIAS:
                continue
            row = row_key(loop, other)
            if row is not None and (one.table.lower() == alias or (alone and not one.table)):
                yield one.name.lower(), row


def row_key(loop: RowLoop, node: exp.Expr) -> str | None:
    """The row column that an expression holds, in a form that is different for every value."""
    node = trees.unwrapped(node)
    if isinstance(node, exp.Column):
        return node.name.lower() if node.table == ALIAS else None
    if not isinstance(node, exp.Cast | exp.Convert):
        return None
    inner = trees.unwrapped(node.expression if isinstance(node, exp.Convert) else node.this)
    try:
        to = t.parse_type(str(node.meta.get("tsql_type", "")), in_cast=True)
    except t.UnknownTypeError:
        return None
    if isinstance(inner, exp.Column) and inner.table == ALIAS:
        known = loop.first.column(inner.name)
        style = str(node.meta.get("tsql_style", ""))
        if known is None:
            return None
        if not style and _keeps(known.type, to):
            return inner.name.lower()
        day = known.type.name is t.TypeName.DATE and style == "112"
        return inner.name.lower() if day and to.is_string and (to.max_length or 8) >= 8 else None
    if to.is_integer and to.name not in (t.TypeName.TINYINT, t.TypeName.SMALLINT):
        return row_key(loop, inner) if isinstance(inner, exp.Cast | exp.Convert) else None
    return None


def _keeps(from_: t.SqlType, to: t.SqlType) -> bool:
    """Whether a conversion cannot make two different values equal."""
    if from_ == to:
        return True
    if from_.is_integer and to.is_integer:
        sizes = [t.TypeName.TINYINT, t.TypeName.SMALLINT, t.TypeName.INT, t.TypeName.BIGINT]
        both = (from_.name, to.name)
        return all(n in sizes for n in both) and sizes.index(both[0]) <= sizes.index(both[1])
    if from_.is_string and to.is_string:
        if to.max_length is None:
            return to.is_unicode or not from_.is_unicode
        fits = from_.max_length is not None and from_.max_length <= to.max_length
        return fits and (to.is_unicode or not from_.is_unicode)
    return from_.name is t.TypeName.DATE and to.is_datetime


# --- SELECT @v = … ------------------------------------------------------------------------------


def selected(
    loop: RowLoop, parsed: ParsedLeaf, node: nodes.SelectAssign, state: State
) -> dict[str, exp.Expr | Refused]:
    """The values a SELECT gives variables, over the rows of the loop; or why they are unknown."""
    query = parsed.query
    found: dict[str, exp.Expr | Refused] = {}
    context = loop.ex.context(node, state)
    has_rows = isinstance(query, exp.Select) and query.args.get("from_") is not None
    for assignment in parsed.assignments:
        name = (assignment.variable or "").lower()
        try:
            if assignment.operator != "=":
                raise Refused("a running total", "WHILE")
            if not has_rows:
                tree: exp.Expr = assignment.value
                read = {variable_name(p) for p in tree.find_all(exp.Parameter)}
                if read & found.keys():
                    raise Refused("a SELECT that reads what it sets", "WHILE")
            else:
                assert isinstance(query, exp.Select)
                tree = _looked_up(
                    loop, query, assignment.value, name, len(parsed.assignments), state
                )
            noted(loop, None, substituted(tree.copy(), state), None)
            found[name] = loop.ex.binder.expression(tree, context)
        except Refused as refusal:
            found[name] = refusal
    return found


def _looked_up(
    loop: RowLoop, query: exp.Select, value: exp.Expr, name: str, count: int, state: State
) -> exp.Expr:
    """``(SELECT value FROM …)``, when there is at most one row, and the old value without any."""
    single = query.copy()
    single.set("expressions", [value.copy()])
    found = exp.Subquery(this=single)
    if query.args.get("group") or query.args.get("having"):
        raise Refused("a lookup with GROUP BY in a loop", "WHILE")
    if is_aggregate(value):
        return found
    if not _finds_one(loop, query, count, state):
        raise Refused("a lookup that may find several rows", "WHILE")
    old = lookup(state, name, 0)
    if old.expression is None:
        raise Refused(
            f"{name} keeps the value of the turn before when the lookup finds nothing", "WHILE"
        )
    inner = old.expression
    while isinstance(inner, exp.Cast | exp.Paren):
        inner = inner.this
    if isinstance(inner, exp.Null):
        return found
    some = query.copy()
    for key in ("order", "limit"):
        some.set(key, None)
    some.set("expressions", [trees.one()])
    branch = exp.If(this=exp.Exists(this=some), true=found)
    return exp.Case(ifs=[branch], default=old.expression.copy())


def _finds_one(loop: RowLoop, query: exp.Select, count: int, state: State) -> bool:
    limit = query.args.get("limit")
    if limit is not None:
        size = limit.args.get("expression")
        return count == 1 and size is not None and trees.unwrapped(size).sql() == "1"
    source = query.args.get("from_")
    if source is None or query.args.get("joins") or not isinstance(source.this, exp.Table):
        return False
    where = query.args.get("where")
    if where is None:
        return False
    alias = source.this.alias_or_name.lower()
    fixed: set[str] = set()
    for part in conjuncts(substituted(where.this.copy(), state)):
        if not isinstance(part, exp.EQ):
            continue
        for one, other in ((part.this, part.expression), (part.expression, part.this)):
            one = trees.unwrapped(one)
            own = isinstance(one, exp.Column) and one.table.lower() in (alias, "")
            if own and all(c.table == ALIAS for c in trees.columns_in(other)):
                fixed.add(one.name.lower())
    context = loop.ex.context(loop.node, state)
    return loop.ex.binder.lookup(source.this, context).is_unique_on(fixed)
