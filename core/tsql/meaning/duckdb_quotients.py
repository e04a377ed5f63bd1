"""Exact quotients with no more digits than their use needs."""

from __future__ import annotations

from sqlglot import exp


def cut_quotient(tree: exp.Expr, digits: int) -> exp.Expr:
    """``a * 1000000 // b * 0.000001`` with only `digits` digits behind the point.

    For a quotient that is rounded to one digit less: whether half a unit is reached shows in the
    next digit, so cutting the later ones off changes no result. Another tree is given back as it
    is.
    """
    if not isinstance(tree, exp.Mul) or not isinstance(tree.this, exp.IntDiv):
        return tree
    unit = tree.expression
    if not isinstance(unit, exp.Literal) or set(unit.name) - set("0.1"):
        return tree
    scale = len(unit.name.partition(".")[2])
    surplus = scale - digits
    if surplus <= 0 or digits < 1:
        return tree
    found = tree.copy()
    factor = _factor(found.this.this)
    zeros = len(factor.name) - 1 if factor is not None else 0
    if factor is None or zeros < surplus or factor.name != f"1{'0' * zeros}":
        return tree
    if zeros == surplus:
        factor.parent.replace(factor.parent.this)  # type: ignore[union-attr]
    else:
        factor.replace(exp.Literal.number(10 ** (zeros - surplus)))
    found.expression.replace(exp.Literal.number(f"0.{'0' * (digits - 1)}1"))
    return found


def _factor(dividend: exp.Expr) -> exp.Literal | None:
    """The power of ten of ``x * 1000`` or ``cast(x * 1000 as int128)``."""
    while isinstance(dividend, exp.Cast | exp.Paren):
        dividend = dividend.this
    if isinstance(dividend, exp.Mul) and isinstance(dividend.expression, exp.Literal):
        return dividend.expression if not dividend.expression.is_string else None
    return None
