"""FROM: tables, views, derived tables, joins, APPLY, table functions, PIVOT and UNPIVOT."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from typing import TYPE_CHECKING

from sqlglot import exp

from core.interpreter.aggregates import aggregate_over
from core.interpreter.casts import convert
from core.interpreter.errors import Refused, raising
from core.interpreter.naming import quoted
from core.tsql import types as t
from core.tsql.binding import columns_of
from core.tsql.binding_from import PIVOT_INPUT, table_name
from core.tsql.schema import ObjectName, TableFunction
from core.tsql.scope import OutputColumn
from core.tsql.types import duckdb_storage
from core.tsql.typing import line_of, type_of

if TYPE_CHECKING:
    from core.interpreter.context import Physical
    from core.interpreter.expressions import ExpressionEmitter
    from core.interpreter.queries import QueryEmitter

ROW_ID = '"~rid"'


@dataclass(frozen=True)
class JoinStep:
    """One join of a FROM clause: the text so far, the next source, and how they meet."""

    left: str
    right: str
    condition: str
    keeps_right: bool
    line: int


class SourceEmitter:
    """Writes the FROM clause of the query emitter it belongs to."""

    def __init__(self, query: QueryEmitter) -> None:
        self.query = query
        self.context = query.context
        self.written_through: tuple[str, str] | None = None
        self.steps: list[JoinStep] = []

    def clause(self, select: exp.Select) -> str:
        """`` FROM …`` with a leading space, or nothing."""
        from_ = select.args.get("from_")
        if from_ is None:
            return ""
        text = self.source(from_.this)
        for lateral in select.args.get("laterals") or []:
            text += f" CROSS JOIN {self.source(lateral)}"
        for join in select.args.get("joins") or []:
            # What stands on the left so far is what a lateral source may refer to.
            self.query.source_text = f" FROM {text}"
            text += self._join(join, text)
        return f" FROM {text}"

    def joins(self, joins: Sequence[exp.Expr]) -> str:
        return "".join(self._join(join) for join in joins)

    def _step(self, left: str, right: str, condition: str, join: exp.Expr) -> None:
        if left and self.context.is_probing:
            keeps = str(join.args.get("side") or "").upper() in ("RIGHT", "FULL")
            line = line_of(join.args.get("on") or join)
            self.steps.append(JoinStep(left, right, condition, keeps, line))

    def _join(self, join: exp.Expr, left: str = "") -> str:
        if isinstance(join.this, exp.Lateral):
            outer = not join.this.args.get("cross_apply")
            text = self.source(join.this)
            self._step(left, text.removeprefix("LATERAL "), "", join)
            return f" LEFT JOIN {text} ON TRUE" if outer else f" CROSS JOIN {text}"
        source = self.source(join.this)
        on = join.args.get("on")
        if on is None:
            return f" CROSS JOIN {source}"
        if join.args.get("using"):
            raise Refused("JOIN", "JOIN … USING is not T-SQL", line_of(join))
        side = str(join.args.get("side") or "").upper()
        word = {"": "JOIN", "LEFT": "LEFT JOIN", "RIGHT": "RIGHT JOIN", "FULL": "FULL JOIN"}[side]
        condition = self.query.expressions.predicate(on)
        self._step(left, source, condition, join)
        return f" {word} {source} ON {condition}"

    # --- one source -------------------------------------------------------------------------------

    def source(self, node: exp.Expr) -> str:
        match node:
            case exp.Table():
                text = self._table(node)
                joins = node.args.get("joins") or []
                return f"({text}{self.joins(joins)})" if joins else text
            case exp.Subquery() | exp.Paren() if isinstance(node.this, exp.Table):
                return self.source(node.this)
            case exp.Subquery():
                text = self.query.nested().query(node.this)
                return self._pivoted(node, f"({text})", columns_of(node.this), node.alias)
            case exp.Values():
                text = self.query.nested().query(node)
                return self._pivoted(node, f"({text})", columns_of(node), node.alias)
            case exp.Lateral():
                return self._lateral(node)
        raise Refused("FROM", f"{node.sql('tsql')[:60]} is not supported in FROM", line_of(node))

    def _aliased(self, text: str, alias: str, names: Sequence[str | None]) -> str:
        listed = ", ".join(quoted(name or f"c{n}") for n, name in enumerate(names, 1))
        return f"{text} AS {quoted(alias)}({listed})"

    def _table(self, node: exp.Table) -> str:
        if isinstance(node.this, exp.OpenJSON):
            return self._open_json(node, node.this)
        if isinstance(node.this, exp.Anonymous):
            return self._function(node, node.this, node)
        if node.args.get("version") is not None:
            raise Refused("FOR SYSTEM_TIME", "temporal tables are not supported", line_of(node))
        name = table_name(node)
        cte = self.query.cte(name.name) if not name.schema and not name.is_temporary else None
        if cte is not None:
            return self._pivoted_table(node, quoted(cte.name), node.alias or name.name)
        physical = self.context.table(name)
        if physical is not None:
            alias = node.alias or name.name
            return self._pivoted_table(node, self.physical(physical), alias)
        view = self.context.world.view_query(name)
        if view is not None:
            return self._view(node, name)
        raise Refused("table", f"{name} is not a table of the reference", line_of(node))

    def physical(self, physical: Physical) -> str:
        """A table as it is read: computed columns are worked out."""
        if not physical.computed:
            return quoted(physical.name)
        parts = []
        for column in physical.table.columns:
            if column.computed is None:
                parts.append(f"b.{quoted(column.name)}")
                continue
            tree = self.context.world.computed_tree(physical.table, column)
            fresh = type(self.query)(self.context)
            sql = convert(fresh.expressions.value(tree), type_of(tree), column.type)
            parts.append(f"{sql} AS {quoted(column.name)}")
        # The tree's columns are qualified with the table's own alias, b.
        return f"(SELECT {', '.join(parts)}, b.rowid AS {ROW_ID} FROM {quoted(physical.name)} AS b)"

    def _pivoted_table(self, node: exp.Expr, text: str, alias: str) -> str:
        if node.args.get("pivots"):
            return self._pivoted(node, text, None, alias)
        names = _listed(node)
        if names:
            return self._aliased(text, alias, names)
        return f"{text} AS {quoted(alias)}"

    def _view(self, node: exp.Table, name: ObjectName) -> str:
        view = self.context.world.view_query(name)
        assert view is not None
        table = self.context.world.schema.table(name)
        names = [c.name for c in (table.columns if table else view.columns)]
        emitter = type(self.query)(self.context)
        text = f"({emitter.query(view.tree)})"
        alias = node.alias or name.name
        if node.args.get("pivots"):
            shaped = f"(SELECT * FROM {self._aliased(text, 'vw', names)})"
            return self._pivoted(node, shaped, None, alias)
        return self._aliased(text, alias, _listed(node) or names)

    # --- writing through CTEs ---------------------------------------------------------------------

    def row_id(self, node: exp.Table) -> str:
        """The row id of a table of this query, for UPDATE and DELETE."""
        name = table_name(node)
        alias = quoted(node.alias or name.name)
        if not name.schema and not name.is_temporary and self.query.cte(name.name) is not None:
            return f"{alias}.{ROW_ID}"
        physical = self.context.table(name)
        if physical is not None and physical.computed:
            return f"{alias}.{ROW_ID}"
        return f"{alias}.rowid"

    def hidden_of(self, cte: exp.Expr) -> Sequence[str]:
        """The extra item of a CTE that is written through: its base table's row id."""
        target = self.written_through
        if target is None or cte.alias.lower() != target[0]:
            return ()
        inner = cte.this
        while isinstance(inner, exp.Subquery | exp.Paren):
            inner = inner.this
        base = base_table(inner, target[1])
        if base is None or inner.args.get("group") or inner.args.get("distinct"):
            raise Refused("UPDATE or DELETE", "this CTE cannot be written through", line_of(cte))
        emitter = self.query.nested()
        previous = self.query.cte(base.name) if not base.db else None
        if previous is not None:
            return (f"{quoted(base.alias or base.name)}.{ROW_ID}",)
        return (emitter.sources.row_id(base),)

    # --- APPLY, functions -------------------------------------------------------------------------

    def _lateral(self, node: exp.Lateral) -> str:
        inner = node.this
        if isinstance(inner, exp.Table) and isinstance(inner.this, exp.OpenJSON | exp.Anonymous):
            inner = inner.this
        match inner:
            case exp.Subquery():
                # A nested emitter sees the relations on the left by their aliases.
                text = self.query.nested().query(inner.this)
                names: list[str | None] = [*_listed(node)] or [
                    c.name for c in columns_of(inner.this)
                ]
                return f"LATERAL {self._aliased(f'({text})', node.alias, names)}"
            case exp.Anonymous():
                return f"LATERAL {self._function(node, inner, node)}"
            case exp.Dot() if isinstance(inner.expression, exp.Anonymous):
                if inner.expression.name.lower() == "nodes":
                    raise Refused("XML method", "nodes() is not supported", line_of(node))
                return f"LATERAL {self._function(node, inner.expression, inner)}"
            case exp.OpenJSON():
                return f"LATERAL {self._open_json(node, inner)}"
        raise Refused("APPLY", "this APPLY is not supported", line_of(node))

    def _function(self, node: exp.Expr, call: exp.Anonymous, qualified: exp.Expr) -> str:
        name = call.name.upper()
        alias = node.alias or call.name
        names = _listed(node)
        emitter = self.query.nested().expressions
        if name == "STRING_SPLIT":
            text = emitter.value(call.expressions[0])
            glue = emitter.value(call.expressions[1])
            body = (
                f"(SELECT unnest(string_split({text}, {glue})) AS c1, "
                f"generate_subscripts(string_split({text}, {glue}), 1) AS c2)"
            )
            return self._aliased(body, alias, names or ["value", "ordinal"])
        if name == "GENERATE_SERIES":
            return self._aliased(series(emitter, call), alias, names or ["value"])
        from core.interpreter.routines import table_function

        function = self.context.world.schema.function(function_name(call, qualified))
        if not isinstance(function, TableFunction):
            raise Refused("table function", f"{call.name} is not known", line_of(node))
        arguments: list[str | None] = []
        for index, parameter in enumerate(function.parameters):
            argument = call.expressions[index] if index < len(call.expressions) else None
            if argument is None or (isinstance(argument, exp.Var) and argument.name == "DEFAULT"):
                arguments.append(None)
            else:
                arguments.append(emitter.converted(argument, parameter.type))
        text = table_function(self.query, function, arguments, call, line_of(call))
        return self._aliased(f"({text})", alias, names or [c.name for c in function.columns])

    def _open_json(self, node: exp.Expr, call: exp.OpenJSON) -> str:
        """OPENJSON: the elements of an array or the members of an object."""
        from core.interpreter.json_tables import open_json

        body, names = open_json(self.query.nested(), call)
        return self._aliased(body, node.alias or "openjson", _listed(node) or names)

    # --- PIVOT, UNPIVOT ---------------------------------------------------------------------------

    def _pivoted(
        self,
        node: exp.Expr,
        text: str,
        columns: Sequence[OutputColumn] | None,
        alias: str,
    ) -> str:
        """A source turned by its PIVOT or UNPIVOT clauses, with its alias."""
        pivots = node.args.get("pivots") or []
        names = _listed(node)
        if columns is not None:
            text = self._aliased(text, alias, names or [c.name for c in columns])
        else:
            text = f"{text} AS {quoted(alias)}"
        if not pivots:
            return text
        for pivot in pivots:
            inputs: Sequence[OutputColumn] = pivot.meta[PIVOT_INPUT]
            turned = self._unpivot if pivot.args.get("unpivot") else self._pivot
            name = pivot.alias or alias
            text = f"({turned(pivot, text, alias, inputs)}) AS {quoted(name)}"
            alias = name
        return text

    def _pivot(self, pivot: exp.Expr, text: str, alias: str, inputs: Sequence[OutputColumn]) -> str:
        """One aggregate per listed value, filtered to the rows that have it."""
        field = pivot.args["fields"][0]
        aggregate = pivot.expressions[0]
        used = {column.name.lower() for column in aggregate.find_all(exp.Column)}
        used.add(field.this.name.lower())
        kept = [c for c in inputs if (c.name or "").lower() not in used]
        emitter = self.query.nested()
        items, keys = [], []
        for column in kept:
            sql = f"{quoted(alias)}.{quoted(column.name or '')}"
            key = emitter.expressions.fold(sql, column.type)
            keys.append(key)
            shown = f"first({sql})" if column.type.is_string else sql
            items.append(f"{shown} AS {quoted(column.name or '')}")
        label = next(c for c in inputs if (c.name or "").lower() == field.this.name.lower())
        source = f"{quoted(alias)}.{quoted(label.name or '')}"
        subject = emitter.expressions.fold(source, label.type)
        for value in field.expressions:
            wanted = convert(
                f"'{value.name.replace(chr(39), chr(39) * 2)}'", t.nvarchar(128), label.type
            )
            matches = f"{subject} = {emitter.expressions.fold(wanted, label.type)}"
            sql = _filtered(emitter, aggregate, matches)
            items.append(f"{sql} AS {quoted(value.name)}")
        group = f" GROUP BY {', '.join(keys)}" if keys else ""
        return f"SELECT {', '.join(items)} FROM {text}{group}"

    def _unpivot(
        self, pivot: exp.Expr, text: str, alias: str, inputs: Sequence[OutputColumn]
    ) -> str:
        """One row for each listed column that is not NULL."""
        field = pivot.args["fields"][0]
        names = [column.name for column in field.expressions]
        turned = {name.lower() for name in names}
        kept = [quoted(c.name or "") for c in inputs if (c.name or "").lower() not in turned]
        value, label = quoted(pivot.expressions[0].name), quoted(field.this.name)
        spelled = {(c.name or "").lower(): c.name or "" for c in inputs}
        parts = []
        for number, name in enumerate(names):
            shown = spelled[name.lower()].replace("'", "''")
            columns = ", ".join([*kept, f"{quoted(name)} AS {value}", f"'{shown}' AS {label}"])
            parts.append(
                f'SELECT {columns}, {number} AS "~n", row_number() OVER () AS "~r" FROM {text} '
            )
        listed = ", ".join([*kept, value, label])
        union = " UNION ALL ".join(parts)
        return f'SELECT {listed} FROM ({union}) AS un WHERE {value} IS NOT NULL ORDER BY "~r", "~n"'


