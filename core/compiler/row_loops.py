"""The body of a loop run once over all rows instead of once per row.

Each variable that changes from row to row becomes a column of the rows (``loop_rows``); an INSERT
reads them, an UPDATE or DELETE joins them, an IF filters them. That is what the loop does as long
as no iteration sees another one's work:

* a table the body only inserts into, and reads nowhere, is safe;
* any other table it writes must be reached by a key in every statement (``t.k = @k``), the same
  key everywhere, inserted rows carrying it too, and no two rows of the loop having the same one.

Whatever is not safe is refused.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from sqlglot import exp

from core.compiler import trees
from core.compiler.inserts import listed_columns, values_query
from core.compiler.keys import conjuncts
from core.compiler.relations import Relation
from core.compiler.result import Refused
from core.compiler.state import State, Value
from core.compiler.variables import converted, variable_name
from core.compiler.variables_exec import type_of, unknown_like
from core.tsql import nodes
from core.tsql import types as t
from core.tsql.binding_from import table_name
from core.tsql.errors import LeafError
from core.tsql.leaves import ParsedLeaf
from core.tsql.nodes import LeafKind

if TYPE_CHECKING:
    from core.compiler.executor import Executor

ALIAS = "loop_rows"
Access = frozenset[tuple[str, str]]
"""What a statement pins of a table: (column, text of the row expression it equals)."""


@dataclass
class RowLoop:
    """One loop: `columns` maps each row variable to its column of the rows, and its type.

    ``cursor_reads`` are the keys of the tables the rows come from; ``is_series``: the rows are
    values of a counter, each once.
    """

    ex: Executor
    node: nodes.While
    columns: Mapping[str, tuple[str, t.SqlType]]
    cursor_reads: frozenset[str] = frozenset()
    is_series: bool = False
    accesses: dict[str, list[tuple[LeafKind | None, Access]]] = field(default_factory=dict)

    def run(self, body: Sequence[nodes.Statement], rows: Relation, state: State) -> None:
        """Apply the body to the state. Raises `Refused`."""
        outer = dict(state.variables)
        self._collect(body)
        self._check(rows)
        why = Refused("a variable that carries over from one iteration to the next", "WHILE")
        for statement in body:
            for inner in nodes.statements(statement):
                if isinstance(inner, nodes.SetVariable) and inner.name.lower() in state.variables:
                    name = inner.name.lower()
                    state.variables[name] = unknown_like(
                        state.variables[name], why.at(self.ex.line(inner))
                    )
        for name, (column, type_) in self.columns.items():
            value = trees.column(column, ALIAS)
            known = rows.column(column)
            same = known is not None and known.type == type_
            state.variables[name] = Value(type_, value if same else trees.cast(value, type_))
        self._statements(body, rows, state)
        state.variables.update(outer)
        for name in self.columns:
            state.variables[name] = unknown_like(outer[name], why.at(self.ex.line(self.node)))

    # --- running --------------------------------------------------------------------------------

    def _statements(self, body: Sequence[nodes.Statement], rows: Relation, state: State) -> None:
        from core.compiler.loops import flattened

        for statement in flattened(body):
            match statement:
                case nodes.SetVariable():
                    self._set(statement, state)
                case nodes.Declare():
                    self._declare(statement, state)
                case nodes.If():
                    rows = self._if(statement, rows, state)
                case nodes.Leaf():
                    self._leaf(statement, rows, state)
                case _:
                    kind = type(statement).__name__
                    raise Refused(f"{kind} in a loop", "WHILE", self.ex.line(statement))

    def _set(self, node: nodes.SetVariable, state: State) -> None:
        name = node.name.lower()
        known = state.variables.get(name)
        if known is None or name in self.columns:
            raise Refused(f"{name} is changed in the loop", "WHILE", self.ex.line(node))
        try:
            if node.operator != "=" or node.value is None:
                raise Refused("a running total", "WHILE")
            value = self._open(node.value, node, state)
            state.variables[name] = Value(known.type, converted(value, known.type))
        except Refused as refusal:
            state.variables[name] = unknown_like(known, refusal.at(self.ex.line(node)))

    def _declare(self, node: nodes.Declare, state: State) -> None:
        for variable in node.variables:
            if variable.type is None:
                raise Refused("a table is declared in a loop", "WHILE", self.ex.line(node))
            type_ = type_of(self.ex, variable.type)
            value: exp.Expr = exp.Null()
            if variable.value is not None:
                value = self._open(variable.value, node, state)
            state.variables[variable.name.lower()] = Value(type_, converted(value, type_))

    def _open(self, value: nodes.Expr, node: nodes.Node, state: State) -> exp.Expr:
        """An expression over the loop's rows."""
        parsed = value.parsed
        if isinstance(parsed, LeafError):
            raise Refused(parsed.reason, parsed.construct)
        return self.ex.binder.expression(parsed.tree, self.ex.context(node, state))

    def _if(self, node: nodes.If, rows: Relation, state: State) -> Relation:
        """Run each branch for the rows it is for; gives the rows that go on behind the IF."""
        from core.compiler.loops import flattened

        condition = self._open(node.condition, node, state)
        chosen = self._filtered(rows, condition)
        others = self._filtered(rows, trees.is_not_true(condition.copy()))
        before = dict(state.variables)
        then = flattened([node.then])
        skips = bool(then) and isinstance(then[-1], nodes.Continue)
        if skips:
            then = [
                s
                for s in then[:-1]
                if not (isinstance(s, nodes.SetVariable) and s.name.lower() in self.columns)
            ]
        self._statements(then, chosen, state)
        state.variables.update(before)
        if node.otherwise is not None:
            self._statements([node.otherwise], others, state)
            state.variables.update(before)
        why = Refused("a variable set under an IF in a loop", "WHILE").at(self.ex.line(node))
        for inner in nodes.statements(node):
            if isinstance(inner, nodes.SetVariable) and inner.name.lower() not in self.columns:
                name = inner.name.lower()
                state.variables[name] = unknown_like(state.variables[name], why)
        return others if skips else rows

    def _filtered(self, rows: Relation, condition: exp.Expr) -> Relation:
        query = trees.select([exp.Star()], rows.ref(ALIAS), condition)
        return self.ex.relations.query(query, f"{rows.hint}_chosen", rows.origin, keys=rows.keys)

    def _leaf(self, node: nodes.Leaf, rows: Relation, state: State) -> None:
        from core.compiler import data

        parsed = node.parsed
        if isinstance(parsed, LeafError):
            raise Refused(parsed.reason, parsed.construct)
        if node.kind is LeafKind.SELECT:
            return
        if parsed.top is not None or parsed.target is None or parsed.target.is_cte:
            raise Refused("this statement in a loop", "WHILE", self.ex.line(node))
        if node.kind is LeafKind.INSERT and parsed.query is not None:
            query = self._inserted(parsed, rows, state, node)
        elif node.kind in (LeafKind.UPDATE, LeafKind.DELETE) and parsed.query is not None:
            query = self._joined(parsed.query.copy(), rows)
        else:
            raise Refused(f"{node.kind} in a loop", "WHILE", self.ex.line(node))
        data.apply(self.ex, replace(parsed, query=query), node, state)

    def _inserted(
        self, parsed: ParsedLeaf, rows: Relation, state: State, node: nodes.Node
    ) -> exp.Query:
        query: exp.Expr = parsed.query.copy() if parsed.query is not None else exp.Values()
        if isinstance(query, exp.Values):
            assert parsed.target is not None
            line = self.ex.line(node)
            found = self.ex.tables.state_of(table_name(parsed.target.table), state, line)
            columns = listed_columns(found.table, parsed.target.columns, line)
            query = values_query(query, columns)
        if not isinstance(query, exp.Select) or query.args.get("with_"):
            raise Refused("an INSERT in a loop that is not one SELECT", "WHILE", self.ex.line(node))
        if query.args.get("distinct") or query.args.get("limit"):
            raise Refused("TOP or DISTINCT in a loop", "WHILE", self.ex.line(node))
        group = query.args.get("group")
        if group is not None:
            raise Refused("GROUP BY in a loop", "WHILE", self.ex.line(node))
        if any(
            call.name.upper() in ("SUM", "COUNT", "MIN", "MAX", "AVG", "COUNT_BIG", "ROW_NUMBER")
            and call.find_ancestor(exp.Select) is query
            for call in query.find_all(exp.Anonymous)
        ):
            raise Refused("an aggregate in a loop", "WHILE", self.ex.line(node))
        query.set("order", None)
        return self._joined(query, rows)

    def _joined(self, query: exp.Expr, rows: Relation) -> exp.Select:
        """The query over every row of the loop: the rows come first, so that ON may use them."""
        if not isinstance(query, exp.Select):
            raise Refused("a query that is not one SELECT in a loop", "WHILE")
        source = query.args.get("from_")
        joins = list(query.args.get("joins") or ())
        if source is not None:
            joins.insert(0, exp.Join(this=source.this, kind="CROSS"))
        query.set("from_", exp.From(this=rows.ref(ALIAS)))
        query.set("joins", joins)
        return query

    # --- is it safe? ----------------------------------------------------------------------------

    def _collect(self, body: Sequence[nodes.Statement]) -> None:
        """Note how every statement of the body reaches every table."""
        for statement in body:
            for inner in nodes.statements(statement):
                if isinstance(inner, nodes.Leaf) and isinstance(inner.parsed, ParsedLeaf):
                    self._collect_leaf(inner.parsed)
                elif isinstance(inner, nodes.If) and not isinstance(
                    inner.condition.parsed, LeafError
                ):
                    self._collect_reads(inner.condition.parsed.tree, None)
                elif isinstance(inner, nodes.SetVariable) and inner.value is not None:
                    parsed = inner.value.parsed
                    if not isinstance(parsed, LeafError):
                        self._collect_reads(parsed.tree, None)

    def _collect_leaf(self, parsed: ParsedLeaf) -> None:
        target = parsed.target
        if target is None:
            return
        key = self.ex.tables.key(table_name(target.table))
        alias = (target.alias or target.table.name).lower()
        pinned: set[tuple[str, str]] = set()
        if parsed.kind is LeafKind.INSERT:
            pinned = self._pinned_by_insert(parsed)
        elif parsed.query is not None:
            where = parsed.query.args.get("where")
            pinned = self._pinned(where.this if where is not None else None, alias, alone=True)
        self.accesses.setdefault(key, []).append((parsed.kind, frozenset(pinned)))
        if parsed.query is not None:
            skip = alias if parsed.kind is not LeafKind.INSERT else None
            self._collect_reads(parsed.query, skip)

    def _pinned_by_insert(self, parsed: ParsedLeaf) -> set[tuple[str, str]]:
        query, target = parsed.query, parsed.target
        assert target is not None
        values: list[exp.Expr] = []
        if isinstance(query, exp.Values) and len(query.expressions) == 1:
            row = query.expressions[0]
            values = list(row.expressions) if isinstance(row, exp.Tuple) else [row]
        elif isinstance(query, exp.Select):
            values = [i.this if isinstance(i, exp.Alias) else i for i in query.expressions]
        if len(values) != len(target.columns):
            return set()
        return {
            (name.lower(), _text(value))
            for name, value in zip(target.columns, values, strict=True)
            if self._is_row_key(value)
        }

    def _pinned(
        self, condition: exp.Expr | None, alias: str, *, alone: bool
    ) -> set[tuple[str, str]]:
        found: set[tuple[str, str]] = set()
        for part in conjuncts(condition) if condition is not None else []:
            if not isinstance(part, exp.EQ):
                continue
            for one, other in ((part.this, part.expression), (part.expression, part.this)):
                one = trees.unwrapped(one)
                if not isinstance(one, exp.Column) or not self._is_row_key(other):
                    continue
                if one.table.lower() == alias or (alone and not one.table):
                    found.add((one.name.lower(), _text(other)))
        return found

    def _is_row_key(self, node: exp.Expr) -> bool:
        """A row variable, or a date of the series in a form that is different for every day."""
        node = trees.unwrapped(node)
        if isinstance(node, exp.Parameter):
            return variable_name(node) in self.columns
        if not self.is_series:
            return False
        while isinstance(node, exp.Cast | exp.Convert):
            inner = node.expression if isinstance(node, exp.Convert) else node.this
            if isinstance(inner, exp.Parameter):
                name = variable_name(inner)
                if name is None or name not in self.columns:
                    return False
                date = self.columns[name][1].name is t.TypeName.DATE
                return date and str(node.meta.get("tsql_style", "")) == "112"
            node = trees.unwrapped(inner)
        return False

    def _collect_reads(self, tree: exp.Expr, target_alias: str | None) -> None:
        for select in tree.find_all(exp.Select):
            source = select.args.get("from_")
            items = [source.this] if source is not None else []
            joins = select.args.get("joins") or ()
            items += [join.this for join in joins]
            for item in items:
                if not isinstance(item, exp.Table) or not isinstance(
                    item.this, exp.Identifier | exp.Parameter
                ):
                    continue
                if select is tree and item.alias_or_name.lower() == target_alias:
                    continue
                key = self.ex.tables.key(table_name(item))
                alias = item.alias_or_name.lower()
                where = select.args.get("where")
                pinned = self._pinned(
                    where.this if where is not None else None, alias, alone=len(items) == 1
                )
                self.accesses.setdefault(key, []).append((None, frozenset(pinned)))

    def _check(self, rows: Relation) -> None:
        """Raises `Refused` when an iteration might see what another one did."""
        for key, found in self.accesses.items():
            kinds = {kind for kind, _ in found if kind is not None}
            if not kinds:
                continue
            if key in self.cursor_reads and LeafKind.INSERT in kinds:
                raise Refused(f"the loop inserts into {key}, which its cursor reads", "WHILE")
            if kinds == {LeafKind.INSERT} and all(kind is not None for kind, _ in found):
                continue
            common = frozenset.intersection(*(access for _, access in found))
            if not any(self._is_unique(text, rows) for _, text in common):
                raise Refused(f"iterations of the loop may see each other's rows in {key}", "WHILE")

    def _is_unique(self, text: str, rows: Relation) -> bool:
        if self.is_series:
            return True
        column = next((c for v, (c, _) in self.columns.items() if _text_of(v) == text), None)
        return column is not None and rows.is_unique_on({column.lower()})


def _text(node: exp.Expr) -> str:
    return trees.unwrapped(node).sql().lower()


def _text_of(variable: str) -> str:
    return exp.Parameter(this=exp.Var(this=variable.lstrip("@"))).sql().lower()
