"""Queries: SELECT and its clauses, set operations, CTEs, windows, APPLY, PIVOT, TOP.

Part of the :class:`core.tsql.meaning.translate.Translator`. What T-SQL's clauses mean is put in
the standard's terms where there are any (``lateral``, ``qualify``, ``limit``); a relation keeps its
alias, a CTE its name.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from sqlglot import exp

from core.tsql import types as t
from core.tsql.binding import (
    columns_of,
    from_star,
    is_not_null,
    is_output_reference,
)
from core.tsql.binding_from import table_name
from core.tsql.meaning import sql
from core.tsql.meaning.options import Collation
from core.tsql.meaning.refusal import refuse
from core.tsql.meaning.relations import Relations
from core.tsql.meaning.values import Value
from core.tsql.scope import OutputColumn
from core.tsql.types import SqlType
from core.tsql.typing import is_integer_literal, type_of, unwrapped

if TYPE_CHECKING:
    from core.tsql.meaning.translate import Translator


class Queries:
    """Translates queries; values and predicates go through the translator."""

    def __init__(self, translator: Translator) -> None:
        self.translator = translator
        self.relations = Relations(translator)

    def query(self, node: exp.Expr, cast_to: Sequence[SqlType] | None = None) -> exp.Query:
        """A query; ``cast_to`` are the types its columns must have (in a set operation)."""
        match node:
            case exp.Select():
                tree: exp.Query = self._select(node, cast_to)
            case exp.SetOperation():
                tree = self._set_operation(node, cast_to)
            case exp.Subquery() | exp.Paren():
                return self._parenthesised(node, cast_to)
            case exp.Values():
                tree = self._values_query(node)
            case _:
                raise refuse(node, type(node).__name__, "this query is not supported.")
        if (with_ := node.args.get("with_")) is not None:
            tree.set("with_", self._with(with_))
        return tree

    def _parenthesised(self, node: exp.Expr, cast_to: Sequence[SqlType] | None) -> exp.Query:
        inner = self.query(node.this, cast_to)
        if any(node.args.get(key) for key in ("order", "limit", "offset", "with_")):
            raise refuse(node, "parenthesised query", "ORDER BY outside parentheses.")
        return inner

    def _values_query(self, node: exp.Values) -> exp.Query:
        return exp.select("*").from_(self.relations.values_relation(node))

    def _with(self, with_: exp.With) -> exp.With:
        recursive = False
        ctes = []
        for cte in with_.expressions:
            recursive = recursive or _mentions(cte.this, cte.alias)
            columns = [self.translator.target.name(column) for column in cte.args["alias"].columns]
            alias = exp.TableAlias(
                this=self.translator.target.name(cte.args["alias"].this), columns=columns
            )
            ctes.append(exp.CTE(this=self.query(cte.this), alias=alias))
        return exp.With(expressions=ctes, recursive=recursive)

    # --- set operations ---------------------------------------------------------------------------

    def _set_operation(
        self, node: exp.SetOperation, cast_to: Sequence[SqlType] | None
    ) -> exp.Query:
        types = list(cast_to or [column.type for column in columns_of(node)])
        distinct = bool(node.args.get("distinct"))
        if distinct and self._preserves and any(type_.is_string for type_ in types):
            return self._folded_set_operation(node, types)
        left = self.query(node.this, types)
        right = self.query(node.expression, types)
        kind = type(node)
        tree = kind(
            this=_operand(left, node.this, node),
            expression=_operand(right, node.expression, node),
            distinct=distinct,
        )
        self._order_and_limit(node, tree)
        return tree

    def _folded_set_operation(self, node: exp.SetOperation, types: list[SqlType]) -> exp.Query:
        """UNION, EXCEPT, INTERSECT where rows that differ in case only are the same row."""
        outputs = columns_of(node)
        if any(output.name is None for output in outputs):
            raise refuse(node, type(node).__name__.upper(), "under 'preserve' columns need names.")
        right_outputs = columns_of(node.expression)
        left = self._side(node.this, types, "left_rows", outputs)
        if isinstance(node, exp.Union):
            right_tree = self.query(node.expression, types)
            union = exp.Union(
                this=self.query(node.this, types), expression=right_tree, distinct=False
            )
            left = exp.Subquery(this=union, alias=exp.TableAlias(this=sql_name("left_rows")))
        keys = [self._row_key("left_rows", output.name, output.type) for output in outputs]
        tree = exp.select("*").from_(left)
        tree.set("distinct", exp.Distinct(on=exp.Tuple(expressions=keys)))
        if not isinstance(node, exp.Union):
            right = self._side(node.expression, types, "right_rows", right_outputs)
            pairs = [
                exp.NullSafeEQ(
                    this=self._row_key("left_rows", a.name, a.type),
                    expression=self._row_key("right_rows", b.name or a.name, a.type),
                )
                for a, b in zip(outputs, right_outputs, strict=True)
            ]
            inner = exp.select("1").from_(right).where(exp.and_(*pairs))
            found: exp.Expr = exp.Exists(this=inner)
            found = exp.Not(this=found) if isinstance(node, exp.Except) else found
            tree.set("where", exp.Where(this=found))
        self._order_and_limit(node, tree)
        return tree

    def _side(
        self, node: exp.Expr, types: list[SqlType], alias: str, outputs: Sequence[OutputColumn]
    ) -> exp.Subquery:
        if any(output.name is None for output in outputs):
            raise refuse(node, "EXCEPT", "under collation 'preserve' columns need names.")
        return exp.Subquery(
            this=self.query(node, types), alias=exp.TableAlias(this=sql_name(alias))
        )

    def _row_key(self, alias: str, name: str | None, type_: SqlType) -> exp.Expr:
        column = exp.Column(
            this=self.translator.target.name(exp.Identifier(this=name)), table=sql_name(alias)
        )
        return self.translator.target.folded(column) if type_.is_string else column

    @property
    def _preserves(self) -> bool:
        return self.translator.options.collation is Collation.PRESERVE

    # --- SELECT -----------------------------------------------------------------------------------

    def _select(self, node: exp.Select, cast_to: Sequence[SqlType] | None) -> exp.Select:
        if node.args.get("for_") is not None or node.meta.get("tsql_for_xml") is not None:
            raise refuse(node, "FOR XML", "only STUFF((SELECT ',' + x … FOR XML PATH('')), …) is.")
        for key in ("windows", "qualify", "connect"):
            if node.args.get(key):
                raise refuse(node, key.upper(), "this clause is not supported.")
        tree = exp.Select(expressions=self._projections(node, cast_to))
        self.relations.from_clause(node, tree)
        if (where := node.args.get("where")) is not None:
            tree.set("where", exp.Where(this=self.translator.predicate(where.this)))
        if (group := node.args.get("group")) is not None:
            tree.set("group", self._group(group))
        if (having := node.args.get("having")) is not None:
            tree.set("having", exp.Having(this=self.translator.predicate(having.this)))
        if node.args.get("distinct") is not None:
            tree.set("distinct", self._distinct(node))
        if self._preserves and (group is not None or node.args.get("distinct")):
            self._representatives(node, tree)
        self._order_and_limit(node, tree)
        return tree

    def _projections(self, node: exp.Select, cast_to: Sequence[SqlType] | None) -> list[exp.Expr]:
        projections: list[exp.Expr] = []
        for position, projection in enumerate(node.expressions):
            value = projection.this if isinstance(projection, exp.Alias) else projection
            tree = self.translator.value(value)
            if cast_to is not None and type_of(value) != cast_to[position]:
                source = Value(tree, type_of(value), value)
                tree = self.translator.target.align(
                    source, cast_to[position], self.translator.options
                )
            if isinstance(projection, exp.Alias):
                tree = exp.Alias(
                    this=tree, alias=self.translator.target.name(projection.args["alias"])
                )
            elif isinstance(value, exp.Column) and not isinstance(tree, exp.Column):
                tree = exp.Alias(this=tree, alias=self.translator.target.name(value.this))
            tree.meta.update(projection.meta)
            projections.append(tree)
        return projections

    def _group(self, group: exp.Group) -> exp.Group:
        """GROUP BY; ``WITH ROLLUP`` and ``WITH CUBE`` become the functions."""
        items = [self._grouping_item(item) for item in group.expressions]
        for key, kind in (("rollup", exp.Rollup), ("cube", exp.Cube)):
            for part in group.args.get(key) or []:
                if isinstance(part, exp.Expr) and part.expressions:
                    items.append(self._grouping_item(part))
                else:
                    items = [kind(expressions=items)]
        for part in group.args.get("grouping_sets") or []:
            items.append(self._grouping_item(part))
        return exp.Group(expressions=items)

    def _grouping_item(self, item: exp.Expr) -> exp.Expr:
        if isinstance(item, exp.Rollup | exp.Cube | exp.GroupingSets | exp.Tuple):
            return type(item)(expressions=[self._grouping_item(part) for part in item.expressions])
        if isinstance(item, exp.Paren):
            return exp.Paren(this=self._grouping_item(item.this))
        return self.translator.comparable(item)

    def _distinct(self, node: exp.Select) -> exp.Distinct:
        if not self._preserves or not any(type_of(item).is_string for item in node.expressions):
            return exp.Distinct()
        keys = [
            self.translator.comparable(item.this if isinstance(item, exp.Alias) else item)
            for item in node.expressions
        ]
        return exp.Distinct(on=exp.Tuple(expressions=keys))

    def _representatives(self, node: exp.Select, tree: exp.Select) -> None:
        """A text key grouped without case shows any one of its spellings; GROUPING takes the key.

        In a subtotal row the key is NULL: ``any_value`` would show a spelling there.
        """
        group = node.args.get("group")
        if group is None:
            return
        kinds = (exp.Rollup, exp.Cube, exp.GroupingSets)
        subtotals = any(isinstance(part, kinds) for part in group.walk())
        keys: dict[str, exp.Expr] = {}
        for source in _grouping_expressions(group):
            if type_of(source).is_string:
                shown = self.translator.value(source)
                keys[shown.sql("duckdb")] = self.translator.comparable(source)
        if not keys:
            return
        places = [*tree.expressions]
        if (having := tree.args.get("having")) is not None:
            places.append(having)
        for place in places:
            self._show_representatives(place, keys, subtotals)

    def _show_representatives(
        self, place: exp.Expr, keys: dict[str, exp.Expr], subtotals: bool
    ) -> None:
        if isinstance(place, exp.Column) and place.sql("duckdb") in keys:
            alias = place.this.copy()
            chosen = _representative(place.copy(), keys, subtotals)
            place.replace(exp.Alias(this=chosen, alias=alias))
            return
        if isinstance(place, exp.Anonymous):
            if place.name in ("grouping", "grouping_id"):
                for argument in list(place.expressions):
                    if (key := keys.get(argument.sql("duckdb"))) is not None:
                        argument.replace(key.copy())
                return
            if place.name in _GROUPING_FUNCTIONS:
                return
        for child in list(place.iter_expressions()):
            if child.sql("duckdb") in keys and not isinstance(child, exp.Identifier):
                child.replace(_representative(child.copy(), keys, subtotals))
            else:
                self._show_representatives(child, keys, subtotals)

    # --- ORDER BY, TOP, OFFSET --------------------------------------------------------------------

    def _order_and_limit(self, node: exp.Expr, tree: exp.Query) -> None:
        limit, offset, order = (node.args.get(k) for k in ("limit", "offset", "order"))
        if order is not None:
            items = self.order_items(order, node if isinstance(node, exp.Select) else None)
            if items:
                self._fold_positions(node, tree, items)
                tree.set("order", exp.Order(expressions=items))
        if offset is not None:
            tree.set("offset", exp.Offset(expression=self.translator.value(offset.expression)))
        if limit is None:
            return
        count: exp.Expr = limit.args["count" if isinstance(limit, exp.Fetch) else "expression"]
        options = limit.args.get("limit_options")
        percent = options is not None and options.args.get("percent")
        ties = options is not None and options.args.get("with_ties")
        if percent or ties:
            self._ranked_top(node, tree, count, percent=bool(percent), ties=bool(ties))
            return
        tree.set("limit", exp.Limit(expression=self.translator.value(unwrapped(count))))

    def _fold_positions(self, node: exp.Expr, tree: exp.Query, items: list[exp.Expr]) -> None:
        """``ORDER BY 1`` of a text under ``preserve`` orders by the folded output column."""
        if not self._preserves or not isinstance(tree, exp.Select):
            return
        for item in items:
            position = item.this
            if not isinstance(position, exp.Literal):
                continue
            index = int(position.name) - 1
            if not columns_of(node)[index].type.is_string:
                continue
            made = tree.expressions[index]
            name = made.alias_or_name
            if not isinstance(made, exp.Alias | exp.Column):
                name = f"column_{index + 1}"
                made.replace(exp.Alias(this=made.copy(), alias=sql_name(name)))
            column = exp.Column(this=self.translator.target.name(exp.Identifier(this=name)))
            item.set("this", self.translator.target.folded(column))

    def _ranked_top(
        self, node: exp.Expr, tree: exp.Query, count: exp.Expr, *, percent: bool, ties: bool
    ) -> None:
        """TOP n PERCENT (rounded up) and WITH TIES, by rank over the query's own order."""
        order = node.args.get("order")
        if not isinstance(node, exp.Select) or node.args.get("distinct"):
            raise refuse(node, "TOP", "PERCENT or WITH TIES together with DISTINCT or UNION.")
        items = self.order_items(order, node, inline=True) if order is not None else []
        function = "rank" if ties else "row_number"
        over = exp.Window(
            this=sql.fn(function), order=exp.Order(expressions=items) if items else None
        )
        bound = self.translator.value(unwrapped(count))
        if percent:
            total = exp.Window(this=sql.fn("count", exp.Star()))
            share = exp.Div(this=sql.mul(total, bound), expression=sql.number("100.0"))
            bound = sql.fn("ceil", share)
        tree.set("qualify", exp.Qualify(this=exp.LTE(this=over, expression=sql.wrap(bound))))

    def order_items(
        self, order: exp.Expr, select: exp.Select | None, *, inline: bool = False
    ) -> list[exp.Expr]:
        """ORDER BY items: NULL is the lowest value (first ascending, last descending).

        A constant order (``(SELECT NULL)``) orders nothing and is dropped. ``inline`` writes the
        expression behind an output column instead of its name, for use inside a window.
        """
        items: list[exp.Expr] = []
        for item in order.expressions:
            key = item.this
            if _is_constant_order(key, in_window=select is None):
                continue
            descending = bool(item.args.get("desc"))
            source = self._projection_behind(key, select) if inline else None
            tree = self._order_key(key if source is None else source)
            if self._orders_text(key if source is None else source):
                tree = self.translator.target.without_case(tree)
            ordered = key if source is None else source
            if isinstance(ordered, exp.Collate):
                ordered = ordered.this
            nulls_first = not descending and not is_not_null(ordered)
            items.append(
                exp.Ordered(this=tree, desc=descending or None, nulls_first=nulls_first or None)
            )
        return items

    def _projection_behind(self, key: exp.Expr, select: exp.Select | None) -> exp.Expr | None:
        if select is None:
            return None
        if is_output_reference(key):
            wanted = key.name.lower()
            for projection in select.expressions:
                if projection.alias_or_name.lower() == wanted:
                    return _unaliased(projection)
        if is_integer_literal(key):
            return _unaliased(select.expressions[int(key.name) - 1])
        return None

    def _orders_text(self, key: exp.Expr) -> bool:
        if self._preserves or not self.translator.options.text_order or is_integer_literal(key):
            return False
        value = Value(key, type_of(key), key)
        return value.type.is_string and value.has_letters and not value.is_case_sensitive

    def _order_key(self, key: exp.Expr) -> exp.Expr:
        if is_output_reference(key):
            column: exp.Expr = exp.Column(this=self.translator.target.name(key.this))
            if type_of(key).is_string and self._preserves:
                return self.translator.target.folded(column)
            return column
        if is_integer_literal(key):
            return sql.number(int(key.name))
        return self.translator.comparable(key)

    # --- windows ----------------------------------------------------------------------------------

    def window(self, node: exp.Expr) -> exp.Expr:
        """``f(…) OVER (PARTITION BY … ORDER BY … frame)``; T-SQL's default frame is DuckDB's."""
        function = node.this
        nulls: type[exp.Expr] | None = None
        if isinstance(function, exp.IgnoreNulls | exp.RespectNulls):
            nulls, function = type(function), function.this
        if isinstance(function, exp.WithinGroup):
            return self._percentile(node, function)
        call = self.translator.call(function)
        if nulls is exp.IgnoreNulls:
            call = exp.IgnoreNulls(this=call)
        order = node.args.get("order")
        items = self.order_items(order, None) if order is not None else []
        partition = [self.translator.comparable(key) for key in node.args.get("partition_by") or []]
        frame = node.args.get("spec")
        return self._over(call, partition, items, frame.copy() if frame is not None else None)

    def _over(
        self,
        call: exp.Expr,
        partition: list[exp.Expr],
        order: list[exp.Expr],
        frame: exp.Expr | None,
    ) -> exp.Expr:
        """OVER around every aggregate inside a translated call (AVG is two of them)."""
        if isinstance(call, exp.Anonymous | exp.IgnoreNulls) and not _is_compound(call):
            return exp.Window(
                this=call,
                partition_by=partition,
                order=exp.Order(expressions=order) if order else None,
                spec=frame,
            )
        holder = exp.Paren(this=call)
        for inner in _outermost_aggregates(holder.this):
            over = exp.Window(
                this=inner.copy(),
                partition_by=[key.copy() for key in partition],
                order=exp.Order(expressions=[o.copy() for o in order]) if order else None,
                spec=frame.copy() if frame is not None else None,
            )
            inner.replace(over)
        result: exp.Expr = holder.this
        return result.pop()

    def _percentile(self, node: exp.Expr, function: exp.WithinGroup) -> exp.Expr:
        name = function.this.name.upper()
        names = {"PERCENTILE_CONT": "quantile_cont", "PERCENTILE_DISC": "quantile_disc"}
        if name not in names:
            raise refuse(node, name, "WITHIN GROUP … OVER is supported for percentiles.")
        ordered = function.expression.expressions[0]
        fraction = self.translator.value(function.this.expressions[0])
        if ordered.args.get("desc"):
            fraction = sql.sub(sql.number(1), fraction)
        call = sql.fn(names[name], self.translator.value(ordered.this), fraction)
        partition = [self.translator.comparable(key) for key in node.args.get("partition_by") or []]
        return exp.Window(this=call, partition_by=partition)

    # --- subqueries -------------------------------------------------------------------------------

    def existence(self, node: exp.Expr) -> exp.Query:
        """The query of an EXISTS, with ``1`` for a select list that does not matter."""
        inner = node.this if isinstance(node, exp.Subquery) else node
        if not isinstance(inner, exp.Select):
            return self.query(inner)
        plain = not any(inner.args.get(k) for k in ("distinct", "limit", "offset", "having"))
        grouped = inner.args.get("group") is not None or any(
            isinstance(part, exp.Anonymous) for item in inner.expressions for part in item.walk()
        )
        if not plain or grouped or inner.args.get("with_"):
            return self.query(inner)
        bare = inner.copy()
        literal = exp.Literal(this="1", is_string=False)
        bare.set("expressions", [literal])
        bare.set("order", None)
        for item in inner.expressions:
            if from_star(item):
                break
        return self.query(bare)

    def wrapped_projection(
        self, translated: exp.Query, source: exp.Expr, wrap: Callable[[exp.Expr], exp.Expr]
    ) -> exp.Query:
        """The one column of an IN query, made ready for comparison by ``wrap``."""
        if not isinstance(translated, exp.Select):
            raise refuse(source, "IN", "a set operation of text that must be folded or trimmed.")
        projection = translated.expressions[0]
        inner = projection.this if isinstance(projection, exp.Alias) else projection
        projection.replace(wrap(inner.copy()))
        return translated

    def for_xml_path(self, node: exp.Expr, *, escaped: bool = True) -> exp.Expr | None:
        """``SELECT ',' + x FROM … ORDER BY … FOR XML PATH('')``: the texts joined, NULL if none.

        A NULL text adds nothing, as string_agg ignores it. Characters that XML escapes (``& < >``)
        come out escaped and are replaced the same way, unless ``TYPE`` and ``.value`` undo that
        (``escaped=False``).
        """
        if not isinstance(node, exp.Select) or not _is_xml_path(node):
            return None
        value = self._fragment(node)
        if node.args.get("distinct"):
            raise refuse(node, "FOR XML PATH", "with DISTINCT is supported inside STUFF only.")
        return self._joined(node, value, sql.text(""), escaped=escaped)

    def separated_list(self, node: exp.Expr) -> exp.Expr | None:
        """``STUFF((SELECT ',' + x … FOR XML PATH('')), 1, 1, '')`` as ``string_agg(x, ',')``."""
        source, start, length, insert = (unwrapped(part) for part in node.expressions)
        escaped = True
        if isinstance(source, exp.Dot) and isinstance(source.this, exp.Subquery):
            if source.expression.name.lower() != "value":
                return None
            source, escaped = source.this, False
        query = source.this if isinstance(source, exp.Subquery) else None
        if not isinstance(query, exp.Select) or not _is_xml_path(query):
            return None
        cut = Value(exp.Null(), t.INT, length).integer
        blank = isinstance(insert, exp.Literal | exp.National) and insert.name == ""
        if Value(exp.Null(), t.INT, start).integer != 1 or not blank:
            return None
        value = self._fragment(query)
        separator, rest = _split_separator(value)
        if rest is None or separator is None or len(separator) != cut:
            return None
        return self._joined(query, rest, sql.text(separator), escaped=escaped)

    def _fragment(self, node: exp.Select) -> exp.Expr:
        """The one text a FOR XML PATH('') query strings together."""
        if len(node.expressions) != 1 or node.args.get("group"):
            raise refuse(node, "FOR XML PATH", "only the string aggregation idiom is supported.")
        projection = node.expressions[0]
        if isinstance(projection, exp.Alias) and projection.alias.lower() not in (
            "text()",
            "data()",
        ):
            raise refuse(node, "FOR XML PATH", "a named column makes an element.")
        value = _unaliased(projection)
        if isinstance(value, exp.Column) and not isinstance(projection, exp.Alias):
            raise refuse(node, "FOR XML PATH", "a named column makes an element.")
        if isinstance(projection, exp.Alias) and projection.alias.lower() == "data()":
            raise refuse(node, "FOR XML PATH", "data() puts blanks between the values.")
        return value

    def _joined(
        self, node: exp.Select, value: exp.Expr, separator: exp.Expr, *, escaped: bool
    ) -> exp.Expr:
        tree = self.translator.typed(value)
        text = (
            tree.tree
            if tree.type.is_string
            else self.translator.target.convert(tree, t.nvarchar(t.MAX), self.translator.options)
        )
        for mark, entity in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;")) if escaped else ():
            text = sql.fn("replace", text, mark, entity)
        order = node.args.get("order")
        distinct = node.args.get("distinct") is not None
        if distinct and self._preserves:
            raise refuse(node, "FOR XML PATH", "with DISTINCT under collation 'preserve'.")
        items: list[exp.Expr] = []
        if distinct:
            # SQL Server sorts to find duplicates; an order makes the text the same every time.
            items = [exp.Ordered(this=text.copy())]
        elif order is not None:
            items = self.order_items(order, node, inline=True)
        if items:
            separator = exp.Order(this=separator, expressions=items)
        text = exp.Distinct(expressions=[text]) if distinct else text
        bare = node.copy()
        for key in ("for_", "order", "distinct"):
            bare.set(key, None)
        bare.meta.pop("tsql_for_xml", None)
        bare.set("expressions", [exp.Literal(this="1", is_string=False)])
        if bare.args.get("limit"):
            raise refuse(node, "FOR XML PATH", "with TOP is not supported.")
        inner = self.query(bare)
        inner.set("expressions", [sql.fn("string_agg", text, separator)])
        return exp.Subquery(this=inner)


