"""Binding: every name of a leaf statement to what it means, every value to its T-SQL type.

Input is a tree parsed in :class:`core.tsql.dialect.TSqlLeaf` and a
:class:`core.tsql.schema.Schema`; output is a copy of the tree in which

* every column is qualified with the alias of its relation (``db``/``catalog`` parts removed), and
  ``meta`` holds its type (:func:`core.tsql.typing.type_of`) and its origin (:func:`origin_of`);
* every ``*`` is expanded (:func:`from_star` tells such a column);
* every value node has its type; a date part is an ``exp.Var`` with its full name; a money literal
  is an ``exp.Literal`` typed money; a user function's call knows it (:func:`user_function_of`);
* a relation of an inner query whose alias would capture a reference to an outer one is renamed.

Results: :class:`BoundQuery`, :class:`BoundExpression`, and for whole statements ``bind_leaf`` in
``binding_dml``. What SQL Server would refuse is raised as :class:`core.tsql.typing.BindError` with
its number (207, 208, 209, 4104, 8120, 8117, 206 …) and the line.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import reduce
from typing import TypeVar

from sqlglot import exp

from core.tsql import functions
from core.tsql import types as t
from core.tsql.binding_from import FromBinder
from core.tsql.binding_grouping import check_clauses, check_grouping
from core.tsql.binding_nodes import (
    COLUMNS,
    NOT_NULL,
    ORIGIN,
    OUTPUT_REFERENCE,
    USER_FUNCTION,
    columns_of,
    for_document,
    from_star,
    is_not_null,
    is_output_reference,
    money_literal,
    origin_of,
    restore_columns,
    set_alias,
    star_columns,
    undotted,
    user_function_of,
    variable_name,
)
from core.tsql.schema import ObjectName, ScalarFunction, Schema
from core.tsql.scope import OutputColumn, Relation, Scope
from core.tsql.types import SqlType, common_type
from core.tsql.typing import (
    COMPARISONS,
    BindError,
    check_comparable,
    declared_type,
    is_predicate,
    line_of,
    result_type,
    set_type,
    type_of,
)

_T = TypeVar("_T")


@dataclass(frozen=True)
class BoundQuery:
    """A bound query: its tree, its result columns, and the relations of its outermost FROM."""

    tree: exp.Expr
    columns: tuple[OutputColumn, ...]
    relations: tuple[Relation, ...] = ()


@dataclass(frozen=True)
class BoundExpression:
    """A bound value or predicate; ``type`` is None for a predicate."""

    tree: exp.Expr
    type: SqlType | None


def bind_query(
    tree: exp.Expr,
    schema: Schema,
    variables: Mapping[str, SqlType] | None = None,
    *,
    outer: Sequence[Relation] = (),
) -> BoundQuery:
    """Bind a SELECT, set operation or VALUES; ``variables`` by name with ``@``.

    ``outer`` are relations of an enclosing query (for ``inserted``/``deleted`` and the like).
    Raises :class:`BindError`.
    """
    binder = Binder(schema, variables)
    copy = tree.copy()
    scope = Scope(relations=list(outer)) if outer else None
    columns, relations = binder.guarded(lambda: binder.top_query(copy, scope), tree)
    return BoundQuery(copy, columns, tuple(relations))


def bind_expression(
    tree: exp.Expr,
    schema: Schema,
    variables: Mapping[str, SqlType] | None = None,
    *,
    relations: Sequence[Relation] = (),
) -> BoundExpression:
    """Bind a value or predicate whose columns come from ``relations``.

    Raises :class:`BindError`.
    """
    binder = Binder(schema, variables)
    # A wrapper, so that the root itself can be replaced.
    holder = exp.Paren(this=tree.copy())
    scope = Scope(relations=list(relations))
    binder.guarded(lambda: binder.expression(holder.this, scope), tree)
    bound = holder.this
    binder.rename_captured()
    bound.pop()
    return BoundExpression(bound, None if is_predicate(bound) else type_of(bound))


class Env:
    """The CTEs in scope by lower-case name; an entry without columns is still being defined."""

    def __init__(self, entries: Mapping[str, CteColumns] | None = None) -> None:
        self.entries: dict[str, CteColumns] = dict(entries or {})

    def with_cte(self, name: str, cte: CteColumns) -> Env:
        return Env({**self.entries, name.lower(): cte})

    def find(self, name: str) -> CteColumns | None:
        return self.entries.get(name.lower())


@dataclass(eq=False)
class CteColumns:
    """A CTE's columns; None while its anchor is not bound. ``names`` is its own column list."""

    columns: tuple[OutputColumn, ...] | None
    names: tuple[str, ...] = ()

    def define(self, columns: Sequence[OutputColumn]) -> None:
        self.columns = renamed(columns, self.names)


