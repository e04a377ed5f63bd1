"""Walks a query tree and collects its :class:`~core.review.shape.Shape`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field

from sqlglot import exp

from core.review.predicates import atoms, bare, conjuncts, function_name, predicates_of
from core.review.ranking import RANKS, rank_filter
from core.review.shape import (
    Aggregate,
    Grouping,
    JoinKey,
    JoinKind,
    Lineage,
    Relation,
    Shape,
    Window,
)
from core.tsql.leaves import line_of

Resolve = Callable[[exp.Table], Relation | None]
"""Finds what a table name stands for when it is no CTE; ``None``: nothing to trace."""

ViewOf = Callable[[str], exp.Expr | None]
"""The query behind a view by its case-folded ``schema.view``; ``None``: not a known view."""

_NOTHING: Lineage = frozenset()

_AGGREGATES = frozenset(
    {"sum", "min", "max", "avg", "count", "string_agg", "stddev", "stdevp", "variance", "var"}
)


@dataclass
class Scope:
    """The relations a query's expressions can name, innermost first."""

    relations: dict[str, Relation] = field(default_factory=dict)
    outer: Scope | None = None
    anti: set[str] = field(default_factory=set)
    """Names whose rows must be missing (``LEFT JOIN … WHERE x IS NULL``)."""

    def column(self, node: exp.Column) -> Lineage:
        """Trace a column reference; empty when it cannot be traced with certainty."""
        name, qualifier = node.name.casefold(), node.table.casefold()
        scope: Scope | None = self
        while scope is not None:
            found = scope.qualified(qualifier, name) if qualifier else scope.unqualified(name)
            if found is not None:
                return found
            scope = scope.outer
        return _NOTHING

    def qualified(self, qualifier: str, name: str) -> Lineage | None:
        relation = self.relations.get(qualifier)
        return None if relation is None else relation.lineage(name)

    def unqualified(self, name: str) -> Lineage | None:
        owners = [r for r in self.relations.values() if r.has(name)]
        if len(owners) == 1:
            return owners[0].lineage(name)
        open_ones = [r for r in self.relations.values() if r.is_open]
        if not owners and len(open_ones) == 1:
            return open_ones[0].lineage(name)
        return _NOTHING if owners or open_ones else None

    def rank(self, node: exp.Column) -> Window | None:
        """The ranking that a column holds, if exactly one relation of this query says so."""
        name, qualifier = node.name.casefold(), node.table.casefold()
        found = [
            relation.ranks[name]
            for alias, relation in self.relations.items()
            if name in relation.ranks and qualifier in ("", alias)
        ]
        return found[0] if len(found) == 1 else None


@dataclass
class CommonTable:
    """A CTE that is traced when something reads it: one that nothing reads adds no facts."""

    cte: exp.CTE
    visible: CommonTables
    relation: Relation | None = None


CommonTables = dict[str, Relation | CommonTable]


