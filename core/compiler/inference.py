"""Columns of tables nobody describes, guessed from how procedures use them.

For reports over folders without DDL only: a real compilation never guesses. Names are followed
through CTEs, derived tables, temp tables and ``*`` to the table they must come from; the type of a
column is that of what it is compared, combined or stored with, else what its name suggests.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from sqlglot import exp

from core.compiler.dynamic import statements_in_texts
from core.compiler.effects import schema_name, switch_target
from core.compiler.inferred_queries import Queries, output_name
from core.compiler.inferred_rows import Rowset, Scope
from core.compiler.inferred_types import Cell, Strength
from core.tsql import nodes
from core.tsql import types as t
from core.tsql.binding_from import table_name
from core.tsql.leaves import Merge, ParsedExpr, ParsedLeaf
from core.tsql.schema import Column, ObjectName, Schema, Table


def with_inferred(
    schema: Schema,
    procedures: Iterable[nodes.CreateProcedure],
    views: Mapping[str, str] | None = None,
) -> tuple[Schema, tuple[str, ...]]:
    """A schema that also knows the tables the procedures use, and the names of those it guessed.

    ``views`` are the texts of views by their key (``schema.name``): the tables below them are
    inferred too.
    """
    queries = Queries(schema, dict(views or {}))
    for procedure in procedures:
        _Reader(queries).procedure(procedure)
    for doubt in queries.values.doubtful:
        doubt.settle()
    for one, other in queries.alike:
        for name, cell in one.outputs_so_far():
            other.need(name).same_as(cell)
        for name, cell in other.outputs_so_far():
            one.need(name).same_as(cell)
    guessed: list[str] = []
    for rowset in queries.unknown.values():
        assert rowset.name is not None
        cells = _described(rowset)
        if cells:
            columns = tuple(Column(cell.name, cell.settled()) for cell in cells)
            schema = schema.with_table(Table(rowset.name, columns))
            guessed.append(str(rowset.name))
    return schema, tuple(guessed)


def _described(rowset: Rowset) -> list[Cell]:
    """The columns to describe a table with; none when its uses contradict each other.

    A table whose rows are only counted has one column nobody reads.
    """
    if not rowset.columns and not rowset.starred:
        return [Cell("unknown_column", t.INT, Strength.LITERAL)]
    if rowset.complete is not None:
        if {name.lower() for name in rowset.complete} != set(rowset.columns):
            return []
        return [rowset.columns[name.lower()] for name in rowset.complete]
    return list(rowset.columns.values())


@dataclass
class _Reader:
    """Walks the statements of one procedure."""

    queries: Queries
    cursors: dict[str, Rowset] = field(default_factory=dict)

    def procedure(self, procedure: nodes.CreateProcedure) -> None:
        self.queries.local.clear()
        self.queries.values.variables.clear()
        for parameter in procedure.parameters:
            self._variable(parameter.name, parameter.type)
        for statement in (procedure, *statements_in_texts(procedure)):
            for node in nodes.walk(statement):
                try:
                    self._node(node)
                except RecursionError:
                    # A tree this deep is the compiler's to refuse; here it only says nothing.
                    continue

    def _variable(self, name: str, type_: nodes.TypeName | None) -> None:
        if type_ is None:
            return
        try:
            found = t.parse_type(type_.text)
        except t.UnknownTypeError:
            return
        self.queries.values.variables[name.lower().lstrip("@")] = Cell("", found, Strength.DECLARED)

    def _node(self, node: nodes.Node) -> None:
        match node:
            case nodes.Variable():
                self._variable(node.name, node.type)
                if node.table is not None:
                    self._table(node.name, node.table)
            case nodes.CreateTable():
                self._table(node.name.name, node.body, node.name)
            case nodes.DeclareCursor():
                self.cursors[node.name.lower()] = self._query(node.cursor.query)
            case nodes.SetVariable() if node.cursor is not None:
                self.cursors[node.name.lower()] = self._query(node.cursor.query)
            case nodes.SetVariable() if node.value is not None:
                self._variable_cell(node.name).same_as(self._expression(node.value))
            case nodes.Fetch():
                outputs = self.cursors.get(node.cursor.lower(), Rowset()).outputs or []
                for name, (_, cell) in zip(node.into, outputs, strict=False):
                    self._variable_cell(name).same_as(cell)
            case nodes.AlterTable() if (other := switch_target(node)) is not None:
                self.queries.alike.append((self._named(schema_name(node.name)), self._named(other)))
            case nodes.Expr():
                self._expression(node)
            case nodes.Leaf():
                if isinstance(node.parsed, ParsedLeaf):
                    self.leaf(node.parsed)
            case _:
                pass

    def _named(self, name: ObjectName) -> Rowset:
        return self.queries.table(
            exp.table_(name.name, name.schema, name.database, quoted=True), Scope()
        )

    def _variable_cell(self, name: str) -> Cell:
        return self.queries.values.variables.get(name.lower().lstrip("@"), Cell())

    def _table(
        self, name: str, body: nodes.TableBody, qualified: nodes.ObjectName | None = None
    ) -> None:
        rowset = Rowset()
        for column in body.columns:
            cell = Cell(column.name)
            if column.type is not None:
                with contextlib.suppress(t.UnknownTypeError):
                    cell.says(t.parse_type(column.type.text), Strength.CATALOG)
            rowset.add(column.name, cell)
        if qualified is None or qualified.is_temporary:
            self.queries.local[name.lower()] = rowset

    def _expression(self, node: nodes.Expr) -> Cell:
        parsed = node.parsed
        if not isinstance(parsed, ParsedExpr):
            return Cell()
        return self.queries.values.value(parsed.tree, Scope())

    def _query(self, leaf: nodes.Leaf) -> Rowset:
        parsed = leaf.parsed
        if not isinstance(parsed, ParsedLeaf) or parsed.query is None:
            return Rowset(opaque=True)
        return self.queries.rows(parsed.query, Scope())

    # --- data statements ---------------------------------------------------------------------

    def leaf(self, parsed: ParsedLeaf) -> Rowset:
        """Reads one data statement; gives the rows of its OUTPUT."""
        scope = Scope()
        if parsed.nested is not None:
            scope.ctes["__nested_dml__"] = self.leaf(parsed.nested)
        match parsed.kind:
            case nodes.LeafKind.SELECT_INTO:
                self._into(parsed, scope)
                return Rowset()
            case nodes.LeafKind.UPDATE | nodes.LeafKind.DELETE:
                return self._changed(parsed, scope)
            case nodes.LeafKind.MERGE if parsed.merge is not None:
                return self._merged(parsed, parsed.merge, scope)
        rows = self.queries.rows(parsed.query, scope) if parsed.query is not None else Rowset()
        if parsed.target is not None and parsed.query is not None:
            target = self.queries.table(parsed.target.table, scope)
            _stored(rows, target, parsed.target.columns)
            return self._output(parsed, target, Scope())
        if parsed.assignments and (outputs := rows.outputs):
            for assignment, (_, cell) in zip(parsed.assignments, outputs, strict=False):
                if assignment.variable:
                    self._variable_cell(assignment.variable).same_as(cell)
        return Rowset()

    def _into(self, parsed: ParsedLeaf, scope: Scope) -> None:
        assert parsed.query is not None
        assert parsed.target is not None
        name = table_name(parsed.target.table)
        key = name.name.lower() if name.is_temporary else ".".join(name.key)
        self.queries.local[key] = self.queries.rows(parsed.query, scope)

    def _changed(self, parsed: ParsedLeaf, scope: Scope) -> Rowset:
        if parsed.target is None or parsed.query is None:
            return Rowset()
        inner = self.queries.scope(parsed.query, scope)
        own = table_name(parsed.target.table)
        target = inner.sources.get((parsed.target.alias or own.name).lower())
        if target is None:
            target = self.queries.table(parsed.target.table, inner)
        for assignment in parsed.assignments:
            cell = self.queries.values.value(assignment.value, inner)
            if assignment.column is not None:
                target.need(assignment.column.name).same_as(cell)
            elif assignment.variable:
                self._variable_cell(assignment.variable).same_as(cell)
        return self._output(parsed, target, inner)

    def _merged(self, parsed: ParsedLeaf, merge: Merge, scope: Scope) -> Rowset:
        assert parsed.target is not None
        queries = self.queries
        queries.common_tables(parsed.ctes, scope)
        target = queries.table(parsed.target.table, scope)
        both = Scope(parent=scope)
        queries.source(merge.source, both)
        name = parsed.target.alias or table_name(parsed.target.table).name
        both.sources[name.lower()] = target
        queries.values.value(merge.on, both)
        for when in merge.whens:
            queries.values.value(when.condition, both)
            for assignment in when.assignments:
                if assignment.column is not None:
                    cell = queries.values.value(assignment.value, both)
                    target.need(assignment.column.name).same_as(cell)
            cells = [queries.values.value(value, both) for value in when.values]
            for column, cell in zip(when.columns, cells, strict=False):
                target.need(column).same_as(cell)
        return self._output(parsed, target, both)

    def _output(self, parsed: ParsedLeaf, target: Rowset, scope: Scope) -> Rowset:
        rows = Rowset()
        if parsed.output is None:
            return rows
        inner = Scope(sources={"inserted": target, "deleted": target}, parent=scope)
        for position, item in enumerate(parsed.output.items):
            cell = self.queries.values.value(item, inner)
            name = output_name(item) or f"\0{position}"
            rows.columns.setdefault(name.lower(), cell)
        if parsed.output.into is not None:
            into = self.queries.table(parsed.output.into, scope)
            _stored(rows, into, parsed.output.into_columns)
        return rows


def _stored(rows: Rowset, target: Rowset, columns: tuple[str, ...]) -> None:
    """What an INSERT tells of its target, and of a source it takes ``*`` from."""
    outputs = rows.outputs
    if columns:
        if outputs is None:
            for column in columns if not rows.columns and rows.may_grow else ():
                target.need(column).same_as(rows.need(column))
            for column in columns:
                target.need(column)
            return
        for column, (_, cell) in zip(columns, outputs, strict=False):
            target.need(column).same_as(cell)
        return
    if outputs is None:
        return
    if target.name is None:
        for cell, (_, stored) in zip(target.columns.values(), outputs, strict=False):
            cell.same_as(stored)
        return
    names = [name for name, _ in outputs]
    if target.complete is None:
        target.complete = tuple(names)
    if all(names) and len({name.lower() for name in names}) == len(names):
        for name, cell in outputs:
            target.need(name).same_as(cell)
