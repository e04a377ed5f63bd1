"""Binds a statement's query to the state: variables, CTEs, temp tables and tables become relations.

After binding, every table a query reads is a relation (``rel__.r7``). Derived tables in FROM and
CTEs become relations of their own, so that the model shows one CTE per idea; subqueries inside
expressions, and what stands under APPLY, may be correlated and stay where they are.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from sqlglot import exp

from core.compiler import trees
from core.compiler.keys import conjuncts
from core.compiler.pivots import without_pivot
from core.compiler.registry import Relations
from core.compiler.relations import REL, Origin, Relation, RelationKind
from core.compiler.result import Refused
from core.compiler.state import State, Value
from core.compiler.variables import substituted, variable_name
from core.tsql.binding_from import table_name
from core.tsql.leaves import line_of
from core.tsql.schema import ObjectName

Ctes = Mapping[str, Relation]


@dataclass(frozen=True)
class Context:
    """What names mean where a query stands."""

    state: State
    ctes: Ctes = field(default_factory=dict)
    origin: Origin = field(default_factory=Origin)
    comments: Callable[[int, int], tuple[str, ...]] = lambda first, last: ()


_EMPTY_NAMES = frozenset(
    [
        "source",
        "src",
        "target",
        "tgt",
        "temp",
        "tmp",
        "tbl",
        "stg",
        "data",
        "derived",
        "sub",
        "subq",
        "query",
        "base",
        "inner",
        "rows",
        "cte",
    ]
)


class Binder:
    """Turns parsed queries into relations.

    `resolve` gives the relation behind a permanent or temporary table name in a state.
    `function` gives the query of a table-valued function call, or None when it is a built-in.
    """

    def __init__(
        self,
        relations: Relations,
        resolve: Callable[[ObjectName, State, int], Relation],
        function: Callable[[exp.Table, Context], exp.Expr | None],
        scalar: Callable[[exp.Expr, Context], None],
        narrow: Callable[[Relation, Mapping[str, str]], Relation],
    ) -> None:
        self.read_variables: dict[tuple[str, int], Value] = {}
        """What local variables held where they were read, by name and identity."""
        self.relations = relations
        self._resolve = resolve
        self._function = function
        self._scalar = scalar
        self.narrow = narrow

    def relation(self, query: exp.Expr, context: Context, hint: str) -> Relation:
        """The relation of a query, its CTEs included."""
        return self.relations.query(self.query(query, context), hint, context.origin)

    def query(self, query: exp.Expr, context: Context) -> exp.Expr:
        """A copy of a query in which every table is a relation and every variable its value."""
        tree = self.expression(query, context, tables=False)
        with_ = tree.args.get("with_")
        if with_ is not None:
            tree.set("with_", None)
            context = self.with_ctes(with_, context)
        return self._bound(tree, context)

    def with_ctes(self, with_: exp.With, context: Context, *, raw: bool = False) -> Context:
        """The context in which the CTEs of a WITH clause are known.

        `raw`: variables have not been replaced yet.
        """
        ctes = dict(context.ctes)
        for cte in with_.expressions:
            inner = Context(context.state, ctes, self._cte_origin(cte, context), context.comments)
            body = self.expression(cte.this, inner, tables=False) if raw else cte.this
            ctes[cte.alias.lower()] = self._cte(cte, body, inner)
        return Context(context.state, ctes, context.origin, context.comments)

    def _cte_origin(self, cte: exp.CTE, context: Context) -> Origin:
        lines = [node.meta["line"] for node in cte.walk() if "line" in node.meta]
        first = min(lines, default=context.origin.first_line)
        last = max(lines, default=first)
        return Origin(first, last, context.comments(first, last))

    def _cte(self, cte: exp.CTE, body: exp.Expr, context: Context) -> Relation:
        name = cte.alias
        columns = [identifier.name for identifier in cte.args["alias"].columns]
        if _mentions(body, name) and name.lower() not in context.ctes:
            return self._recursive(cte, body, columns, context)
        bound = self._bound(body, context)
        if columns:
            return self.renamed(bound, columns, name, context.origin)
        return self.relations.query(bound, name, context.origin)

    def _recursive(
        self, cte: exp.CTE, body: exp.Expr, columns: list[str], context: Context
    ) -> Relation:
        """A CTE that reads itself: an anchor, UNION ALL, and the step over the rows before."""
        from core.compiler.recursion import recursive_relation

        return recursive_relation(self, cte.alias, body, columns, context)

    def renamed(self, bound: exp.Expr, columns: list[str], hint: str, origin: Origin) -> Relation:
        """A bound query whose columns get new names, by position."""
        named = with_names(bound, columns)
        if named is not None:
            return self.relations.query(named, hint, origin)
        inner = self.relations.query(bound, hint, origin)
        return self.projected(inner, columns, hint, origin)

    def projected(self, inner: Relation, columns: list[str], hint: str, origin: Origin) -> Relation:
        """A relation with its columns renamed by position."""
        if len(columns) != len(inner.columns):
            raise Refused(
                f"{len(columns)} columns are named where the query gives {len(inner.columns)}",
                "column count",
            )
        if [c.lower() for c in columns] == [c.lower() for c in inner.names]:
            return inner
        items = [
            trees.alias(trees.column(old), new)
            for old, new in zip(inner.names, columns, strict=True)
        ]
        tree = trees.select(items, inner.ref())
        return self.relations.query(tree, hint, origin, RelationKind.ALIGNMENT)

    # --- inside one query ---------------------------------------------------------------------

    def _bound(self, tree: exp.Expr, context: Context) -> exp.Expr:
        if isinstance(tree, exp.SetOperation):
            tree.set("this", self._bound(tree.this, context))
            tree.set("expression", self._bound(tree.expression, context))
            return tree
        if isinstance(tree, exp.Subquery):
            tree.set("this", self._bound(tree.this, context))
            return tree
        if isinstance(tree, exp.Select):
            self._bind_select(tree, context)
            return tree
        if isinstance(tree, exp.Values):
            return self.tables(tree, context)
        raise Refused(f"a query of the form {type(tree).__name__} is not understood", "query form")

    def _bind_select(self, tree: exp.Select, context: Context) -> None:
        if tree.meta.get("tsql_for_xml") is not None:
            raise Refused("FOR XML outside the string aggregation idiom", "FOR XML", line_of(tree))
        source = tree.args.get("from_")
        fixed = fixed_columns(tree)
        if source is not None:
            source.set("this", self._narrowed(self._item(source.this, context), fixed))
        for join in tree.args.get("joins") or ():
            join.set("this", self._narrowed(self._item(join.this, context), fixed))
        for key, value in list(tree.args.items()):
            if key in ("from_", "joins") or value is None:
                continue
            for part in value if isinstance(value, list) else [value]:
                if isinstance(part, exp.Expr):
                    self.tables(part, context)
        for join in tree.args.get("joins") or ():
            on = join.args.get("on")
            if on is not None:
                self.tables(on, context)
        _strip_schemas(tree)

    def _narrowed(self, item: exp.Expr, fixed: Mapping[str, Mapping[str, str]]) -> exp.Expr:
        """A FROM item without the row groups that the query's own literals rule out."""
        wanted = fixed.get(item.alias_or_name.lower())
        if not wanted or not isinstance(item, exp.Table) or item.db != REL:
            return item
        relation = self.relations[item.name]
        narrowed = self.narrow(relation, wanted)
        return item if narrowed is relation else narrowed.ref(item.alias_or_name)

    def _item(self, item: exp.Expr, context: Context) -> exp.Expr:
        if item.args.get("joins"):
            for join in item.args["joins"]:
                join.set("this", self._item(join.this, context))
        if item.args.get("pivots"):
            return without_pivot(self, item, context)
        if isinstance(item, exp.Table):
            return self._table(item, context)
        if isinstance(item, exp.Subquery) and isinstance(item.this, exp.Query):
            return self._derived(item, context)
        if isinstance(item, exp.Subquery | exp.Paren):
            item.set("this", self._item(item.this, context))
            return item
        if isinstance(item, exp.Lateral):
            self._apply(item, context)
        return self.tables(item, context)

    def _apply(self, item: exp.Lateral, context: Context) -> None:
        """APPLY of a table function of the project: its query takes the call's place."""
        inner = item.this
        if isinstance(inner, exp.Dot) and isinstance(inner.expression, exp.Anonymous):
            parts = [part.name for part in inner.this.find_all(exp.Identifier)]
            if inner.expression.name.lower() == "nodes" or not parts:
                return
            call = exp.Table(this=inner.expression.copy(), db=exp.to_identifier(parts[-1]))
        elif isinstance(inner, exp.Table) and isinstance(inner.this, exp.Anonymous) and inner.db:
            call = inner
        else:
            return
        query = self._function(call, context)
        if query is not None:
            item.set("this", exp.Subquery(this=query))

    def _derived(self, item: exp.Subquery, context: Context) -> exp.Expr:
        name = item.alias or "derived"
        origin = _lines(item, context)
        inner = Context(context.state, context.ctes, origin, context.comments)
        bound = self._bound(item.this, inner)
        hint = self.meaningful(name, bound)
        columns = [c.name for c in item.args["alias"].columns] if item.args.get("alias") else []
        relation = (
            self.renamed(bound, columns, hint, origin)
            if columns
            else self.relations.query(bound, hint, origin)
        )
        return relation.ref(name)

    def meaningful(self, alias: str, bound: exp.Expr) -> str:
        """A CTE name for a derived table: its alias, unless that says nothing (``s``, ``src``)."""
        if len(alias) > 3 and alias.lower() not in _EMPTY_NAMES:
            return alias
        first = bound
        while isinstance(first, exp.SetOperation | exp.Subquery):
            first = first.this
        source = first.args.get("from_") if isinstance(first, exp.Select) else None
        if source is None or not isinstance(source.this, exp.Table) or source.this.db != REL:
            return alias
        of = self.relations[source.this.name].hint.removeprefix("existing_")
        if first.args.get("group") is not None:
            return f"{of}_totals"
        if first.args.get("distinct") is not None:
            return f"distinct_{of}"
        if any(item.find(exp.Window) is not None for item in first.expressions):
            return f"ranked_{of}"
        if first.args.get("where") is not None:
            return f"filtered_{of}"
        return f"prepared_{of}"

    def _table(self, item: exp.Table, context: Context) -> exp.Expr:
        if item.db == REL:
            return item
        for key in ("version", "when", "sample", "changes"):
            if item.args.get(key) is not None:
                raise Refused(
                    f"{key} clause of a table", "temporal or sampled table", line_of(item)
                )
        exposed = item.alias or item.name
        columns = item.args["alias"].columns if item.args.get("alias") else []
        if isinstance(item.this, exp.Func):
            inlined = self._function(item, context)
            if inlined is None:
                return self.tables(item, context, skip_root=True)
            return self._item(exp.Subquery(this=inlined, alias=item.args.get("alias")), context)
        relation = self.lookup(item, context)
        if columns:
            raise Refused("column aliases on a table", "column aliases", line_of(item))
        new = relation.ref(exposed)
        if item.args.get("joins"):
            new.set("joins", item.args["joins"])
        return new

    def lookup(self, item: exp.Table, context: Context) -> Relation:
        """The relation a table name means: a CTE, or a table in the current state."""
        name = _name_of(item)
        if not item.db and not item.catalog and name.lower() in context.ctes:
            return context.ctes[name.lower()]
        return self._resolve(table_name(item), context.state, line_of(item))

    def tables(self, tree: exp.Expr, context: Context, *, skip_root: bool = False) -> exp.Expr:
        """`tree` with the tables of its subqueries replaced in place; nothing is hoisted."""
        for table in list(tree.find_all(exp.Table)):
            if table.db == REL or (skip_root and table is tree):
                continue
            if table.args.get("pivots"):
                raise Refused("PIVOT inside a subquery", "PIVOT", line_of(table))
            new = self._table(table, context)
            if new is not table:
                table.replace(new)
        for query in list(tree.find_all(exp.Select)):
            _strip_schemas(query)
        return tree

    def expression(self, tree: exp.Expr, context: Context, *, tables: bool = True) -> exp.Expr:
        """A copy of an expression with variables, functions and (`tables`) tables replaced."""
        self._note_variables(tree, context)
        found = substituted(tree.copy(), context.state)
        self._scalar(found, context)
        return self.tables(found, context) if tables else found

    def _note_variables(self, tree: exp.Expr, context: Context) -> None:
        for node in tree.find_all(exp.Parameter):
            name = variable_name(node)
            value = context.state.variables.get(name) if name is not None else None
            if name is not None and value is not None and value.expression is not None:
                self.read_variables[name, id(value)] = value