class Tracer:
    """Collects one shape over any number of queries that share a naming environment."""

    def __init__(self, resolve: Resolve, view_of: ViewOf = lambda _: None) -> None:
        self.shape = Shape()
        self._resolve = resolve
        self._view_of = view_of
        self._open_views: set[str] = set()

    def query(
        self,
        tree: exp.Expr,
        ctes: CommonTables | None = None,
        outer: Scope | None = None,
    ) -> Relation:
        """Trace a SELECT, a set operation or VALUES, and return what its columns come from."""
        known = dict(ctes or {})
        with_ = tree.args.get("with_")
        if with_ is not None:
            self.common_tables(with_, known)
        if isinstance(tree, exp.Subquery | exp.Paren):
            return self.query(tree.this, known, outer)
        if isinstance(tree, exp.SetOperation):
            return self._set_operation(tree, known, outer)
        if isinstance(tree, exp.Select):
            return self._select(tree, known, outer)
        return Relation(is_open=True)

    @staticmethod
    def common_tables(with_: exp.With, known: CommonTables) -> None:
        """Put the CTEs of a WITH clause into ``known``, untraced."""
        for cte in with_.expressions:
            known[cte.alias.casefold()] = CommonTable(cte, dict(known))

    def _common_table(self, table: CommonTable) -> Relation:
        if table.relation is None:
            name = table.cte.alias.casefold()
            table.relation = Relation(is_open=True)  # a recursive member sees itself
            visible = {**table.visible, name: table.relation}
            relation = self.query(table.cte.this, visible)
            table.relation = _renamed(relation, [c.name for c in table.cte.args["alias"].columns])
        return table.relation

    def _set_operation(
        self, tree: exp.SetOperation, ctes: CommonTables, outer: Scope | None
    ) -> Relation:
        left = self.query(tree.this, ctes, outer)
        right = self.query(tree.expression, ctes, outer)
        if isinstance(tree, exp.Union):
            lines = self.shape.union_distinct if tree.args.get("distinct") else self.shape.union_all
            lines.append(line_of(tree))
        if not isinstance(tree, exp.Union):
            return left
        right_lineages = list(right.columns.values())
        columns = {
            name: lineage | (right_lineages[i] if i < len(right_lineages) else _NOTHING)
            for i, (name, lineage) in enumerate(left.columns.items())
        }
        return Relation(columns=columns, is_open=left.is_open)

    def _select(self, tree: exp.Select, ctes: CommonTables, outer: Scope | None) -> Relation:
        scope = Scope(outer=outer)
        source = tree.args.get("from_")
        where = tree.args.get("where")
        nulls = _null_checked(where)
        if source is not None:
            self._add(source.this, scope, ctes)
        for join in tree.args.get("joins") or []:
            self._join(join, scope, ctes, nulls)
        for clause in ("where", "having", "qualify"):
            node = tree.args.get(clause)
            if node is not None:
                self._condition(node.this, scope, ctes, JoinKind.INNER, anti=scope.anti)
        self._grouping(tree, scope)
        if tree.args.get("distinct"):
            self.shape.distincts.append(line_of(tree))
        columns = self._projection(tree, scope, ctes)
        self._details(tree, scope, ctes)
        return columns

    def _add(self, node: exp.Expr, scope: Scope, ctes: CommonTables) -> set[str]:
        """Put one FROM item into the scope; return the names it is known by."""
        nested = node.args.get("joins") or []
        alias = node.alias_or_name.casefold()
        if isinstance(node, exp.Table):
            relation = self._table(node, ctes)
        elif isinstance(node, exp.Subquery):
            relation = self.query(node.this, ctes, scope.outer)
        elif isinstance(node, exp.Lateral):
            inner = node.this
            relation = (
                self.query(inner, ctes, scope)
                if isinstance(inner, exp.Subquery | exp.Select)
                else Relation(is_open=True)
            )
        else:
            relation = Relation(is_open=True)
        table_alias = node.args.get("alias")
        if isinstance(table_alias, exp.TableAlias):
            relation = _renamed(relation, [c.name for c in table_alias.columns])
        scope.relations[alias] = relation
        self.shape.pivots |= bool(node.args.get("pivots"))
        names = {alias}
        for join in nested:
            names |= self._join(join, scope, ctes, set())
        return names

    def _table(self, node: exp.Table, ctes: CommonTables) -> Relation:
        known = None if node.db else ctes.get(node.name.casefold())
        if known is not None:
            return self._common_table(known) if isinstance(known, CommonTable) else known
        relation = self._resolve(node)
        if relation is None:
            return Relation(is_open=True)
        if relation.base and relation.base not in self._open_views:
            view = self._view_of(relation.base)
            if view is not None:
                return self._view(relation.base, view)
        if relation.base:
            self.shape.tables.setdefault(relation.base, line_of(node))
        return relation

    def _view(self, key: str, query: exp.Expr) -> Relation:
        """A view is what its query reads, whichever side spells it out."""
        self._open_views.add(key)
        relation = self.query(query)
        self._open_views.discard(key)
        return relation

    def _join(self, join: exp.Join, scope: Scope, ctes: CommonTables, nulls: set[str]) -> set[str]:
        before = set(scope.relations)
        names = self._add(join.this, scope, ctes)
        side, kind = (join.side or "").upper(), (join.kind or "").upper()
        on = join.args.get("on")
        if isinstance(join.this, exp.Lateral):
            return names
        join_kind, kept = JoinKind.INNER, set[str]()
        if side == "LEFT" and names & nulls:
            join_kind = JoinKind.ANTI
            scope.anti |= names
        elif side in ("LEFT", "RIGHT"):
            join_kind, kept = JoinKind.LEFT, before if side == "LEFT" else names
        elif side == "FULL":
            join_kind = JoinKind.FULL
        elif kind in ("SEMI", "ANTI"):
            join_kind = JoinKind(kind.lower())
        for name in (c.name.casefold() for c in join.args.get("using") or []):
            self._using(name, scope, before, names, join_kind)
        if on is not None:
            self._condition(on, scope, ctes, join_kind, kept)
        return names

    def _using(
        self, column: str, scope: Scope, left: set[str], right: set[str], kind: JoinKind
    ) -> None:
        ends = [
            next(
                (
                    lineage
                    for name in names
                    if scope.relations[name].has(column)
                    and (lineage := scope.relations[name].lineage(column))
                ),
                _NOTHING,
            )
            for names in (left, right)
        ]
        self._key(ends[0], ends[1], kind, "", 0, column)

    def _condition(
        self,
        condition: exp.Expr,
        scope: Scope,
        ctes: CommonTables,
        kind: JoinKind,
        kept: set[str] | None = None,
        anti: AbstractSet[str] = frozenset(),
    ) -> None:
        top = {id(c) for c in conjuncts(condition)}
        for atom, negated, soft in atoms(condition):
            if _tests_absence(atom, anti):
                continue
            if self._subquery_atom(atom, negated, scope, ctes):
                continue
            ends = _column_ends(atom)
            if ends is not None and not negated and id(atom) in top:
                left, right = (scope.column(end) for end in ends)
                preserved = ""
                if kept is not None and kind is JoinKind.LEFT:
                    preserved = _preserved(ends, scope, kept)
                if self._key(left, right, kind, preserved, line_of(atom), atom.sql()[:160]):
                    continue
            rank = rank_filter(atom, negated, lambda node: self._rank(node, scope))
            if rank is not None and not soft:
                self.shape.rank_filters.append(rank)
            self.shape.predicates += predicates_of(
                atom,
                lambda node: self.lineage(node, scope),
                negated=negated,
                soft=soft,
            )

    def _key(
        self, left: Lineage, right: Lineage, kind: JoinKind, kept: str, line: int, text: str
    ) -> bool:
        """Record an equality between two tables; ``False`` when it is not one.

        A column of a union comes from several tables: each of them meets the other side.
        """
        pairs = {frozenset({a, b}) for a in left for b in right if a.table != b.table}
        if not pairs or len(pairs) < len(left) * len(right):
            return False
        keys = [JoinKey(pair, kind, kept, line, text) for pair in pairs]
        self.shape.joins += sorted(keys, key=lambda key: sorted(key.columns))
        return True

    def _subquery_atom(
        self, atom: exp.Expr, negated: bool, scope: Scope, ctes: CommonTables
    ) -> bool:
        kind = JoinKind.ANTI if negated else JoinKind.SEMI
        if isinstance(atom, exp.Exists):
            self._correlated(atom.this, scope, ctes, kind)
            return True
        if isinstance(atom, exp.In) and atom.args.get("query"):
            inner = self._correlated(atom.args["query"], scope, ctes, kind)
            first = next(iter(inner.columns.values()), _NOTHING)
            self._key(
                self.lineage(atom.this, scope), first, kind, "", line_of(atom), atom.sql()[:160]
            )
            return True
        return False

    def _correlated(
        self, query: exp.Expr, scope: Scope, ctes: CommonTables, kind: JoinKind
    ) -> Relation:
        """Trace a subquery; its equalities with the outer query get ``kind``."""
        first = len(self.shape.joins)
        relation = self.query(query, ctes, scope)
        inner = query.unnest()
        own = Scope()
        if isinstance(inner, exp.Select):
            for item in _from_items(inner):
                own.relations[item.alias_or_name.casefold()] = Relation(is_open=True)
            where = inner.args.get("where")
            correlated = {
                atom.sql()[:160]
                for atom in conjuncts(where.this if where else None)
                if (ends := _column_ends(atom)) is not None
                and any(e.table and e.table.casefold() not in own.relations for e in ends)
            }
            self.shape.joins[first:] = [
                JoinKey(
                    j.columns, kind if j.text in correlated else j.kind, j.preserved, j.line, j.text
                )
                for j in self.shape.joins[first:]
            ]
        return relation

    def _grouping(self, tree: exp.Select, scope: Scope) -> None:
        group = tree.args.get("group")
        if group is None:
            return
        aliases = {e.alias.casefold(): e.this for e in tree.selects if isinstance(e, exp.Alias)}
        keys = set()
        for key in [*group.expressions, *_nested_keys(group)]:
            node: exp.Expr = key
            if isinstance(key, exp.Literal) and not key.is_string:
                position = int(str(key.this)) - 1
                if 0 <= position < len(tree.selects):
                    node = tree.selects[position]
            lineage = self.lineage(node, scope)
            if not lineage and isinstance(key, exp.Column) and key.name.casefold() in aliases:
                lineage = self.lineage(aliases[key.name.casefold()], scope)
            if lineage:
                keys.add(lineage)
        self.shape.groupings.append(Grouping(frozenset(keys), line_of(group), group.sql()[:160]))

    def _rank(self, node: exp.Expr, scope: Scope) -> Window | None:
        """The ranking a value shows: a window function, or a column that holds one."""
        node = node.unalias()
        if isinstance(node, exp.Window) and function_name(node.this) in RANKS:
            return self._traced(node, scope)
        return scope.rank(node) if isinstance(node, exp.Column) else None

    def _projection(self, tree: exp.Select, scope: Scope, ctes: CommonTables) -> Relation:
        columns: dict[str, Lineage] = {}
        ranks: dict[str, Window] = {}
        is_open = False
        for position, item in enumerate(tree.selects):
            if isinstance(item, exp.Star) or (
                isinstance(item, exp.Column) and isinstance(item.this, exp.Star)
            ):
                is_open |= _expand_star(item, scope, columns, ranks)
                continue
            named = isinstance(item, exp.Alias | exp.Column)
            name = item.alias_or_name.casefold() if named else f"_{position}"
            columns[name] = self.lineage(item, scope)
            rank = self._rank(item, scope)
            if rank is not None:
                ranks[name] = rank
        return Relation(columns=columns, ranks=ranks, is_open=is_open)

    def _details(self, tree: exp.Select, scope: Scope, ctes: CommonTables) -> None:
        """Aggregates, windows, CASE conditions and scalar subqueries anywhere in the SELECT."""
        for part in _own_expressions(tree):
            for node in _within(part):
                if isinstance(node, exp.Window):
                    self._window(node, scope)
                elif function_name(node) in _AGGREGATES:
                    if not isinstance(node.parent, exp.Window):
                        self._aggregate(node, scope)
                elif isinstance(node, exp.If):
                    self._choice(node.this, scope, ctes)
                elif function_name(node) == "iif" and node.expressions:
                    self._choice(node.expressions[0], scope, ctes)
                elif isinstance(node, exp.Subquery) and node.find(exp.Select):
                    self._correlated(node.this, scope, ctes, JoinKind.SCALAR)

    def _choice(self, condition: exp.Expr, scope: Scope, ctes: CommonTables) -> None:
        """A condition that chooses a value and drops no row."""
        for atom, negated, _ in atoms(condition):
            if not self._subquery_atom(atom, negated, scope, ctes):
                self.shape.predicates += predicates_of(
                    atom, lambda n: self.lineage(n, scope), negated=negated, soft=True
                )

    def _window(self, node: exp.Window, scope: Scope) -> None:
        self.shape.windows.append(self._traced(node, scope))

    def _traced(self, node: exp.Window, scope: Scope) -> Window:
        order = node.args.get("order")
        return Window(
            function_name(node.this),
            frozenset(self.lineage(p, scope) for p in node.args.get("partition_by") or []),
            tuple(
                (self.lineage(o.this, scope), bool(o.args.get("desc")))
                for o in (order.expressions if order else [])
            ),
            line_of(node),
            node.sql()[:160],
        )

    def _aggregate(self, node: exp.Expr, scope: Scope) -> None:
        function = function_name(node)
        if any(isinstance(child, exp.Distinct) for child in node.iter_expressions()):
            function += "_distinct"
        self.shape.aggregates.append(
            Aggregate(function, self.lineage(node, scope), line_of(node), node.sql()[:160])
        )

    def lineage(self, node: exp.Expr, scope: Scope) -> Lineage:
        """The base columns a value comes from; conditions of CASE do not count as its source."""
        columns: set[Lineage] = set()
        for column in _value_columns(node):
            columns.add(scope.column(column))
        return frozenset().union(*columns)


