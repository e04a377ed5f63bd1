"""``FOR JSON PATH`` and ``AUTO`` (``relational-databases/json/format-query-results-as-json``)."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from sqlglot import exp

from core.interpreter.casts import convert
from core.interpreter.errors import Refused, SqlError, sql_text
from core.tsql import types as t
from core.tsql.binding import columns_of
from core.tsql.types import SqlType, TypeName
from core.tsql.typing import line_of, type_of

if TYPE_CHECKING:
    from core.interpreter.expressions import ExpressionEmitter
    from core.interpreter.queries import QueryEmitter

Tree = dict[str, "Tree | str"]


def json_document(query: QueryEmitter, select: exp.Expr) -> str:
    """A query whose one value is the JSON text of the rows; NULL when there are none.

    Aliases with dots make nested objects in PATH mode; NULLs are left out without
    INCLUDE_NULL_VALUES. AUTO is supported for one table.
    """
    clause = select.meta["tsql_for_xml"]
    if not isinstance(select, exp.Select):
        raise Refused("FOR JSON", "FOR JSON of a set operation is not supported", line_of(select))
    if clause.mode == "AUTO" and (select.args.get("joins") or select.args.get("laterals")):
        raise Refused("FOR JSON AUTO", "FOR JSON AUTO of a join is not supported", line_of(select))
    directives = {str(d).split("(")[0].upper(): str(d) for d in clause.directives}
    keeps_nulls = "INCLUDE_NULL_VALUES" in directives
    tree: Tree = {}
    for number, column in enumerate(columns_of(select), 1):
        if not column.name:
            raise SqlError(
                13605,
                "Column expressions and data sources without names or aliases cannot be formatted "
                "as JSON text using FOR JSON clause. Add alias to the unnamed column or table.",
            )
        raw = _is_json(select.expressions[number - 1])
        value = _value(f"x.c{number}", column.type, raw)
        if keeps_nulls:
            value = f"coalesce({value}, 'null')"
        _place(tree, column.name.split(".") if clause.mode == "PATH" else [column.name], value)
    plain = select.copy()
    plain.meta.update(select.meta)
    plain.set("for_", None)
    plain.meta.pop("tsql_for_xml", None)
    rows = query.nested().query(plain)
    text = f"string_agg({_object(tree)}, ',')"
    if "WITHOUT_ARRAY_WRAPPER" not in directives:
        text = f"'[' || {text} || ']'"
    root = directives.get("ROOT")
    if root is not None:
        name = root.partition("('")[2].removesuffix("')") or "root"
        head = sql_text("{" + json.dumps(name, ensure_ascii=False) + ":")
        text = f"{head} || {text} || '}}'"
    return f"SELECT {text} FROM ({rows}) AS x"


def _place(tree: Tree, path: list[str], value: str) -> None:
    for step in path[:-1]:
        inner = tree.setdefault(step, {})
        if isinstance(inner, str):
            raise _conflict(".".join(path))
        tree = inner
    if path[-1] in tree:
        raise _conflict(".".join(path))
    tree[path[-1]] = value


def _conflict(name: str) -> SqlError:
    return SqlError(
        13601,
        f"Property '{name}' cannot be generated in JSON output due to a conflict with another "
        "column name or alias. Use different names and aliases for each column in SELECT list.",
    )


def _object(tree: Tree) -> str:
    return f"'{{' || {_members(tree)} || '}}'"


def _members(tree: Tree) -> str:
    parts = []
    for name, value in tree.items():
        head = sql_text(json.dumps(name, ensure_ascii=False) + ":")
        if isinstance(value, str):
            parts.append(f"{head} || {value}")
        else:
            parts.append(f"{head} || '{{' || nullif({_members(value)}, '') || '}}'")
    return f"concat_ws(',', {', '.join(parts)})"


def _is_json(projection: exp.Expr) -> bool:
    """Whether a column is JSON already: JSON_QUERY, JSON_MODIFY or an inner FOR JSON."""
    inner = projection.this if isinstance(projection, exp.Alias) else projection
    while isinstance(inner, exp.Subquery | exp.Paren):
        inner = inner.this
    mark = inner.meta.get("tsql_for_xml")
    if mark is not None:
        return str(mark.language) == "JSON"
    return isinstance(inner, exp.Anonymous) and inner.name.upper() in ("JSON_QUERY", "JSON_MODIFY")


def json_value_of(emitter: ExpressionEmitter, node: exp.Expr) -> str:
    """An expression's value as JSON text; NULL stays NULL."""
    return _value(emitter.value(node), type_of(node), _is_json(node))


def _value(sql: str, type_: SqlType, raw: bool) -> str:
    if raw or type_.is_null:
        return sql
    if type_.name is TypeName.BIT:
        return f"CASE {sql} WHEN 1 THEN 'true' WHEN 0 THEN 'false' END"
    if type_.is_approximate:
        return convert(sql, type_, t.varchar(t.MAX), style=2)
    if type_.is_money:
        return convert(sql, type_, t.varchar(t.MAX), style=2)
    if type_.is_numeric:
        return convert(sql, type_, t.varchar(t.MAX))
    if type_.is_binary:
        text = f"to_base64({sql})"
    elif type_.is_datetime:
        shown = convert(sql, type_, t.varchar(t.MAX), style=126)
        text = rf"regexp_replace({shown}, '(\.[0-9]*?)0+$', '\1')"
        text = f"rtrim({text}, '.')"
    else:
        text = convert(sql, type_, t.nvarchar(t.MAX))
    return f"replace(CAST(to_json({text}) AS VARCHAR), '/', '\\/')"
