"""MERGE: every row's branch and new values are worked out on the tables as they were, then applied.

Rows of the source meet the target by a left join (matched, not matched), rows of the target without
a source by an anti-join. A target row that two source rows update or delete is error 8672.
https://learn.microsoft.com/en-us/sql/t-sql/statements/merge-transact-sql
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlglot import exp

from core.interpreter import outputs
from core.interpreter.casts import convert
from core.interpreter.changes import COMPOUND
from core.interpreter.constraints import cascade, verify, verify_references
from core.interpreter.context import Context
from core.interpreter.errors import Refused, SqlError
from core.interpreter.inserts import START, default_sql, max_recursion, place
from core.interpreter.naming import quoted
from core.interpreter.queries import QueryEmitter
from core.interpreter.sources import ROW_ID
from core.interpreter.translate import Translation, parsed_leaf
from core.tsql.binding import BoundQuery
from core.tsql.binding_from import table_name
from core.tsql.leaves import Assignment, MergeAction, MergeMatch, MergeWhen, ParsedLeaf
from core.tsql.nodes import Leaf
from core.tsql.schema import Column
from core.tsql.scope import Relation
from core.tsql.types import duckdb_storage
from core.tsql.typing import type_of

if TYPE_CHECKING:
    from core.interpreter.session import Session
    from core.interpreter.tables import StoredTable

_BRANCH = '"~b"'
#: Values that cannot raise: worked out for every row, whatever its branch.
_SAFE = re.compile(r'("[^"]+"\."[^"]+"|CAST\(\$\w+ AS \w+\)|-?\d+::\w+|NULL|\'[^\']*\')')
_JOINED, _ORPHANS = '"~mj"', '"~mo"'
_DOUBLE = (
    "The MERGE statement attempted to UPDATE or DELETE the same row more than once. This happens "
    "when a target row matches more than one source row. A MERGE statement cannot UPDATE/DELETE "
    "the same row of the target table multiple times. Refine the ON clause to ensure a target row "
    "matches at most one source row, or use the GROUP BY clause to group the source rows."
)


@dataclass(frozen=True)
class _Branch:
    """One WHEN with its number and what it writes; `stage` is the table its rows are in."""

    number: int
    when: MergeWhen
    columns: tuple[Column, ...]
    stage: str


@dataclass(frozen=True)
class _Plan:
    joined: Translation
    orphans: Translation | None
    stored: StoredTable
    branches: tuple[_Branch, ...]
    sources: tuple[Relation, ...]
    inserts: dict[int, str]
    line: int


def merge(session: Session, leaf: Leaf) -> int:
    """Run a MERGE; how many rows it inserted, updated and deleted."""
    parsed = parsed_leaf(leaf)
    count, emitted = _run(session, parsed, leaf)
    if parsed.output is not None and emitted is not None:
        outputs.deliver(session, parsed.output, emitted)
    return count


def merge_output(session: Session, parsed: ParsedLeaf, node: object) -> outputs.Emitted:
    """Run a MERGE nested in INSERT … SELECT FROM (…); the rows of its OUTPUT."""
    if parsed.merge is None or parsed.output is None:
        raise Refused("nested DML", "only a MERGE with OUTPUT can be nested", parsed.line)
    emitted = _run(session, parsed, node)[1]
    assert emitted is not None
    return emitted


def _run(session: Session, parsed: ParsedLeaf, node: object) -> tuple[int, outputs.Emitted | None]:
    plan = _plan(session, parsed, node)
    stored = plan.stored
    session.probe(plan.joined)
    if plan.orphans is not None:
        session.probe(plan.orphans)
    session.store.touch(stored)
    emitted: list[outputs.Emitted] = []

    def work() -> int:
        session.execute(plan.joined, f"CREATE OR REPLACE TEMP TABLE {_JOINED} AS {plan.joined.sql}")
        if plan.orphans is not None:
            session.execute(
                plan.orphans, f"CREATE OR REPLACE TEMP TABLE {_ORPHANS} AS {plan.orphans.sql}"
            )
        _refuse_double(session, plan)
        count = _apply(session, plan)
        verify(session, stored, "MERGE")
        cascade(session, stored, "DELETE")
        verify_references(session, stored, "MERGE")
        return count

    count = session.store.atomically(work)
    session.engine.count_rows(count)
    _cover(session, plan)
    if parsed.output is not None:
        staged = _staged(session, parsed, plan)
        emitted.append(
            outputs.emit(session, parsed.output, stored.table, plan.sources, staged, node)
        )
    return count, emitted[0] if emitted else None


def _refuse_double(session: Session, plan: _Plan) -> None:
    matched = [b.number for b in plan.branches if b.when.match is MergeMatch.MATCHED]
    if not matched:
        return
    numbers = ", ".join(map(str, matched))
    found = session.engine.query(
        f"SELECT 1 FROM {_JOINED} WHERE {_BRANCH} IN ({numbers}) GROUP BY {ROW_ID} "
        "HAVING count(*) > 1 LIMIT 1"
    )
    if found:
        raise SqlError(8672, _DOUBLE)


def _cover(session: Session, plan: _Plan) -> None:
    module = session.frame.name or ""
    for branch in plan.branches:
        rows = session.engine.query(
            f"SELECT count(*) FROM {branch.stage} WHERE {_BRANCH} = {branch.number}"
        )[0][0]
        line, number = branch.when.line, branch.number
        session.coverage.branch(module, line, number, "merge", "hit", 1 if rows else 0)
        session.coverage.branch(module, line, number, "merge", "none", 0 if rows else 1)
    if session.probing:
        _cover_join(session, plan, module)


def _cover_join(session: Session, plan: _Plan, module: str) -> None:
    matched, unmatched = session.engine.query(
        f"SELECT count({ROW_ID}), count(*) - count({ROW_ID}) FROM {_JOINED}"
    )[0]
    counts = {"matched": matched, "unmatched": unmatched}
    if plan.orphans is not None:
        counts["right unmatched"] = session.engine.query(f"SELECT count(*) FROM {_ORPHANS}")[0][0]
    for outcome, count in counts.items():
        session.coverage.branch(module, plan.line, 0, "join", outcome, int(count))


# --- applying ---------------------------------------------------------------------------------


def _apply(session: Session, plan: _Plan) -> int:
    name = quoted(plan.stored.physical.name)
    count = 0
    for branch in plan.branches:
        rows = f"{branch.stage} AS s WHERE s.{_BRANCH} = {branch.number}"
        if branch.when.action is MergeAction.UPDATE:
            sets = ", ".join(
                f"{quoted(c.name)} = s.{_value(branch, n)}" for n, c in enumerate(branch.columns, 1)
            )
            sql = (
                f"UPDATE {name} SET {sets} FROM (SELECT * FROM {rows}) AS s "
                f"WHERE {name}.rowid = s.{ROW_ID}"
            )
            count += session.engine.write(sql, None, plan.stored.full, "UPDATE")
        elif branch.when.action is MergeAction.DELETE:
            count += session.engine.write(
                f"DELETE FROM {name} WHERE rowid IN (SELECT s.{ROW_ID} FROM {rows})"
            )
    for branch in plan.branches:
        if branch.when.action is MergeAction.INSERT:
            count += _insert(session, plan, branch)
    return count


def _insert(session: Session, plan: _Plan, branch: _Branch) -> int:
    stored = plan.stored
    identity = stored.identity
    start = identity.next if identity is not None else 0
    stage = _insert_stage(branch)
    session.execute(
        plan.joined,
        f"CREATE OR REPLACE TEMP TABLE {stage} AS {plan.inserts[branch.number]}",
        {START: start},
        stored.full,
    )
    columns = ", ".join(quoted(c.name) for c in stored.columns)
    count = session.engine.write(
        f"INSERT INTO {quoted(stored.physical.name)} SELECT {columns} FROM {stage}",
        None,
        stored.full,
        "INSERT",
    )
    if identity is not None and count:
        identity.taken(count)
        session.identity = session.frame.scope_identity = identity.current
    return count


def _insert_stage(branch: _Branch) -> str:
    return f'"~mi{branch.number}"'


def _value(branch: _Branch, position: int) -> str:
    return f"v{branch.number}_{position}"


# --- planning ---------------------------------------------------------------------------------


def _plan(session: Session, parsed: ParsedLeaf, node: object) -> _Plan:
    joined = session.translator.remembered(
        node, f"merge:{id(parsed)}", lambda: _Planner(session, parsed).joined()
    )
    orphans = None
    if any(w.match is MergeMatch.NOT_MATCHED_BY_SOURCE for w in parsed.merge.whens):  # type: ignore[union-attr]
        orphans = session.translator.remembered(
            node, f"merge orphans:{id(parsed)}", lambda: _Planner(session, parsed).orphans()
        )
    extra = joined.extra
    return _Plan(
        joined,
        orphans,
        session.store.stored[extra["target"]],  # type: ignore[index]
        extra["branches"],  # type: ignore[arg-type]
        extra["sources"],  # type: ignore[arg-type]
        extra["inserts"],  # type: ignore[arg-type]
        parsed.line,
    )


class _Planner:
    """Writes the two row queries of one MERGE."""

    def __init__(self, session: Session, parsed: ParsedLeaf) -> None:
        assert parsed.merge is not None
        assert parsed.target is not None
        self.session = session
        self.parsed = parsed
        self.merge = parsed.merge
        self.target = parsed.target
        self.name = table_name(parsed.target.table)
        self.alias = parsed.target.alias or self.name.name
        if parsed.target.is_cte or session.store.find(self.name) is None:
            if session.views.get(self.name.key) or parsed.target.is_cte:
                raise Refused("MERGE", "MERGE into a view or CTE is not supported", parsed.line)
            session.stored(self.name, parsed.line)
        self.stored = session.stored(self.name, parsed.line)
        if parsed.top is not None:
            raise Refused("MERGE TOP", "TOP in a MERGE is not supported", parsed.line)
        self.branches = tuple(
            _Branch(
                number,
                when,
                self._columns(when),
                _ORPHANS if when.match is MergeMatch.NOT_MATCHED_BY_SOURCE else _JOINED,
            )
            for number, when in enumerate(self.merge.whens, 1)
        )

    def _columns(self, when: MergeWhen) -> tuple[Column, ...]:
        """The columns a branch writes, in order."""
        table = self.stored.table
        if when.action is MergeAction.DELETE:
            return ()
        if when.action is MergeAction.UPDATE:
            names = [a.column.name for a in when.assignments if a.column is not None]
            if len(names) != len(when.assignments):
                raise Refused("MERGE", "variables in a MERGE's SET are not supported", when.line)
        else:
            names = list(when.columns) or [
                c.name for c in table.columns if not c.identity and c.computed is None
            ]
            if when.values and len(names) != len(when.values):
                raise SqlError(
                    10709 if not when.columns else 109,
                    "There are more columns in the INSERT statement than values specified in the "
                    "VALUES clause. The number of values in the VALUES clause must match the "
                    "number of columns specified in the INSERT statement.",
                    severity=15,
                )
            if not when.values:
                names = []
        found = []
        for name in names:
            column = table.column(name)
            if column is None:
                error = SqlError(207, f"Invalid column name '{name}'.", line=when.line)
                error.frame = self.session.frame.number
                raise error
            if column.identity and self.stored.identity and when.action is MergeAction.UPDATE:
                raise SqlError(8102, f"Cannot update identity column '{column.name}'.")
            explicit = self.session.identity_insert == table.name.key
            if column.identity and self.stored.identity and not explicit:
                raise SqlError(
                    544,
                    f"Cannot insert explicit value for identity column in table "
                    f"'{table.name.name}' when IDENTITY_INSERT is set to OFF.",
                )
            found.append(column)
        return tuple(found)

    # --- the two queries --------------------------------------------------------------------------

    def joined(self) -> Translation:
        """Source rows with the target row each one matches."""
        select = exp.Select(expressions=self._projections(_JOINED))
        target = self._target_table()
        select.set("from_", exp.From(this=self.merge.source.copy()))
        select.set("joins", [exp.Join(this=target, side="LEFT", on=self.merge.on.copy())])
        self._take_ctes(select)
        bound = self.session.translator.bind(select)
        context = self._context()
        emitter = QueryEmitter(context)
        relation = bound.relations[-1]
        sources = tuple(bound.relations[:-1])
        sql = self._rows(bound, emitter, relation, _JOINED, sources)
        details = {
            "target": self.session.store._key(self.stored.table.name),
            "branches": self.branches,
            "sources": tuple(Relation(r.alias, r.columns) for r in sources),
            "inserts": self._inserts(context, sources),
        }
        return self.session.translator.made(context, sql, (), details)

    def orphans(self) -> Translation:
        """Target rows that no source row matches."""
        inner = exp.Select(expressions=[exp.Literal.number(1)])
        inner.set("from_", exp.From(this=self.merge.source.copy()))
        inner.set("where", exp.Where(this=self.merge.on.copy()))
        select = exp.Select(expressions=self._projections(_ORPHANS))
        select.set("from_", exp.From(this=self._target_table()))
        select.set("where", exp.Where(this=exp.Not(this=exp.Exists(this=inner))))
        self._take_ctes(select)
        bound = self.session.translator.bind(select)
        context = self._context()
        emitter = QueryEmitter(context)
        sql = self._rows(bound, emitter, bound.relations[0], _ORPHANS, ())
        return self.session.translator.made(context, sql)

    def _context(self) -> Context:
        context = self.session.translator.context()
        context.numbers_rows = False
        context.max_recursion = max_recursion(self.parsed.options)
        key = self.session.store._key(self.stored.table.name)
        context.collected.tables[key] = self.stored.table
        return context

    def _target_table(self) -> exp.Table:
        table = self.target.table.copy()
        table.set("alias", exp.TableAlias(this=exp.to_identifier(self.alias, quoted=True)))
        return table

    def _take_ctes(self, select: exp.Select) -> None:
        if self.parsed.ctes is not None:
            select.set("with_", self.parsed.ctes.copy())

    def _of(self, stage: str) -> list[_Branch]:
        return [branch for branch in self.branches if branch.stage == stage]

    def _projections(self, stage: str) -> list[exp.Expr]:
        """Conditions (as CASE) and values of the branches of a stage, in order."""
        items: list[exp.Expr] = []
        for branch in self._of(stage):
            if branch.when.condition is not None:
                items.append(_as_case(branch.when.condition))
            items += [self._value(a) for a in branch.when.assignments]
            if branch.when.action is MergeAction.INSERT:
                items += self._insert_values(branch)
        return [exp.alias_(item, f"~{n}", quoted=True) for n, item in enumerate(items, 1)] or [
            exp.alias_(exp.Literal.number(1), "~1", quoted=True)
        ]

    def _insert_values(self, branch: _Branch) -> list[exp.Expr]:
        values: list[exp.Expr] = []
        for column, value in zip(branch.columns, branch.when.values, strict=True):
            if isinstance(value, exp.Var) and value.name == "DEFAULT":
                default = column.default
                value = self.session.expression_of(default) if default else exp.Null()
            values.append(value.copy())
        return values

    def _value(self, assignment: Assignment) -> exp.Expr:
        value = assignment.value.copy()
        assert assignment.column is not None
        if isinstance(value, exp.Var) and value.name == "DEFAULT":
            column = self.stored.table.column(assignment.column.name)
            default = column.default if column is not None else None
            return self.session.expression_of(default).copy() if default else exp.Null()
        if assignment.operator == "=":
            return value
        node = COMPOUND.get(assignment.operator)
        if node is None:
            raise Refused(assignment.operator, "this assignment is not supported", assignment.line)
        column_node = exp.column(assignment.column.name, table=self.alias, quoted=True)
        return node(this=column_node, expression=exp.Paren(this=value))

    def _rows(
        self,
        bound: BoundQuery,
        emitter: QueryEmitter,
        relation: Relation,
        stage: str,
        sources: Sequence[Relation],
    ) -> str:
        tree = bound.tree
        assert isinstance(tree, exp.Select)
        ctes = emitter._ctes(tree)
        source = emitter.sources.clause(tree)
        where = tree.args.get("where")
        condition = f" WHERE {emitter.expressions.predicate(where.this)}" if where else ""
        nodes = iter([p.this if isinstance(p, exp.Alias) else p for p in tree.expressions])
        present: list[str] = []
        absent: list[str] = []
        values: list[tuple[int, str, str]] = []
        for branch in self._of(stage):
            test = "TRUE"
            if branch.when.condition is not None:
                test = emitter.expressions.predicate(next(nodes).args["ifs"][0].this)
            arm = f"WHEN {test} THEN {branch.number}"
            (absent if branch.when.match is MergeMatch.NOT_MATCHED else present).append(arm)
            for position, column in enumerate(branch.columns, 1):
                node = next(nodes)
                sql = convert(
                    emitter.expressions.value(node),
                    type_of(node),
                    column.type,
                    emitter.context.assignment,
                    place=place(self.stored, column),
                )
                values.append((branch.number, sql, _value(branch, position)))
        row_id = f"{quoted(relation.alias)}.{self._row_id()}"
        branch_sql = (
            f"CASE WHEN {row_id} IS NOT NULL THEN {_arms(present)} ELSE {_arms(absent)} END"
        )
        # An alias may not stand for an expression with a subquery: then it is written out.
        chosen = f"({branch_sql})" if "SELECT" in branch_sql else _BRANCH
        items = [f"{row_id} AS {ROW_ID}", f"{branch_sql} AS {_BRANCH}"]
        items += [
            f"{sql} AS {name}"
            if _SAFE.fullmatch(sql)
            else f"CASE WHEN {chosen} = {number} THEN {sql} END AS {name}"
            for number, sql, name in values
        ]
        items += self._structs(relation, sources)
        return f"{ctes}SELECT {', '.join(items)}{source}{condition}"

    def _row_id(self) -> str:
        return ROW_ID if self.stored.physical.computed else "rowid"

    def _structs(self, relation: Relation, sources: Sequence[Relation]) -> list[str]:
        if self.parsed.output is None:
            return []
        columns = outputs.table_columns(self.stored.table)
        alias = quoted(relation.alias)
        before = outputs.struct(columns, [f"{alias}.{quoted(c.name or '')}" for c in columns])
        parts = [f"{before} AS deleted"]
        for source in sources:
            held = [c for c in source.columns if c.name]
            cells = [f"{quoted(source.alias)}.{quoted(c.name or '')}" for c in held]
            parts.append(f"{outputs.struct(held, cells)} AS {quoted('~' + source.alias)}")
        return parts

    def _inserts(self, context: Context, sources: Sequence[Relation]) -> dict[int, str]:
        """For each INSERT branch, the query of whole rows of the target."""
        found = {}
        context.numbers_rows = True  # these queries read just the rows of their branch
        for branch in self.branches:
            if branch.when.action is not MergeAction.INSERT:
                continue
            positions = {c.name: n for n, c in enumerate(branch.columns, 1)}
            parts = []
            for column in self.stored.columns:
                name = quoted(column.name)
                if column.name in positions:
                    parts.append(f"s.{_value(branch, positions[column.name])} AS {name}")
                elif column.identity and self.stored.identity is not None:
                    step = self.stored.identity.definition.increment
                    number = f"CAST($i_start AS BIGINT) + {step} * (row_number() OVER () - 1)"
                    parts.append(f"CAST({number} AS {duckdb_storage(column.type)}) AS {name}")
                else:
                    sql = default_sql(self.session, context, self.stored, column)
                    parts.append(f"{sql} AS {name}")
            if self.parsed.output is not None:
                parts += [f"s.{quoted('~' + r.alias)}" for r in sources]
            found[branch.number] = (
                f"SELECT {', '.join(parts)} FROM {_JOINED} AS s WHERE s.{_BRANCH} = {branch.number}"
            )
        return found


def _arms(arms: Sequence[str]) -> str:
    return f"CASE {' '.join(arms)} ELSE 0 END" if arms else "0"


def _as_case(condition: exp.Expr) -> exp.Expr:
    return exp.Case(ifs=[exp.If(this=condition.copy(), true=exp.Literal.number(1))])


# --- OUTPUT -----------------------------------------------------------------------------------


def _staged(session: Session, parsed: ParsedLeaf, plan: _Plan) -> str:
    """The touched rows of all branches with their structs and ``$action``."""
    assert parsed.output is not None
    columns = outputs.table_columns(plan.stored.table)
    used = list(plan.sources)
    context = session.translator.context()
    physical = QueryEmitter(context).sources.physical(plan.stored.physical)
    row_id = ROW_ID if plan.stored.physical.computed else "rowid"
    parts = []
    for branch in plan.branches:
        orphan = branch.stage == _ORPHANS
        source_items = [
            f"{outputs.null_struct([c for c in r.columns if c.name])} AS {quoted(r.alias)}"
            if orphan
            else f"s.{quoted('~' + r.alias)} AS {quoted(r.alias)}"
            for r in used
        ]
        action = branch.when.action
        label = f"'{action.value.upper()}' AS \"$action\""
        if action is MergeAction.INSERT:
            cells = []
            for column in plan.stored.table.columns:
                if column.computed is not None:
                    raise Refused("OUTPUT", "OUTPUT of a computed column is not supported")
                cells.append(f"s.{quoted(column.name)}")
            items = [
                f"{outputs.struct(columns, cells)} AS inserted",
                f"{outputs.null_struct(columns)} AS deleted",
                *source_items,
                label,
            ]
            parts.append(f"SELECT {', '.join(items)} FROM {_insert_stage(branch)} AS s")
            continue
        joined, after = "", outputs.null_struct(columns)
        if action is MergeAction.UPDATE:
            after = outputs.struct(columns, [f"p.{quoted(c.name or '')}" for c in columns])
            joined = f" JOIN {physical} AS p ON p.{row_id} = s.{ROW_ID}"
        items = [f"{after} AS inserted", "s.deleted AS deleted", *source_items, label]
        parts.append(
            f"SELECT {', '.join(items)} FROM {branch.stage} AS s{joined} "
            f"WHERE s.{_BRANCH} = {branch.number}"
        )
    return " UNION ALL ".join(parts)
