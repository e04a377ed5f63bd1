"""Leaf statements and expressions as values: what ``leaf.parsed`` and ``expr.parsed`` give.

sqlglot sees queries and expressions only, never a whole INSERT, UPDATE, DELETE or MERGE: those are
cut into their clauses first, because sqlglot misreads a good part of T-SQL's forms of them, some
without a word. `ParsedLeaf` says the same thing for every kind of statement in the same fields.

Positions: nodes sqlglot gives a position to (names, functions, literals) carry ``meta["start"]``,
``meta["end"]`` (inclusive) and ``meta["line"]``, ``meta["col"]`` of the *source file*; use
`line_of`.

Conventions of the trees
    * a variable is ``exp.Parameter(exp.Var)``; a table variable in FROM is a ``Table`` whose
      ``this`` is a ``Parameter``;
    * ``CONVERT(type, value, style)`` is an ``exp.Convert`` or ``exp.Cast`` with
      ``meta["tsql_type"]`` (the declared type as text) and, when given, ``meta["tsql_style"]``
      (the style expression's text); CAST has ``meta["tsql_type"]`` too;
    * DEFAULT as a value (VALUES, SET) is ``exp.Var("DEFAULT")``;
    * a temp table is a ``Table`` whose identifier has ``temporary=True`` and no ``#`` in its name
      (``name_of(table)`` puts it back);
    * NOT LIKE, NOT IN and NOT BETWEEN are an ``exp.Not`` around the predicate;
    * a recursive CTE's ``With`` has ``recursive=True``;
    * APPLY is a ``Join`` whose ``this`` is a ``Lateral``, ``meta["tsql_apply"]`` is ``CROSS`` or
      ``OUTER`` on the Join.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from typing import TYPE_CHECKING

from core.tsql.errors import LeafError
from core.tsql.nodes import Expr, Leaf, LeafKind

if TYPE_CHECKING:
    from sqlglot import exp


@dataclass(frozen=True)
class Top:
    """``TOP (count) [PERCENT] [WITH TIES]`` of an INSERT, UPDATE, DELETE or MERGE."""

    count: exp.Expr
    percent: bool = False
    with_ties: bool = False


@dataclass(frozen=True)
class Target:
    """The table a statement writes.

    `table` is the real table (an alias of UPDATE or DELETE is resolved) or the CTE written through
    (`is_cte`). `alias` is the name under which the statement's expressions know it, if not its own.
    `columns` are the listed columns of an INSERT, empty when there is no list.
    """

    table: exp.Table
    alias: str | None = None
    columns: tuple[str, ...] = ()
    is_cte: bool = False
    hints: tuple[str, ...] = ()


@dataclass(frozen=True)
class Assignment:
    """``column = value`` of an UPDATE, ``@v = value`` of a SELECT or UPDATE, or both at once
    (``@v = column = value``). `operator` is ``=`` or compound (``+=``).
    """

    value: exp.Expr
    column: exp.Column | None = None
    variable: str | None = None
    operator: str = "="
    line: int = 0


class MergeMatch(StrEnum):
    MATCHED = "matched"
    NOT_MATCHED = "not_matched"
    NOT_MATCHED_BY_SOURCE = "not_matched_by_source"


class MergeAction(StrEnum):
    UPDATE = "update"
    DELETE = "delete"
    INSERT = "insert"


@dataclass(frozen=True)
class MergeWhen:
    """One WHEN branch. INSERT has `columns` and `values` (both empty for DEFAULT VALUES)."""

    match: MergeMatch
    action: MergeAction
    condition: exp.Expr | None = None
    assignments: tuple[Assignment, ...] = ()
    columns: tuple[str, ...] = ()
    values: tuple[exp.Expr, ...] = ()
    line: int = 0


@dataclass(frozen=True)
class Merge:
    """USING and ON of a MERGE. `source` is a Table, Subquery, or table function with its alias."""

    source: exp.Expr
    on: exp.Expr
    whens: tuple[MergeWhen, ...]


@dataclass(frozen=True)
class Output:
    """``OUTPUT items [INTO target (columns)]``. Items are expressions over inserted/deleted/source
    columns and ``$action`` (a Column named ``$action``), aliased where the statement aliases them.
    """

    items: tuple[exp.Expr, ...]
    into: exp.Table | None = None
    into_columns: tuple[str, ...] = ()


@dataclass(frozen=True)
class ForXml:
    """``FOR XML PATH('row'), TYPE`` or ``FOR JSON …`` of a query; `owner` is the SELECT it ends.

    `mode` is ``PATH``, ``RAW``, ``AUTO`` or ``EXPLICIT``; `directives` what follows, as text.
    The idiom for string aggregation (STUFF of a FOR XML PATH('') subquery) looks like this.
    """

    language: str
    mode: str
    element: str | None
    directives: tuple[str, ...]
    line: int


@dataclass(frozen=True)
class ParsedLeaf:
    """One data statement.

    tree         the statement as one sqlglot tree, put together from its parts on first use
    query        the rows it reads: the SELECT itself (without INTO and without ``@v =``: those
                 projections are the assigned values); an INSERT's source (a ``Select``, a set
                 operation; ``VALUES`` is an ``exp.Values``); for UPDATE and DELETE
                 ``SELECT * FROM … WHERE …`` in which the target occurs under ``target.alias`` or
                 its own name; None for MERGE, TRUNCATE and INSERT DEFAULT VALUES. CTEs are on it.
    ctes         the WITH clause of a MERGE (elsewhere it is on `query`)
    nested       INSERT … SELECT FROM (MERGE … OUTPUT …) AS x: the parsed inner statement, which
                 stands in `query` as a table named ``__nested_dml__``
    options      what OPTION (…) holds, as text, e.g. ``("MAXRECURSION 0",)``
    for_xml      of the outermost query; inner ones are in ``node.meta["tsql_for_xml"]`` of
                 their SELECT
    hints        table hints anywhere in the statement (``NOLOCK``, ``TABLOCK``), upper case
    remote       what is read through OPENQUERY, OPENROWSET or a four-part name
    """

    kind: LeafKind
    query: exp.Query | exp.Values | None = None
    target: Target | None = None
    assignments: tuple[Assignment, ...] = ()
    merge: Merge | None = None
    ctes: exp.With | None = None
    nested: ParsedLeaf | None = None
    top: Top | None = None
    output: Output | None = None
    hints: tuple[str, ...] = ()
    options: tuple[str, ...] = ()
    for_xml: ForXml | None = None
    remote: tuple[str, ...] = ()
    line: int = 1

    @cached_property
    def tree(self) -> exp.Expr:
        from core.tsql.leaves_tree import tree_of

        return tree_of(self)


@dataclass(frozen=True)
class ParsedExpr:
    """One scalar expression or condition; `tree` is shared, copy before changing."""

    tree: exp.Expr
    line: int = 1


def line_of(node: exp.Expr, default: int = 0) -> int:
    """The source line of a tree: of its first part that has a position, else `default`."""
    lines = [part.meta["line"] for part in node.walk() if "line" in part.meta]
    return min(lines, default=default)


def name_of(table: exp.Table) -> str:
    """The last part of a table's name as T-SQL spells it: with ``#`` or ``@`` where it has one."""
    from sqlglot import exp

    if isinstance(table.this, exp.Parameter):
        return f"@{table.this.name}"
    if isinstance(table.this, exp.Identifier) and table.this.args.get("temporary"):
        return f"#{table.this.name}"
    return table.name


def parse_leaf(leaf: Leaf) -> ParsedLeaf | LeafError:
    """The tree of a leaf statement, or why there is none. Use ``leaf.parsed``, which caches it."""
    from core.tsql.leaves_dml import leaf_from_tokens

    return leaf_from_tokens(leaf)


def parse_expr(expr: Expr) -> ParsedExpr | LeafError:
    """The tree of an expression, or why there is none. Use ``expr.parsed``, which caches it."""
    from core.tsql.leaves_dml import expression_from_tokens

    return expression_from_tokens(expr)
