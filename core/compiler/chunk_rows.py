"""The statement of a loop in chunks: what it takes per turn, and the statement that takes all.

Four forms are known: ``DELETE/UPDATE TOP (n) t``, ``DELETE/UPDATE`` through a CTE with TOP (n),
``DELETE t WHERE key IN (SELECT TOP (n) key FROM t …)``, and ``INSERT … SELECT TOP (n)`` of rows
that are not in the target yet.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from sqlglot import exp

from core.compiler import trees
from core.compiler.fold import NotConstant, fold
from core.compiler.keys import conjuncts
from core.compiler.result import Refused
from core.compiler.state import State
from core.compiler.variables import variable_name
from core.tsql import nodes
from core.tsql.binding_from import table_name
from core.tsql.leaves import ParsedLeaf, Top
from core.tsql.nodes import LeafKind

if TYPE_CHECKING:
    from core.compiler.executor import Executor


@dataclass(frozen=True)
class Chunk:
    """`leaf` takes `size` rows a turn; `select` is the query that holds the TOP, None when the
    statement itself does.
    """

    ex: Executor
    leaf: nodes.Leaf
    parsed: ParsedLeaf
    size: exp.Expr
    state: State
    select: exp.Select | None = None

    @classmethod
    def of(cls, ex: Executor, leaf: nodes.Leaf, parsed: ParsedLeaf, state: State) -> Chunk | None:
        """The chunk a statement takes, or None when it takes all its rows."""
        if parsed.kind not in (LeafKind.DELETE, LeafKind.UPDATE, LeafKind.INSERT):
            return None
        if parsed.target is None or parsed.query is None:
            return None
        if parsed.top is not None:
            if parsed.top.percent or parsed.top.with_ties:
                return None
            return cls(ex, leaf, parsed, trees.unwrapped(parsed.top.count), state)
        limited = [
            query
            for query in parsed.query.find_all(exp.Select)
            if query.args.get("limit") is not None
        ]
        if len(limited) != 1 or not isinstance(limited[0].args["limit"], exp.Limit):
            return None
        size = limited[0].args["limit"].args.get("expression")
        if size is None:
            return None
        chunk = cls(ex, leaf, parsed, trees.unwrapped(size), state, limited[0])
        return chunk if chunk._is_known_form() else None

    def _is_known_form(self) -> bool:
        assert self.select is not None
        target, query = self.parsed.target, self.parsed.query
        assert target is not None
        assert query is not None
        if self.parsed.kind is LeafKind.INSERT:
            return self.select is query
        if target.is_cte:
            cte = self.select.parent
            if query.args.get("where") is not None or query.args.get("joins"):
                return False
            return isinstance(cte, exp.CTE) and cte.alias.lower() == target.table.name.lower()
        return self._is_among_keys() is not None

    def _is_among_keys(self) -> exp.In | None:
        """The ``key IN (SELECT TOP (n) key FROM t …)`` that is the whole WHERE."""
        query = self.parsed.query
        assert self.select is not None
        where = query.args.get("where") if isinstance(query, exp.Select) else None
        among = trees.unwrapped(where.this) if where is not None else None
        if not isinstance(among, exp.In) or query is None or query.args.get("joins"):
            return None
        inner = among.args.get("query")
        inner = inner.this if isinstance(inner, exp.Subquery) else inner
        if inner is not self.select or len(self.select.expressions) != 1:
            return None
        key, picked = trees.unwrapped(among.this), self.select.expressions[0]
        source = self.select.args.get("from_")
        if not isinstance(key, exp.Column) or not isinstance(picked, exp.Column):
            return None
        if key.name.lower() != picked.name.lower() or self.select.args.get("joins"):
            return None
        if source is None or not isinstance(source.this, exp.Table):
            return None
        if self._key(source.this) != self._target_key():
            return None
        assert self.parsed.target is not None
        name = table_name(self.parsed.target.table)
        known = self.ex.tables.state_of(name, self.state, self.ex.line(self.leaf)).table
        column = known.column(key.name)
        return among if column is not None and not column.nullable else None

    # --- what it reads --------------------------------------------------------------------------

    def variables(self) -> set[str]:
        """The variables the statement reads."""
        found = {variable_name(p) for tree in self._trees() for p in tree.find_all(exp.Parameter)}
        return {name for name in found if name}

    def tables(self) -> set[str]:
        """The keys of all tables the statement reads or writes."""
        found = {self._key(table) for tree in self._trees() for table in _tables(tree)}
        if self.parsed.output is not None and self.parsed.output.into is not None:
            found.add(self._key(self.parsed.output.into))
        return found | {self._target_key()}

    def _trees(self) -> list[exp.Expr]:
        found: list[exp.Expr] = [self.size]
        if self.parsed.query is not None:
            found.append(self.parsed.query)
        found += [assignment.value for assignment in self.parsed.assignments]
        if self.parsed.output is not None:
            found += self.parsed.output.items
        return found

    def _key(self, table: exp.Table) -> str:
        return self.ex.tables.key(table_name(table))

    def _target_key(self) -> str:
        target = self.parsed.target
        assert target is not None
        if target.is_cte and self.select is not None:
            source = self.select.args.get("from_")
            if source is not None and isinstance(source.this, exp.Table):
                return self._key(source.this)
        return self._key(target.table)

    def same_rows(self, query: exp.Expr) -> bool:
        """Whether ``EXISTS (query)`` asks for the very rows the chunk takes from."""
        own = self._rows()
        if not isinstance(query, exp.Select) or own is None or query.args.get("joins"):
            return False
        sources = [q.args.get("from_") for q in (query, own)]
        tables = [s.this if s is not None else None for s in sources]
        if not all(isinstance(x, exp.Table) for x in tables):
            return False
        if any(query.args.get(k) for k in ("group", "having", "limit")):
            return False
        one, other = tables
        assert isinstance(one, exp.Table)
        assert isinstance(other, exp.Table)
        if self._key(one) != self._key(other):
            return False
        return _condition(query, one) == _condition(own, other)

    def counts_rows(self, tree: exp.Expr) -> bool:
        """Whether an expression is ``(SELECT COUNT(*) FROM … WHERE …)`` of the chunk's rows."""
        query = tree.this if isinstance(tree, exp.Subquery) else None
        if not isinstance(query, exp.Select) or len(query.expressions) != 1:
            return False
        counted = query.expressions[0]
        counted = counted.this if isinstance(counted, exp.Alias) else counted
        is_count = isinstance(counted, exp.Anonymous | exp.Count) and (
            counted.name.upper() in ("COUNT", "COUNT_BIG") or isinstance(counted, exp.Count)
        )
        arguments = counted.expressions or [counted.this]
        return (
            is_count
            and len(arguments) == 1
            and (isinstance(arguments[0], exp.Star | exp.Literal))
            and self.same_rows(query)
        )

    def _rows(self) -> exp.Select | None:
        """The query of the rows a chunk is taken from, when it reads one table."""
        query: exp.Expr | None = self.parsed.query if self.select is None else self.select
        if not isinstance(query, exp.Select) or query.args.get("joins"):
            return None
        return query

    # --- the statement that takes all -----------------------------------------------------------

    def whole(self, limit: exp.Expr | None) -> ParsedLeaf:
        """The statement that does what all turns do: all rows, or `limit` of them.

        Raises `Refused` where a turn may see what another one did.
        """
        if self.parsed.kind is LeafKind.INSERT:
            self._check_insert()
        else:
            self._check_alone()
            if self.parsed.kind is LeafKind.UPDATE and not self._falsifies():
                raise Refused("an UPDATE in chunks that may find the same rows again", "WHILE")
        if self.select is None:
            assert self.parsed.top is not None
            top = replace(self.parsed.top, count=limit) if limit is not None else None
            return replace(self.parsed, top=top)
        if limit is not None and self.parsed.kind is not LeafKind.INSERT:
            return self._limited(limit)
        assert self.parsed.query is not None
        self.select.meta["chunk"] = True
        query = self.parsed.query.copy()
        del self.select.meta["chunk"]
        inner = next(s for s in query.find_all(exp.Select) if s.meta.pop("chunk", False))
        inner.set("limit", exp.Limit(expression=limit.copy()) if limit is not None else None)
        if limit is None:
            inner.set("order", None)
        return replace(self.parsed, query=query)

    def _limited(self, limit: exp.Expr) -> ParsedLeaf:
        """k chunks through a CTE without an order: the TOP moves to the statement."""
        assert self.select is not None
        key = self.select.expressions[0].name.lower()
        assert self.parsed.target is not None
        if self.select.args.get("order") or self.parsed.target.is_cte or not self._is_key(key):
            raise Refused("an ordered loop in chunks that stops early", "WHILE")
        where = self.select.args.get("where")
        assert isinstance(self.parsed.query, exp.Select)
        query = self.parsed.query.copy()
        query.set("where", where.copy() if where is not None else None)
        return replace(self.parsed, query=query, top=Top(limit))

    def _is_key(self, column: str) -> bool:
        assert self.parsed.target is not None
        name = table_name(self.parsed.target.table)
        known = self.ex.tables.state_of(name, self.state, self.ex.line(self.leaf)).table
        return any([n.lower() for n in key] == [column] for key in known.keys)

    def _check_alone(self) -> None:
        """The table is read once, as the target: what qualifies depends on the row alone."""
        wanted = 2 if self.select is not None and not self._through_cte() else 1
        own = self._target_key()
        found = [k for tree in self._trees() for k in map(self._key, _tables(tree)) if k == own]
        if len(found) > wanted:
            raise Refused("a chunk that depends on other rows of its table", "WHILE")
        into = self.parsed.output.into if self.parsed.output is not None else None
        if into is not None and self._key(into) in {
            self._key(table) for tree in self._trees() for table in _tables(tree)
        }:
            raise Refused("a chunk that reads what it puts out", "WHILE")
        if any(tree.find(exp.Window) is not None for tree in self._trees()):
            raise Refused("a chunk of numbered rows", "WHILE")

    def _through_cte(self) -> bool:
        return self.parsed.target is not None and self.parsed.target.is_cte

    def _falsifies(self) -> bool:
        """Whether the new values make the UPDATE's own condition false: each row changes once."""
        queries = [self.select] if self.select is not None else []
        if isinstance(self.parsed.query, exp.Select):
            queries.append(self.parsed.query)
        new = {
            a.column.name.lower(): trees.unwrapped(a.value)
            for a in self.parsed.assignments
            if a.column is not None and a.operator == "="
        }
        parts = [
            part
            for query in queries
            if (where := query.args.get("where")) is not None
            for part in conjuncts(where.this)
        ]
        return any(_is_falsified(part, new) for part in parts)

    def _check_insert(self) -> None:
        """Inserted rows are rows that no turn finds again, and no two of them are the same."""
        query, target = self.parsed.query, self.parsed.target
        assert target is not None
        if not isinstance(query, exp.Select) or self.parsed.output is not None:
            raise Refused("an INSERT in chunks that is not one SELECT", "WHILE")
        keys = self._absent_keys(query)
        line = self.ex.line(self.leaf)
        found = self.ex.tables.state_of(table_name(target.table), self.state, line)
        names = [*target.columns] or [c.name for c in found.table.columns if not c.identity]
        values = [i.this if isinstance(i, exp.Alias) else i for i in query.expressions]
        if keys is None or len(names) != len(values):
            raise Refused("an INSERT in chunks of rows that may be there already", "WHILE")
        given = {n.lower(): trees.text(v).lower() for n, v in zip(names, values, strict=True)}
        if any(given.get(column) != text for column, text in keys.items()):
            raise Refused("an INSERT in chunks that does not insert its own key", "WHILE")
        plain = query.copy()
        for key in ("limit", "order"):
            plain.set(key, None)
        items = [
            trees.alias(value.copy(), f"column_{position}") for position, value in enumerate(values)
        ]
        plain.set("expressions", items)
        rows = self.ex.binder.relation(plain, self.ex.context(self.leaf, self.state), "chunk_rows")
        places = {
            f"column_{position}" for position, name in enumerate(names) if name.lower() in keys
        }
        if not rows.is_unique_on(places):
            raise Refused("an INSERT in chunks of rows that may be the same", "WHILE")

    def _absent_keys(self, query: exp.Select) -> dict[str, str] | None:
        """``NOT EXISTS (SELECT … FROM target WHERE target.k = x)``: column k to the text of x."""
        own = self._target_key()
        if sum(self._key(table) == own for table in _tables(query)) != 1:
            return None
        where = query.args.get("where")
        for part in conjuncts(where.this) if where is not None else []:
            inner = trees.unwrapped(part.this) if isinstance(part, exp.Not) else None
            if not isinstance(inner, exp.Exists) or not isinstance(inner.this, exp.Select):
                continue
            found = self._equalities(inner.this, own)
            if found:
                return found
        return None

    def _equalities(self, inner: exp.Select, own: str) -> dict[str, str] | None:
        source = inner.args.get("from_")
        where = inner.args.get("where")
        if source is None or where is None or inner.args.get("joins"):
            return None
        if not isinstance(source.this, exp.Table) or self._key(source.this) != own:
            return None
        alias = source.this.alias_or_name.lower()
        found: dict[str, str] = {}
        for part in conjuncts(where.this):
            if not isinstance(part, exp.EQ):
                return None
            for one, other in ((part.this, part.expression), (part.expression, part.this)):
                one, other = trees.unwrapped(one), trees.unwrapped(other)
                outer = all(c.table and c.table.lower() != alias for c in trees.columns_in(other))
                if isinstance(one, exp.Column) and one.table.lower() == alias and outer:
                    found[one.name.lower()] = trees.text(other).lower()
                    break
            else:
                return None
        return found


