"""Relations of a FROM clause: tables, derived tables, joins, APPLY, PIVOT and UNPIVOT."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from sqlglot import exp

from core.tsql import types as t
from core.tsql.binding import columns_of
from core.tsql.binding_from import PIVOT_INPUT, table_name
from core.tsql.meaning import sql
from core.tsql.meaning.options import Collation
from core.tsql.meaning.refusal import refuse
from core.tsql.meaning.values import Value
from core.tsql.scope import OutputColumn
from core.tsql.typing import call_arguments, set_type, type_text

if TYPE_CHECKING:
    from core.tsql.meaning.translate import Translator


class Relations:
    """Translates the FROM clause of one query."""

    def __init__(self, translator: Translator) -> None:
        self.translator = translator

    def from_clause(self, node: exp.Select, tree: exp.Select) -> None:
        """FROM and JOINs of a SELECT, set on the translated one."""
        from_ = node.args.get("from_")
        if from_ is None:
            return
        tree.set("from_", exp.From(this=self.relation(from_.this)))
        joins = [self.join(join) for join in node.args.get("joins") or []]
        for lateral in node.args.get("laterals") or []:
            joins.insert(0, self._apply(lateral))
        tree.set("joins", joins)

    def join(self, node: exp.Join) -> exp.Join:
        """A join; a comma is a cross join, APPLY a lateral one."""
        if isinstance(node.this, exp.Lateral):
            return self._apply(node.this)
        kind, side = node.kind.upper(), node.side.upper()
        on = node.args.get("on")
        right = self.relation(node.this)
        if kind == "CROSS" or on is None:
            return exp.Join(this=right, kind="CROSS")
        arguments: dict[str, Any] = {"this": right, "on": self.translator.predicate(on)}
        if side:
            arguments["side"] = side
        else:
            arguments["kind"] = "INNER"
        return exp.Join(**arguments)

    def _apply(self, node: exp.Lateral) -> exp.Join:
        """CROSS APPLY is a cross join lateral, OUTER APPLY a left join lateral on true."""
        inner = node.this
        alias = self._alias(node)
        if isinstance(inner, exp.Table) and isinstance(inner.this, exp.Expr):
            inner = inner.this
        if isinstance(inner, exp.Subquery):
            body = self.translator.queries.query(inner.this)
        else:
            body = self._function_query(inner, node)
        lateral = exp.Lateral(this=exp.Subquery(this=body), alias=alias)
        if node.args.get("cross_apply"):
            return exp.Join(this=lateral, kind="CROSS")
        return exp.Join(this=lateral, side="LEFT", on=exp.true())

    def relation(self, node: exp.Expr) -> exp.Expr:
        """One relation of FROM under its alias."""
        pivots = node.args.get("pivots")
        if pivots:
            return self._pivoted(node, pivots)
        match node:
            case exp.Table():
                return self._table(node)
            case exp.Subquery() | exp.Paren() if isinstance(node.this, exp.Table):
                return exp.Paren(this=self.relation(node.this))
            case exp.Subquery():
                body = self.translator.queries.query(node.this)
                return exp.Subquery(this=body, alias=self._alias(node))
            case exp.Values():
                return self.values_relation(node)
            case exp.Lateral():
                raise refuse(node, "APPLY", "it cannot begin a FROM clause.")
            case _:
                raise refuse(node, type(node).__name__, "this relation is not supported.")

    def values_relation(self, node: exp.Values) -> exp.Values:
        """VALUES with its column names, each column of one type."""
        types = [column.type for column in columns_of(node)]
        rows = []
        for row in node.expressions:
            cells = row.expressions if isinstance(row, exp.Tuple) else [row]
            rows.append(
                exp.Tuple(
                    expressions=[
                        self.translator.aligned(cell, type_)
                        for cell, type_ in zip(cells, types, strict=True)
                    ]
                )
            )
        alias = self._alias(node) if node.alias else None
        return exp.Values(expressions=rows, alias=alias)

    def _alias(self, node: exp.Expr) -> exp.TableAlias:
        alias = node.args.get("alias")
        name = self.translator.target.name
        if not isinstance(alias, exp.TableAlias):
            call = node.this.expression if isinstance(node.this, exp.Dot) else node.this
            if isinstance(call, exp.Anonymous | exp.OpenJSON):
                # A function without an alias goes by its own name.
                own = call.name if isinstance(call, exp.Anonymous) else "openjson"
                return exp.TableAlias(this=name(exp.Identifier(this=own)))
            raise refuse(node, "derived table", "it needs an alias.")
        return exp.TableAlias(
            this=name(alias.this), columns=[name(column) for column in alias.columns]
        )

    def _table(self, node: exp.Table) -> exp.Expr:
        if isinstance(node.this, exp.OpenJSON | exp.Anonymous):
            body = self._function_query(node.this, node)
            return exp.Subquery(this=body, alias=self._alias(node))
        if node.args.get("version") is not None:
            raise refuse(node, "FOR SYSTEM_TIME", "temporal tables are not supported.")
        if node.args.get("sample") is not None:
            raise refuse(node, "TABLESAMPLE", "a sample differs from run to run.")
        name = table_name(node)
        target = self.translator.target
        if name.is_temporary:
            table: exp.Expr = exp.Table(this=exp.to_identifier(name.name, quoted=True))
        else:
            table = exp.Table(
                this=target.name(node.this),
                db=target.name(node.args["db"]) if name.schema else None,
            )
        if node.alias:
            table.set("alias", self._alias(node))
        table.meta.update(node.meta)
        joins = node.args.get("joins") or []
        if joins:
            table.set("joins", [self.join(join) for join in joins])
            if isinstance(node.parent, exp.Join):
                return exp.Paren(this=table)
        return table

    # --- table functions --------------------------------------------------------------------------

    def _function_query(self, call: exp.Expr, node: exp.Expr) -> exp.Query:
        if isinstance(call, exp.OpenJSON):
            return self._open_json(call)
        name = call.name.upper() if isinstance(call, exp.Anonymous) else ""
        if name == "STRING_SPLIT":
            return self._string_split(call)
        if name == "GENERATE_SERIES":
            arguments = [self.translator.value(a) for a in call_arguments(call)]
            series = sql.fn("generate_series", *arguments)
            return exp.select(exp.alias_(sql.fn("unnest", series), "value"))
        raise refuse(node, "table function", f"the body of {call.sql()[:40]} is not known here.")

    def _string_split(self, call: exp.Expr) -> exp.Query:
        text, separator = (self.translator.value(a) for a in call.expressions[:2])
        parts = sql.fn("string_split", text, separator)
        columns = [exp.alias_(sql.fn("unnest", parts), "value")]
        if len(call.expressions) > 2:
            columns.append(exp.alias_(sql.fn("generate_subscripts", parts.copy(), 1), "ordinal"))
        return exp.select(*columns)

    def _open_json(self, call: exp.OpenJSON) -> exp.Query:
        """OPENJSON without WITH: key, value, type of the members of an object or array."""
        if call.args.get("path"):
            raise refuse(call, "OPENJSON path", "a path is not supported.")
        document = self.translator.value(call.this)
        each = sql.fn("json_each", document)
        if call.expressions:
            return self._open_json_with(call, document)
        numbers = {"NULL": 0, "VARCHAR": 1, "BOOLEAN": 3, "ARRAY": 4, "OBJECT": 5}
        type_ = exp.Case(
            this=exp.column("type"),
            ifs=[exp.If(this=sql.text(n), true=sql.number(v)) for n, v in numbers.items()],
            default=sql.number(2),
        )
        value = sql.concat(exp.column("value"))
        text = sql.fn("json_extract_string", value, "$")
        return exp.select(
            exp.alias_(exp.column("key"), "key", quoted=False),
            exp.alias_(text, "value"),
            exp.alias_(type_, "type"),
        ).from_(exp.Table(this=each))

    def _open_json_with(self, call: exp.OpenJSON, document: exp.Expr) -> exp.Query:
        columns = []
        for column in call.expressions:
            path = column.args.get("path")
            if column.args.get("as_json"):
                raise refuse(call, "OPENJSON AS JSON", "nested documents are not supported.")
            written = path.name if isinstance(path, exp.Expr) else f"$.{column.name}"
            extracted = sql.fn("json_extract_string", exp.column("value"), written)
            type_ = t.parse_type(type_text(column.args["kind"]))
            source = exp.column("value")
            set_type(source, t.nvarchar(t.MAX))
            value = Value(extracted, t.nvarchar(t.MAX), source)
            tree = self.translator.target.convert(value, type_, self.translator.options)
            columns.append(exp.alias_(tree, self.translator.target.name(column.this)))
        is_array = sql.eq(sql.fn("json_type", document.copy()), "ARRAY")
        items = sql.case(
            (is_array, sql.fn("json_extract", document.copy(), "$[*]")),
            default=exp.Array(expressions=[sql.cast(document, "JSON")]),
        )
        rows = exp.select(exp.alias_(sql.fn("unnest", items), "value"))
        return exp.select(*columns).from_(
            exp.Subquery(this=rows, alias=exp.TableAlias(this=exp.to_identifier("items")))
        )

    # --- PIVOT and UNPIVOT ------------------------------------------------------------------------

    def _pivoted(self, node: exp.Expr, pivots: list[exp.Pivot]) -> exp.Expr:
        bare = node.copy()
        bare.set("pivots", None)
        if not bare.alias and isinstance(bare, exp.Table):
            inner_alias = bare.name
        else:
            inner_alias = bare.alias
        source = self.relation(bare)
        for pivot in pivots:
            turned = self._unpivot if pivot.args.get("unpivot") else self._pivot
            query = turned(pivot, source, inner_alias)
            alias = pivot.args.get("alias")
            if not isinstance(alias, exp.TableAlias):
                raise refuse(pivot, "PIVOT", "it needs an alias.")
            inner_alias = pivot.alias
            source = exp.Subquery(
                this=query, alias=exp.TableAlias(this=self.translator.target.name(alias.this))
            )
        return source

    def _pivot(self, pivot: exp.Pivot, source: exp.Expr, alias: str) -> exp.Query:
        """PIVOT: one conditional aggregate per value, grouped by every column not used."""
        field = pivot.args["fields"][0]
        aggregate = pivot.expressions[0]
        used = {column.name.lower() for column in aggregate.find_all(exp.Column)}
        used.add(field.this.name.lower())
        columns: tuple[OutputColumn, ...] = pivot.meta[PIVOT_INPUT]
        kept = [c for c in columns if c.name and c.name.lower() not in used]
        name = self.translator.target.name
        table = name(exp.Identifier(this=alias))
        keys = [
            exp.Column(this=name(exp.Identifier(this=c.name)), table=table.copy()) for c in kept
        ]
        groups: list[exp.Expr] = [key.copy() for key in keys]
        projections: list[exp.Expr] = list(keys)
        if self.translator.options.collation is Collation.PRESERVE:
            for position, (key, column) in enumerate(zip(keys, kept, strict=True)):
                if column.type.is_string:
                    groups[position] = self.translator.target.folded(key.copy())
                    chosen = sql.fn("any_value", key.copy())
                    projections[position] = exp.Alias(this=chosen, alias=key.this.copy())
        for value in field.expressions:
            tree = self._for_value(aggregate, field.this, value)
            projections.append(exp.Alias(this=tree, alias=name(exp.Identifier(this=value.name))))
        query = exp.select(*projections).from_(source)
        if groups:
            query.set("group", exp.Group(expressions=groups))
        return query

    def _for_value(self, aggregate: exp.Expr, subject: exp.Expr, value: exp.Expr) -> exp.Expr:
        """The aggregate over the rows whose FOR column is one value."""
        literal = exp.Literal(this=value.name, is_string=True)
        set_type(literal, t.literal_string(value.name, unicode=False))
        matches = self.translator.comparison(exp.EQ, subject, literal)
        call = self.translator.built(aggregate)
        if call.star:
            raise refuse(aggregate, "PIVOT", "COUNT(*) is not allowed in PIVOT.")
        arguments = (
            Value(
                sql.case((matches, call.arguments[0].tree)),
                call.arguments[0].type,
                call.arguments[0].source,
            ),
            *call.arguments[1:],
        )
        return self.translator.target.call(replace(call, arguments=arguments))

    def _unpivot(self, pivot: exp.Pivot, source: exp.Expr, alias: str) -> exp.Query:
        """UNPIVOT: one row per named column that is not NULL."""
        field = pivot.args["fields"][0]
        columns: tuple[OutputColumn, ...] = pivot.meta[PIVOT_INPUT]
        turned = [column.name for column in field.expressions]
        lowered = {column.lower() for column in turned}
        name = self.translator.target.name
        table = name(exp.Identifier(this=alias))
        kept = [
            exp.Column(this=name(exp.Identifier(this=c.name)), table=table.copy())
            for c in columns
            if c.name and c.name.lower() not in lowered
        ]
        rows = [
            exp.Tuple(
                expressions=[
                    sql.text(column),
                    exp.Column(this=name(exp.Identifier(this=column)), table=table.copy()),
                ]
            )
            for column in turned
        ]
        label, value = name(field.this), name(pivot.expressions[0])
        values = exp.Values(
            expressions=rows,
            alias=exp.TableAlias(
                this=exp.to_identifier("unpivoted"), columns=[label.copy(), value.copy()]
            ),
        )
        pairs = exp.Lateral(
            this=exp.Subquery(this=exp.select("*").from_(values)),
            alias=exp.TableAlias(
                this=exp.to_identifier("unpivoted"), columns=[label.copy(), value.copy()]
            ),
        )
        made = [
            exp.Column(this=value, table=exp.to_identifier("unpivoted")),
            exp.Column(this=label, table=exp.to_identifier("unpivoted")),
        ]
        query = exp.select(*kept, *made).from_(source)
        query.set("joins", [exp.Join(this=pairs, kind="CROSS")])
        not_null = exp.Not(this=sql.is_null(made[0].copy()))
        query.set("where", exp.Where(this=not_null))
        return query
