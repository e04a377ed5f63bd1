"""INSERT and SELECT INTO: a new group of rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from sqlglot import exp

from core.compiler import trees
from core.compiler.align import aligned, assigned_value, default_of, writable
from core.compiler.binder import Binder, Context, with_names
from core.compiler.naming import snake
from core.compiler.relations import Relation
from core.compiler.result import Refused
from core.compiler.state import Group, GroupKind, TableState
from core.compiler.tables import Tables
from core.tsql.leaves import Target
from core.tsql.schema import Column, Table


def listed_columns(table: Table, names: Sequence[str], line: int) -> list[Column]:
    """The columns an INSERT fills, in the order of its values."""
    if not names:
        return writable(table)
    found = []
    for name in names:
        column = table.column(name.rsplit(".", 1)[-1])
        if column is None:
            raise Refused(f"{table.name} has no column '{name}'", "unknown column", line)
        found.append(column)
    return found


def unordered(query: exp.Expr) -> tuple[exp.Expr, list[exp.Expr]]:
    """A query without the ORDER BY that does not choose rows, and that order.

    With TOP or OFFSET the order chooses rows and stays.
    """
    order = query.args.get("order")
    if order is None or query.args.get("limit") is not None or query.args.get("offset") is not None:
        return query, []
    query = query.copy()
    query.set("order", None)
    return query, list(order.expressions)


def values_query(values: exp.Values, columns: Sequence[Column]) -> exp.Expr:
    """``VALUES (…), (…)`` as SELECTs put together with UNION ALL, DEFAULT written out."""
    rows: list[exp.Expr] = []
    for row in values.expressions:
        parts = row.expressions if isinstance(row, exp.Tuple) else [row]
        if len(parts) != len(columns):
            raise Refused(
                f"VALUES gives {len(parts)} values for {len(columns)} columns", "column count"
            )
        items = []
        for part, column in zip(parts, columns, strict=True):
            value = default_of(column) if trees.is_default(part) else part.copy()
            items.append(trees.alias(value, column.name))
        rows.append(exp.Select(expressions=items))
    return trees.union_all(rows)


class Inserter:
    """Adds rows to tables."""

    def __init__(self, binder: Binder, tables: Tables, natural_key: Sequence[str] = ()) -> None:
        self.binder = binder
        self.tables = tables
        self.natural_key = [name.lower() for name in natural_key]

    def insert(
        self,
        state: TableState,
        target: Target,
        query: exp.Expr | None,
        context: Context,
        *,
        keep_identity: bool,
    ) -> tuple[TableState, Relation]:
        """The state after an INSERT, and the rows it added."""
        line = context.origin.first_line
        table = state.table
        names = list(target.columns)
        if not names and keep_identity:
            names = [c.name for c in table.columns if c.computed is None]
        columns = listed_columns(table, names, line)
        hint = self._hint(state)
        if query is None:
            rows, order = self._defaults(table, context), list[exp.Expr]()
            columns = []
        else:
            rows, order = self._rows(query, columns, context, hint)
        return self.append(state, rows, columns, order, context, hint, keep_identity=keep_identity)

    def _hint(self, state: TableState) -> str:
        name = snake(state.table.name.name)
        prior = any(group.kind is not GroupKind.NEW for group in state.groups)
        return f"new_{name}" if prior or state.groups else name

    def _defaults(self, table: Table, context: Context) -> Relation:
        """INSERT … DEFAULT VALUES: one row."""
        column = table.columns[0].name if table.columns else "x"
        query = exp.Select(expressions=[trees.alias(trees.one(), f"{column}_row")])
        return self.binder.relations.query(query, "one_row", context.origin)

    def _rows(
        self, query: exp.Expr, columns: Sequence[Column], context: Context, hint: str
    ) -> tuple[Relation, list[exp.Expr]]:
        """The rows of an INSERT's query under the names of the columns they go to."""
        if isinstance(query, exp.Values):
            query = values_query(query, columns)
        query, order = unordered(query)
        bound = self.binder.query(query, context)
        names = [column.name for column in columns]
        order = _in_outputs(order, query, names)
        _type_flags(bound, columns)
        named = with_names(bound, names)
        if named is not None:
            return self.binder.relations.query(named, hint, context.origin), order
        inner = self.binder.relations.query(with_every_name(bound), hint, context.origin)
        return self.binder.projected(inner, names, hint, context.origin), order

    def append(
        self,
        state: TableState,
        rows: Relation,
        columns: Sequence[Column],
        order: Sequence[exp.Expr],
        context: Context,
        hint: str,
        *,
        keep_identity: bool = False,
    ) -> tuple[TableState, Relation]:
        """Add rows that have the given columns; the others get identity, default or NULL."""
        table = state.table
        given = {column.name.lower() for column in columns}
        values: dict[str, exp.Expr] = {}
        for column in table.columns:
            if column.name.lower() in given or column.computed is not None:
                continue
            if column.identity and not keep_identity:
                values[column.name.lower()] = self._identity(state, rows, column, order)
            else:
                values[column.name.lower()] = default_of(column)
        stored = aligned(self.binder.relations, rows, table, values, hint, context.origin)
        group = Group(stored, GroupKind.NEW)
        new = replace(state, groups=(*state.groups, group), written=True, upsert=None)
        return new, stored

    def _identity(
        self,
        state: TableState,
        rows: Relation,
        column: Column,
        order: Sequence[exp.Expr],
    ) -> exp.Expr:
        """The next identity values: after the largest so far, in a stable order."""
        self._check_order(state, order)
        number: exp.Expr = trees.row_number(self._order(state, rows, order))
        if not state.groups:
            return number
        content = self._numbered(state)
        largest = trees.select([trees.call("MAX", trees.column(column.name))], content.ref())
        start = trees.call("COALESCE", exp.Subquery(this=largest), exp.Literal.number(0))
        return exp.Add(this=start, expression=number)

    def _numbered(self, state: TableState) -> Relation:
        """Rows among which the largest identity value is: updates never change it."""
        if any(group.kind is not GroupKind.NEW for group in state.groups):
            base = self.tables.prior(state)
            if base is not None:
                new = tuple(g for g in state.groups if g.kind is GroupKind.NEW)
                if not new:
                    return base
                prior = Group(base, GroupKind.BASE)
                return self.tables.content(replace(state, groups=(prior, *new)), 0)
        return self.tables.content(state, 0)

    def _check_order(self, state: TableState, order: Sequence[exp.Expr]) -> None:
        if order and state.table.name.is_temporary and any(not _is_known(i) for i in order):
            raise Refused("rows of a temp table numbered by a column it does not hold", "IDENTITY")

    def _order(
        self, state: TableState, rows: Relation, order: Sequence[exp.Expr]
    ) -> list[exp.Expr]:
        """What to number new rows by: the INSERT's own order, a unique key, else every column."""
        wanted: list[exp.Expr] = []
        for item in order:
            node = item.this if isinstance(item, exp.Ordered) else item
            known = rows.column(node.name) if isinstance(node, exp.Column) else None
            if known is None:
                wanted = []
                break
            descending = isinstance(item, exp.Ordered) and item.args.get("desc")
            wanted.append(exp.Ordered(this=trees.column(known.name), desc=descending or None))
        names = [name for name in self.natural_key if rows.column(name)]
        if not names or len(names) != len(self.natural_key) or not rows.is_unique_on(set(names)):
            names = self._unique_names(state, rows)
        ordered = {item.this.name.lower() for item in wanted}
        return wanted + [
            _stored_order(known)
            for name in names
            if name.lower() not in ordered and (known := rows.column(name)) is not None
        ]

    def _unique_names(self, state: TableState, rows: Relation) -> list[str]:
        candidates = [key for key in rows.keys if key and all(rows.column(n) for n in key)]
        for key in state.table.keys:
            folded = frozenset(name.lower() for name in key)
            if all(rows.column(name) for name in folded):
                candidates.append(folded)
        if candidates:
            best = min(candidates, key=lambda key: (len(key), sorted(key)))
            return [c.name for c in rows.columns if c.name.lower() in best]
        fixed = _constants(rows)
        return [c.name for c in rows.columns if c.name.lower() not in fixed]