def _tables(tree: exp.Expr) -> list[exp.Table]:
    names = {cte.alias.lower() for cte in tree.find_all(exp.CTE)}
    return [
        table
        for table in tree.find_all(exp.Table)
        if isinstance(table.this, exp.Identifier | exp.Parameter)
        and (table.db or table.name.lower() not in names)
    ]


def _condition(query: exp.Select, source: exp.Table) -> str:
    """A WHERE as text, its columns without the name of the one table they are all of."""
    where = query.args.get("where")
    if where is None:
        return ""
    tree = where.this.copy()
    if tree.find(exp.Select) is not None:
        return f"{source.alias_or_name.lower()}: {trees.text(tree).lower()}"
    for column in tree.find_all(exp.Column):
        for part in ("table", "db", "catalog"):
            column.set(part, None)
    return trees.text(tree).lower()


def _is_falsified(part: exp.Expr, new: dict[str, exp.Expr]) -> bool:
    columns = trees.columns_in(part)
    if not columns or any(column.name.lower() not in new for column in columns):
        return False
    values = [new[column.name.lower()] for column in columns]
    if any(trees.columns_in(value) or value.find(exp.Select) for value in values):
        return False
    if isinstance(part, exp.Is) and isinstance(part.expression, exp.Null):
        # A new value that is NULL would find the row for ever: the loop would not end.
        return isinstance(trees.unwrapped(part.this), exp.Column)
    holder = exp.Paren(this=part.copy())
    for column in trees.columns_in(holder):
        column.replace(new[column.name.lower()].copy())
    try:
        return fold(holder.this) is not True
    except NotConstant:
        return False