def _strip_schemas(tree: exp.Select) -> None:
    """``dbo.t.x`` is ``t.x``: a relation has no schema any more."""
    for node in tree.find_all(exp.Column):
        if node.args.get("db") is not None:
            node.set("db", None)
            node.set("catalog", None)


def _name_of(item: exp.Table) -> str:
    """The table's name, with the ``#`` or ``@`` of a temporary one."""
    return table_name(item).name


def _mentions(body: exp.Expr, name: str) -> bool:
    return any(
        not table.db and _name_of(table).lower() == name.lower()
        for table in body.find_all(exp.Table)
    )


def _lines(item: exp.Expr, context: Context) -> Origin:
    lines = [node.meta["line"] for node in item.walk() if "line" in node.meta]
    first = min(lines, default=context.origin.first_line)
    return Origin(first, max(lines, default=first))


def with_names(query: exp.Expr, names: list[str]) -> exp.Expr | None:
    """A query with its output columns renamed by position, or None when that needs a wrapper.

    A ``*`` hides how many columns there are, and an ORDER BY may refer to the old names.
    """
    first = query
    while isinstance(first, exp.SetOperation):
        if first.args.get("order"):
            return None
        first = first.this
    if not isinstance(first, exp.Select) or any(item.is_star for item in first.expressions):
        return None
    if first.args.get("order") is not None:
        return None
    if len(first.expressions) != len(names):
        raise Refused(
            f"{len(names)} columns are named where the query gives {len(first.expressions)}",
            "column count",
        )
    items = []
    for item, name in zip(first.expressions, names, strict=True):
        value = item.this if isinstance(item, exp.Alias) else item
        plain = isinstance(value, exp.Column) and value.name == name
        items.append(value if plain else trees.alias(value, name))
    first.set("expressions", items)
    return query


def fixed_columns(tree: exp.Select) -> dict[str, dict[str, str]]:
    """By alias, the columns that must equal a literal for a row of that relation to matter.

    WHERE conjuncts fix a relation of any inner join; a LEFT JOIN's ON fixes its right side only.
    """
    found: dict[str, dict[str, str]] = {}
    joins = tree.args.get("joins") or ()
    sides = {str(join.args.get("side") or "").upper() for join in joins}
    if sides & {"FULL", "RIGHT"}:
        return found

    def note(condition: exp.Expr, only: str | None) -> None:
        for part in conjuncts(condition):
            if not isinstance(part, exp.EQ) or not isinstance(part.this, exp.Column):
                continue
            alias = part.this.table.lower()
            literal = part.expression
            plain = isinstance(literal, exp.Literal | exp.National)
            if alias and plain and only in (None, alias):
                found.setdefault(alias, {})[part.this.name.lower()] = literal.sql(dialect="tsql")

    where = tree.args.get("where")
    if where is not None and not sides - {""}:
        note(where.this, None)
    for join in joins:
        on = join.args.get("on")
        if on is not None:
            note(on, join.this.alias_or_name.lower())
    return found
