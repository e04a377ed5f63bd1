"""Built-in functions: which module writes which.

Each entry takes the emitter and the bound call and gives SQL of the call's own type. What is not
listed is refused by name.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from sqlglot import exp

from core.interpreter import functions_dates, functions_math, functions_system, functions_text
from core.interpreter.aggregates import aggregate
from core.interpreter.casts import Mode, convert
from core.interpreter.errors import Refused
from core.interpreter.naming import once
from core.tsql import functions as built_in
from core.tsql.types import INT
from core.tsql.typing import line_of, type_of

if TYPE_CHECKING:
    from core.interpreter.expressions import ExpressionEmitter

Writer = Callable[["ExpressionEmitter", exp.Expr], str]


def call(emitter: ExpressionEmitter, node: exp.Expr) -> str:
    """The SQL of a built-in call."""
    name = node.name.upper()
    if name in built_in.AGGREGATES:
        return aggregate(emitter, node)
    writer = _FUNCTIONS.get(name)
    if writer is None:
        raise Refused(name, f"the function {name} is not supported", line_of(node))
    return writer(emitter, node)


def _isnull(emitter: ExpressionEmitter, node: exp.Expr) -> str:
    """ISNULL: the second value becomes the type, and the length, of the first."""
    target = type_of(node)
    first = emitter.converted(node.expressions[0], target)
    second = emitter.converted(node.expressions[1], target)
    return f"coalesce({first}, {second})"


def _coalesce(emitter: ExpressionEmitter, node: exp.Expr) -> str:
    target = type_of(node)
    return f"coalesce({', '.join(emitter.converted(a, target) for a in node.expressions)})"


def _nullif(emitter: ExpressionEmitter, node: exp.Expr) -> str:
    first, second = node.expressions
    equal = emitter.compare(first, second, "=")
    return f"CASE WHEN {equal} THEN NULL ELSE {emitter.converted(first, type_of(node))} END"


def _iif(emitter: ExpressionEmitter, node: exp.Expr) -> str:
    condition, yes, no = node.expressions
    target = type_of(node)
    return (
        f"CASE WHEN {emitter.predicate(condition)} THEN {emitter.converted(yes, target)} "
        f"ELSE {emitter.converted(no, target)} END"
    )


def _choose(emitter: ExpressionEmitter, node: exp.Expr) -> str:
    target = type_of(node)
    index, *values = node.expressions
    picked = " ".join(
        f"WHEN {number} THEN {emitter.converted(value, target)}"
        for number, value in enumerate(values, 1)
    )
    return f"CASE {emitter.converted(index, INT, Mode.EXPLICIT)} {picked} END"


def _extreme(function: str) -> Writer:
    def write(emitter: ExpressionEmitter, node: exp.Expr) -> str:
        target = type_of(node)
        values = [emitter.converted(value, target) for value in node.expressions]
        if not target.is_string:
            return f"{function}({', '.join(values)})"
        order = "list_sort" if function == "least" else "list_reverse_sort"
        pairs = ", ".join(f"struct_pack(k := ts_ci({v}), v := {v})" for v in values)
        known = f"list_filter([{pairs}], lambda p: p.v IS NOT NULL)"
        return f"{order}({known})[1].v"

    return write


def _parse(emitter: ExpressionEmitter, node: exp.Expr) -> str:
    """PARSE and TRY_PARSE without a culture, or with en-US."""
    if len(node.expressions) > 2 and node.expressions[2].name.lower() not in ("en-us", ""):
        raise Refused(
            "PARSE", "PARSE in a culture other than en-US is not supported", line_of(node)
        )
    mode = Mode.TRY if node.name.upper() == "TRY_PARSE" else Mode.EXPLICIT
    value = node.expressions[0]
    target = type_of(node)
    sql = emitter.value(value)
    if target.is_numeric:
        cleaned = f"replace({sql}, ',', '')"
        blank = once(cleaned, lambda v: f"CASE WHEN trim({v}) = '' THEN 'x' ELSE {v} END")
        return convert(blank, type_of(value), target, mode)
    return convert(sql, type_of(value), target, mode)


_FUNCTIONS: dict[str, Writer] = {
    "ISNULL": _isnull,
    "COALESCE": _coalesce,
    "NULLIF": _nullif,
    "IIF": _iif,
    "CHOOSE": _choose,
    "GREATEST": _extreme("greatest"),
    "LEAST": _extreme("least"),
    "PARSE": _parse,
    "TRY_PARSE": _parse,
    **functions_text.FUNCTIONS,
    **functions_math.FUNCTIONS,
    **functions_dates.FUNCTIONS,
    **functions_system.FUNCTIONS,
}

#: Names that can be executed, for the scan before a run.
SUPPORTED = frozenset(_FUNCTIONS) | built_in.AGGREGATES | built_in.WINDOW_ONLY