def series(emitter: ExpressionEmitter, call: exp.Expr) -> str:
    """GENERATE_SERIES: down by default when it starts above its end; decimals keep their scale.

    ``functions/generate-series-transact-sql``
    """
    type_ = reduce(t.common_type, (type_of(argument) for argument in call.expressions))
    scale = type_.scale or 0 if type_.is_decimal else 0
    unit = f"(10::HUGEINT ** {scale})::HUGEINT"
    values = [
        f"CAST({emitter.converted(argument, type_)} * {unit} AS BIGINT)"
        for argument in call.expressions
    ]
    start, stop = values[:2]
    step = values[2] if len(values) > 2 else f"CASE WHEN {start} > {stop} THEN -1 ELSE 1 END"
    if len(values) == 2 and scale:
        step = f"({step}) * CAST({unit} AS BIGINT)"
    zero = raising(4199, "Argument value 0 is invalid for argument 3 of generate_series function.")
    long = raising(-2, "GENERATE_SERIES~a series of more than 10000000 rows is not made")
    numbers = (
        f"unnest(generate_series({start}, {stop}, CASE WHEN ({step}) = 0 THEN {zero} "
        f"WHEN abs(({stop})::HUGEINT - {start}) // abs({step}) > 10000000 THEN {long} "
        f"ELSE {step} END))"
    )
    storage = duckdb_storage(type_)
    if scale:
        return f"(SELECT CAST(s.n / {10**scale}::DECIMAL(38, 0) AS {storage}) AS c1 " + (
            f"FROM (SELECT {numbers} AS n) AS s)"
        )
    return f"(SELECT CAST({numbers} AS {storage}) AS c1)"


