"""Values as text and as counts in DuckDB, and how text compares."""

from __future__ import annotations

from sqlglot import exp

from core.tsql import types as t
from core.tsql.meaning import sql
from core.tsql.meaning.duckdb_casts import convert
from core.tsql.meaning.options import Collation, Options
from core.tsql.meaning.values import Value


def folded(tree: exp.Expr) -> exp.Expr:
    """Text whose equality is that of a case-insensitive collation, trailing blanks ignored."""
    if isinstance(tree, exp.Literal) and tree.is_string:
        return sql.text(tree.name.rstrip(" ").lower())
    return sql.fn("lower", sql.fn("rtrim", tree))


def ignores_case(options: Options, *values: Value) -> bool:
    """Whether a search must ignore case: under ``preserve``, unless a COLLATE says otherwise."""
    if options.collation is not Collation.PRESERVE:
        return False
    return not any(value.is_case_sensitive for value in values)


def text_of(value: Value, options: Options) -> exp.Expr:
    """A value as text: what string functions do to an argument that is none."""
    if value.type.is_string:
        return value.tree
    if value.is_null:
        return sql.cast(exp.Null(), "VARCHAR")
    return convert(value, t.varchar(8000), options)


def int_of(value: Value, options: Options) -> exp.Expr:
    """A value as an integer: what a count or a position argument becomes."""
    if value.type.is_integer or value.type.is_null:
        return value.tree
    return convert(value, t.INT, options)