def _stored_order(column: Column) -> exp.Expr:
    """A column to number by where any order will do: text as it is stored."""
    found: exp.Expr = trees.column(column.name)
    if column.type.is_string:
        found = exp.Collate(this=found, expression=exp.Var(this="Latin1_General_BIN2"))
    return found


def _is_known(item: exp.Expr) -> bool:
    node = item.this if isinstance(item, exp.Ordered) else item
    return isinstance(node, exp.Column) and bool(node.meta.get("output"))


def _in_outputs(order: Sequence[exp.Expr], query: exp.Expr, names: Sequence[str]) -> list[exp.Expr]:
    """An INSERT's ORDER BY in terms of the columns its values go to, where they hold it."""
    if not isinstance(query, exp.Select) or len(query.expressions) != len(names):
        return list(order)
    found: list[exp.Expr] = []
    for item in order:
        node = item.this if isinstance(item, exp.Ordered) else item
        place = next(
            (i for i, shown in enumerate(query.expressions) if _is_ordered_by(node, shown, i)), None
        )
        if place is None:
            found.append(item)
            continue
        column = trees.column(names[place])
        column.meta["output"] = True
        descending = item.args.get("desc") if isinstance(item, exp.Ordered) else None
        found.append(exp.Ordered(this=column, desc=descending))
    return found


