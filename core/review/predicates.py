"""Conditions taken apart into atoms that read the same in T-SQL and in DuckDB."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from sqlglot import exp

from core.review.shape import Lineage, Predicate
from core.tsql.leaves import line_of

_COMPARISONS: dict[type[exp.Expr], str] = {
    exp.EQ: "eq",
    exp.NEQ: "neq",
    exp.GT: "gt",
    exp.GTE: "gte",
    exp.LT: "lt",
    exp.LTE: "lte",
    exp.Like: "like",
    exp.ILike: "like",
    exp.NullSafeEQ: "same",
    exp.NullSafeNEQ: "differs",
}
_NEGATED = {
    "eq": "neq",
    "neq": "eq",
    "gt": "lte",
    "lte": "gt",
    "lt": "gte",
    "gte": "lt",
    "like": "notlike",
    "notlike": "like",
    "isnull": "notnull",
    "notnull": "isnull",
    "same": "differs",
    "differs": "same",
}
_FLIPPED = {"gt": "lt", "lt": "gt", "gte": "lte", "lte": "gte"}

_TRANSPARENT = (
    exp.Paren,
    exp.Cast,
    exp.TryCast,
    exp.Convert,
    exp.Upper,
    exp.Lower,
    exp.Trim,
    exp.Collate,
    exp.Alias,
)
"""Wrappers that do not change which constant a column is compared with (case and blanks aside)."""

_TRANSPARENT_CALLS = frozenset({"upper", "lower", "trim", "ltrim", "rtrim"})

Trace = Callable[[exp.Expr], Lineage]


def conjuncts(condition: exp.Expr | None) -> Iterator[exp.Expr]:
    """The parts of a condition that all have to hold."""
    if condition is None:
        return
    condition = condition.unnest()
    if isinstance(condition, exp.And):
        yield from conjuncts(condition.this)
        yield from conjuncts(condition.expression)
    else:
        yield condition


def atoms(
    condition: exp.Expr, *, negated: bool = False, soft: bool = False
) -> Iterator[tuple[exp.Expr, bool, bool]]:
    """Every atomic condition in a boolean tree as ``(atom, negated, soft)``.

    ``NOT (a AND b)`` and ``(a) is not true`` make their atoms soft: they say which rows are
    *not* meant, which the other side may express by a group of its own.
    """
    condition = condition.unnest()
    if isinstance(condition, exp.And | exp.Or):
        yield from atoms(condition.this, negated=negated, soft=soft or negated)
        yield from atoms(condition.expression, negated=negated, soft=soft or negated)
    elif isinstance(condition, exp.Not):
        inner = condition.this.unnest()
        if isinstance(inner, exp.Is) and isinstance(inner.expression, exp.Boolean):
            yield from atoms(inner.this, negated=negated, soft=True)
        else:
            yield from atoms(inner, negated=not negated, soft=soft)
    elif isinstance(condition, exp.Is) and isinstance(condition.expression, exp.Boolean):
        yield from atoms(condition.this, negated=negated, soft=True)
    else:
        yield condition, negated, soft


def predicates_of(
    atom: exp.Expr, trace: Trace, *, negated: bool, soft: bool
) -> Iterator[Predicate]:
    """The comparable facts of one atom: IN lists and BETWEEN fall apart into comparisons."""
    line, text = line_of(atom), atom.sql()[:160]
    negated ^= bool(atom.args.get("negate"))  # sqlglot's other spelling of NOT LIKE

    def fact(columns: Lineage, operator: str, literals: tuple[str, ...] | None) -> Predicate:
        name = _NEGATED.get(operator, operator) if negated else operator
        return Predicate(columns, name, literals, soft, line, text)

    if isinstance(atom, exp.In) and not atom.args.get("query"):
        for item in atom.expressions:
            yield fact(*_comparison(atom.this, item, "eq", trace))
    elif isinstance(atom, exp.Between):
        yield fact(*_comparison(atom.this, atom.args["low"], "gte", trace))
        yield fact(*_comparison(atom.this, atom.args["high"], "lte", trace))
    elif isinstance(atom, exp.Is):
        operator = "isnull" if isinstance(atom.expression, exp.Null) else "is"
        yield fact(trace(atom.this), operator, ())
    elif type(atom) in _COMPARISONS:
        yield fact(*_comparison(atom.this, atom.expression, _COMPARISONS[type(atom)], trace))
    elif not atom.find(exp.Select):
        yield fact(trace(atom), "other", None)


def _comparison(
    left: exp.Expr, right: exp.Expr, operator: str, trace: Trace
) -> tuple[Lineage, str, tuple[str, ...] | None]:
    left_columns, right_columns = trace(left), trace(right)
    if not left_columns and right_columns:
        left, right = right, left
        operator = _FLIPPED.get(operator, operator)
    elif left_columns and right_columns and sorted(left_columns) > sorted(right_columns):
        operator = _FLIPPED.get(operator, operator)
    literals = _literals(left, right)
    return left_columns | right_columns, operator, literals


def _literals(left: exp.Expr, right: exp.Expr) -> tuple[str, ...] | None:
    if not isinstance(bare(left), exp.Column):
        return None
    value = bare(right)
    if isinstance(value, exp.Column):
        return ()
    constant = constant_text(value)
    return None if constant is None else (constant,)


def bare(node: exp.Expr) -> exp.Expr:
    """The expression inside casts, case folding, trimming and parentheses."""
    while True:
        if isinstance(node, _TRANSPARENT):
            node = node.this
        elif function_name(node) in _TRANSPARENT_CALLS and len(node.expressions) == 1:
            node = node.expressions[0]
        else:
            return node


_SAME_FUNCTION = {
    "count_big": "count",
    "groupconcat": "string_agg",
    "listagg": "string_agg",
    "arrayagg": "string_agg",
    "rownumber": "row_number",
    "denserank": "dense_rank",
    "stdev": "stddev",
}


def function_name(node: exp.Expr) -> str:
    """The lower-case name of a call in one spelling, empty when the node is no call.

    T-SQL leaves keep built-in calls as ``Anonymous``; the model's tree has a class for each.
    """
    if isinstance(node, exp.Anonymous):
        name = str(node.this).casefold()
    elif isinstance(node, exp.Func):
        name = type(node).__name__.casefold()
    else:
        return ""
    return _SAME_FUNCTION.get(name, name)


def constant_text(node: exp.Expr) -> str | None:
    """A constant in one spelling for both dialects; ``None`` when it is not a plain constant.

    Text that looks like a date is left vague: the dialects write dates differently.
    """
    if isinstance(node, exp.Neg):
        inner = constant_text(node.this)
        return None if inner is None else f"-{inner}"
    if isinstance(node, exp.National):
        return str(node.this).casefold().rstrip()
    if isinstance(node, exp.Boolean):
        return "1" if node.this else "0"
    if not isinstance(node, exp.Literal):
        return None
    text = str(node.this)
    if node.is_string:
        looks_dated = len(text) >= 8 and text[:4].isdigit() and not text.isalpha()
        return None if looks_dated else text.casefold().rstrip()
    return text.rstrip("0").rstrip(".") if "." in text else text