def _split_separator(value: exp.Expr) -> tuple[str | None, exp.Expr | None]:
    """``', ' + x + y`` as its leading literal and the rest."""
    holder = exp.Paren(this=value.copy())
    node = unwrapped(holder.this)
    while isinstance(node, exp.Add):
        first = unwrapped(node.this)
        if isinstance(first, exp.Literal | exp.National) and type_of(first).is_string:
            rest = node.expression.copy()
            node.replace(rest)
            return first.name, holder.this
        node = first
    return None, None


def _unaliased(projection: exp.Expr) -> exp.Expr:
    value: exp.Expr = projection.this if isinstance(projection, exp.Alias) else projection
    return value


_GROUPING_FUNCTIONS = frozenset(
    {
        "sum",
        "count",
        "min",
        "max",
        "avg",
        "any_value",
        "arg_min",
        "arg_max",
        "string_agg",
        "stddev_samp",
        "stddev_pop",
        "var_samp",
        "var_pop",
    }
)


def _representative(shown: exp.Expr, keys: dict[str, exp.Expr], subtotals: bool) -> exp.Expr:
    key = keys[shown.sql("duckdb")]
    chosen = sql.fn("any_value", shown)
    if not subtotals:
        return chosen
    return sql.case((sql.eq(sql.fn("grouping", key.copy()), 0), chosen))


