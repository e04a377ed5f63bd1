"""Binding of whole data statements: targets, assignments, MERGE branches, OUTPUT.

:func:`bind_leaf` takes what ``leaf.parsed`` gives and returns a :class:`BoundLeaf`. The rows a
statement reads are a :class:`core.tsql.binding.BoundQuery`; what it does with them refers to the
query's relations by their aliases.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlglot import exp

from core.tsql import types as t
from core.tsql.binding import Binder, BoundExpression, BoundQuery, Env
from core.tsql.binding_from import table_name
from core.tsql.leaves import (
    Assignment,
    MergeAction,
    MergeMatch,
    MergeWhen,
    Output,
    ParsedLeaf,
    Target,
)
from core.tsql.nodes import LeafKind
from core.tsql.schema import Column, ObjectName, Schema, Table
from core.tsql.scope import Origin, OutputColumn, Relation, Scope
from core.tsql.types import SqlType
from core.tsql.typing import BindError, is_predicate, line_of, type_of


@dataclass(frozen=True)
class BoundTarget:
    """The table a statement writes.

    ``table`` is the schema's table (behind a CTE: None, ``cte`` names it, and ``columns`` are the
    CTE's). For INSERT ``columns`` are the columns that get a value, in the order of the source's.
    """

    name: ObjectName
    table: Table | None
    columns: tuple[Column, ...]
    alias: str | None = None
    cte: str | None = None


@dataclass(frozen=True)
class BoundAssignment:
    """``column = value``, ``@variable = value`` or both; ``operator`` as written."""

    value: BoundExpression
    column: Column | None
    variable: str | None
    operator: str
    line: int


@dataclass(frozen=True)
class BoundWhen:
    """One WHEN branch of a MERGE; INSERT has ``columns`` and ``values`` of equal length."""

    match: MergeMatch
    action: MergeAction
    condition: BoundExpression | None
    assignments: tuple[BoundAssignment, ...]
    columns: tuple[Column, ...]
    values: tuple[BoundExpression, ...]
    line: int


@dataclass(frozen=True)
class BoundMerge:
    """A MERGE: its bound source relation, its columns, the ON condition, the branches."""

    source: exp.Expr
    relation: Relation
    on: BoundExpression
    whens: tuple[BoundWhen, ...]
    ctes: exp.With | None


@dataclass(frozen=True)
class BoundOutput:
    """OUTPUT: items with their names; the rowset they go into, if any."""

    items: tuple[BoundExpression, ...]
    columns: tuple[OutputColumn, ...]
    into: ObjectName | None
    into_columns: tuple[str, ...]


@dataclass(frozen=True)
class BoundLeaf:
    """One data statement with everything resolved and typed; ``parsed`` is what it came from."""

    kind: LeafKind
    parsed: ParsedLeaf
    query: BoundQuery | None = None
    target: BoundTarget | None = None
    assignments: tuple[BoundAssignment, ...] = ()
    merge: BoundMerge | None = None
    output: BoundOutput | None = None
    nested: BoundLeaf | None = None
    """The inner statement of ``INSERT … SELECT … FROM (MERGE … OUTPUT …) AS x``."""


NESTED = "__nested_dml__"
"""The table name under which a query knows the rows of a nested statement's OUTPUT."""


def bind_leaf(
    parsed: ParsedLeaf, schema: Schema, variables: Mapping[str, SqlType] | None = None
) -> BoundLeaf:
    """Bind a parsed data statement. Raises :class:`BindError`."""
    binder = Binder(schema, variables)
    return binder.guarded(lambda: _LeafBinder(binder, parsed).bind(), parsed.tree)


def created_table(name: ObjectName, query: BoundQuery) -> Table:
    """The table ``SELECT … INTO name`` makes: the query's columns, an untyped NULL being int.

    Raises :class:`BindError` 1038 for a column without a name.
    """
    columns = []
    for position, column in enumerate(query.columns, 1):
        if column.name is None:
            raise BindError(
                1038,
                f"An object or column name is missing: column {position} of SELECT INTO.",
                line=line_of(query.tree),
            )
        type_ = t.INT if column.type.is_null else column.type
        columns.append(Column(column.name, type_, column.nullable))
    return Table(name, tuple(columns))


