"""Functions of the session: errors, identity, names of objects and users, JSON, NEWID."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING

from sqlglot import exp

from core.interpreter.errors import Refused, sql_text
from core.interpreter.functions_text import text
from core.interpreter.naming import once
from core.tsql.binding import variable_name
from core.tsql.types import duckdb_storage
from core.tsql.typing import line_of, type_of

if TYPE_CHECKING:
    from core.interpreter.expressions import ExpressionEmitter

Writer = Callable[["ExpressionEmitter", exp.Expr], str]


def _state(emitter: ExpressionEmitter, node: exp.Expr) -> str:
    """A value of the session, read when the statement runs."""
    return emitter.context.system(node.name.lower(), type_of(node))


def _asked(emitter: ExpressionEmitter, node: exp.Expr) -> str:
    """A function that looks into the session: its arguments are literals or variables."""
    arguments: list[tuple[str, object]] = []
    for argument in node.expressions:
        inner = argument
        while isinstance(inner, exp.Paren):
            inner = inner.this
        if isinstance(inner, exp.Literal | exp.National):
            arguments.append(("literal", inner.name))
        elif isinstance(inner, exp.Parameter):
            arguments.append(("variable", variable_name(inner).lower()))
        elif isinstance(inner, exp.Null):
            arguments.append(("literal", ""))
        elif isinstance(inner, exp.Anonymous) and not inner.expressions:
            arguments.append(("system", inner.name.lower()))
        elif (folded := _folded_text(inner)) is not None:
            arguments.append(folded)
        else:
            raise Refused(
                node.name.upper(),
                f"{node.name.upper()} of an expression is not supported",
                line_of(node),
            )
    key = ("ask", node.name.lower(), tuple(arguments))
    name = emitter.context.use_fresh(key)
    return f"CAST(${name} AS {duckdb_storage(type_of(node))})"


def _folded_text(node: exp.Expr) -> tuple[str, object] | None:
    """``'tempdb..' + @name``: a concatenation of literals and variables."""
    if not isinstance(node, exp.Add):
        return None
    parts: list[tuple[str, str]] = []
    pending: list[exp.Expr] = [node]
    while pending:
        current = pending.pop()
        while isinstance(current, exp.Paren):
            current = current.this
        if isinstance(current, exp.Add):
            pending += [current.expression, current.this]
        elif isinstance(current, exp.Literal | exp.National):
            parts.append(("literal", current.name))
        elif isinstance(current, exp.Parameter):
            parts.append(("variable", variable_name(current).lower()))
        else:
            return None
    return ("concat", tuple(parts))


def _newid(emitter: ExpressionEmitter, node: exp.Expr) -> str:
    """NEWID: a new value for every row, from the session's seeded stream."""
    return emitter.context.new_id()


def _constant(value: str) -> Writer:
    return lambda emitter, node: sql_text(value)


def _profile_user(emitter: ExpressionEmitter, node: exp.Expr) -> str:
    return sql_text(emitter.context.profile.user)


def _json_value(emitter: ExpressionEmitter, node: exp.Expr) -> str:
    """JSON_VALUE: the scalar at a path; in lax mode the engine reads what is JSON at all."""
    arguments = [text(emitter, argument) for argument in node.expressions]
    computed = emitter.context.computed("json_value", arguments, type_of(node))
    path = node.expressions[1]
    if not isinstance(path, exp.Literal | exp.National) or "strict" in path.name.lower():
        return computed
    where = sql_text(re.sub(r"^\s*lax\s+", "", path.name))
    return once(
        arguments[0],
        lambda document: (
            f"CASE WHEN {document} IS NULL THEN NULL WHEN NOT json_valid({document}) "
            f"THEN {computed} WHEN json_type({document}::JSON, {where}) IN "
            f"('OBJECT', 'ARRAY', 'NULL') THEN NULL "
            f"ELSE json_extract_string({document}::JSON, {where}) END"
        ),
    )


def _json_query(emitter: ExpressionEmitter, node: exp.Expr) -> str:
    """JSON_QUERY: the object or array at a path, as it is written in the document."""
    document, *rest = (text(emitter, argument) for argument in node.expressions)
    return emitter.context.computed("json_query", [document, *(rest or ["'$'"])], type_of(node))


def _json_modify(emitter: ExpressionEmitter, node: exp.Expr) -> str:
    """JSON_MODIFY: a new value from JSON_QUERY or FOR JSON is JSON, any other is a value."""
    from core.interpreter.for_json import json_value_of

    document, path, new = node.expressions
    arguments = [text(emitter, document), text(emitter, path), json_value_of(emitter, new)]
    return emitter.context.computed("json_modify", arguments, type_of(node))


def _isjson(emitter: ExpressionEmitter, node: exp.Expr) -> str:
    document = text(emitter, node.expressions[0])
    return (
        f"CASE WHEN {document} IS NULL THEN NULL WHEN json_valid({document}) AND "
        f"json_type({document}::JSON) IN ('OBJECT', 'ARRAY') THEN 1 ELSE 0 END"
    )


def _formatmessage(emitter: ExpressionEmitter, node: exp.Expr) -> str:
    pattern, *arguments = node.expressions
    if not type_of(pattern).is_string:
        raise Refused("FORMATMESSAGE", "messages of the server are not known", line_of(node))
    values = [
        f"coalesce('{'i' if type_of(a).is_integer else 's'}' || {text(emitter, a)}, 'n')"
        for a in arguments
    ]
    return emitter.context.computed(
        "formatmessage", [text(emitter, pattern), *values], type_of(node)
    )


FUNCTIONS: dict[str, Writer] = {
    **dict.fromkeys(
        (
            "SCOPE_IDENTITY",
            "ROWCOUNT_BIG",
            "ERROR_NUMBER",
            "ERROR_SEVERITY",
            "ERROR_STATE",
            "ERROR_LINE",
            "ERROR_MESSAGE",
            "ERROR_PROCEDURE",
            "XACT_STATE",
        ),
        _state,
    ),
    **dict.fromkeys(
        (
            "OBJECT_ID",
            "OBJECT_NAME",
            "OBJECT_SCHEMA_NAME",
            "SCHEMA_NAME",
            "SCHEMA_ID",
            "DB_NAME",
            "DB_ID",
            "IDENT_CURRENT",
            "CURSOR_STATUS",
            "COL_LENGTH",
            "SERVERPROPERTY",
            "SESSION_CONTEXT",
        ),
        _asked,
    ),
    "NEWID": _newid,
    "NEWSEQUENTIALID": _newid,
    "HOST_NAME": _constant("host"),
    "APP_NAME": _constant("proc2dbt"),
    "SUSER_SNAME": _profile_user,
    "SUSER_NAME": _profile_user,
    "USER_NAME": _constant("dbo"),
    "SUSER_ID": lambda emitter, node: "1::INTEGER",
    "ORIGINAL_LOGIN": _profile_user,
    "JSON_VALUE": _json_value,
    "JSON_QUERY": _json_query,
    "JSON_MODIFY": _json_modify,
    "ISJSON": _isjson,
    "FORMATMESSAGE": _formatmessage,
}