def _value_columns(node: exp.Expr) -> Iterator[exp.Column]:
    """Columns that feed the value of an expression, not those that only choose or rank it."""
    if isinstance(node, exp.Column):
        if not isinstance(node.this, exp.Star):
            yield node
        return
    if isinstance(node, exp.If):
        for part in (node.args.get("true"), node.args.get("false")):
            if part is not None:
                yield from _value_columns(part)
        return
    if function_name(node) == "iif":
        for part in node.expressions[1:]:
            yield from _value_columns(part)
        return
    if isinstance(node, exp.Select | exp.SetOperation):
        for item in node.selects:
            yield from _value_columns(item)
        return
    if isinstance(node, exp.Window):
        yield from _value_columns(node.this)
        return
    for child in node.iter_expressions():
        yield from _value_columns(child)


def _within(node: exp.Expr) -> Iterator[exp.Expr]:
    """The nodes of an expression without those inside its subqueries."""
    yield node
    if isinstance(node, exp.Subquery | exp.Exists | exp.Select):
        return
    for child in node.iter_expressions():
        yield from _within(child)


def _own_expressions(tree: exp.Select) -> Iterator[exp.Expr]:
    yield from tree.selects
    for clause in ("having", "qualify", "order", "where"):
        node = tree.args.get(clause)
        if node is not None:
            yield node
    for join in tree.args.get("joins") or []:
        on = join.args.get("on")
        if on is not None:
            yield on


