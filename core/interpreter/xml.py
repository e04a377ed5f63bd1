"""``FOR XML PATH``: what is left of XML in load procedures is putting rows into one string."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlglot import exp

from core.interpreter.casts import convert
from core.interpreter.errors import Refused, sql_text
from core.tsql import types as t
from core.tsql.binding import columns_of
from core.tsql.typing import line_of

if TYPE_CHECKING:
    from core.interpreter.queries import QueryEmitter


def xml_aggregate(query: QueryEmitter, select: exp.Expr, *, escaped: bool) -> str:
    """A query whose one value is the text FOR XML PATH makes of the rows.

    Columns without a name give bare text, others an element; ``FOR XML PATH('row')`` wraps each
    row. Rows without text give nothing; no rows give NULL.
    """
    clause = select.meta.get("tsql_for_xml")
    if clause is None or clause.language != "XML" or clause.mode != "PATH":
        raise Refused("FOR XML", "only FOR XML PATH is supported", line_of(select))
    known = {"TYPE", "ROOT", "ELEMENTS"}
    if any(directive.split("(")[0] not in known for directive in clause.directives):
        raise Refused("FOR XML", "these directives of FOR XML are not supported", line_of(select))
    if not isinstance(select, exp.Select):
        raise Refused("FOR XML", "FOR XML of a set operation is not supported", line_of(select))
    plain = select.copy()
    _keep_meta(select, plain)
    plain.set("for_", None)
    plain.meta.pop("tsql_for_xml", None)
    columns = columns_of(select)
    parts, attributes = [], []
    for number, column in enumerate(columns, 1):
        value = convert(f"x.c{number}", column.type, t.nvarchar(t.MAX))
        content = f"ts_xml({value})" if escaped else value
        name = column.name
        if name and name.lower() not in ("text()", "data()", "*"):
            if name.startswith("@"):
                head = sql_text(f' {name[1:]}="')
                quoted = f"replace({content}, {sql_text(chr(34))}, '&quot;')"
                attributes.append(f"coalesce({head} || {quoted} || '\"', '')")
                continue
            if "/" in name:
                raise Refused("FOR XML", "nested elements are not supported", line_of(select))
            content = f"{sql_text(f'<{name}>')} || {content} || {sql_text(f'</{name}>')}"
        parts.append(f"coalesce({content}, '')")
    row = " || ".join(parts or ["''"])
    element = "row" if clause.element is None else clause.element
    if element:
        opening = sql_text(f"<{element}") + "".join(f" || {a}" for a in attributes) + " || '>'"
        row = f"{opening} || {row} || {sql_text(f'</{element}>')}"
    text = query.nested().query(plain)
    # string_agg over an ordered subquery keeps that order: there is one thread.
    joined = f"string_agg({row}, '')"
    for directive in clause.directives:
        if directive.startswith("ROOT"):
            root = directive.partition("('")[2].removesuffix("')") or "root"
            joined = f"{sql_text(f'<{root}>')} || {joined} || {sql_text(f'</{root}>')}"
    return f"SELECT {joined} FROM ({text}) AS x"


def _keep_meta(source: exp.Expr, copy: exp.Expr) -> None:
    """sqlglot copies meta with deepcopy; the bound types are values and survive."""
    copy.meta.update(source.meta)
