"""OPENJSON as a relation (``functions/openjson-transact-sql``)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlglot import exp

from core.interpreter.casts import convert
from core.interpreter.errors import Refused, sql_text
from core.interpreter.functions_text import text
from core.tsql import types as t
from core.tsql.typing import line_of, type_text

if TYPE_CHECKING:
    from core.interpreter.queries import QueryEmitter


def open_json(query: QueryEmitter, call: exp.OpenJSON) -> tuple[str, list[str]]:
    """The relation in parentheses and the names of its columns."""
    document = f"CAST({text(query.expressions, call.this)} AS JSON)"
    path = call.args.get("path")
    if isinstance(path, exp.Expr):
        document = f"json_extract({document}, {query.expressions.value(path)})"
    if call.expressions:
        return _with_columns(document, call)
    kinds = (
        "CASE json_type(j.value) WHEN 'NULL' THEN 0 WHEN 'VARCHAR' THEN 1 WHEN 'BOOLEAN' THEN 3 "
        "WHEN 'ARRAY' THEN 4 WHEN 'OBJECT' THEN 5 ELSE 2 END"
    )
    body = (
        f"(SELECT CAST(j.key AS VARCHAR) AS c1, json_extract_string(j.value, '$') AS c2, "
        f"CAST({kinds} AS UTINYINT) AS c3 FROM json_each({document}) AS j)"
    )
    return body, ["key", "value", "type"]


def _with_columns(document: str, call: exp.OpenJSON) -> tuple[str, list[str]]:
    items, names = [], []
    for number, column in enumerate(call.expressions, 1):
        target = t.parse_type(type_text(column.args["kind"]))
        path = column.args.get("path")
        where = path.name if isinstance(path, exp.Expr) else f"$.{column.name}"
        if column.args.get("as_json"):
            raise Refused("OPENJSON", "AS JSON is not supported", line_of(call))
        value = f"json_extract_string(j.value, {sql_text(where)})"
        items.append(f"{convert(value, t.nvarchar(4000), target)} AS c{number}")
        names.append(column.name)
    rows = (
        f"CASE json_type({document}) WHEN 'ARRAY' THEN {document} ELSE json_array({document}) END"
    )
    return f"(SELECT {', '.join(items)} FROM json_each({rows}) AS j)", names
