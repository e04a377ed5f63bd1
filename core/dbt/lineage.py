"""The shape of a model's rendered SQL: CTEs with their lines and roles, columns, clock, watermark.

Reads sqlglot's tree of one branch in which every relation is a stub
(``core.dbt.template.StubResolver``). Where a name or a type cannot be told it stays empty.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import sqlglot
from sqlglot import TokenType, exp
from sqlglot.errors import SqlglotError

from core.dbt.allowlist import Finding
from core.dbt.facts import ColumnFact, CteFact, CteRole
from core.dbt.template import Rendered

NOW = "proc2dbt_now"
_WALL_CLOCK = frozenset(
    {"now", "today", "get_current_timestamp", "current_localtime", "current_localtimestamp"}
)
_WALL_CLOCK_NODES = (
    exp.CurrentTimestamp,
    exp.CurrentDate,
    exp.CurrentTime,
    exp.CurrentDatetime,
)


@dataclass(frozen=True)
class SqlShape:
    """What one branch of a model looks like."""

    ctes: tuple[CteFact, ...]
    columns: tuple[ColumnFact, ...]
    columns_complete: bool
    clock_columns: tuple[str, ...]
    watermark_column: str
    wall_clock: bool


@dataclass(frozen=True)
class _Output:
    """A column some query returns."""

    name: str
    type: str
    line: int
    clock: bool
    origin: str = ""
    """``relation.column`` when the value is that column as it is, casts apart."""


@dataclass(frozen=True)
class _Table:
    """The columns of a relation in scope; ``complete`` is False when some are unknown."""

    columns: tuple[_Output, ...]
    complete: bool
    relation: str = ""

    def find(self, name: str) -> _Output | None:
        folded = name.casefold()
        return next((c for c in self.columns if c.name.casefold() == folded), None)


_UNKNOWN = _Table((), False)


def read_shape(
    rendered: Rendered, relations: Mapping[str, Sequence[tuple[str, str]]]
) -> SqlShape | Finding:
    """Read one rendered branch; a text sqlglot cannot read becomes a finding with its line."""
    try:
        statements = [s for s in sqlglot.parse(rendered.text, read="duckdb") if s is not None]
    except SqlglotError as error:
        details = getattr(error, "errors", None) or [{}]
        line = rendered.model_line(int(details[0].get("line") or 0))
        reason = details[0].get("description") or str(error).split("\n")[0]
        return Finding(line, f"The SQL cannot be read: {reason}.")
    except RecursionError:
        return Finding(0, "The SQL is nested too deeply.")
    if len(statements) != 1 or not isinstance(statements[0], exp.Query):
        return Finding(1, "A model is exactly one SELECT statement.")
    reader = _Reader(rendered, relations)
    query = statements[0]
    table = reader.query(query, {})
    return SqlShape(
        ctes=_ctes(query, rendered),
        columns=tuple(ColumnFact(c.name, c.type, c.line, c.clock, c.origin) for c in table.columns),
        columns_complete=table.complete,
        clock_columns=tuple(c.name for c in table.columns if c.clock),
        watermark_column=_watermark(query, reader),
        wall_clock=any(_is_wall_clock(node) for node in query.walk()),
    )


def relation_of(table: exp.Table) -> str:
    """The relation a stub stands for: ``ref:x``, ``source:s.t``, ``this``, or nothing."""
    schema = table.db
    if schema == "__ref":
        return f"ref:{table.name}"
    if schema == "__this":
        return "this"
    if schema.startswith("__src:"):
        return f"source:{schema[len('__src:') :]}.{table.name}"
    return ""


class _Reader:
    """Columns of queries, bottom up."""

    def __init__(
        self, rendered: Rendered, relations: Mapping[str, Sequence[tuple[str, str]]]
    ) -> None:
        self.rendered = rendered
        self.relations = {key.casefold(): columns for key, columns in relations.items()}
        self.ctes: dict[str, _Table] = {}

    def query(self, node: exp.Expr, outer: Mapping[str, _Table]) -> _Table:
        scope = dict(outer)
        with_ = node.args.get("with_") or node.args.get("with")
        if with_ is not None:
            for cte in with_.expressions:
                scope[cte.alias.casefold()] = self._cte(cte, scope)
        if isinstance(node, exp.Subquery):
            return self.query(node.this, scope)
        if isinstance(node, exp.SetOperation):
            left, right = self.query(node.left, scope), self.query(node.right, scope)
            return _united(left, right)
        if isinstance(node, exp.Select):
            return self._select(node, scope)
        return _UNKNOWN

    def _cte(self, cte: exp.CTE, scope: dict[str, _Table]) -> _Table:
        alias = cte.args["alias"]
        scope = {**scope, cte.alias.casefold(): _UNKNOWN}
        table = self.query(cte.this, scope)
        names = [column.name for column in alias.args.get("columns") or []]
        if names and len(names) == len(table.columns):
            renamed = zip(names, table.columns, strict=True)
            table = _Table(tuple(replace(c, name=n) for n, c in renamed), table.complete)
        self.ctes[cte.alias.casefold()] = table
        return table

    def _select(self, select: exp.Select, scope: Mapping[str, _Table]) -> _Table:
        tables = dict(self._from(select, scope))
        columns: list[_Output] = []
        complete = True
        for projection in select.expressions:
            starred = _star(projection)
            if starred is None:
                columns.append(self._projection(projection, tables, scope))
                continue
            found = self._expand(projection, starred, tables, scope)
            complete = complete and found.complete
            columns += found.columns
        relation = ""
        if len(tables) == 1 and not select.args.get("joins"):
            relation = next(iter(tables.values())).relation
        return _Table(tuple(columns), complete, relation)

    def _from(
        self, select: exp.Select, scope: Mapping[str, _Table]
    ) -> Iterator[tuple[str, _Table]]:
        from_ = select.args.get("from_") or select.args.get("from")
        sources = [from_.this] if from_ is not None else []
        sources += [join.this for join in select.args.get("joins") or []]
        for number, source in enumerate(sources):
            yield source.alias_or_name.casefold() or f"#{number}", self.source(source, scope)

    def source(self, source: exp.Expr, scope: Mapping[str, _Table]) -> _Table:
        if isinstance(source, exp.Lateral):
            source = source.this
        if isinstance(source, exp.Subquery):
            return self.query(source, scope)
        if not isinstance(source, exp.Table):
            return _UNKNOWN
        relation = relation_of(source)
        if not relation:
            return scope.get(source.name.casefold(), _UNKNOWN)
        known = self.relations.get(relation.casefold())
        if known is None:
            return _Table((), False, relation)
        columns = tuple(_Output(n, t, 0, False, f"{relation}.{n}") for n, t in known)
        return _Table(columns, True, relation)

    def _projection(
        self,
        projection: exp.Expr,
        tables: Mapping[str, _Table],
        scope: Mapping[str, _Table],
    ) -> _Output:
        value = projection.unalias()
        name = projection.alias_or_name or projection.output_name
        source = _uncast(value)
        column = self._column(source, tables) if isinstance(source, exp.Column) else None
        return _Output(
            name,
            self._type(value, tables),
            self._line(projection),
            self._clock(value, tables, scope),
            column.origin if column else "",
        )

    def _expand(
        self,
        projection: exp.Expr,
        star: exp.Star,
        tables: Mapping[str, _Table],
        scope: Mapping[str, _Table],
    ) -> _Table:
        owner = projection.table.casefold() if isinstance(projection, exp.Column) else ""
        chosen = [t for name, t in tables.items() if not owner or name == owner]
        left_out = {
            e.name.casefold() for e in star.args.get("except_") or star.args.get("except") or []
        }
        changed = {
            e.alias.casefold(): e
            for e in star.args.get("replace") or []
            if isinstance(e, exp.Alias)
        }
        columns: list[_Output] = []
        for column in (c for t in chosen for c in t.columns):
            folded = column.name.casefold()
            if folded in changed:
                columns.append(self._projection(changed[folded], tables, scope))
            elif folded not in left_out:
                columns.append(column)
        return _Table(tuple(columns), bool(chosen) and all(t.complete for t in chosen))

    def _line(self, projection: exp.Expr) -> int:
        marks: list[int] = []
        alias = projection.args.get("alias") if isinstance(projection, exp.Alias) else None
        if isinstance(alias, exp.Identifier) and "line" in alias.meta:
            marks = [alias.meta["line"]]
        else:
            marks = [n.meta["line"] for n in projection.walk() if "line" in n.meta][:1]
        return self.rendered.model_line(marks[0]) if marks else 0

    def _type(self, value: exp.Expr, tables: Mapping[str, _Table]) -> str:
        if isinstance(value, exp.Paren):
            return self._type(value.this, tables)
        if isinstance(value, exp.Cast):
            return value.to.sql(dialect="duckdb")
        if isinstance(value, exp.Column):
            found = self._column(value, tables)
            return found.type if found else ""
        if isinstance(value, exp.Coalesce):
            types = {self._type(v, tables) for v in (value.this, *value.expressions)}
            return types.pop() if len(types) == 1 else ""
        if isinstance(value, exp.Boolean):
            return "BOOLEAN"
        return ""

    def _column(self, column: exp.Column, tables: Mapping[str, _Table]) -> _Output | None:
        owner = column.table.casefold()
        searched = [t for name, t in tables.items() if not owner or owner == name]
        for table in searched:
            found = table.find(column.name)
            if found is not None:
                return found
        if len(searched) == 1 and searched[0].relation and not searched[0].complete:
            return _Output(column.name, "", 0, False, f"{searched[0].relation}.{column.name}")
        return None

    def _clock(
        self,
        value: exp.Expr,
        tables: Mapping[str, _Table],
        scope: Mapping[str, _Table],
    ) -> bool:
        """Whether the clock feeds the *value*; a filter on the clock does not count."""
        if isinstance(value, exp.Query):
            return any(c.clock for c in self.query(value, {**scope, **tables}).columns)
        if _is_now(value) or _is_wall_clock(value):
            return True
        if isinstance(value, exp.Column):
            found = self._column(value, tables)
            return found is not None and found.clock
        return any(self._clock(child, tables, scope) for child in value.iter_expressions())


def _united(left: _Table, right: _Table) -> _Table:
    if len(left.columns) != len(right.columns):
        return _Table(left.columns, False)
    pairs = zip(left.columns, right.columns, strict=True)
    columns = tuple(
        replace(a, clock=a.clock or b.clock, origin=a.origin if a.origin == b.origin else "")
        for a, b in pairs
    )
    return _Table(columns, left.complete and right.complete)


def _star(projection: exp.Expr) -> exp.Star | None:
    if isinstance(projection, exp.Star):
        return projection
    if isinstance(projection, exp.Column) and isinstance(projection.this, exp.Star):
        return projection.this
    return None


def _uncast(value: exp.Expr) -> exp.Expr:
    while isinstance(value, exp.Cast | exp.Paren):
        value = value.this
    return value


def _is_now(node: exp.Expr) -> bool:
    return isinstance(node, exp.Anonymous) and node.name.lower() == NOW


def _is_wall_clock(node: exp.Expr) -> bool:
    if isinstance(node, _WALL_CLOCK_NODES):
        return True
    return isinstance(node, exp.Anonymous) and node.name.lower() in _WALL_CLOCK


def _watermark(query: exp.Expr, reader: _Reader) -> str:
    """The column in ``max(column)`` over the model's own table inside a comparison."""
    for comparison in query.find_all(exp.GT, exp.GTE, exp.LT, exp.LTE):
        for maximum in comparison.find_all(exp.Max):
            select = maximum.find_ancestor(exp.Select)
            if select is None or select.find_ancestor(type(comparison)) is None:
                continue
            column = maximum.find(exp.Column)
            if column is not None and _reads_this(select, reader):
                return column.name
    return _joined_watermark(query, reader)


