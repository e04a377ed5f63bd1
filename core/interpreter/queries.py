"""Bound queries as DuckDB SQL.

Every query is written with columns ``c1 … cn``, converted to the types asked for; whoever uses it
gives the names (``(…) AS t("a", "b")``). Grouping happens in an inner query that computes keys and
aggregates, so that everything around it works on plain columns; text groups by its collation and
shows the spelling of one of its rows.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from sqlglot import exp

from core.interpreter.aggregates import aggregate_sql, order_key
from core.interpreter.casts import Mode, convert
from core.interpreter.context import Context
from core.interpreter.errors import Refused, SqlError, raising
from core.interpreter.expressions import ExpressionEmitter, fold
from core.interpreter.grouping import Grouping, canonical, has_aggregates
from core.interpreter.naming import quoted
from core.interpreter.probes import having_probes, row_probes, value_probes
from core.interpreter.sources import SourceEmitter
from core.tsql import types as t
from core.tsql.binding import columns_of, is_output_reference
from core.tsql.scope import OutputColumn
from core.tsql.types import SqlType
from core.tsql.typing import line_of, type_of

if TYPE_CHECKING:
    from core.interpreter.probes import Probe


class QueryEmitter:
    """Writes queries of one scope; `parent` is the query around it."""

    def __init__(self, context: Context, parent: QueryEmitter | None = None) -> None:
        self.context = context
        self.parent = parent
        self.expressions = ExpressionEmitter(self)
        self.sources = SourceEmitter(self)
        self.grouping: Grouping | None = None
        self.ctes: dict[str, CteShape] = {}
        self.with_text = ""
        self.source_text = ""

    # --- scopes -----------------------------------------------------------------------------------

    def nested(self) -> QueryEmitter:
        """An emitter for a query inside this one."""
        return QueryEmitter(self.context, self)

    def cte(self, name: str) -> CteShape | None:
        """The CTE of that name that is visible here."""
        emitter: QueryEmitter | None = self
        while emitter is not None:
            if name.lower() in emitter.ctes:
                return emitter.ctes[name.lower()]
            emitter = emitter.parent
        return None

    def prefix(self) -> str:
        """The WITH clause that makes the CTEs visible here known to a query of its own."""
        emitter: QueryEmitter | None = self
        while emitter is not None:
            if emitter.with_text:
                return emitter.with_text
            emitter = emitter.parent
        return ""

    def outer_source(self) -> str:
        """The FROM clauses of the queries around this one, as far as they are written."""
        found = []
        emitter = self.parent
        while emitter is not None:
            if emitter.source_text:
                found.append(emitter.source_text.removeprefix(" FROM "))
            emitter = emitter.parent
        return f" FROM {', '.join(reversed(found))}" if found else ""

    def replaced(self, node: exp.Expr) -> str | None:
        """The column a grouped query gives for an expression it groups by."""
        emitter: QueryEmitter | None = self
        while emitter is not None:
            if emitter.grouping is not None:
                found = emitter.grouping.key(node)
                if found is not None:
                    return found
            emitter = emitter.parent
        return None

    # --- entry points -----------------------------------------------------------------------------

    def query(
        self,
        query: exp.Expr,
        types: Sequence[SqlType] | None = None,
        *,
        extra: Sequence[str] = (),
        modes: Sequence[tuple[Mode, str]] | None = None,
    ) -> str:
        """A query with columns c1 … cn of `types` (default: its own), then the `extra` SQL items.

        `modes` says how each column is converted (an assignment checks lengths).
        """
        while isinstance(query, exp.Subquery | exp.Paren) and not query.args.get("order"):
            query = query.this
        own = columns_of(query)
        wanted = list(types) if types is not None else [column.type for column in own]
        with_ = self._ctes(query)
        match query:
            case exp.Select():
                text = self._select(query, wanted, extra, modes)
            case exp.SetOperation():
                text = self._set_operation(query, wanted)
            case exp.Values():
                text = self._values(query, wanted, modes)
            case exp.Subquery():
                text = self._ordered(self.nested().query(query.this, wanted), query, own)
            case _:
                raise Refused("query", f"{type(query).__name__} is not a query", line_of(query))
        return with_ + text

    def column_type(self, query: exp.Expr) -> SqlType:
        return columns_of(query)[0].type

    def scalar(self, query: exp.Expr, type_: SqlType) -> str:
        """A query used as a value."""
        inner = query
        while isinstance(inner, exp.Subquery | exp.Paren):
            inner = inner.this
        if inner.meta.get("tsql_for_xml") is not None:
            return self.xml_text(inner, escaped=True)
        return self.query(inner, [type_])

    def comparable(self, query: exp.Expr, type_: SqlType, strict: bool | None = None) -> str:
        """A one-column query whose column is folded for comparison."""
        text = self.query(query, [type_])
        if not type_.is_string:
            return text
        sensitive = self.context.case_sensitive if strict is None else strict
        return f"SELECT {fold('s.c1', type_, sensitive)} FROM ({text}) AS s"

    def existence(self, query: exp.Expr) -> str:
        return self.query(query)

    # --- SELECT -----------------------------------------------------------------------------------

    def _select(
        self,
        select: exp.Select,
        types: Sequence[SqlType],
        extra: Sequence[str],
        modes: Sequence[tuple[Mode, str]] | None,
    ) -> str:
        if select.args.get("for_") and select.meta.get("tsql_for_xml") is not None:
            raise Refused("FOR XML", "FOR XML here is not supported", line_of(select))
        source = self.sources.clause(select)
        where = select.args.get("where")
        self.source_text = source
        condition = f" WHERE {self.expressions.predicate(where.this)}" if where else ""
        probing = self.context.is_probing
        if probing:
            self._note(row_probes(self, select, source))
        group, having = select.args.get("group"), select.args.get("having")
        if group is not None or having is not None or has_aggregates(select):
            if probing:
                self._note(value_probes(self, select, source, condition, inside=True))
            self.grouping = Grouping(self, group, source + condition)
            items = self._items(select, types, modes)
            condition = f" WHERE {self.expressions.predicate(having.this)}" if having else ""
            order = self._order_keys(select, items)
            if probing:
                self._probe_groups(select, condition)
            source = f" FROM {self.grouping.finish(items, condition, order)}"
        else:
            if probing:
                self._note(value_probes(self, select, source, condition, inside=False))
            items = self._items(select, types, modes)
            order = self._order_keys(select, items)
        columns = [*(f"{sql} AS c{number}" for number, sql in enumerate(items, 1)), *extra]
        head = f"SELECT {', '.join(columns)}"
        body = f"{source}{condition}"
        if select.args.get("distinct"):
            return self._distinct(select, f"{head}{body}", items, types)
        return self._limited(select, head, body, order, len(items))

    def _note(self, probes: Iterable[Probe]) -> None:
        self.context.is_probing = False  # the probes' own subqueries are counted already
        self.context.collected.probes.extend(probes)
        self.context.is_probing = True

    def _probe_groups(self, select: exp.Select, condition: str) -> None:
        assert self.grouping is not None
        groups = f" FROM {self.grouping.finish((), '', ())}"
        having = select.args.get("having")
        if having is not None:
            self._note(having_probes(self, having.this, groups))
        self._note(value_probes(self, select, groups, condition, inside=False))

    def _items(
        self,
        select: exp.Select,
        types: Sequence[SqlType],
        modes: Sequence[tuple[Mode, str]] | None,
    ) -> list[str]:
        items = []
        for index, projection in enumerate(select.expressions):
            value = projection.this if isinstance(projection, exp.Alias) else projection
            mode, place = modes[index] if modes else (Mode.IMPLICIT, "")
            items.append(self.expressions.converted(value, types[index], mode, place))
        return items

    def _order_keys(self, select: exp.Select, items: Sequence[str]) -> list[str]:
        order = select.args.get("order")
        if order is None:
            return []
        keys = []
        for item in order.expressions:
            target = item.this
            position = self._output_position(select, target)
            if position is not None:
                shown = select.expressions[position]
                inner = shown.this if isinstance(shown, exp.Alias) else shown
                key = order_key(self.expressions, item, target=inner)
                keys.append(key)
            elif isinstance(target, exp.Subquery) and not target.find(exp.From):
                continue
            else:
                keys.append(order_key(self.expressions, item))
        return keys

    def _output_position(self, select: exp.Select, target: exp.Expr) -> int | None:
        if isinstance(target, exp.Literal) and not target.is_string and target.name.isdecimal():
            return int(target.name) - 1
        if isinstance(target, exp.Column) and is_output_reference(target):
            for index, projection in enumerate(select.expressions):
                if (projection.alias_or_name or "").lower() == target.name.lower():
                    return index
        return None

    def _distinct(
        self, select: exp.Select, text: str, items: Sequence[str], types: Sequence[SqlType]
    ) -> str:
        keys = [
            fold(f"d.c{number}", type_, self.context.case_sensitive)
            for number, type_ in enumerate(types, 1)
        ]
        order = []
        positions = {canonical(_bare(p)): n for n, p in enumerate(select.expressions, 1)}
        clause = select.args.get("order")
        for item in clause.expressions if clause is not None else ():
            index = self._output_position(select, item.this)
            number = positions.get(canonical(item.this)) if index is None else index + 1
            if number is None:
                raise SqlError(
                    145,
                    "ORDER BY items must appear in the select list if SELECT DISTINCT is "
                    "specified.",
                    severity=15,
                    line=line_of(item),
                )
            order.append(order_key(self.expressions, item, f"d.c{number}"))
        textual = any(type_.is_string for type_ in types)
        names = ", ".join(f"d.c{number}" for number in range(1, len(items) + 1))
        head = (
            f"SELECT DISTINCT ON ({', '.join(keys)}) {names}"
            if textual
            else (f"SELECT DISTINCT {names}")
        )
        return self._limited(select, head, f" FROM ({text}) AS d", order, len(items))

    def _limited(
        self, query: exp.Expr, head: str, body: str, order: Sequence[str], width: int
    ) -> str:
        """ORDER BY with TOP or OFFSET … FETCH."""
        limit, offset = query.args.get("limit"), query.args.get("offset")
        ordering = f" ORDER BY {', '.join(order)}" if order else ""
        if limit is None and offset is None:
            return f"{head}{body}{ordering}"
        if limit is not None and not order:
            self._flag_top(limit, query)
        options = limit.args.get("limit_options") if limit is not None else None
        count = self._count(limit)
        percent = bool(options is not None and options.args.get("percent"))
        ties = bool(options is not None and options.args.get("with_ties"))
        if percent or ties:
            return self._top_special(head, body, order, count, width, percent, ties)
        text = f"{head}{body}{ordering}"
        if count:
            text += f" LIMIT {count}"
        if offset is not None:
            text += f" OFFSET {self.expressions.converted(offset.expression, t.BIGINT)}"
        return text

    def _flag_top(self, limit: exp.Expr, query: exp.Expr) -> None:
        count = limit.args.get("expression")
        if isinstance(count, exp.Literal) and count.name == "0":
            return
        inside_exists = isinstance(query.parent, exp.Exists)
        if not inside_exists:
            self.context.find(
                "top_without_order",
                "TOP without ORDER BY: which rows are taken is not determined",
                line_of(query),
            )

    def _count(self, limit: exp.Expr | None) -> str:
        if limit is None:
            return ""
        count = limit.args.get("expression") or limit.args.get("count")
        if not isinstance(count, exp.Expr):
            return ""
        options = limit.args.get("limit_options")
        if options is not None and options.args.get("percent"):
            return self.expressions.converted(count, t.FLOAT)
        bad = raising(1060, "The number of rows provided for a TOP or FETCH clause is not valid.")
        value = self.expressions.converted(count, t.BIGINT, Mode.EXPLICIT)
        if isinstance(count, exp.Literal):
            return value
        return f"(CASE WHEN {value} < 0 THEN {bad} ELSE {value} END)"

    def _top_special(
        self,
        head: str,
        body: str,
        order: Sequence[str],
        count: str,
        width: int,
        percent: bool,
        ties: bool,
    ) -> str:
        """PERCENT rounds up; WITH TIES takes every row that ties with the last one."""
        over = f"ORDER BY {', '.join(order)}" if order else ""
        names = ", ".join(f"q.c{number}" for number in range(1, width + 1))
        inner = (
            f"{head}, {'rank' if ties else 'row_number'}() OVER ({over}) AS tk, "
            f"row_number() OVER ({over}) AS tr, count(*) OVER () AS tn{body}"
        )
        wanted = f"ceil(q.tn * ({count}) / 100.0)" if percent else f"({count})"
        return f"SELECT {names} FROM ({inner}) AS q WHERE q.tk <= {wanted} ORDER BY q.tr"

    # --- set operations, VALUES -------------------------------------------------------------------

    def _set_operation(self, query: exp.SetOperation, types: Sequence[SqlType]) -> str:
        own = [column.type for column in columns_of(query)]
        left = self.nested().query(query.this, own)
        right = self.nested().query(query.expression, own)
        strict = self.context.case_sensitive
        names = ", ".join(f"u.c{number}" for number in range(1, len(own) + 1))
        keys = [fold(f"u.c{n}", type_, strict) for n, type_ in enumerate(own, 1)]
        distinct = f"SELECT DISTINCT ON ({', '.join(keys)}) {names}"
        if isinstance(query, exp.Union):
            text = f"({left}) UNION ALL ({right})"
            if query.args.get("distinct"):
                text = f"{distinct} FROM ({text}) AS u"
        else:
            word = "NOT EXISTS" if isinstance(query, exp.Except) else "EXISTS"
            same = " AND ".join(
                f"{fold(f'u.c{n}', type_, strict)} IS NOT DISTINCT FROM "
                f"{fold(f'w.c{n}', type_, strict)}"
                for n, type_ in enumerate(own, 1)
            )
            text = (
                f"{distinct} FROM ({left}) AS u WHERE {word} "
                f"(SELECT 1 FROM ({right}) AS w WHERE {same})"
            )
        if query.args.get("order") or query.args.get("limit") or query.args.get("offset"):
            text = self._ordered(text, query, columns_of(query))
        if list(types) != own:
            items = ", ".join(
                f"{convert(f'y.c{n}', source, target)} AS c{n}"
                for n, (source, target) in enumerate(zip(own, types, strict=True), 1)
            )
            text = f"SELECT {items} FROM ({text}) AS y"
        return text

    def _ordered(self, text: str, query: exp.Expr, columns: Sequence[OutputColumn]) -> str:
        """ORDER BY, TOP and OFFSET of a whole set operation: by output column or position."""
        keys = []
        order = query.args.get("order")
        for item in order.expressions if order is not None else ():
            target = item.this
            if isinstance(target, exp.Literal) and target.name.isdecimal():
                number = int(target.name)
            else:
                names = [(column.name or "").lower() for column in columns]
                if target.name.lower() not in names:
                    raise Refused(
                        "ORDER BY", "ORDER BY of a set operation needs a column", line_of(item)
                    )
                number = names.index(target.name.lower()) + 1
            key = fold(f"o.c{number}", columns[number - 1].type, self.context.case_sensitive)
            keys.append(f"{key} DESC NULLS LAST" if item.args.get("desc") else f"{key} NULLS FIRST")
        listed = ", ".join(f"o.c{number}" for number in range(1, len(columns) + 1))
        return self._limited(query, f"SELECT {listed}", f" FROM ({text}) AS o", keys, len(columns))

    def _values(
        self,
        values: exp.Values,
        types: Sequence[SqlType],
        modes: Sequence[tuple[Mode, str]] | None,
    ) -> str:
        rows = []
        for number, row in enumerate(values.expressions):
            self.context.row = number
            cells = row.expressions if isinstance(row, exp.Tuple) else [row]
            written = []
            for index, cell in enumerate(cells):
                mode, place = modes[index] if modes else (Mode.IMPLICIT, "")
                written.append(
                    convert(
                        self.expressions.value(cell), type_of(cell), types[index], mode, place=place
                    )
                )
            rows.append(f"({', '.join(written)})")
        self.context.row = None
        names = ", ".join(f"c{number}" for number in range(1, len(types) + 1))
        return f"SELECT {names} FROM (VALUES {', '.join(rows)}) AS v({names})"

    # --- CTEs -------------------------------------------------------------------------------------

    def _ctes(self, query: exp.Expr) -> str:
        with_ = query.args.get("with_")
        return self.cte_clause(with_) if with_ is not None else ""

    def cte_clause(self, with_: exp.Expr) -> str:
        """``WITH …`` with a space behind it; the CTEs are visible in this emitter from now on."""
        from core.interpreter.recursion import is_recursive, recursive_cte

        parts = []
        recursive = False
        for cte in with_.expressions:
            columns = columns_of(cte.this)
            names = [name.name for name in cte.args["alias"].columns] or [
                column.name or f"c{number}" for number, column in enumerate(columns, 1)
            ]
            name = cte.alias
            if is_recursive(cte):
                recursive = True
                parts.append(recursive_cte(self, cte, names))
                continue
            extra = self.sources.hidden_of(cte)
            text = self.nested().query(cte.this, extra=extra)
            listed = [quoted(n) for n in names] + ['"~rid"'] * bool(extra)
            self.ctes[name.lower()] = CteShape(name, bool(extra))
            parts.append(f"{quoted(name)}({', '.join(listed)}) AS ({text})")
        self.with_text = f"WITH {'RECURSIVE ' if recursive else ''}{', '.join(parts)} "
        return self.with_text

    # --- FOR XML ----------------------------------------------------------------------------------

    def xml_text(self, query: exp.Expr, *, escaped: bool) -> str:
        from core.interpreter.xml import xml_aggregate

        inner = query
        while isinstance(inner, exp.Subquery | exp.Paren):
            inner = inner.this
        mark = inner.meta.get("tsql_for_xml")
        if mark is not None and mark.language == "JSON":
            from core.interpreter.for_json import json_document

            return json_document(self, inner)
        return xml_aggregate(self, inner, escaped=escaped)

    def inner_aggregate(self, node: exp.Expr) -> str:
        """An aggregate written at the level of the rows, outside of the grouping."""
        kept, self.grouping = self.grouping, None
        try:
            return aggregate_sql(self.expressions, node)
        finally:
            self.grouping = kept


class CteShape:
    """A CTE in scope; `has_row_id` tells that it carries the row ids of its base table."""

    def __init__(self, name: str, has_row_id: bool = False) -> None:
        self.name = name
        self.has_row_id = has_row_id


def _bare(node: exp.Expr) -> exp.Expr:
    return node.this if isinstance(node, exp.Alias) else node
