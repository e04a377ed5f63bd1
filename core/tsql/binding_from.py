"""Binding the FROM clause: tables, derived tables, table functions, joins, APPLY, PIVOT."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import reduce
from typing import TYPE_CHECKING

from sqlglot import exp

from core.tsql import types as t
from core.tsql.schema import ObjectName, Table, TableFunction
from core.tsql.scope import Origin, OutputColumn, Relation, Scope
from core.tsql.typing import BindError, line_of, set_type, type_of, type_text

if TYPE_CHECKING:
    from core.tsql.binding import Binder, Env

PIVOT_INPUT = "tsql_pivot_input"
"""``meta`` key of a Pivot node: the columns of the relation it turns."""

_REMOTE = frozenset({"OPENQUERY", "OPENROWSET", "OPENDATASOURCE"})

OUTER = ("LEFT", "RIGHT", "FULL")


class FromBinder:
    """Binds the relations of a query; part of a :class:`core.tsql.binding.Binder`."""

    def __init__(self, binder: Binder) -> None:
        self.binder = binder

    def bind(self, select: exp.Select, scope: Scope, env: Env) -> None:
        """Bind FROM and its joins, adding each relation to the scope in order."""
        from_ = select.args.get("from_")
        joins: Sequence[exp.Join] = select.args.get("joins") or []
        before = len(scope.relations)
        if from_ is not None:
            self.source(from_.this, scope, env)
        for lateral in select.args.get("laterals") or []:
            self.source(lateral, scope, env)
        for join in joins:
            self._join(join, scope, env)
        if _has_outer_join(joins) or _nested_outer_join(select):
            for relation in scope.relations[before:]:
                relation.columns = tuple(replace(c, nullable=True) for c in relation.columns)
        for join in joins:
            self._condition(join, scope, env)

    def _join(self, join: exp.Join, scope: Scope, env: Env) -> None:
        self.source(join.this, scope, env)

    def _condition(self, join: exp.Join, scope: Scope, env: Env) -> None:
        if isinstance(on := join.args.get("on"), exp.Expr):
            self.binder.expression(on, scope, env)
        nested = join.this
        while isinstance(nested, exp.Subquery | exp.Paren):
            nested = nested.this
        for inner in nested.args.get("joins") or []:
            self._condition(inner, scope, env)

    def source(self, node: exp.Expr, scope: Scope, env: Env) -> None:
        """Bind one relation and add it to the scope."""
        match node:
            case exp.Table():
                self._table(node, scope, env)
            case exp.Subquery() | exp.Paren() if isinstance(node.this, exp.Table):
                # FROM (a JOIN b ON …): parentheses around joins, not a derived table.
                self.source(node.this, scope, env)
            case exp.Subquery():
                self._derived(node, node.this, scope.parent, scope, env)
            case exp.Values():
                self._derived(node, node, scope.parent, scope, env)
            case exp.Lateral():
                self._lateral(node, scope, env)
            case _:
                raise BindError(
                    102, f"'{node.sql('tsql')[:60]}' is not understood in FROM.", line=line_of(node)
                )
        if isinstance(node, exp.Table):
            joins = node.args.get("joins") or []
            for join in joins:
                self._join(join, scope, env)
            if not isinstance(node.parent, exp.Join):
                for join in joins:
                    self._condition(join, scope, env)

    def _add(self, relation: Relation, scope: Scope) -> None:
        scope.add(relation)
        self.binder.relations.append(relation)

    # --- tables -----------------------------------------------------------------------------------

    def _table(self, node: exp.Table, scope: Scope, env: Env) -> None:
        if isinstance(node.this, exp.OpenJSON):
            self._open_json(node, node.this, scope, env)
            return
        if isinstance(node.this, exp.Anonymous):
            self._function(node, node.this, node, scope.parent, scope, env)
            return
        name = table_name(node)
        cte = env.find(name.name) if not name.schema and not name.is_temporary else None
        if cte is not None:
            if cte.columns is None:
                raise BindError(
                    252,
                    f"Recursive common table expression '{name.name}' does not contain a "
                    "top-level UNION ALL operator.",
                    line=line_of(node),
                )
            self._with_pivots(node, cte.columns, None, name.name, scope, env)
            return
        table = self.binder.schema.table(name)
        if table is None:
            raise BindError(208, f"Invalid object name '{name}'.", line=line_of(node))
        self._with_pivots(node, _columns_of_table(table), table.name, name.name, scope, env)

    def _with_pivots(
        self,
        node: exp.Expr,
        columns: Sequence[OutputColumn],
        table: ObjectName | None,
        name: str,
        scope: Scope,
        env: Env,
    ) -> None:
        """Add the relation of a node, turned by its PIVOT or UNPIVOT clauses if it has any."""
        pivots = node.args.get("pivots") or []
        columns = self._listed(node, columns)
        if not pivots:
            alias = node.alias or name
            if alias.startswith(("#", "@")):
                alias = name
            relation = Relation(alias, tuple(columns), node, table)
            self._distinguish(relation, scope)
            self._add(relation, scope)
            return
        inner_name = node.alias or name
        for pivot in pivots:
            input_columns = tuple(columns)
            pivot.meta[PIVOT_INPUT] = input_columns
            columns = self._pivot(pivot, Relation(inner_name, input_columns, node), env)
            inner_name = pivot.alias or inner_name
        self._add(Relation(inner_name, tuple(columns), pivots[-1]), scope)

    def _distinguish(self, relation: Relation, scope: Scope) -> None:
        """Two tables of one name in different schemas: the later one gets an alias."""
        for other in scope.relations:
            if other.alias.lower() != relation.alias.lower():
                continue
            if relation.table and other.table and relation.table.key != other.table.key:
                relation.must_rename = True

    def _listed(self, node: exp.Expr, columns: Sequence[OutputColumn]) -> tuple[OutputColumn, ...]:
        """The columns under the alias's column list: ``AS t(a, b)``."""
        alias = node.args.get("alias")
        names = [c.name for c in alias.columns] if isinstance(alias, exp.TableAlias) else []
        if not names:
            return tuple(columns)
        if len(names) != len(columns):
            raise BindError(
                8158 if len(names) < len(columns) else 8159,
                f"'{node.alias}' has {len(columns)} columns but {len(names)} were named in its "
                "column list.",
                line=line_of(node),
            )
        return tuple(
            replace(column, name=name) for column, name in zip(columns, names, strict=True)
        )

    def _derived(
        self, node: exp.Expr, query: exp.Expr, parent: Scope | None, scope: Scope, env: Env
    ) -> None:
        names = [c.name for c in node.args["alias"].columns] if node.args.get("alias") else []
        if isinstance(query, exp.Values):
            columns = self.binder.values(query, parent, env)
            if len(names) != len(columns):
                raise BindError(
                    8155 if not names else 8158,
                    f"'{node.alias}' needs a name for each of its {len(columns)} columns.",
                    line=line_of(node),
                )
            columns = tuple(replace(c, name=n) for c, n in zip(columns, names, strict=True))
        else:
            columns = self.binder.derived(query, parent, env, node.alias, names)
        pivots = node.args.get("pivots")
        if pivots:
            self._with_pivots_of_query(node, columns, scope, env)
            return
        self._add(Relation(node.alias, columns, node), scope)

    def _with_pivots_of_query(
        self, node: exp.Expr, columns: Sequence[OutputColumn], scope: Scope, env: Env
    ) -> None:
        alias = node.args.get("alias")
        if isinstance(alias, exp.TableAlias) and alias.columns:
            columns = tuple(columns)
        self._turned(node, columns, node.alias, scope, env)

    def _turned(
        self, node: exp.Expr, columns: Sequence[OutputColumn], name: str, scope: Scope, env: Env
    ) -> None:
        inner_name = name
        pivots = node.args.get("pivots") or []
        for pivot in pivots:
            pivot.meta[PIVOT_INPUT] = tuple(columns)
            columns = self._pivot(pivot, Relation(inner_name, tuple(columns), node), env)
            inner_name = pivot.alias or inner_name
        self._add(Relation(inner_name, tuple(columns), pivots[-1]), scope)

    # --- APPLY and table functions ----------------------------------------------------------------

    def _lateral(self, node: exp.Lateral, scope: Scope, env: Env) -> None:
        inner = node.this
        if isinstance(inner, exp.Table) and isinstance(inner.this, exp.OpenJSON | exp.Anonymous):
            inner = inner.this
        match inner:
            case exp.Subquery():
                self._derived(node, inner.this, scope, scope, env)
            case exp.OpenJSON():
                self._open_json(node, inner, scope, env, parent=scope)
            case exp.Anonymous():
                self._function(node, inner, node, scope, scope, env)
            case exp.Dot() if isinstance(inner.expression, exp.Anonymous):
                if inner.expression.name.lower() == "nodes":
                    self._xml_nodes(node, inner, scope, env)
                else:
                    self._function(node, inner.expression, inner, scope, scope, env)
            case _:
                raise BindError(
                    102,
                    f"'{node.sql('tsql')[:60]}' is not understood after APPLY.",
                    line=line_of(node),
                )

    def _xml_nodes(self, node: exp.Expr, inner: exp.Dot, scope: Scope, env: Env) -> None:
        self.binder.dotted(inner, scope, env)
        alias = node.args.get("alias")
        names = [c.name for c in alias.columns] if isinstance(alias, exp.TableAlias) else []
        columns = tuple(OutputColumn(name, t.XML) for name in names)
        self._add(Relation(node.alias, columns, node), scope)

    def _function(
        self,
        node: exp.Expr,
        call: exp.Anonymous,
        qualified: exp.Expr,
        parent: Scope | None,
        scope: Scope,
        env: Env,
    ) -> None:
        inner = Scope(parent)
        for argument in list(call.expressions):
            if call.name.upper() not in _REMOTE:
                self.binder.expression(argument, inner, env)
        columns = self._listed(node, self._function_columns(call, qualified))
        self._add(Relation(node.alias or call.name, columns, node), scope)

    def _function_columns(
        self, call: exp.Anonymous, qualified: exp.Expr
    ) -> tuple[OutputColumn, ...]:
        name = call.name.upper()
        if name in _REMOTE:
            raise BindError(
                7357,
                f"{name} reads another server, whose columns are not known.",
                line=line_of(call),
            )
        if name == "NODES" and isinstance(qualified, exp.Table):
            alias = qualified.args.get("alias")
            names = [c.name for c in alias.columns] if isinstance(alias, exp.TableAlias) else []
            return tuple(OutputColumn(column, t.XML) for column in names)
        if name == "STRING_SPLIT":
            text = type_of(call.expressions[0])
            value = (
                t.nvarchar(text.length or 4000)
                if text.is_unicode
                else (t.varchar(text.length or 8000))
            )
            columns = (OutputColumn("value", value),)
            return (
                (*columns, OutputColumn("ordinal", t.BIGINT))
                if len(call.expressions) > 2
                else (columns)
            )
        if name == "GENERATE_SERIES":
            types = [type_of(argument) for argument in call.expressions]
            return (OutputColumn("value", reduce(t.common_type, types)),)
        function = self.binder.schema.function(_function_name(call, qualified))
        if not isinstance(function, TableFunction):
            raise BindError(
                208, f"Invalid object name '{_function_name(call, qualified)}'.", line=line_of(call)
            )
        return tuple(OutputColumn(c.name, c.type, c.nullable) for c in function.columns)

    def _open_json(
        self,
        node: exp.Expr,
        call: exp.OpenJSON,
        scope: Scope,
        env: Env,
        *,
        parent: Scope | None = None,
    ) -> None:
        """OPENJSON: key, value, type; or the columns of its WITH clause."""
        inner = Scope(parent or scope.parent)
        self.binder.expression(call.this, inner, env)
        columns: tuple[OutputColumn, ...]
        if call.expressions:
            columns = tuple(
                OutputColumn(
                    column.name,
                    t.parse_type(
                        type_text(column.args["kind"]), aliases=self.binder.schema.alias_types
                    ),
                )
                for column in call.expressions
            )
        else:
            columns = (
                OutputColumn("key", t.nvarchar(4000), nullable=False),
                OutputColumn("value", t.nvarchar(t.MAX)),
                OutputColumn("type", t.TINYINT, nullable=False),
            )
        self._add(Relation(node.alias or "openjson", columns, node), scope)

    # --- PIVOT and UNPIVOT ------------------------------------------------------------------------

    def _pivot(self, pivot: exp.Pivot, source: Relation, env: Env) -> tuple[OutputColumn, ...]:
        field = pivot.args["fields"][0]
        scope = Scope(relations=[source])
        if pivot.args.get("unpivot"):
            return self._unpivot(pivot, field, source)
        aggregate = pivot.expressions[0]
        self.binder.expression(aggregate, scope, env)
        self.binder.expression(field.this, scope, env)
        used = {column.name.lower() for column in aggregate.find_all(exp.Column)}
        used.add(field.this.name.lower())
        kept = [c for c in source.columns if (c.name or "").lower() not in used]
        type_ = type_of(aggregate)
        made = [OutputColumn(value.name, type_) for value in field.expressions]
        return (*kept, *made)

    def _unpivot(
        self, pivot: exp.Pivot, field: exp.In, source: Relation
    ) -> tuple[OutputColumn, ...]:
        names = [column.name for column in field.expressions]
        found: list[OutputColumn] = []
        for column in field.expressions:
            output = source.find(column.name)
            if output is None:
                raise BindError(207, f"Invalid column name '{column.name}'.", line=line_of(column))
            set_type(column, output.type)
            found.append(output)
        first = found[0].type
        if any(column.type != first for column in found):
            raise BindError(
                8167,
                "The type of an UNPIVOT column conflicts with the type of other columns specified "
                "in the UNPIVOT list.",
                line=line_of(pivot),
            )
        turned = {name.lower() for name in names}
        kept = [c for c in source.columns if (c.name or "").lower() not in turned]
        value = OutputColumn(pivot.expressions[0].name, first, nullable=False)
        label = OutputColumn(field.this.name, t.SYSNAME, nullable=False)
        return (*kept, value, label)