class _LeafBinder:
    def __init__(self, binder: Binder, parsed: ParsedLeaf) -> None:
        self.binder = binder
        self.parsed = parsed
        self.env = Env()
        self.relations: list[Relation] = []

    def bind(self) -> BoundLeaf:
        parsed = self.parsed
        nested = self._nested()
        merge_source: exp.Expr | None = None
        ctes: exp.With | None = None
        if parsed.merge is not None and parsed.ctes is not None:
            ctes = parsed.ctes.copy()
            holder = exp.Select(with_=ctes)
            self.env = self.binder.ctes(holder, None, self.env)
        query = self._query()
        target = self._target(parsed.target, query) if parsed.target is not None else None
        merge = None
        scope = Scope(relations=list(self.relations))
        if parsed.merge is not None and target is not None:
            merge_source = parsed.merge.source.copy()
            merge = self._merge(target, merge_source, ctes)
            scope = Scope(relations=[self._target_relation(target), merge.relation])
        if query is not None and parsed.kind is LeafKind.INSERT and target is not None:
            self._check_width(query, target)
        assignments = tuple(self._assignment(a, scope, target) for a in parsed.assignments)
        output = self._output(parsed.output, target, scope) if parsed.output is not None else None
        self.binder.rename_captured()
        return BoundLeaf(parsed.kind, parsed, query, target, assignments, merge, output, nested)

    def _nested(self) -> BoundLeaf | None:
        """Bind a nested statement first; its OUTPUT is a table for the query around it."""
        if self.parsed.nested is None:
            return None
        nested = bind_leaf(self.parsed.nested, self.binder.schema, self.binder.variables)
        if nested.output is not None:
            columns = tuple(
                Column(column.name, column.type, column.nullable)
                for column in nested.output.columns
                if column.name is not None
            )
            table = Table(ObjectName(NESTED), columns)
            self.binder.schema = self.binder.schema.with_table(table)
        return nested

    def _query(self) -> BoundQuery | None:
        if self.parsed.query is None:
            return None
        tree = self.parsed.query.copy()
        scope = Scope()
        columns = self.binder.query(tree, None, self.env, scope)
        self.env = self.binder.environments[id(tree)]
        self.relations = scope.relations
        return BoundQuery(tree, columns, tuple(scope.relations))

    # --- the target -------------------------------------------------------------------------------

    def _target(self, target: Target, query: BoundQuery | None) -> BoundTarget:
        name = table_name(target.table)
        if target.is_cte:
            return self._cte_target(name, target, query)
        if self.parsed.kind is LeafKind.SELECT_INTO and query is not None:
            made = created_table(name, query)
            return BoundTarget(name, made, made.columns)
        table = self.binder.schema.table(name)
        if table is None:
            raise BindError(208, f"Invalid object name '{name}'.", line=self.parsed.line)
        columns = table.columns
        if self.parsed.kind is LeafKind.INSERT:
            columns = self._insert_columns(table, target.columns, query)
        return BoundTarget(name, table, columns, target.alias)

    def _cte_target(
        self, name: ObjectName, target: Target, query: BoundQuery | None
    ) -> BoundTarget:
        cte = self.env.find(name.name)
        if cte is None or cte.columns is None:
            raise BindError(208, f"Invalid object name '{name}'.", line=self.parsed.line)
        columns = tuple(
            Column(column.name, column.type, column.nullable)
            for column in cte.columns
            if column.name is not None
        )
        return BoundTarget(name, None, columns, target.alias, cte=name.name)

    def _insert_columns(
        self, table: Table, names: Sequence[str], query: BoundQuery | None
    ) -> tuple[Column, ...]:
        if names:
            return tuple(self._column(table.columns, name) for name in names)
        settable = tuple(
            column for column in table.columns if not column.identity and column.computed is None
        )
        if query is not None and len(query.columns) == len(settable) + 1:
            # With IDENTITY_INSERT on the identity column takes a value too.
            with_identity = tuple(c for c in table.columns if c.computed is None)
            if len(with_identity) == len(query.columns):
                return with_identity
        return settable

    def _column(self, columns: Sequence[Column], name: str) -> Column:
        for column in columns:
            if column.name.lower() == name.lower():
                return column
        raise BindError(207, f"Invalid column name '{name}'.", line=self.parsed.line)

    def _check_width(self, query: BoundQuery, target: BoundTarget) -> None:
        given, wanted = len(query.columns), len(target.columns)
        if given == wanted:
            return
        if self.parsed.target is not None and self.parsed.target.columns:
            raise BindError(
                121 if given > wanted else 120,
                f"The select list for the INSERT statement contains {given} items, the insert list "
                f"{wanted}: they must match.",
                line=self.parsed.line,
            )
        raise BindError(
            213,
            "Column name or number of supplied values does not match table definition.",
            line=self.parsed.line,
        )

    def _target_relation(self, target: BoundTarget, alias: str | None = None) -> Relation:
        table = target.table
        columns = table.columns if table is not None else target.columns
        return Relation(
            alias or target.alias or target.name.name,
            tuple(
                OutputColumn(
                    c.name, c.type, c.nullable, Origin(table.name, c.name) if table else None
                )
                for c in columns
            ),
            table=target.name,
        )

    # --- values -----------------------------------------------------------------------------------

    def _expression(self, tree: exp.Expr, scope: Scope) -> BoundExpression:
        holder = exp.Paren(this=tree.copy())
        self.binder.expression(holder.this, scope, self.env)
        bound = holder.this
        bound.pop()
        return BoundExpression(bound, None if is_predicate(bound) else type_of(bound))

    def _assignment(
        self, assignment: Assignment, scope: Scope, target: BoundTarget | None
    ) -> BoundAssignment:
        column = None
        if assignment.column is not None and target is not None:
            table = target.table
            columns = table.columns if table is not None else target.columns
            column = self._column(columns, assignment.column.name)
            if column.computed is not None:
                raise BindError(
                    271,
                    f'The column "{column.name}" cannot be modified because it is a computed '
                    "column.",
                    line=assignment.line or self.parsed.line,
                )
        if assignment.variable is not None and (
            assignment.variable.lower() not in self.binder.variables
        ):
            raise BindError(
                137,
                f'Must declare the scalar variable "{assignment.variable}".',
                line=assignment.line or self.parsed.line,
            )
        return BoundAssignment(
            self._expression(assignment.value, scope),
            column,
            assignment.variable,
            assignment.operator,
            assignment.line,
        )

    # --- MERGE and OUTPUT -------------------------------------------------------------------------

    def _merge(self, target: BoundTarget, source: exp.Expr, ctes: exp.With | None) -> BoundMerge:
        merge = self.parsed.merge
        assert merge is not None
        source_scope = Scope()
        # The relation's node is looked at through a parent, as in a FROM clause.
        exp.From(this=source)
        self.binder.from_clause.source(source, source_scope, self.env)
        relation = source_scope.relations[-1]
        whole = self._target_relation(target)
        both = Scope(relations=[whole, relation])
        on = self._expression(merge.on, both)
        whens = tuple(self._when(when, target, whole, relation) for when in merge.whens)
        source.pop()
        return BoundMerge(source, relation, on, whens, ctes)

    def _when(
        self, when: MergeWhen, target: BoundTarget, whole: Relation, relation: Relation
    ) -> BoundWhen:
        visible = {
            MergeMatch.MATCHED: [whole, relation],
            MergeMatch.NOT_MATCHED: [relation],
            MergeMatch.NOT_MATCHED_BY_SOURCE: [whole],
        }[when.match]
        scope = Scope(relations=visible)
        condition = self._expression(when.condition, scope) if when.condition is not None else None
        columns: tuple[Column, ...] = ()
        if when.action is MergeAction.INSERT and target.table is not None and when.values:
            columns = (
                tuple(self._column(target.table.columns, name) for name in when.columns)
                if when.columns
                else tuple(c for c in target.table.columns if not c.identity and c.computed is None)
            )
            if len(columns) != len(when.values):
                raise BindError(
                    110 if len(when.values) > len(columns) else 109,
                    "The INSERT of a MERGE has "
                    f"{len(columns)} columns and {len(when.values)} values: they must match.",
                    line=when.line or self.parsed.line,
                )
        return BoundWhen(
            when.match,
            when.action,
            condition,
            tuple(self._assignment(a, scope, target) for a in when.assignments),
            columns,
            tuple(self._expression(value, scope) for value in when.values),
            when.line,
        )

    def _output(self, output: Output, target: BoundTarget | None, scope: Scope) -> BoundOutput:
        relations: list[Relation] = []
        if target is not None:
            images = {
                LeafKind.INSERT: ("inserted",),
                LeafKind.DELETE: ("deleted",),
            }.get(self.parsed.kind, ("inserted", "deleted"))
            relations = [self._target_relation(target, image) for image in images]
        if self.parsed.kind is not LeafKind.INSERT:
            own = target.alias or target.name.name if target is not None else ""
            relations += [r for r in scope.relations if r.alias.lower() != own.lower()]
        select = exp.Select(expressions=[item.copy() for item in output.items])
        inner = Scope(relations=relations)
        self.binder.project(select, inner, self.env)
        items = []
        for projection in select.expressions:
            value = projection.this if isinstance(projection, exp.Alias) else projection
            items.append(BoundExpression(value, type_of(value)))
        columns = tuple(self.binder.output(projection) for projection in select.expressions)
        into = table_name(output.into) if output.into is not None else None
        return BoundOutput(tuple(items), columns, into, output.into_columns)