def renamed(columns: Sequence[OutputColumn], names: Sequence[str]) -> tuple[OutputColumn, ...]:
    """The columns under the names of a column list, where there is one."""
    if not names:
        return tuple(columns)
    return tuple(replace(column, name=name) for column, name in zip(columns, names, strict=False))


class Binder:
    """Binds one statement; holds the schema, the variables and the relations met so far."""

    def __init__(self, schema: Schema, variables: Mapping[str, SqlType] | None) -> None:
        self.schema = schema
        self.variables = {name.lower(): type_ for name, type_ in (variables or {}).items()}
        self.relations: list[Relation] = []
        self.environments: dict[int, Env] = {}
        """The CTEs in scope inside each bound query, by the query node's id."""
        self.from_clause = FromBinder(self)

    def guarded(self, work: Callable[[], _T], tree: exp.Expr) -> _T:
        """Run ``work``; nesting beyond Python's stack is SQL Server's error 8631."""
        try:
            return work()
        except RecursionError as error:
            raise BindError(
                8631, "The statement is nested too deeply.", line=line_of(tree)
            ) from error

    # --- queries ----------------------------------------------------------------------------------

    def top_query(
        self, query: exp.Expr, parent: Scope | None
    ) -> tuple[tuple[OutputColumn, ...], list[Relation]]:
        """Bind an outermost query; its columns and the relations of its FROM."""
        scope = Scope(parent)
        columns = self.query(query, parent, Env(), scope)
        self.rename_captured()
        return columns, scope.relations

    def query(
        self, query: exp.Expr, parent: Scope | None, env: Env, scope: Scope | None = None
    ) -> tuple[OutputColumn, ...]:
        """Bind any query below ``parent``; ``scope`` receives the relations of a SELECT's FROM."""
        env = self.ctes(query, parent, env)
        self.environments[id(query)] = env
        match query:
            case exp.Select():
                columns = self._select(query, scope or Scope(parent), env)
            case exp.SetOperation():
                columns = self._set_operation(query, parent, env)
            case exp.Subquery() | exp.Paren():
                columns = self.query(query.this, parent, env, scope)
                self._order_by_output(query, columns, parent, env)
            case exp.Values():
                columns = self.values(query, parent, env)
            case _:
                raise BindError(156, "This is not a query.", line=line_of(query))
        query.meta[COLUMNS] = columns
        return columns

    def ctes(self, query: exp.Expr, parent: Scope | None, env: Env) -> Env:
        """Bind the WITH clause of a query, if it has one; the CTEs then in scope."""
        with_ = query.args.get("with_")
        if with_ is None:
            return env
        for cte in with_.expressions:
            names = tuple(name.name for name in cte.args["alias"].columns)
            entry = CteColumns(None, names)
            inner = env.with_cte(cte.alias, entry)
            columns = self.query(cte.this, parent, inner)
            if entry.columns is None:
                entry.define(columns)
            self._require_names(entry.columns or (), cte.alias, cte)
            env = inner
        return env

    def _require_names(self, columns: Iterable[OutputColumn], name: str, node: exp.Expr) -> None:
        seen: set[str] = set()
        for position, column in enumerate(columns, 1):
            if column.name is None:
                raise BindError(
                    8155,
                    f"No column name was specified for column {position} of '{name}'.",
                    line=line_of(node),
                )
            if column.name.lower() in seen:
                raise BindError(
                    8156,
                    f"The column '{column.name}' was specified multiple times for '{name}'.",
                    line=line_of(node),
                )
            seen.add(column.name.lower())

    def derived(
        self, query: exp.Expr, parent: Scope | None, env: Env, name: str, names: Sequence[str]
    ) -> tuple[OutputColumn, ...]:
        """Bind a query used as a relation: its columns need names, each once."""
        columns = renamed(self.query(query, parent, env), names)
        self._require_names(columns, name, query)
        return columns

    def _set_operation(
        self, query: exp.SetOperation, parent: Scope | None, env: Env
    ) -> tuple[OutputColumn, ...]:
        left = self.query(query.this, parent, env)
        for entry in env.entries.values():
            # The anchor of a recursive CTE defines its columns before the recursive member.
            if entry.columns is None:
                entry.define(left)
        right = self.query(query.expression, parent, env)
        if len(left) != len(right):
            raise BindError(
                205,
                "All queries combined using a UNION, INTERSECT or EXCEPT operator must have an "
                "equal number of expressions in their target lists.",
                line=line_of(query),
            )
        columns = tuple(
            OutputColumn(
                a.name,
                common_type(a.type, b.type),
                a.nullable or b.nullable,
                a.origin if a.origin == b.origin else None,
            )
            for a, b in zip(left, right, strict=True)
        )
        self._order_by_output(query, columns, parent, env)
        return columns

    def _order_by_output(
        self, query: exp.Expr, columns: Sequence[OutputColumn], parent: Scope | None, env: Env
    ) -> None:
        """ORDER BY of a set operation or a parenthesised query: by output column or position."""
        order = query.args.get("order")
        if order is not None:
            relation = Relation("", tuple(columns))
            for item in order.expressions:
                if isinstance(item.this, exp.Column) and not item.this.table:
                    self._mark_output(item.this, relation)
                elif not self._is_position(item.this):
                    self.expression(item.this, Scope(parent, [relation]), env)
        self._limits(query, parent, env)

    def _limits(self, query: exp.Expr, parent: Scope | None, env: Env) -> None:
        scope = Scope(parent)
        limit, offset = query.args.get("limit"), query.args.get("offset")
        for clause, key in ((limit, "expression"), (limit, "count"), (offset, "expression")):
            if clause is not None and isinstance(clause.args.get(key), exp.Expr):
                self.expression(clause.args[key], scope, env)

    def values(
        self, values: exp.Values, parent: Scope | None, env: Env
    ) -> tuple[OutputColumn, ...]:
        """VALUES as a rowset without names, each column of the common type of its rows."""
        rows = [
            row.expressions if isinstance(row, exp.Tuple) else [row] for row in values.expressions
        ]
        scope = Scope(parent)
        for row in rows:
            for value in list(row):
                self.expression(value, scope, env)
        rows = [
            row.expressions if isinstance(row, exp.Tuple) else [row] for row in values.expressions
        ]
        if any(len(row) != len(rows[0]) for row in rows):
            raise BindError(
                10709,
                "The number of columns for each row in a table value constructor must be the same.",
                line=line_of(values),
            )
        columns = tuple(
            OutputColumn(None, reduce(common_type, (type_of(value) for value in column)))
            for column in zip(*rows, strict=True)
        )
        values.meta[COLUMNS] = columns
        return columns

    # --- SELECT -----------------------------------------------------------------------------------

    def _select(self, select: exp.Select, scope: Scope, env: Env) -> tuple[OutputColumn, ...]:
        self.from_clause.bind(select, scope, env)
        if (where := select.args.get("where")) is not None:
            self.expression(where.this, scope, env)
        if (group := select.args.get("group")) is not None:
            self._group(group, scope, env)
        self.project(select, scope, env)
        if (having := select.args.get("having")) is not None:
            self.expression(having.this, scope, env)
        columns = tuple(self.output(projection) for projection in select.expressions)
        select.meta[COLUMNS] = columns
        self._order(select, scope, env, columns)
        self._limits(select, scope, env)
        check_clauses(select)
        check_grouping(select, scope)
        return columns

    def _group(self, group: exp.Group, scope: Scope, env: Env) -> None:
        for item in list(group.expressions):
            self._grouping_item(item, scope, env)
        for key in ("rollup", "cube", "grouping_sets"):
            for part in group.args.get(key) or []:
                if isinstance(part, exp.Expr):
                    self._grouping_item(part, scope, env)

    def _grouping_item(self, item: exp.Expr, scope: Scope, env: Env) -> None:
        if isinstance(item, exp.Rollup | exp.Cube | exp.GroupingSets | exp.Tuple):
            for part in list(item.expressions):
                self._grouping_item(part, scope, env)
        elif isinstance(item, exp.Paren):
            self._grouping_item(item.this, scope, env)
        else:
            self.expression(item, scope, env)

    def _expand_stars(self, select: exp.Select, scope: Scope) -> None:
        expanded: list[exp.Expr] = []
        changed = False
        for projection in select.expressions:
            qualified = isinstance(projection, exp.Column) and isinstance(projection.this, exp.Star)
            if not isinstance(projection, exp.Star) and not qualified:
                expanded.append(projection)
                continue
            changed = True
            relations = scope.visible(projection if isinstance(projection, exp.Column) else None)
            if not relations:
                raise BindError(
                    107 if qualified else 263,
                    "The column prefix of '*' does not match a table name or alias name used in "
                    "the query."
                    if qualified
                    else "Must specify table to select from.",
                    line=line_of(projection),
                )
            for relation in relations:
                expanded.extend(star_columns(relation, line_of(projection)))
        if changed:
            select.set("expressions", expanded)

    def project(self, select: exp.Select, scope: Scope, env: Env) -> None:
        """Bind a select list, its stars expanded."""
        self._expand_stars(select, scope)
        for projection in list(select.expressions):
            self.expression(projection, scope, env)

    def output(self, projection: exp.Expr) -> OutputColumn:
        """The result column a bound projection makes."""
        value = projection.this if isinstance(projection, exp.Alias) else projection
        name: str | None = None
        if isinstance(projection, exp.Alias):
            name = projection.alias
        elif isinstance(projection, exp.Column):
            name = projection.name
        return OutputColumn(
            name,
            type_of(projection),
            not is_not_null(value),
            origin_of(value),
        )

    def _order(
        self, select: exp.Select, scope: Scope, env: Env, columns: Sequence[OutputColumn]
    ) -> None:
        order = select.args.get("order")
        if order is None:
            return
        relation = Relation("", tuple(columns))
        for item in order.expressions:
            target = item.this
            if self._is_position(target):
                self._check_position(target, columns)
            elif isinstance(target, exp.Column) and not target.table and relation.find(target.name):
                self._mark_output(target, relation)
            else:
                self.expression(target, scope, env)

    def _is_position(self, node: exp.Expr) -> bool:
        return isinstance(node, exp.Literal) and not node.is_string and node.name.isdecimal()

    def _check_position(self, node: exp.Expr, columns: Sequence[OutputColumn]) -> None:
        if not 1 <= int(node.name) <= len(columns):
            raise BindError(
                108,
                f"The ORDER BY position number {node.name} is out of range of the number of items "
                "in the select list.",
                line=line_of(node),
            )

    def _mark_output(self, column: exp.Column, relation: Relation) -> None:
        found = relation.find(column.name)
        if found is None:
            raise BindError(207, f"Invalid column name '{column.name}'.", line=line_of(column))
        column.meta[OUTPUT_REFERENCE] = True
        if not found.nullable:
            column.meta[NOT_NULL] = True
        set_type(column, found.type)

    # --- expressions ------------------------------------------------------------------------------

    def expression(self, node: exp.Expr, scope: Scope, env: Env | None = None) -> None:
        """Bind a value or predicate in place (the node itself may be replaced in its parent)."""
        env = env or Env()
        handler = _HANDLERS.get(type(node))
        if handler is not None:
            handler(self, node, scope, env)
            return
        if isinstance(node, exp.Query):
            self.query(node, scope, env)
            return
        for child in list(node.iter_expressions()):
            self.expression(child, scope, env)
        self._finish(node)

    def _finish(self, node: exp.Expr) -> None:
        if isinstance(node, _UNTYPED):
            return
        if is_predicate(node):
            self._check_predicate(node)
            return
        set_type(node, result_type(node))

    def _check_predicate(self, node: exp.Expr) -> None:
        if isinstance(node, COMPARISONS):
            check_comparable(node, type_of(node.this), type_of(node.expression))
        elif isinstance(node, exp.Between):
            for key in ("low", "high"):
                check_comparable(node, type_of(node.this), type_of(node.args[key]))
        elif isinstance(node, exp.In):
            for value in node.expressions:
                check_comparable(node, type_of(node.this), type_of(value))

    def column(self, node: exp.Expr, scope: Scope, env: Env) -> None:
        """Resolve a column; ``$1.50`` arrives as one and is a money literal."""
        assert isinstance(node, exp.Column)
        if (money := money_literal(node)) is not None:
            node.replace(money)
            return
        if node.name.lower() == "$action":
            set_type(node, t.nvarchar(10))
            return
        relation, output, _ = scope.resolve(node)
        if relation.alias:
            node.set("table", exp.to_identifier(relation.alias, quoted=None))
        else:
            node.set("table", None)
        node.set("db", None)
        node.set("catalog", None)
        relation.references.append(node)
        set_type(node, output.type)
        if output.origin is not None:
            node.meta[ORIGIN] = output.origin
        if not output.nullable:
            node.meta[NOT_NULL] = True

    def parameter(self, node: exp.Expr, scope: Scope, env: Env) -> None:
        """A variable or an ``@@`` function (error 137 when it is not declared)."""
        name = variable_name(node)
        type_ = self.variables.get(name.lower())
        if type_ is None:
            type_ = functions.SYSTEM_VARIABLES.get(name.lower())
        if type_ is None:
            raise BindError(137, f'Must declare the scalar variable "{name}".', line=line_of(node))
        set_type(node, type_)

    def scalar_subquery(self, node: exp.Expr, scope: Scope, env: Env) -> None:
        """A subquery used as a value: one column (error 116)."""
        columns = self.query(node.this, scope, env)
        document = for_document(node.this)
        if document is not None:
            # FOR XML and FOR JSON make one document of all rows and columns.
            columns = (OutputColumn(None, document),)
        node.meta[COLUMNS] = columns
        if len(columns) != 1:
            raise BindError(
                116,
                "Only one expression can be specified in the select list when the subquery is not "
                "introduced with EXISTS.",
                line=line_of(node),
            )
        set_type(node, columns[0].type)

    def quantified(self, node: exp.Expr, scope: Scope, env: Env) -> None:
        """``ANY (SELECT …)``, ``ALL (SELECT …)``."""
        self.expression(node.this, scope, env)
        columns = columns_of(node.this)
        if columns:
            set_type(node, columns[0].type)

    def exists(self, node: exp.Expr, scope: Scope, env: Env) -> None:
        """EXISTS: its query's columns do not matter."""
        self.query(node.this, scope, env)

    def in_predicate(self, node: exp.Expr, scope: Scope, env: Env) -> None:
        """``x IN (list)`` or ``x IN (SELECT …)``."""
        self.expression(node.this, scope, env)
        query = node.args.get("query")
        if isinstance(query, exp.Expr):
            self.scalar_subquery(query, scope, env) if isinstance(query, exp.Subquery) else (
                self.query(query, scope, env)
            )
        for value in list(node.expressions):
            self.expression(value, scope, env)
        self._check_predicate(node)

    def cast(self, node: exp.Expr, scope: Scope, env: Env) -> None:
        """CAST, TRY_CAST, CONVERT, TRY_CONVERT: the declared type; a style is bound too."""
        value = "expression" if isinstance(node, exp.Convert) else "this"
        self.expression(node.args[value], scope, env)
        if isinstance(style := node.args.get("style"), exp.Expr):
            self.expression(style, scope, env)
        set_type(node, declared_type(node, self.schema.alias_types))

    def call(self, node: exp.Expr, scope: Scope, env: Env) -> None:
        """A built-in call, its date part (if it takes one) as a Var with the full name."""
        name = node.name.upper()
        if name in functions.TAKES_DATE_PART and node.expressions:
            part = node.expressions[0]
            full = functions.DATE_PARTS.get(part.name.lower())
            if full is None:
                raise BindError(
                    155,
                    f"'{part.name}' is not a recognized {name.lower()} option.",
                    line=line_of(node),
                )
            part.replace(exp.var(full))
        for argument in list(node.expressions):
            if not isinstance(argument, exp.Var | exp.DataType | exp.Star):
                self.expression(argument, scope, env)
        user = self.schema.function(ObjectName(node.name))
        if name not in functions.FUNCTIONS and isinstance(user, ScalarFunction):
            self._user_call(node, user)
            return
        if name in ("COUNT", "COUNT_BIG") and node.find(exp.Star, bfs=True):
            set_type(node, functions.FUNCTIONS[name].rule([t.INT]))
            return
        set_type(node, result_type(node))

    def _user_call(self, node: exp.Expr, function: ScalarFunction) -> None:
        node.meta[USER_FUNCTION] = function
        set_type(node, function.returns)

    def dotted(self, node: exp.Expr, scope: Scope, env: Env) -> None:
        """``dbo.fn(x)`` (a user function) or ``column.value('xpath', 'type')`` (an XML method)."""
        call = node.expression
        if (column := undotted(node)) is not None:
            node.replace(column)
            self.column(column, scope, env)
            return
        if not isinstance(call, exp.Anonymous):
            raise BindError(102, f"'{node.sql('tsql')}' is not understood.", line=line_of(node))
        if call.name.lower() in ("value", "query", "exist", "nodes", "modify"):
            self._xml_method(node, call, scope, env)
            return
        parts = [part.name for part in node.this.find_all(exp.Identifier)]
        names: list[str | None] = [None, *parts][-2:]
        name = ObjectName(call.name, names[1], names[0] if len(parts) > 1 else None)
        for argument in list(call.expressions):
            self.expression(argument, scope, env)
        function = self.schema.function(name)
        if not isinstance(function, ScalarFunction):
            raise BindError(
                4121,
                f'Cannot find either column "{parts[0]}" or the user-defined function or aggregate '
                f'"{name}", or the name is ambiguous.',
                line=line_of(node),
            )
        self._user_call(node, function)

    def _xml_method(self, node: exp.Expr, call: exp.Anonymous, scope: Scope, env: Env) -> None:
        target = node.this
        if isinstance(target, exp.Identifier):
            target.replace(exp.Column(this=target.copy()))
        else:
            restore_columns(target)
        self.expression(node.this, scope, env)
        if call.name.lower() == "value" and len(call.expressions) == 2:
            try:
                set_type(node, t.parse_type(call.expressions[1].name))
            except t.UnknownTypeError as error:
                raise BindError(9500, error.reason, line=line_of(node)) from error
        else:
            set_type(node, t.INT if call.name.lower() == "exist" else t.XML)

    def untyped(self, node: exp.Expr, scope: Scope, env: Env) -> None:
        """TRUE and FALSE are column names to SQL Server, and not valid ones."""
        raise BindError(207, f"Invalid column name '{node.sql('tsql')}'.", line=line_of(node))

    def sequence(self, node: exp.Expr, scope: Scope, env: Env) -> None:
        """NEXT VALUE FOR: its operand is a sequence, not a column; OVER orders by columns."""
        order = node.args.get("order")
        for item in order.expressions if isinstance(order, exp.Order) else ():
            self.expression(item.this, scope, env)
        set_type(node, t.BIGINT)

    def leaf(self, node: exp.Expr, scope: Scope, env: Env) -> None:
        """A node with nothing to bind below it."""

    # --- renaming ---------------------------------------------------------------------------------

    def rename_captured(self) -> None:
        """Give a fresh alias to every relation that would capture an outer reference."""
        taken = {relation.alias.lower() for relation in self.relations}
        for relation in self.relations:
            if not relation.must_rename or relation.node is None:
                continue
            number = 2
            while f"{relation.alias}_{number}".lower() in taken:
                number += 1
            fresh = f"{relation.alias}_{number}"
            taken.add(fresh.lower())
            set_alias(relation.node, fresh)
            relation.alias = fresh
            for column in relation.references:
                column.set("table", exp.to_identifier(fresh))
            relation.must_rename = False


