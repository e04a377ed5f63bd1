"""Meaning: bound T-SQL turned into the plain SQL of a target that means the same.

:func:`translate_query` and :func:`translate_expression` take what ``core.tsql.binding`` gives and
return a sqlglot tree of the target's dialect (DuckDB; write it with ``.sql("duckdb")``). What has
no exact meaning there raises :class:`Refused` with the construct, the reason and the line: no
approximation is ever made. Policies (collation, division by zero, text conversions, the clock) are
:class:`Options`.

This is the model's side. The interpreter, which is the reference, has its own rules.
"""

from __future__ import annotations

from sqlglot import exp

from core.tsql.binding import BoundExpression, BoundQuery
from core.tsql.meaning.duckdb import DuckDb
from core.tsql.meaning.options import Collation, DivisionByZero, Options, TextConversion
from core.tsql.meaning.refusal import Refused, refuse
from core.tsql.meaning.translate import Translator
from core.tsql.meaning.values import Value
from core.tsql.types import SqlType

__all__ = [
    "Collation",
    "DivisionByZero",
    "Options",
    "Refused",
    "TextConversion",
    "convert_expression",
    "translate_expression",
    "translate_query",
]

_TOO_DEEP = "this is nested too deeply."


def translate_query(query: BoundQuery, options: Options | None = None) -> exp.Query:
    """The target's query for a bound one. Raises :class:`Refused`."""
    translator = Translator(DuckDb(), options or Options())
    try:
        return translator.queries.query(query.tree)
    except RecursionError:
        raise refuse(query.tree, "nesting", _TOO_DEEP) from None


def translate_expression(expression: BoundExpression, options: Options | None = None) -> exp.Expr:
    """The target's value or predicate for a bound one. Raises :class:`Refused`."""
    try:
        return Translator(DuckDb(), options or Options()).any(expression.tree)
    except RecursionError:
        raise refuse(expression.tree, "nesting", _TOO_DEEP) from None


def convert_expression(
    tree: exp.Expr, source: BoundExpression, to: SqlType, options: Options | None = None
) -> exp.Expr:
    """A translated value converted as an assignment to a column of type ``to`` would.

    The conversions of CAST (truncation of decimals, cut of text) apply; that an INSERT refuses text
    that is too long (error 2628) is for the caller to check.
    """
    assert source.type is not None
    value = Value(tree, source.type, source.tree)
    return DuckDb().convert(value, to, options or Options())