def _joined_watermark(query: exp.Expr, reader: _Reader) -> str:
    """``max(column)`` computed in a CTE over the own table, compared elsewhere."""
    for cte in query.find_all(exp.CTE):
        body = cte.this
        maximum = body.find(exp.Max) if isinstance(body, exp.Select) else None
        column = maximum.find(exp.Column) if maximum is not None else None
        if column is None or not _reads_this(body, reader) or body.args.get("group"):
            continue
        outputs = {p.alias_or_name.casefold() for p in body.expressions if p.find(exp.Max)}
        for comparison in query.find_all(exp.GT, exp.GTE, exp.LT, exp.LTE):
            if any(c.name.casefold() in outputs for c in comparison.find_all(exp.Column)):
                return column.name
    return ""


def _reads_this(select: exp.Select, reader: _Reader) -> bool:
    from_ = select.args.get("from_") or select.args.get("from")
    if from_ is None or not isinstance(from_.this, exp.Table):
        return False
    return reader.source(from_.this, reader.ctes).relation == "this"


def _ctes(query: exp.Expr, rendered: Rendered) -> tuple[CteFact, ...]:
    with_ = query.args.get("with_") or query.args.get("with")
    if with_ is None:
        return ()
    ranges = _cte_ranges(rendered)
    facts = []
    count = len(with_.expressions)
    for number, cte in enumerate(with_.expressions):
        first, last = ranges.get(cte.alias.casefold(), (0, 0))
        relation = _imported(cte.this)
        is_final = cte.alias.casefold() == "final" or (number == count - 1 and not relation)
        role = CteRole.IMPORT if relation else CteRole.FINAL if is_final else CteRole.LOGICAL
        facts.append(CteFact(cte.alias, first, last, role, relation))
    return tuple(facts)