def _from_items(tree: exp.Select) -> Iterator[exp.Expr]:
    source = tree.args.get("from_")
    if source is not None:
        yield source.this
        for join in source.this.args.get("joins") or []:
            yield join.this
    for join in tree.args.get("joins") or []:
        yield join.this


def _nested_keys(group: exp.Group) -> Iterator[exp.Expr]:
    for name in ("rollup", "cube", "grouping_sets"):
        for node in group.args.get(name) or []:
            if isinstance(node, exp.Expr):
                yield from node.find_all(exp.Column)


def _tests_absence(atom: exp.Expr, anti: AbstractSet[str]) -> bool:
    """Whether the atom is the ``x IS NULL`` that makes a left join an anti join."""
    return (
        isinstance(atom, exp.Is)
        and isinstance(atom.expression, exp.Null)
        and isinstance(atom.this, exp.Column)
        and atom.this.table.casefold() in anti
    )


def _column_ends(atom: exp.Expr) -> tuple[exp.Column, exp.Column] | None:
    if not isinstance(atom, exp.EQ | exp.NullSafeEQ):
        return None
    left, right = bare(atom.this), bare(atom.expression)
    if isinstance(left, exp.Column) and isinstance(right, exp.Column):
        return left, right
    return None


def _preserved(ends: tuple[exp.Column, exp.Column], scope: Scope, kept: set[str]) -> str:
    for end in ends:
        if end.table.casefold() in kept:
            tables = {column.table for column in scope.column(end)}
            return tables.pop() if len(tables) == 1 else ""
    return ""