def _is_ordered_by(node: exp.Expr, shown: exp.Expr, place: int) -> bool:
    """Whether an ORDER BY item means a projection: by its alias, its expression or its number."""
    if isinstance(node, exp.Literal) and not node.is_string:
        return node.name == str(place + 1)
    named = isinstance(node, exp.Column) and not node.table and isinstance(shown, exp.Alias)
    if named and shown.alias.lower() == node.name.lower():
        return True
    value = shown.this if isinstance(shown, exp.Alias) else shown
    if isinstance(node, exp.Column) and isinstance(value, exp.Column):
        same = node.name.lower() == value.name.lower()
        return same and (
            not node.table or not value.table or node.table.lower() == value.table.lower()
        )
    return node == value


def with_every_name(query: exp.Expr) -> exp.Expr:
    """A query whose unnamed output columns get names nobody else uses."""
    first = query
    while isinstance(first, exp.SetOperation):
        first = first.this
    if isinstance(first, exp.Select) and not any(i.is_star for i in first.expressions):
        items = [
            item
            if isinstance(item, exp.Alias | exp.Column)
            else trees.alias(item, f"column_{position + 1}")
            for position, item in enumerate(first.expressions)
        ]
        first.set("expressions", items)
    return query


def _type_flags(query: exp.Expr, columns: Sequence[Column]) -> None:
    """Give the literal flags of a SELECT's list the type of the columns they go to."""
    if not isinstance(query, exp.Select) or len(query.expressions) != len(columns):
        return
    if any(item.is_star for item in query.expressions):
        return
    items: list[exp.Expr] = []
    for item, column in zip(query.expressions, columns, strict=True):
        value = item.this if isinstance(item, exp.Alias) else item
        new = assigned_value(value, column)
        items.append(item if new == value else trees.alias(new, column.name))
    query.set("expressions", items)


def _constants(rows: Relation) -> set[str]:
    """Columns that hold the same value in every row: literals, NULL, the clock."""
    if not isinstance(rows.query, exp.Select):
        return set()
    return {
        item.alias_or_name.lower()
        for item in rows.query.expressions
        if isinstance(item, exp.Alias)
        and not trees.columns_in(item.this)
        and item.this.find(exp.Select) is None
        and item.this.find(exp.Window) is None
        and all(c.name.upper() != "NEWID" for c in item.this.find_all(exp.Anonymous))
    }