def _imported(body: exp.Expr) -> str:
    """The relation an import CTE imports: plain columns or ``*`` of one stub, nothing else."""
    if not isinstance(body, exp.Select):
        return ""
    from_ = body.args.get("from_") or body.args.get("from")
    more = ("joins", "where", "group", "having", "qualify", "distinct", "limit")
    if from_ is None or any(body.args.get(key) for key in more):
        return ""
    plain = all(isinstance(p.unalias(), exp.Column | exp.Star) for p in body.expressions)
    return relation_of(from_.this) if plain and isinstance(from_.this, exp.Table) else ""


def _cte_ranges(rendered: Rendered) -> dict[str, tuple[int, int]]:
    """Line ranges of the outermost WITH's CTEs, from the tokens."""
    tokens = sqlglot.tokenize(rendered.text, read="duckdb")
    ranges: dict[str, tuple[int, int]] = {}
    depth = 0
    name, first = "", 0
    for before, token in zip([None, *tokens], tokens, strict=False):
        if token.token_type is TokenType.L_PAREN:
            depth += 1
        elif token.token_type is TokenType.R_PAREN:
            depth -= 1
            if depth == 0 and name:
                ranges[name] = (first, rendered.model_line(token.line))
        elif depth == 0 and before is not None:
            starts = (TokenType.WITH, TokenType.COMMA, TokenType.RECURSIVE)
            if before.token_type in starts and token.token_type is not TokenType.RECURSIVE:
                name, first = token.text.casefold(), rendered.model_line(token.line)
            elif token.token_type is TokenType.SELECT:
                break
    return ranges
