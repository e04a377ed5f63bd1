"""HASHBYTES and JSON in DuckDB."""

from __future__ import annotations

from collections.abc import Mapping

from sqlglot import exp

from core.tsql.meaning import sql
from core.tsql.meaning.duckdb_casts import fit
from core.tsql.meaning.duckdb_text import text_of
from core.tsql.meaning.refusal import refuse
from core.tsql.meaning.rules import Rule
from core.tsql.meaning.values import Call
from core.tsql.types import SqlType, TypeName


def _hashbytes(call: Call) -> exp.Expr:
    """HASHBYTES over the bytes of the text: varchar in code page 1252, nvarchar in UTF-16."""
    algorithm = (call.arguments[0].text or "").upper()
    names = {"MD5": "md5", "SHA": "sha1", "SHA1": "sha1", "SHA2_256": "sha256"}
    value = call.arguments[1]
    if algorithm not in names:
        raise refuse(call.node, f"HASHBYTES {algorithm}", "DuckDB has no such hash.")
    if value.type.is_binary:
        data = value.tree
    elif value.type.is_unicode:
        data = utf16(value.tree)
    elif value.type.is_string:
        plain = value.text is not None and value.text.isascii()
        data = value.tree if plain else latin1(value.tree)
    else:
        raise refuse(call.node, "HASHBYTES", f"the bytes of a {value.type} are not available.")
    return sql.fn("unhex", sql.fn(names[algorithm], data))


def utf16(text: exp.Expr) -> exp.Expr:
    """The UTF-16 little-endian bytes of a text (characters up to U+FFFF; beyond, it raises)."""
    pair = (
        "case when unicode(c) > 65535 then error('character beyond U+FFFF') "
        "else printf('%02X%02X', unicode(c) & 255, unicode(c) >> 8) end"
    )
    lambda_ = exp.Lambda(this=sql.parsed(pair), expressions=[exp.to_identifier("c")])
    codes = sql.fn("list_transform", sql.fn("string_split", text, ""), lambda_)
    return sql.fn("unhex", sql.fn("array_to_string", codes, ""))


def latin1(text: exp.Expr) -> exp.Expr:
    """The bytes of a varchar in code page 1252, that of the default collations.

    The page is ISO 8859-1 but for 27 characters such as the euro sign, for which it raises.
    """
    byte = (
        "case when unicode(c) < 128 or unicode(c) between 160 and 255 "
        "then printf('%02X', unicode(c)) else error('character beyond ISO 8859-1') end"
    )
    lambda_ = exp.Lambda(this=sql.parsed(byte), expressions=[exp.to_identifier("c")])
    codes = sql.fn("list_transform", sql.fn("string_split", text, ""), lambda_)
    return sql.fn("unhex", sql.fn("array_to_string", codes, ""))


def _json_value(call: Call) -> exp.Expr:
    path = call.arguments[1].text
    if path is None or path.strip().lower().startswith("strict"):
        raise refuse(call.node, "JSON_VALUE", "the path must be a literal in lax mode.")
    path = path.strip().removeprefix("lax").strip()
    text = text_of(call.arguments[0], call.options)
    scalar = sql.fn("json_type", text.copy(), path)
    inside = exp.Not(this=exp.In(this=scalar, expressions=[sql.text("OBJECT"), sql.text("ARRAY")]))
    value = sql.fn("json_extract_string", text, path)
    return sql.case((inside, fit(value, SqlType(TypeName.NVARCHAR, length=4000), None)))


def _isjson(call: Call) -> exp.Expr:
    text = text_of(call.arguments[0], call.options)
    valid = exp.and_(
        sql.fn("json_valid", text),
        exp.In(
            this=sql.fn("json_type", text.copy()),
            expressions=[sql.text("OBJECT"), sql.text("ARRAY")],
        ),
    )
    return sql.case(
        (sql.is_null(text.copy()), exp.Null()), (valid, sql.number(1)), default=sql.number(0)
    )


RULES: Mapping[str, Rule] = {
    "HASHBYTES": _hashbytes,
    "JSON_VALUE": _json_value,
    "ISJSON": _isjson,
}