def table_name(node: exp.Table) -> ObjectName:
    """The name of a Table node, with its ``#`` or ``@``."""
    identifier = node.this
    if isinstance(identifier, exp.Parameter):
        return ObjectName(f"@{identifier.name}")
    if isinstance(identifier, exp.Dot):
        # server.database.schema.name: sqlglot puts the last two parts into one.
        parts = [part.name for part in identifier.find_all(exp.Identifier)]
        return ObjectName(parts[-1], parts[-2], node.db or None, node.catalog or None)
    name = identifier.name
    if identifier.args.get("global_"):
        name = f"##{name.lstrip('#')}"
    elif identifier.args.get("temporary"):
        name = f"#{name.lstrip('#')}"
    return ObjectName(name, node.db or None, node.catalog or None)


def _function_name(call: exp.Anonymous, qualified: exp.Expr) -> ObjectName:
    if isinstance(qualified, exp.Table):
        return ObjectName(call.name, qualified.db or None, qualified.catalog or None)
    if isinstance(qualified, exp.Dot):
        parts = [part.name for part in qualified.this.find_all(exp.Identifier)]
        return ObjectName(call.name, parts[-1] if parts else None)
    return ObjectName(call.name)


def _columns_of_table(table: Table) -> tuple[OutputColumn, ...]:
    return tuple(
        OutputColumn(column.name, column.type, column.nullable, Origin(table.name, column.name))
        for column in table.columns
    )


def _has_outer_join(joins: Sequence[exp.Join]) -> bool:
    return any(
        join.side in OUTER
        or (isinstance(join.this, exp.Lateral) and not join.this.args.get("cross_apply"))
        for join in joins
    )


def _nested_outer_join(select: exp.Select) -> bool:
    from_ = select.args.get("from_")
    sources = [from_.this] if from_ is not None else []
    sources.extend(join.this for join in select.args.get("joins") or [])
    for source in sources:
        inner = source
        while isinstance(inner, exp.Subquery | exp.Paren) and isinstance(
            inner.this, exp.Table | exp.Subquery | exp.Paren
        ):
            inner = inner.this
        if isinstance(inner, exp.Table) and _has_outer_join(inner.args.get("joins") or []):
            return True
    return False
