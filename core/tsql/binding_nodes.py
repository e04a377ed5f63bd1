"""What binding records on the nodes of a tree, and how to read it back.

The ``meta`` keys are binding's; everyone else asks the functions here (or through ``binding``,
which gives them on): where a column comes from, whether it can be NULL, what a query's columns are.
"""

from __future__ import annotations

from sqlglot import exp

from core.tsql import functions
from core.tsql import types as t
from core.tsql.schema import ScalarFunction
from core.tsql.scope import Origin, OutputColumn, Relation
from core.tsql.types import SqlType
from core.tsql.typing import line_of, set_type

ORIGIN = "tsql_origin"
FROM_STAR = "tsql_from_star"
NOT_NULL = "tsql_not_null"
USER_FUNCTION = "tsql_user_function"
OUTPUT_REFERENCE = "tsql_output_reference"
COLUMNS = "tsql_columns"
"""``meta`` key under which a query node keeps the tuple of its :class:`OutputColumn` values."""


def origin_of(column: exp.Expr) -> Origin | None:
    """The table column a bound column is, when it is one unchanged."""
    found: Origin | None = column.meta.get(ORIGIN)
    return found


def from_star(node: exp.Expr) -> bool:
    """Whether a projection came from expanding ``*``."""
    return bool(node.meta.get(FROM_STAR))


def is_not_null(node: exp.Expr) -> bool:
    """Whether a bound value is known never to be NULL: by its column, or by its form."""
    return bool(node.meta.get(NOT_NULL)) or _never_null(node)


def user_function_of(node: exp.Expr) -> ScalarFunction | None:
    """The user-defined function a bound call calls, or None for a built-in."""
    found: ScalarFunction | None = node.meta.get(USER_FUNCTION)
    return found


def is_output_reference(node: exp.Expr) -> bool:
    """Whether an ORDER BY column means an output column of its query."""
    return bool(node.meta.get(OUTPUT_REFERENCE))


def columns_of(query: exp.Expr) -> tuple[OutputColumn, ...]:
    """The result columns recorded for a bound query node (a subquery's are its query's)."""
    while isinstance(query, exp.Subquery | exp.Paren):
        query = query.this
    found: tuple[OutputColumn, ...] = query.meta.get(COLUMNS, ())
    return found


def variable_name(node: exp.Expr) -> str:
    """``@x`` or ``@@rowcount`` from the tree's nested Parameter nodes."""
    marks = 0
    while isinstance(node, exp.Parameter):
        marks += 1
        node = node.this
    return "@" * marks + node.name


def undotted(node: exp.Expr) -> exp.Column | None:
    """``s.id`` as a column: before ``(…).value()`` sqlglot makes Dots of the columns inside."""
    parts: list[exp.Expr] = []
    while isinstance(node, exp.Dot):
        parts.insert(0, node.expression)
        node = node.this
    parts.insert(0, node)
    if len(parts) > 4 or not all(isinstance(part, exp.Identifier) for part in parts):
        return None
    names = ("this", "table", "db", "catalog")
    arguments = dict(zip(names, (part.copy() for part in reversed(parts)), strict=False))
    return exp.Column(**arguments)


def restore_columns(tree: exp.Expr) -> None:
    """Bare names that sqlglot left as identifiers before ``(…).value()``, as columns again."""
    owners = (exp.Column, exp.Table, exp.TableAlias, exp.Dot, exp.CTE, exp.Var)
    for name in list(tree.find_all(exp.Identifier)):
        if not isinstance(name.parent, owners) and name.arg_key not in ("alias", "db", "catalog"):
            name.replace(exp.Column(this=name.copy()))


def for_document(query: exp.Expr) -> SqlType | None:
    """The type of what a query with FOR XML or FOR JSON makes; None for another query.

    ``TYPE`` makes it xml, otherwise it is text (``relational-databases/xml/for-xml-sql-server``).
    """
    mark = query.meta.get("tsql_for_xml")
    clause = query.args.get("for_")
    if mark is None and clause is None:
        return None
    if mark is not None:
        typed = any(str(directive).upper() == "TYPE" for directive in mark.directives)
        return t.XML if typed else t.nvarchar(t.MAX)
    listed = clause.expressions if isinstance(clause, exp.Expr) else []
    options = [option.this.name.upper() for option in listed if option.this]
    return t.XML if "TYPE" in options else t.nvarchar(t.MAX)


def set_alias(node: exp.Expr, name: str) -> None:
    """Give a relation's node an alias, keeping its column list."""
    alias = node.args.get("alias")
    if isinstance(alias, exp.TableAlias):
        alias.set("this", exp.to_identifier(name))
    else:
        node.set("alias", exp.TableAlias(this=exp.to_identifier(name)))


def star_columns(relation: Relation, line: int) -> list[exp.Expr]:
    expanded: list[exp.Expr] = []
    for output in relation.columns:
        if output.name is None:
            continue
        column = exp.column(exp.to_identifier(output.name), table=relation.alias or None)
        column.meta[FROM_STAR] = True
        column.meta["line"] = line
        expanded.append(column)
    return expanded


def money_literal(node: exp.Column) -> exp.Literal | None:
    """``$1.50`` is read as column 50 of table ``$1``, ``$5`` as a column of that name."""
    first = node.parts[0].name if node.parts else ""
    if not first.startswith("$") or not (first[1:].isdecimal() or first == "$"):
        return None
    digits = ".".join(part.name for part in node.parts)[1:] or "0"
    literal = exp.Literal(this=digits, is_string=False)
    set_type(literal, t.MONEY)
    literal.meta["line"] = line_of(node)
    return literal


def _never_null(node: exp.Expr) -> bool:
    if isinstance(node, exp.Literal | exp.National):
        return True
    if isinstance(node, exp.Anonymous):
        name = node.name.upper()
        if name in ("COUNT", "COUNT_BIG", "CONCAT", *functions.CLOCK):
            return True
        if name == "ISNULL" and len(node.expressions) == 2:
            second = node.expressions[1]
            return _never_null(second) or is_not_null(second)
    if isinstance(node, exp.Case):
        branches = [branch.args["true"] for branch in node.args["ifs"]]
        default = node.args.get("default")
        return default is not None and all(_never_null(b) for b in (*branches, default))
    return isinstance(node, exp.Window) and _ranking(node)


def _ranking(node: exp.Window) -> bool:
    return node.this.name.upper() in ("ROW_NUMBER", "RANK", "DENSE_RANK", "NTILE", "COUNT")
