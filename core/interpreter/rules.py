"""What the server refuses in a query by its shape alone, before names and types are looked at."""

from __future__ import annotations

from sqlglot import exp

from core.interpreter.errors import Refused, SqlError
from core.tsql.typing import line_of

_TIES = "The TOP N WITH TIES clause is not allowed without a corresponding ORDER BY clause."
_ORDER = (
    "The ORDER BY clause is invalid in views, inline functions, derived tables, subqueries, and "
    "common table expressions, unless TOP, OFFSET or FOR XML is also specified."
)
_CASE = (
    "At least one of the result expressions in a CASE specification must be an expression other "
    "than the NULL constant."
)
_COALESCE = (
    "At least one of the arguments to COALESCE must be an expression that is not the NULL constant."
)
_NULLIF = (
    "The type of the first argument to NULLIF cannot be the NULL constant because the type of the "
    "first argument has to be known."
)


def check_shape(tree: exp.Expr) -> None:
    """Raise the server's error for a query that cannot be one.

    Errors 156 (no select list), 102 (OFFSET without ORDER BY, a derived table without a name), 1062
    (``queries/top-transact-sql``), 1033 (``queries/select-order-by-clause-transact-sql``), 8133,
    4127 and 4151 (only NULL constants in CASE, COALESCE, NULLIF).
    """
    for node in tree.walk():
        match node:
            case exp.Select():
                _select(node)
                _ordered_inside(node)
            case exp.SetOperation():
                _ordered_inside(node)
            case exp.Subquery() if isinstance(node.parent, exp.From | exp.Join):
                # FROM (SELECT …) without a name; FROM (a JOIN b ON …) needs none.
                if (
                    isinstance(node.this, exp.Query)
                    and not node.alias
                    and not node.args.get("pivots")
                ):
                    raise _error(102, "Incorrect syntax near ')'.", node)
            case exp.BitwiseLeftShift() | exp.BitwiseRightShift():
                raise Refused("<<", "the operators << and >> are not supported", line_of(node))
            case exp.Case():
                results = [branch.args["true"] for branch in node.args["ifs"]]
                _all_null([*results, node.args.get("default")], 8133, _CASE, node)
            case exp.Anonymous():
                _call(node)


def _select(select: exp.Select) -> None:
    if not select.expressions:
        raise _error(156, "Incorrect syntax near the keyword 'FROM'.", select)
    if select.args.get("order") is not None:
        return
    limit = select.args.get("limit")
    options = limit.args.get("limit_options") if limit is not None else None
    if options is not None and options.args.get("with_ties"):
        raise _error(1062, _TIES, select)
    if select.args.get("offset") is not None:
        raise _error(102, "Incorrect syntax near 'OFFSET'.", select)


def _ordered_inside(query: exp.Expr) -> None:
    """ORDER BY of an inner query that limits nothing."""
    if query.args.get("order") is None:
        return
    if query.args.get("limit") is not None or query.args.get("offset") is not None:
        return
    if query.meta.get("tsql_for_xml") is not None:
        return
    parent = query.parent
    while isinstance(parent, exp.Paren):
        parent = parent.parent
    derived = isinstance(parent, exp.Subquery) and parent.parent is not None
    if derived or isinstance(parent, exp.CTE | exp.Exists | exp.In):
        raise _error(1033, _ORDER, query)


def _call(node: exp.Anonymous) -> None:
    arguments = node.expressions
    match node.name.upper():
        case "COALESCE" if arguments:
            _all_null(arguments, 4127, _COALESCE, node)
        case "NULLIF" if len(arguments) == 2:
            _all_null(arguments[:1], 4151, _NULLIF, node)
        case "IIF" if len(arguments) == 3:
            _all_null(arguments[1:], 8133, _CASE, node)


def _all_null(values: list[exp.Expr | None], number: int, message: str, node: exp.Expr) -> None:
    def is_null(value: exp.Expr | None) -> bool:
        while isinstance(value, exp.Paren):
            value = value.this
        return value is None or isinstance(value, exp.Null)

    if all(is_null(value) for value in values):
        raise _error(number, message, node)


def _error(number: int, message: str, node: exp.Expr) -> SqlError:
    error = SqlError(number, message, severity=15, line=line_of(node))
    error.aborts_batch = True
    return error
