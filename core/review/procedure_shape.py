"""The shape of a load procedure: what its statements read and write on the way to one table.

Statements that write the target, or a temp table from which the target is filled, give the
*required* facts; everything else the procedure looks at (variables, validations, other targets)
is *allowed* in a model but not asked of it. CATCH blocks are no part of the success path.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum

from sqlglot import exp

from core.review.predicates import conjuncts
from core.review.ranking import what_stays
from core.review.shape import Lineage, Relation, Shape, Window
from core.review.trace import Tracer, ViewOf
from core.tsql.leaves import Assignment, MergeAction, MergeMatch, ParsedLeaf
from core.tsql.nodes import (
    AlterTable,
    Block,
    CreateProcedure,
    CreateTable,
    Cursor,
    Declare,
    DeclareCursor,
    DropTable,
    Execute,
    ExecuteSql,
    ExecuteString,
    Expr,
    If,
    InsertExec,
    Leaf,
    LeafKind,
    ObjectName,
    SelectAssign,
    SetVariable,
    Statement,
    TableBody,
    TryCatch,
    Unparsed,
    Variable,
    While,
)

ColumnsOf = Callable[[str], tuple[str, ...] | None]
"""Column names of a table by its case-folded ``schema.table``; ``None``: unknown."""


class WriteKind(StrEnum):
    """What a statement does to a table."""

    EMPTY = "empty"
    INSERT = "insert"
    UPDATE = "update"
    DELETE = "delete"
    MERGE_UPDATE = "merge_update"
    MERGE_INSERT = "merge_insert"
    MERGE_DELETE = "merge_delete"


@dataclass(frozen=True)
class Write:
    """One effect on the target. ``keys`` are the target's columns in a MERGE's ON equalities;
    ``conditional`` says that it stands under an IF or in a loop."""

    kind: WriteKind
    line: int
    keys: frozenset[str] = frozenset()
    columns: tuple[str, ...] = ()
    conditional: bool = False


@dataclass
class ProcedureShape:
    """What the procedure requires of a model, what it allows, and how it writes the target."""

    required: Shape = field(default_factory=Shape)
    allowed: Shape = field(default_factory=Shape)
    lenient: Shape = field(default_factory=Shape)
    """Facts of UPDATE, DELETE and MERGE: a model may express them by another kind of join."""
    writes: list[Write] = field(default_factory=list)
    columns: dict[str, Lineage] = field(default_factory=dict)
    """Case-folded target column to the base columns its values come from."""
    not_judged: list[tuple[str, int]] = field(default_factory=list)
    """Constructs whose reads and writes cannot be seen here: ``(what, line)``."""


_UNSEEN: dict[type[Statement], str] = {
    While: "a loop",
    DeclareCursor: "a cursor",
    ExecuteString: "dynamic SQL",
    ExecuteSql: "dynamic SQL",
    InsertExec: "INSERT … EXEC",
    Execute: "EXEC of another procedure",
    AlterTable: "ALTER TABLE",
    Unparsed: "a statement that could not be read",
}
"""Statements whose reads and writes are not traced here, and what they are called."""


@dataclass
class _Local:
    """A temp table, table variable, or table written in passing."""

    relation: Relation
    facts: Shape = field(default_factory=Shape)


def procedure_shape(
    procedure: CreateProcedure,
    target: str,
    columns_of: ColumnsOf,
    view_of: ViewOf = lambda _: None,
) -> ProcedureShape:
    """Collect the shape of ``procedure`` with respect to ``target`` (``schema.table``)."""
    collector = _Collector(target.casefold(), columns_of, view_of)
    for statement, conditional in success_path(procedure.body):
        collector.conditional = conditional
        collector.statement(statement)
    return collector.result


def success_path(
    statements: tuple[Statement, ...], conditional: bool = False
) -> Iterator[tuple[Statement, bool]]:
    """Every statement that can run when nothing fails, flattened in source order.

    Beside each: whether it stands under an IF or in a loop.
    """
    for statement in statements:
        yield statement, conditional
        if isinstance(statement, Block | TryCatch):
            yield from success_path(statement.body, conditional)
        elif isinstance(statement, If):
            yield from success_path((statement.then,), True)
            if statement.otherwise is not None:
                yield from success_path((statement.otherwise,), True)
        elif isinstance(statement, While):
            yield from success_path((statement.body,), True)


NESTED = "__nested_dml__"
"""The name of the inner statement in ``INSERT … SELECT FROM (MERGE … OUTPUT …)``."""


def _key_of(name: ObjectName) -> str:
    if name.is_temporary:
        return name.name.casefold()
    return f"{name.schema or 'dbo'}.{name.name}".casefold()


def table_key(table: exp.Table) -> str:
    """The case-folded ``schema.table`` of a table in a leaf; temp tables keep their ``#``."""
    if isinstance(table.this, exp.Parameter):
        return "@" + table.this.name.casefold()
    name = table.name.casefold()
    if name.startswith(("#", "@")):
        return name
    if table.this.args.get("temporary"):
        return "#" + name
    return f"{(table.db or 'dbo').casefold()}.{name}"