def _grouping_expressions(group: exp.Group) -> list[exp.Expr]:
    found: list[exp.Expr] = []
    pending = list(group.expressions)
    for key in ("rollup", "cube", "grouping_sets"):
        pending.extend(part for part in group.args.get(key) or [] if isinstance(part, exp.Expr))
    while pending:
        item = pending.pop()
        if isinstance(item, exp.Rollup | exp.Cube | exp.GroupingSets | exp.Tuple):
            pending.extend(item.expressions)
        elif isinstance(item, exp.Paren):
            pending.append(item.this)
        else:
            found.append(item)
    return found


def sql_name(name: str) -> exp.Identifier:
    """A name of our own making, which needs no quotes."""
    return exp.Identifier(this=name, quoted=False)


def _is_xml_path(node: exp.Select) -> bool:
    mark = node.meta.get("tsql_for_xml")
    if mark is not None:
        return bool(mark.language == "XML" and mark.mode == "PATH" and mark.element == "")
    clause = node.args.get("for_")
    if clause is None or str(clause.args.get("kind")) != "XML":
        return False
    first = clause.expressions[0].this
    element = first.args.get("expression") if isinstance(first, exp.Expr) else None
    return (
        isinstance(first, exp.XMLKeyValueOption)
        and first.this.name.upper() == "PATH"
        and isinstance(element, exp.Expr)
        and element.name == ""
    )