def _filtered(emitter: QueryEmitter, aggregate: exp.Expr, condition: str) -> str:
    """An aggregate over the rows that meet a condition."""
    name = aggregate.name.upper()
    arguments = list(aggregate.expressions)
    if name in ("COUNT", "COUNT_BIG"):
        if not arguments or isinstance(arguments[0], exp.Star):
            return f"CAST(count(*) FILTER (WHERE {condition}) AS INTEGER)"
        value = emitter.expressions.value(arguments[0])
        return f"CAST(count({value}) FILTER (WHERE {condition}) AS INTEGER)"
    source = arguments[0]
    sql = f"CASE WHEN {condition} THEN {emitter.expressions.value(source)} END"
    return aggregate_over(emitter.expressions, name, sql, type_of(source), type_of(aggregate))


def base_table(select: exp.Expr, wanted: str) -> exp.Table | None:
    """The table of a SELECT that holds the rows: the one called `wanted`, or the only one."""
    if not isinstance(select, exp.Select):
        return None
    from_ = select.args.get("from_")
    sources = [from_.this] if from_ is not None else []
    sources += [join.this for join in select.args.get("joins") or []]
    tables = [source for source in sources if isinstance(source, exp.Table)]
    if wanted:
        for table in tables:
            if (table.alias or table.name).lower() == wanted:
                return table
    return tables[0] if tables else None


def function_name(call: exp.Anonymous, qualified: exp.Expr) -> ObjectName:
    """The name of a table function as it is qualified."""
    if isinstance(qualified, exp.Table):
        return ObjectName(call.name, qualified.db or None, qualified.catalog or None)
    if isinstance(qualified, exp.Dot):
        parts = [part.name for part in qualified.this.find_all(exp.Identifier)]
        return ObjectName(call.name, parts[-1] if parts else None)
    return ObjectName(call.name)


def _listed(node: exp.Expr) -> list[str]:
    alias = node.args.get("alias")
    return [c.name for c in alias.columns] if isinstance(alias, exp.TableAlias) else []