class _Collector:
    def __init__(self, target: str, columns_of: ColumnsOf, view_of: ViewOf) -> None:
        self.result = ProcedureShape()
        self._target = target
        self._columns_of = columns_of
        self._view_of = view_of
        self._locals: dict[str, _Local] = {}
        self._used: list[str] = []
        self.conditional = False

    # -- statements -------------------------------------------------------------------------

    def statement(self, statement: Statement) -> None:
        match statement:
            case Leaf():
                self._leaf(statement)
            case SelectAssign(leaf=leaf):
                self._read_only(leaf.parsed)
            case If(condition=condition) | While(condition=condition):
                self._expression(condition)
            case DropTable(names=names):
                for name in names:
                    self._write(_key_of(name), Write(WriteKind.EMPTY, statement.span.line))
            case Declare(variables=variables):
                self._declare(variables)
            case SetVariable(value=Expr() as value):
                self._expression(value)
            case CreateTable(name=name, body=body) if name.is_temporary:
                self._locals.setdefault(name.name.casefold(), _Local(_empty(body)))
            case DeclareCursor(cursor=Cursor(query=query)):
                self._read_only(query.parsed)
            case _:
                pass
        for kind, what in _UNSEEN.items():
            if isinstance(statement, kind):
                self._unseen(what, statement)

    def _unseen(self, what: str, statement: Statement) -> None:
        self.result.not_judged.append((what, statement.span.line))

    def _declare(self, variables: tuple[Variable, ...]) -> None:
        for variable in variables:
            if variable.table is not None:
                self._locals[variable.name.casefold()] = _Local(_empty(variable.table))
            elif variable.value is not None:
                self._expression(variable.value)

    def _expression(self, expression: Expr) -> None:
        parsed = expression.parsed
        tree = getattr(parsed, "tree", None)
        if tree is not None and tree.find(exp.Select):
            tracer = self._tracer()
            tracer.query(exp.select(tree.copy()))
            self._allow(tracer.shape)

    def _read_only(self, parsed: object) -> None:
        if isinstance(parsed, ParsedLeaf) and isinstance(parsed.query, exp.Query):
            tracer = self._tracer()
            tracer.query(self._with_assignments(parsed.query, parsed.assignments))
            self._allow(tracer.shape)

    def _allow(self, shape: Shape) -> None:
        self.result.allowed.include(shape, soft=True)
        for name in self._take_used():
            self.result.allowed.include(self._locals[name].facts, soft=True)

    def _leaf(self, leaf: Leaf) -> None:
        parsed = leaf.parsed
        if not isinstance(parsed, ParsedLeaf):
            self._unseen("a statement that could not be read", leaf)
            return
        if leaf.kind is LeafKind.SELECT:
            self._read_only(parsed)
            return
        if parsed.target is None:
            return
        key = self._written(parsed)
        line = leaf.span.line
        if leaf.kind in (LeafKind.INSERT, LeafKind.SELECT_INTO):
            self._insert(key, parsed, line)
        elif leaf.kind is LeafKind.UPDATE:
            self._update(key, parsed, line)
        elif leaf.kind is LeafKind.DELETE:
            self._delete(key, parsed, line)
        elif leaf.kind is LeafKind.TRUNCATE:
            self._write(key, Write(WriteKind.EMPTY, line))
        elif leaf.kind is LeafKind.MERGE:
            self._merge(key, parsed, line)

    def _written(self, parsed: ParsedLeaf) -> str:
        """The table a statement writes; through a CTE, the table the CTE reads first."""
        assert parsed.target is not None
        if not parsed.target.is_cte:
            return table_key(parsed.target.table)
        with_ = parsed.ctes or (parsed.query.args.get("with_") if parsed.query else None)
        for cte in with_.expressions if with_ is not None else ():
            if cte.alias.casefold() == parsed.target.table.name.casefold():
                table = next(iter(cte.this.find_all(exp.Table)), None)
                if table is not None:
                    return table_key(table)
        return ""

    def _insert(self, key: str, parsed: ParsedLeaf, line: int) -> None:
        if parsed.nested is not None:
            self._unseen_nested(parsed.nested, line)
        tracer = self._tracer()
        relation = Relation()
        if parsed.query is not None:
            relation = tracer.query(parsed.query)
        assert parsed.target is not None
        names = [c.casefold() for c in parsed.target.columns]
        if not names:
            listed = self._columns_of(key) if not key.startswith(("#", "@")) else None
            names = [c.casefold() for c in listed or relation.columns]
        lineages = list(relation.columns.values())
        columns = {n: lineages[i] for i, n in enumerate(names) if i < len(lineages)}
        if parsed.kind is LeafKind.SELECT_INTO:
            self._write(key, Write(WriteKind.EMPTY, line))
        ranks = {
            n: relation.ranks[held]
            for n, held in zip(names, relation.columns, strict=False)
            if held in relation.ranks
        }
        self._effect(key, tracer.shape, columns, ranks=ranks)
        self._write(key, Write(WriteKind.INSERT, line, columns=tuple(names)))

    def _unseen_nested(self, nested: ParsedLeaf, line: int) -> None:
        if nested.target is not None:
            key = table_key(nested.target.table)
            self._merge(key, nested, line)

    def _update(self, key: str, parsed: ParsedLeaf, line: int) -> None:
        tracer = self._tracer()
        columns: dict[str, Lineage] = {}
        if isinstance(parsed.query, exp.Query):
            relation = tracer.query(self._with_assignments(parsed.query, parsed.assignments))
            columns = dict(relation.columns)
        self._effect(key, tracer.shape, columns, lenient=True)
        names = tuple(a.column.name.casefold() for a in parsed.assignments if a.column is not None)
        self._write(key, Write(WriteKind.UPDATE, line, columns=names))

    def _delete(self, key: str, parsed: ParsedLeaf, line: int) -> None:
        tracer = self._tracer()
        bounded, stays = False, Shape()
        if isinstance(parsed.query, exp.Query):
            tracer.query(parsed.query)
            where = parsed.query.args.get("where")
            stays.rank_filters = what_stays(tracer.shape, where.this if where else None)
            bounded = bool(
                parsed.query.args.get("where")
                or parsed.query.args.get("joins")
                or parsed.target is None
                or parsed.target.is_cte
            )
        self._effect(key, tracer.shape, {}, lenient=True)
        self._effect(key, stays, {})
        self._write(key, Write(WriteKind.DELETE if bounded else WriteKind.EMPTY, line))

    def _merge(self, key: str, parsed: ParsedLeaf, line: int) -> None:
        merge, target = parsed.merge, parsed.target
        if merge is None or target is None:
            return
        alias = (target.alias or target.table.name).casefold()
        values = [a for when in merge.whens for a in when.assignments]
        inserted = [
            Assignment(value, exp.column(name))
            for when in merge.whens
            for name, value in zip(when.columns, when.values, strict=False)
        ]
        tracer = self._tracer()
        columns: dict[str, Lineage] = {}
        for assignments in (values, inserted):
            query = self._merge_query(parsed, assignments)
            relation = tracer.query(query)
            for name, lineage in relation.columns.items():
                columns[name] = columns.get(name, frozenset()) | lineage
        for when in merge.whens:
            if when.condition is not None:
                query = self._merge_query(parsed, [])
                assert isinstance(query, exp.Select)
                query = query.where(when.condition.copy())
                condition = self._tracer()
                condition.query(query)
                self.result.allowed.include(condition.shape, soft=True)
        self._effect(key, tracer.shape, columns)
        keys = _target_keys(merge.on, alias)
        for when in merge.whens:
            kind = {
                MergeAction.UPDATE: WriteKind.MERGE_UPDATE,
                MergeAction.INSERT: WriteKind.MERGE_INSERT,
                MergeAction.DELETE: WriteKind.MERGE_DELETE,
            }[when.action]
            if when.match is MergeMatch.NOT_MATCHED_BY_SOURCE and kind is WriteKind.MERGE_UPDATE:
                keys = frozenset()
            names = tuple(
                a.column.name.casefold() for a in when.assignments if a.column is not None
            )
            self._write(key, Write(kind, when.line or line, keys, names))

    def _merge_query(self, parsed: ParsedLeaf, assignments: list[Assignment]) -> exp.Query:
        assert parsed.merge is not None
        assert parsed.target is not None
        table = parsed.target.table.copy()
        table.set(
            "alias", exp.TableAlias(this=exp.to_identifier(parsed.target.alias or table.name))
        )
        query = exp.select("*").from_(parsed.merge.source.copy())
        query = query.join(table, on=parsed.merge.on.copy(), join_type="left")
        if parsed.ctes is not None:
            query.set("with_", parsed.ctes.copy())
        return self._with_assignments(query, tuple(assignments))

    # -- tracing ----------------------------------------------------------------------------

    @staticmethod
    def _with_assignments(query: exp.Query, assignments: tuple[Assignment, ...]) -> exp.Query:
        """The query with the assigned values as its projections, named by their columns."""
        if not assignments or not isinstance(query, exp.Select):
            return query
        copy = query.copy()
        copy.set(
            "expressions",
            [
                exp.alias_(
                    a.value.copy(), f"{a.column.name if a.column else a.variable}", quoted=True
                )
                for a in assignments
            ],
        )
        return copy

    def _tracer(self) -> Tracer:
        def resolve(table: exp.Table) -> Relation | None:
            key = table_key(table)
            if table.name == NESTED:
                return Relation(is_open=True)  # its source is traced as a MERGE of its own
            local = self._locals.get(key)
            if local is not None:
                self._used.append(key)
                if key.startswith(("#", "@")):
                    return local.relation
            if key.startswith(("#", "@")):
                return Relation(is_open=True)
            return Relation.of_table(key, self._columns_of(key))

        return Tracer(resolve, self._view_of)

    def _take_used(self) -> list[str]:
        used, self._used = self._used, []
        return used

    def _effect(
        self,
        key: str,
        shape: Shape,
        columns: dict[str, Lineage],
        *,
        lenient: bool = False,
        ranks: Mapping[str, Window] | None = None,
    ) -> None:
        """Book the facts of a write on the table it writes."""
        used = self._take_used()
        if key == self._target:
            sink = self.result.lenient if lenient else self.result.required
            sink.include(shape)
            for name in used:
                local = self._locals[name]
                if name.startswith(("#", "@")):
                    self.result.required.include(local.facts)
                else:
                    self.result.allowed.include(local.facts, soft=True)
            for column, lineage in columns.items():
                self.result.columns[column] = self.result.columns.get(column, frozenset()) | lineage
            return
        facts = Shape()
        facts.include(shape, soft=lenient)
        if lenient:
            # An UPDATE's inner join becomes a left join in a model: keys count, kinds do not.
            facts.joins, lenient_joins = [], facts.joins
            self.result.allowed.joins += lenient_joins
        for name in used:
            facts.include(self._locals[name].facts)
        local = self._locals.setdefault(key, _Local(Relation()))
        merged = dict(local.relation.columns)
        for column, lineage in columns.items():
            merged[column] = merged.get(column, frozenset()) | lineage
        local.relation = Relation(columns=merged, ranks={**local.relation.ranks, **(ranks or {})})
        local.facts.include(facts)
        if not key.startswith(("#", "@")):
            self.result.allowed.include(shape, soft=True)
            self.result.allowed.tables.setdefault(key, 0)

    def _write(self, key: str, write: Write) -> None:
        if key == self._target:
            self.result.writes.append(replace(write, conditional=self.conditional))
        elif write.kind is WriteKind.EMPTY and key in self._locals:
            self._locals[key].facts = Shape()


def _empty(body: TableBody) -> Relation:
    return Relation(columns={c.name.casefold(): frozenset() for c in body.columns})


def _target_keys(on: exp.Expr, alias: str) -> frozenset[str]:
    """The target's columns that a MERGE's ON condition compares for equality."""
    keys = set()
    for atom in conjuncts(on):
        if isinstance(atom, exp.EQ):
            for side in (atom.this, atom.expression):
                for column in side.find_all(exp.Column):
                    if column.table.casefold() == alias:
                        keys.add(column.name.casefold())
    return frozenset(keys)
