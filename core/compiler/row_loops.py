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

from core.compiler import flow, routines, trees
from core.compiler.bodies import flattened
from core.compiler.effects import effects_of
from core.compiler.inserts import listed_columns, values_query
from core.compiler.keys import is_aggregate
from core.compiler.loop_access import ALIAS, Access, merged_rows, note_statement, noted, selected
from core.compiler.relations import Relation
from core.compiler.result import Refused, Unsupported
from core.compiler.state import State, Value
from core.compiler.variables import converted, substituted
from core.compiler.variables_exec import type_of, unknown_like
from core.tsql import nodes
from core.tsql import types as t
from core.tsql.binding_from import table_name
from core.tsql.errors import LeafError
from core.tsql.leaves import ParsedLeaf
from core.tsql.nodes import LeafKind

if TYPE_CHECKING:
    from core.compiler.executor import Executor


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
    called: int = 0
    """How many called procedures deep the running statement is."""

    def run(self, body: Sequence[nodes.Statement], rows: Relation, state: State) -> None:
        """Apply the body to the state. Raises `Refused`."""
        outer = dict(state.variables)
        self.first = rows
        why = Refused("a variable that carries over from one iteration to the next", "WHILE")
        for name in effects_of(body).variables:
            if name in state.variables:
                line = self.ex.line(self.node)
                state.variables[name] = unknown_like(state.variables[name], why.at(line))
        for name, (column, type_) in self.columns.items():
            value = trees.column(column, ALIAS)
            known = rows.column(column)
            same = known is not None and known.type == type_
            state.variables[name] = Value(type_, value if same else trees.cast(value, type_))
        state.lazies["@@fetch_status"] = flow.no_rows
        self._statements(body, rows, state)
        state.lazies.pop("@@fetch_status", None)
        self._check(rows)
        state.variables.update(outer)
        for name in self.columns:
            state.variables[name] = unknown_like(outer[name], why.at(self.ex.line(self.node)))

    # --- running --------------------------------------------------------------------------------

    def _statements(
        self,
        body: Sequence[nodes.Statement],
        rows: Relation,
        state: State,
        *,
        is_end: bool = True,
    ) -> None:
        """Run a list of statements; `is_end`: nothing of the loop's body follows it."""
        listed = flattened(body)
        for position, statement in enumerate(listed, 1):
            match statement:
                case nodes.SetVariable():
                    self._set(statement, state)
                case nodes.Declare():
                    self._declare(statement, state)
                case nodes.If():
                    rows = self._if(statement, rows, state, is_end and position == len(listed))
                case nodes.Leaf():
                    self._leaf(statement, rows, state)
                case nodes.SelectAssign():
                    self._select(statement, state)
                case nodes.Execute() | nodes.ExecuteSql() | nodes.ExecuteString():
                    self._call(statement, rows, state)
                case nodes.Return() if self.called:
                    return
                case _:
                    kind = type(statement).__name__
                    raise Refused(f"{kind} in a loop", "WHILE", self.ex.line(statement))

    def _set(self, node: nodes.SetVariable, state: State) -> None:
        name = node.name.lower()
        known = state.variables.get(name)
        if known is None or (self.is_series and name in self.columns):
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
            if variable.value is None:
                if variable.name.lower() not in state.variables:
                    # Not set again at every turn: it holds NULL, or what the turn before left.
                    state.variables[variable.name.lower()] = Value(
                        type_,
                        unknown=Refused("a variable declared in a loop", "WHILE").at(
                            self.ex.line(node)
                        ),
                    )
                continue
            value = self._open(variable.value, node, state)
            state.variables[variable.name.lower()] = Value(type_, converted(value, type_))

    def _open(self, value: nodes.Expr, node: nodes.Node, state: State) -> exp.Expr:
        """An expression over the loop's rows."""
        parsed = value.parsed
        if isinstance(parsed, LeafError):
            raise Refused(parsed.reason, parsed.construct)
        self._reads(parsed.tree, state)
        return self.ex.binder.expression(parsed.tree, self.ex.context(node, state))

    def _reads(self, tree: exp.Expr, state: State) -> None:
        noted(self, None, substituted(tree.copy(), state), None)

    def _select(self, node: nodes.SelectAssign, state: State) -> None:
        """``SELECT @v = …``: one value per row of the loop."""
        parsed = node.leaf.parsed
        if isinstance(parsed, LeafError):
            raise Refused(parsed.reason, parsed.construct)
        values = selected(self, parsed, node, state)
        for name, value in values.items():
            known = state.variables.get(name)
            if known is None or (self.is_series and name in self.columns):
                raise Refused(f"{name} is changed in the loop", "WHILE", self.ex.line(node))
            if isinstance(value, Refused):
                state.variables[name] = unknown_like(known, value.at(self.ex.line(node)))
            else:
                state.variables[name] = Value(known.type, converted(value, known.type))

    def _call(self, node: routines.Call, rows: Relation, state: State) -> None:
        """EXEC for every row: the body of the procedure, or a text that is the same for all."""
        if isinstance(node, nodes.Execute) and routines.is_logging_call(self.ex, node):
            self.ex.drop("a call that only logs", node)
            return
        with routines.entered(self.ex, node, state) as body:
            self.called += 1
            try:
                self._statements(body, rows, state)
            finally:
                self.called -= 1

    def _if(self, node: nodes.If, rows: Relation, state: State, is_end: bool) -> Relation:
        """Run each branch for the rows it is for; gives the rows that go on behind the IF."""
        condition = self._open(node.condition, node, state)
        chosen = self._filtered(rows, condition)
        others = self._filtered(rows, trees.is_not_true(condition.copy()))
        before = dict(state.variables)
        then = flattened([node.then])
        leave = (nodes.Continue, nodes.Return) if self.called else (nodes.Continue,)
        if self.called and then and isinstance(then[-1], nodes.Continue):
            raise Refused("CONTINUE in a called procedure", "WHILE", self.ex.line(node))
        skips = bool(then) and isinstance(then[-1], leave)
        if skips:
            then = [
                s
                for s in then[:-1]
                if not isinstance(s, nodes.Fetch)
                and not (isinstance(s, nodes.SetVariable) and s.name.lower() in self.columns)
            ]
        deeper = [*then, *([node.otherwise] if node.otherwise is not None else [])]
        if not is_end and any(isinstance(x, leave) for s in deeper for x in nodes.statements(s)):
            raise Refused("CONTINUE under two conditions in a loop", "WHILE", self.ex.line(node))
        self._statements(then, chosen, state, is_end=is_end or skips)
        then_values = dict(state.variables)
        state.variables.update(before)
        if node.otherwise is not None:
            self._statements([node.otherwise], others, state, is_end=is_end)
        why = Refused("a variable set under an IF in a loop", "WHILE").at(self.ex.line(node))
        for name in effects_of([node]).variables & before.keys():
            if skips or then_values[name] == state.variables[name]:
                continue
            state.variables[name] = _chosen(
                condition, then_values[name], state.variables[name], why
            )
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
        note_statement(self, parsed, state)
        if parsed.output is not None and parsed.output.into is not None:
            raise Refused("OUTPUT in a loop", "WHILE", self.ex.line(node))
        if node.kind is LeafKind.MERGE:
            merge = merged_rows(self, parsed, rows, state)
            data.apply(self.ex, replace(parsed, merge=merge), node, state)
            return
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
        if query.args.get("limit") is None:
            query.set("order", None)
        if _is_about_all_rows(query):
            return self._applied(query, rows, node)
        return self._joined(query, rows)

    def _applied(self, query: exp.Select, rows: Relation, node: nodes.Node) -> exp.Select:
        """``loop_rows CROSS APPLY (query)``: each row's own groups, numbers or first rows."""
        if any(item.is_star for item in query.expressions):
            raise Refused("SELECT * in a loop", "WHILE", self.ex.line(node))
        items = [
            trees.alias(item.this if isinstance(item, exp.Alias) else item, f"value_{position}")
            for position, item in enumerate(query.expressions, 1)
        ]
        query.set("expressions", items)
        outputs: list[exp.Expr] = [trees.column(item.alias, "turn") for item in items]
        return trees.select(outputs, rows.ref(ALIAS), None, [trees.applied(query, "turn")])

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

    def _check(self, rows: Relation) -> None:
        """Raises `Refused` when an iteration might see what another one did."""
        for key, found in self.accesses.items():
            kinds = {kind for kind, _ in found if kind is not None}
            if not kinds:
                continue
            if key in self.cursor_reads and kinds & {LeafKind.INSERT, LeafKind.MERGE}:
                raise Refused(f"the loop inserts into {key}, which its cursor reads", "WHILE")
            if kinds == {LeafKind.INSERT} and all(kind is not None for kind, _ in found):
                continue
            common = frozenset.intersection(*(access for _, access in found))
            columns = {column for _, column in common}
            if not columns or not (self.is_series or rows.is_unique_on(columns)):
                raise Refused(f"iterations of the loop may see each other's rows in {key}", "WHILE")


def _chosen(condition: exp.Expr, one: Value, other: Value, why: Unsupported) -> Value:
    """The value of a variable behind an IF that set it."""
    if one.expression is None or other.expression is None:
        return Value(other.type, unknown=one.unknown or other.unknown or why)
    branch = exp.If(this=condition.copy(), true=one.expression.copy())
    case = exp.Case(ifs=[branch], default=other.expression.copy())
    return Value(other.type, converted(case, other.type))


def _is_about_all_rows(query: exp.Select) -> bool:
    """Whether a query looks at its rows together, so that it must run for each turn apart."""
    if any(query.args.get(key) for key in ("distinct", "limit", "group", "having")):
        return True
    return any(
        item.find(exp.Window) is not None or is_aggregate(item) for item in query.expressions
    )