_UNTYPED = (
    exp.If,
    exp.Tuple,
    exp.Order,
    exp.Ordered,
    exp.WindowSpec,
    exp.Star,
    exp.Var,
    exp.DataType,
    exp.Identifier,
)

_HANDLERS: Mapping[type[exp.Expr], Callable[[Binder, exp.Expr, Scope, Env], None]] = {
    exp.Column: Binder.column,
    exp.Parameter: Binder.parameter,
    exp.SessionParameter: Binder.parameter,
    exp.Subquery: Binder.scalar_subquery,
    exp.Any: Binder.quantified,
    exp.All: Binder.quantified,
    exp.Exists: Binder.exists,
    exp.In: Binder.in_predicate,
    exp.Cast: Binder.cast,
    exp.TryCast: Binder.cast,
    exp.Convert: Binder.cast,
    exp.Anonymous: Binder.call,
    exp.Dot: Binder.dotted,
    exp.Boolean: Binder.untyped,
    exp.NextValueFor: Binder.sequence,
    exp.Var: Binder.leaf,
    exp.DataType: Binder.leaf,
    exp.Identifier: Binder.leaf,
    exp.Star: Binder.leaf,
}

__all__ = [
    "COLUMNS",
    "Binder",
    "BoundExpression",
    "BoundQuery",
    "CteColumns",
    "Env",
    "bind_expression",
    "bind_query",
    "columns_of",
    "for_document",
    "from_star",
    "is_not_null",
    "is_output_reference",
    "origin_of",
    "renamed",
    "set_alias",
    "user_function_of",
    "variable_name",
]
