"""Variables in expressions: each is replaced by the closed expression it stands for.

Parameters of the procedure stay what they are, ``@p``: the emitter writes them as ``var()``.
"""

from __future__ import annotations

from sqlglot import exp

from core.compiler import trees
from core.compiler.result import Refused, Unsupported
from core.compiler.state import State, Value
from core.tsql import types as t
from core.tsql.binding import variable_name as name_of
from core.tsql.leaves import line_of
from core.tsql.types import SqlType, TypeName

_COMPARING = (
    exp.EQ,
    exp.NEQ,
    exp.LT,
    exp.LTE,
    exp.GT,
    exp.GTE,
    exp.Between,
    exp.In,
    exp.Like,
)


def variable_name(node: exp.Expr) -> str | None:
    """``@x`` (or ``@@x``) in lower case for a variable node, else None."""
    return name_of(node).lower() if isinstance(node, exp.Parameter) else None


def substituted(tree: exp.Expr, state: State) -> exp.Expr:
    """`tree` with every variable replaced, in place; gives the new root.

    Raises `Refused` for a variable whose value is not known.
    """
    tree = _server_calls(tree, state)
    for node in list(tree.find_all(exp.Parameter)):
        if isinstance(node.parent, exp.Table | exp.Parameter):
            continue
        call = node.parent
        if call is not None and state.procedure and _is_own_name(call):
            own = exp.National(this=state.procedure)
            if call is tree:
                return own
            call.replace(own)
            continue
        name = variable_name(node)
        assert name is not None
        value = lookup(state, name, line_of(node))
        new = expression_of(value, name, line_of(node))
        if isinstance(node.parent, _COMPARING):
            new = _bare(new)
        if node is tree:
            tree = new
        elif new is not node:
            node.replace(new)
    return tree


_STATE_CALLS = frozenset({"SCOPE_IDENTITY", "XACT_STATE"})


def _server_calls(tree: exp.Expr, state: State) -> exp.Expr:
    """``SCOPE_IDENTITY()`` and ``XACT_STATE()`` replaced by what they give here."""
    for call in list(tree.find_all(exp.Anonymous)):
        key = f"{call.name.lower()}()"
        if call.name.upper() not in _STATE_CALLS or call.expressions or key not in state.lazies:
            continue
        new = expression_of(state.lazies[key](), key, line_of(call))
        if call is tree:
            return new
        call.replace(new)
    return tree


def _is_own_name(call: exp.Expr) -> bool:
    """``OBJECT_NAME(@@PROCID)``: the running procedure's name."""
    return (
        isinstance(call, exp.Anonymous)
        and call.name.upper() == "OBJECT_NAME"
        and len(call.expressions) == 1
        and variable_name(call.expressions[0]) == "@@procid"
    )


def lookup(state: State, name: str, line: int) -> Value:
    """The value of a variable. Raises `Refused` when there is none of that name."""
    if name in state.lazies:
        return state.lazies[name]()
    if name in state.variables:
        return state.variables[name]
    if name.startswith("@@"):
        raise Refused(f"the server's {name.upper()} has no counterpart in a model", name, line)
    raise Refused(f"the variable {name} is not declared", "undeclared variable", line)


def expression_of(value: Value, name: str, line: int) -> exp.Expr:
    """A copy of what a variable stands for."""
    if value.unknown is not None:
        raise Refused(
            f"the value of {name} is not known: {value.unknown.reason}",
            value.unknown.construct,
            value.unknown.line or line,
        )
    assert value.expression is not None
    return value.expression.copy()


def assigned(value: exp.Expr, to: SqlType) -> Value:
    """The value of a variable of type `to` after it was set to `value`."""
    return Value(to, converted(value, to))


def converted(value: exp.Expr, to: SqlType) -> exp.Expr:
    """`value` as a variable of type `to` holds it."""
    inner = trees.unwrapped(value)
    if isinstance(inner, exp.Cast) and inner.meta.get("tsql_type") == to.sql():
        return inner
    if isinstance(inner, exp.Parameter):
        return trees.cast(inner, to)
    return trees.cast(value, to)


def unknown(type_: SqlType, why: Unsupported) -> Value:
    return Value(type_, unknown=why)


def _bare(node: exp.Expr) -> exp.Expr:
    """``CAST(5 AS int)`` beside a comparison is 5: the type changes nothing there."""
    if not isinstance(node, exp.Cast):
        return node
    text = node.meta.get("tsql_type", "")
    inner = trees.unwrapped(node.this)
    if isinstance(inner, exp.Literal) and not inner.is_string and text == "int":
        return inner
    if isinstance(inner, exp.Literal | exp.National) and _fits(inner, text):
        return inner
    return node


def _fits(literal: exp.Expr, text: str) -> bool:
    try:
        to = t.parse_type(text)
    except t.UnknownTypeError:
        return False
    if to.name not in (TypeName.VARCHAR, TypeName.NVARCHAR):
        return False
    if isinstance(literal, exp.Literal) and not literal.is_string:
        return False
    unicode = isinstance(literal, exp.National)
    wide = to.name is TypeName.NVARCHAR
    limit = to.length if to.length != t.MAX else None
    return unicode == wide and (limit is None or len(literal.name) <= limit)
