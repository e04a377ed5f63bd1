"""Folding of closed expressions: conditions that are known, texts that are put together.

``fold(tree)`` gives a Python value (int, Decimal, str, bool, None for NULL) or raises
`NotConstant`.
Only what is certain is folded.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

from sqlglot import exp

from core.compiler import trees
from core.tsql import types as t

Constant = int | Decimal | str | bool | None


class NotConstant(Exception):  # noqa: N818 - an answer, not an error
    """The expression depends on data, on parameters or on something that is not folded."""


class Null:
    """T-SQL's NULL and UNKNOWN while folding."""


def fold(tree: exp.Expr) -> Constant:
    """The value of a constant expression or condition; unknown and NULL are both None."""
    node = trees.unwrapped(tree)
    for kinds, rule in _RULES:
        if isinstance(node, kinds):
            return rule(node)
    raise NotConstant


def truth(tree: exp.Expr) -> bool | None:
    """Whether a condition always holds (True), never holds (False), or depends (None)."""
    try:
        value = fold(tree)
    except NotConstant:
        return None
    return value is True


def integer_of(tree: exp.Expr) -> int | None:
    """A constant whole number, or None when it is not constant or something else."""
    try:
        value = fold(tree)
    except NotConstant:
        return None
    return value if isinstance(value, int) else None


def text_of(tree: exp.Expr) -> str | None:
    """A constant text, or None when it is not constant."""
    try:
        value = fold(tree)
    except NotConstant:
        return None
    return value if isinstance(value, str) else None


def _literal(node: exp.Expr) -> Constant:
    if isinstance(node, exp.National) or node.args.get("is_string"):
        return str(node.name)
    text = node.name
    if text.isdecimal():
        return int(text)
    try:
        return Decimal(text)
    except ArithmeticError:
        raise NotConstant from None


def _cast(node: exp.Expr) -> Constant:
    value = fold(node.this)
    if value is None:
        return None
    try:
        to = t.parse_type(node.meta.get("tsql_type", ""), in_cast=True)
    except t.UnknownTypeError:
        raise NotConstant from None
    if to.is_string and isinstance(value, str | int):
        if node.meta.get("tsql_style"):
            raise NotConstant
        text = str(int(value)) if isinstance(value, bool) else str(value)
        return text if to.max_length is None else text[: to.max_length]
    if to.is_integer and isinstance(value, int):
        return int(value)
    if to.is_integer and isinstance(value, str) and value.strip().lstrip("+-").isdecimal():
        return int(value)
    raise NotConstant


def _comparison(node: exp.Expr) -> Constant:
    left, right = fold(node.this), fold(node.expression)
    if left is None or right is None:
        return None
    if isinstance(left, str) and isinstance(right, str):
        left, right = left.rstrip(" ").casefold(), right.rstrip(" ").casefold()
    elif isinstance(left, str) or isinstance(right, str):
        raise NotConstant
    answers: dict[type[exp.Expr], Callable[[], bool]] = {
        exp.EQ: lambda: left == right,
        exp.NEQ: lambda: left != right,
        exp.LT: lambda: left < right,  # type: ignore[operator]
        exp.LTE: lambda: left <= right,  # type: ignore[operator]
        exp.GT: lambda: left > right,  # type: ignore[operator]
        exp.GTE: lambda: left >= right,  # type: ignore[operator]
    }
    return answers[type(node)]()


def _and(node: exp.Expr) -> Constant:
    sides = [_try(node.this), _try(node.expression)]
    if any(known and value is False for known, value in sides):
        return False
    if not all(known for known, _ in sides):
        raise NotConstant
    return None if any(value is None for _, value in sides) else True


def _or(node: exp.Expr) -> Constant:
    sides = [_try(node.this), _try(node.expression)]
    if any(known and value is True for known, value in sides):
        return True
    if not all(known for known, _ in sides):
        raise NotConstant
    return None if any(value is None for _, value in sides) else False


def _try(node: exp.Expr) -> tuple[bool, Constant]:
    try:
        return True, fold(node)
    except NotConstant:
        return False, None


def _not(node: exp.Expr) -> Constant:
    value = fold(node.this)
    return None if value is None else not value


def _is(node: exp.Expr) -> Constant:
    if not isinstance(node.expression, exp.Null):
        raise NotConstant
    return fold(node.this) is None


def _arithmetic(node: exp.Expr) -> Constant:
    left, right = fold(node.this), fold(node.expression)
    if left is None or right is None:
        return None
    if isinstance(node, exp.Add) and isinstance(left, str) and isinstance(right, str):
        return left + right
    if isinstance(left, str) or isinstance(right, str):
        raise NotConstant
    if not isinstance(left, int) or not isinstance(right, int):
        raise NotConstant
    if isinstance(node, exp.Add):
        return left + right
    if isinstance(node, exp.Sub):
        return left - right
    if isinstance(node, exp.Mul):
        return left * right
    raise NotConstant


def _call(node: exp.Expr) -> Constant:
    name = node.name.upper()
    if name == "CONCAT":
        return "".join(_text(fold(a)) for a in node.expressions)
    if name == "QUOTENAME" and len(node.expressions) == 1:
        value = fold(node.expressions[0])
        if isinstance(value, str):
            return "[" + value.replace("]", "]]") + "]"
    if name in ("CHAR", "NCHAR") and len(node.expressions) == 1:
        value = fold(node.expressions[0])
        if isinstance(value, int) and 0 < value < 128:
            return chr(value)
    if name in ("ISNULL", "COALESCE"):
        for argument in node.expressions:
            value = fold(argument)
            if value is not None:
                return value
        return None
    if name == "REPLACE" and len(node.expressions) == 3:
        parts = [fold(a) for a in node.expressions]
        if all(isinstance(p, str) for p in parts):
            text, old, new = (str(p) for p in parts)
            if old and (old.upper() == old.lower()):
                return text.replace(old, new)
    raise NotConstant


def _text(value: Constant) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, int):
        return str(int(value))
    raise NotConstant


def _neg(node: exp.Expr) -> Constant:
    value = fold(node.this)
    if isinstance(value, int | Decimal):
        return -value
    raise NotConstant


def _case(node: exp.Expr) -> Constant:
    if node.this is not None:
        raise NotConstant
    for branch in node.args["ifs"]:
        if fold(branch.this) is True:
            return fold(branch.args["true"])
    default = node.args.get("default")
    return fold(default) if default is not None else None


def _between(node: exp.Expr) -> Constant:
    value, low, high = fold(node.this), fold(node.args["low"]), fold(node.args["high"])
    if isinstance(value, int) and isinstance(low, int) and isinstance(high, int):
        return low <= value <= high
    raise NotConstant


_RULES: tuple[tuple[tuple[type[exp.Expr], ...], Callable[[exp.Expr], Constant]], ...] = (
    ((exp.Literal, exp.National), _literal),
    ((exp.Null,), lambda node: None),
    ((exp.Boolean,), lambda node: bool(node.this)),
    ((exp.Cast, exp.TryCast, exp.Convert), _cast),
    ((exp.EQ, exp.NEQ, exp.LT, exp.LTE, exp.GT, exp.GTE), _comparison),
    ((exp.And,), _and),
    ((exp.Or,), _or),
    ((exp.Not,), _not),
    ((exp.Is,), _is),
    ((exp.Add, exp.Sub, exp.Mul), _arithmetic),
    ((exp.Neg,), _neg),
    ((exp.Case,), _case),
    ((exp.Between,), _between),
    ((exp.Anonymous,), _call),
)
