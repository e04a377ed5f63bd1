"""Small constructors of target trees, so that rules read like the SQL they make."""

from __future__ import annotations

from functools import lru_cache

import sqlglot
from sqlglot import exp


def fn(name: str, *arguments: exp.Expr | str | int) -> exp.Anonymous:
    """``name(arguments…)``; a str argument is a string literal, an int a number."""
    return exp.Anonymous(this=name, expressions=[as_tree(argument) for argument in arguments])


def as_tree(value: exp.Expr | str | int) -> exp.Expr:
    """A tree for a Python value."""
    if isinstance(value, exp.Expr):
        return value
    if isinstance(value, str):
        return text(value)
    return number(value)


def text(value: str) -> exp.Literal:
    """A string literal."""
    return exp.Literal(this=value, is_string=True)


def number(value: int | str) -> exp.Expr:
    """A number literal; negative ones as a negation."""
    digits = str(value)
    if digits.startswith("-"):
        return exp.Neg(this=exp.Literal(this=digits[1:], is_string=False))
    return exp.Literal(this=digits, is_string=False)


def cast(value: exp.Expr, to: str | exp.DataType) -> exp.Cast:
    """``cast(value as to)``."""
    return exp.Cast(this=value, to=data_type(to))


def try_cast(value: exp.Expr, to: str | exp.DataType) -> exp.TryCast:
    """``try_cast(value as to)``."""
    return exp.TryCast(this=value, to=data_type(to))


def data_type(to: str | exp.DataType) -> exp.DataType:
    """A DuckDB type from its text."""
    if isinstance(to, exp.DataType):
        return to.copy()
    cached = _TYPES.get(to)
    if cached is None:
        cached = _TYPES[to] = exp.DataType.build(to, dialect="duckdb")
    return cached.copy()


_TYPES: dict[str, exp.DataType] = {}

_ATOMS = (
    exp.Column,
    exp.Literal,
    exp.Anonymous,
    exp.Cast,
    exp.TryCast,
    exp.Case,
    exp.Paren,
    exp.Subquery,
    exp.Null,
    exp.Placeholder,
    exp.Parameter,
    exp.Var,
    exp.Window,
    exp.Interval,
    exp.Func,
)


_LEVELS: dict[type[exp.Expr], int] = {
    exp.Add: 1,
    exp.Sub: 1,
    exp.Mul: 2,
    exp.Div: 2,
    exp.IntDiv: 2,
    exp.Mod: 2,
}
"""How tightly the arithmetic operators bind; all of them associate to the left."""


def wrap(value: exp.Expr) -> exp.Expr:
    """The value in parentheses, unless it binds tightly already."""
    if isinstance(value, _ATOMS):
        return value
    if isinstance(value, exp.Neg) and isinstance(value.this, exp.Column | exp.Literal):
        return value
    return exp.Paren(this=value)


def operand(value: exp.Expr) -> exp.Expr:
    """The value as an operand of a comparison: arithmetic and ``||`` bind tighter and stay bare."""
    if type(value) in _LEVELS or isinstance(value, exp.DPipe):
        return value
    return wrap(value)


def binary(
    kind: type[exp.Binary], left: exp.Expr | str | int, right: exp.Expr | str | int
) -> exp.Expr:
    """``left kind right``, operands in parentheses where precedence asks for them."""
    first, second = as_tree(left), as_tree(right)
    level = _LEVELS.get(kind)
    if level is not None and _LEVELS.get(type(first), 0) >= level:
        left_tree = first
    else:
        left_tree = wrap(first)
    if level is not None and _LEVELS.get(type(second), 0) > level:
        right_tree = second
    else:
        right_tree = wrap(second)
    return kind(this=left_tree, expression=right_tree)


def add(left: exp.Expr | int, right: exp.Expr | int) -> exp.Expr:
    """``left + right``."""
    return binary(exp.Add, left, right)


def sub(left: exp.Expr | int, right: exp.Expr | int) -> exp.Expr:
    """``left - right``."""
    return binary(exp.Sub, left, right)


def mul(left: exp.Expr | int, right: exp.Expr | int) -> exp.Expr:
    """``left * right``."""
    return binary(exp.Mul, left, right)


def int_div(left: exp.Expr | int, right: exp.Expr | int) -> exp.Expr:
    """``left // right``: truncates toward zero, raises on zero."""
    return binary(exp.IntDiv, left, right)


def mod(left: exp.Expr | int, right: exp.Expr | int) -> exp.Expr:
    """``left % right``."""
    return binary(exp.Mod, left, right)


def concat(*parts: exp.Expr | str) -> exp.Expr:
    """``a || b || c``."""
    trees = [as_tree(part) for part in parts]
    result = trees[0]
    for tree in trees[1:]:
        left = result if isinstance(result, exp.DPipe) else wrap(result)
        result = exp.DPipe(this=left, expression=wrap(tree), safe=False)
    return result


def eq(left: exp.Expr, right: exp.Expr | str | int) -> exp.Expr:
    """``left = right``."""
    return exp.EQ(this=operand(left), expression=operand(as_tree(right)))


def case(*branches: tuple[exp.Expr, exp.Expr], default: exp.Expr | None = None) -> exp.Case:
    """``case when … then … else … end``."""
    return exp.Case(
        ifs=[exp.If(this=condition, true=value) for condition, value in branches], default=default
    )


def is_null(value: exp.Expr) -> exp.Expr:
    """``value is null``."""
    return exp.Is(this=wrap(value), expression=exp.Null())


def raise_error(message: str) -> exp.Anonymous:
    """An expression that fails when evaluated."""
    return fn("error", message)


def interval(value: int, unit: str) -> exp.Expr:
    """``interval '1' day``."""
    return exp.Interval(this=text(str(value)), unit=exp.var(unit))


@lru_cache(maxsize=256)
def _parsed(text: str) -> exp.Expr:
    return sqlglot.parse_one(text, dialect="duckdb")


def parsed(text: str) -> exp.Expr:
    """A fresh tree of DuckDB SQL text."""
    return _parsed(text).copy()