def _null_checked(where: exp.Expr | None) -> set[str]:
    """Aliases whose column must be NULL: ``LEFT JOIN d … WHERE d.id IS NULL`` is an anti join."""
    if where is None:
        return set()
    return {
        atom.this.table.casefold()
        for atom in conjuncts(where.this)
        if isinstance(atom, exp.Is)
        and isinstance(atom.expression, exp.Null)
        and isinstance(atom.this, exp.Column)
        and atom.this.table
    }


def _expand_star(
    item: exp.Expr, scope: Scope, columns: dict[str, Lineage], ranks: dict[str, Window]
) -> bool:
    star = item.this if isinstance(item, exp.Column) else item
    excluded = {c.name.casefold() for c in star.args.get("except_") or []}
    qualifier = item.table.casefold() if isinstance(item, exp.Column) else ""
    relations = (
        [scope.relations[qualifier]]
        if qualifier in scope.relations
        else []
        if qualifier
        else list(scope.relations.values())
    )
    for relation in relations:
        for name, lineage in relation.columns.items():
            if name not in excluded and name not in columns:
                columns[name] = lineage
                if name in relation.ranks:
                    ranks[name] = relation.ranks[name]
    return any(relation.is_open for relation in relations) or not relations


def _renamed(relation: Relation, names: list[str]) -> Relation:
    if not names:
        return relation
    before = list(relation.columns)
    held = {name.casefold(): before[i] for i, name in enumerate(names) if i < len(before)}
    return Relation(
        columns={
            name.casefold(): relation.columns[held[name.casefold()]]
            if name.casefold() in held
            else _NOTHING
            for name in names
        },
        ranks={new: relation.ranks[old] for new, old in held.items() if old in relation.ranks},
        is_open=relation.is_open,
    )
