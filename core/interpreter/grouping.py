"""GROUP BY: keys and aggregates computed in an inner query, used as plain columns outside."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import TYPE_CHECKING

from sqlglot import ErrorLevel, exp

from core.interpreter.errors import Refused
from core.tsql import functions as built_in
from core.tsql.typing import line_of, type_of

if TYPE_CHECKING:
    from core.interpreter.queries import QueryEmitter

_CANONICAL = "interpreter_canonical"
_aliases = itertools.count(1)


def canonical(node: exp.Expr) -> str:
    """A text that equal expressions share: names fold their case, literals do not."""
    while isinstance(node, exp.Paren):
        node = node.this
    known = node.meta.get(_CANONICAL)
    if isinstance(known, str):
        return known
    copy = node.copy()
    for identifier in copy.find_all(exp.Identifier):
        identifier.set("this", identifier.name.lower())
        identifier.set("quoted", True)
    text = copy.sql("tsql", unsupported_level=ErrorLevel.IGNORE)
    node.meta[_CANONICAL] = text
    return text


def has_aggregates(select: exp.Select) -> bool:
    """Whether an aggregate of this very query (not of a subquery, not a window) occurs."""
    roots = list(select.expressions)
    order = select.args.get("order")
    if order is not None:
        roots.extend(order.expressions)
    return any(_has_aggregate(root) for root in roots)


def _has_aggregate(node: exp.Expr) -> bool:
    if isinstance(node, exp.Query):
        return False
    if isinstance(node, exp.Window):
        function = node.this
        while isinstance(function, exp.IgnoreNulls | exp.RespectNulls | exp.WithinGroup):
            function = function.this
        inner = [*function.expressions, *(node.args.get("partition_by") or [])]
        if (order := node.args.get("order")) is not None:
            inner.extend(order.expressions)
        return any(_has_aggregate(part) for part in inner)
    if isinstance(node, exp.Anonymous) and node.name.upper() in built_in.AGGREGATES:
        return True
    return any(_has_aggregate(child) for child in node.iter_expressions())


class Grouping:
    """The inner query of one grouped SELECT."""

    def __init__(self, query: QueryEmitter, group: exp.Expr | None, source: str) -> None:
        self.query = query
        self.alias = f"g{next(_aliases)}"
        self.source = source
        self.items: dict[str, str] = {}
        self.keys: dict[str, str] = {}
        self.folded: dict[str, str] = {}
        self._sets = _has_sets(group)
        self.clause = self._clause(group) if group is not None else ""

    def key(self, node: exp.Expr) -> str | None:
        """The column for an expression that is grouped by."""
        if not self.keys or isinstance(node, exp.Literal):
            return None
        return self.keys.get(canonical(node))

    def aggregate(self, node: exp.Expr) -> str:
        """The column for an aggregate, computed in the inner query."""
        call = node.this if isinstance(node, exp.WithinGroup) else node
        if call.name.upper() in ("GROUPING", "GROUPING_ID"):
            return self._item(self._grouping_call(call))
        return self._item(self.query.inner_aggregate(node))

    def _item(self, sql: str) -> str:
        for name, known in self.items.items():
            if known == sql:
                return f"{self.alias}.{name}"
        name = f"k{len(self.items) + 1}"
        self.items[name] = sql
        return f"{self.alias}.{name}"

    def finish(self, items: Sequence[str], condition: str, order: Sequence[str]) -> str:
        """The inner query with its alias, to stand in FROM."""
        columns = [f"{sql} AS {name}" for name, sql in self.items.items()] or ["1 AS k0"]
        return f"(SELECT {', '.join(columns)}{self.source}{self.clause}) AS {self.alias}"

    # --- the clause -------------------------------------------------------------------------------

    def _clause(self, group: exp.Expr) -> str:
        parts = [self._element(item) for item in group.expressions]
        for name in ("rollup", "cube", "grouping_sets"):
            for element in group.args.get(name) or []:
                if element.expressions:
                    parts.append(self._element(element))
                elif parts:
                    # GROUP BY a, b WITH ROLLUP
                    parts = [f"{name.upper()} ({', '.join(parts)})"]
        if group.args.get("totals"):
            raise Refused("GROUP BY", "this GROUP BY is not supported", line_of(group))
        return " GROUP BY " + ", ".join(parts) if parts else ""

    def _element(self, item: exp.Expr) -> str:
        if isinstance(item, exp.Rollup | exp.Cube | exp.GroupingSets):
            word = {exp.Rollup: "ROLLUP", exp.Cube: "CUBE"}.get(type(item), "GROUPING SETS")
            return f"{word} ({', '.join(self._element(part) for part in item.expressions)})"
        if isinstance(item, exp.Tuple):
            return f"({', '.join(self._element(part) for part in item.expressions)})"
        while isinstance(item, exp.Paren):
            item = item.this
        return self._key(item)

    def _key(self, node: exp.Expr) -> str:
        text = canonical(node)
        if text in self.folded:
            return self.folded[text]
        kept, self.query.grouping = self.query.grouping, None
        sql = self.query.expressions.value(node)
        self.query.grouping = kept
        type_ = type_of(node)
        strict = self.query.expressions.case_sensitive(node)
        key = self.query.expressions.fold(sql, type_, strict)
        self.folded[text] = key
        shown = sql
        if type_.is_string:
            shown = f"first({sql})"
            if self._sets:
                shown = f"CASE WHEN grouping({key}) = 1 THEN NULL ELSE first({sql}) END"
        self.keys[text] = self._item(shown)
        return key

    def _grouping_call(self, call: exp.Expr) -> str:
        keys = []
        for argument in call.expressions:
            key = self.folded.get(canonical(argument))
            if key is None:
                raise Refused(
                    call.name.upper(), "its argument is not in the GROUP BY clause", line_of(call)
                )
            keys.append(key)
        storage = "UTINYINT" if call.name.upper() == "GROUPING" else "INTEGER"
        if not self._sets:
            return f"0::{storage}"
        return f"CAST(grouping({', '.join(keys)}) AS {storage})"


def _has_sets(group: exp.Expr | None) -> bool:
    if group is None:
        return False
    if any(group.args.get(name) for name in ("rollup", "cube", "grouping_sets")):
        return True
    return any(
        isinstance(item, exp.Rollup | exp.Cube | exp.GroupingSets) for item in group.expressions
    )