def _is_constant_order(key: exp.Expr, *, in_window: bool) -> bool:
    key = unwrapped(key)
    if isinstance(key, exp.Null):
        return True
    if isinstance(key, exp.Subquery) and isinstance(key.this, exp.Select):
        inner = key.this
        return inner.args.get("from_") is None and isinstance(
            unwrapped(inner.expressions[0]), exp.Null | exp.Literal
        )
    return in_window and isinstance(key, exp.Literal)


def _outermost_aggregates(tree: exp.Expr) -> list[exp.Expr]:
    """The sum and count calls a translated AVG is made of, not those in their arguments."""
    if isinstance(tree, exp.Anonymous) and tree.name in ("sum", "count"):
        return [tree]
    return [found for child in tree.iter_expressions() for found in _outermost_aggregates(child)]


def _is_compound(call: exp.Expr) -> bool:
    """A translated aggregate that is an expression over aggregates, not one call."""
    inner = call.this if isinstance(call, exp.IgnoreNulls) else call
    return isinstance(inner, exp.Anonymous) and inner.name == "error"


def _operand(tree: exp.Query, source: exp.Expr, node: exp.Expr) -> exp.Expr:
    """A side of a set operation, in parentheses where the tree's shape needs them."""
    inner = source.this if isinstance(source, exp.Subquery | exp.Paren) else source
    if isinstance(inner, exp.SetOperation) and source is not inner:
        return exp.Subquery(this=tree)
    if any(tree.args.get(key) for key in ("order", "limit", "offset")):
        return exp.Subquery(this=tree)
    return tree


def _mentions(query: exp.Expr, name: str) -> bool:
    return any(
        table_name(table).name.lower() == name.lower() and not table.db
        for table in query.find_all(exp.Table)
        if isinstance(table.this, exp.Identifier)
    )
