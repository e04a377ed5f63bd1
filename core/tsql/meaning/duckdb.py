"""DuckDB as a target: the rules of the ``duckdb_*`` modules behind one interface."""

from __future__ import annotations

import re
from collections.abc import Mapping

from sqlglot import exp

from core.tsql.meaning import (
    duckdb_casts,
    duckdb_dates,
    duckdb_documents,
    duckdb_format,
    duckdb_numbers,
    duckdb_patterns,
    duckdb_session,
    duckdb_strings,
    duckdb_text,
    sql,
)
from core.tsql.meaning.duckdb_reserved import RESERVED
from core.tsql.meaning.options import Options
from core.tsql.meaning.refusal import refuse
from core.tsql.meaning.rules import Rule
from core.tsql.meaning.values import Call, Value
from core.tsql.types import SqlType

_PLAIN_NAME = re.compile(r"^[A-Za-z_][A-Za-z0-9_]*$")

_RULES: Mapping[str, Rule] = {
    **duckdb_numbers.RULES,
    **duckdb_strings.RULES,
    **duckdb_patterns.RULES,
    **duckdb_format.RULES,
    **duckdb_documents.RULES,
    **duckdb_dates.RULES,
    **duckdb_session.RULES,
    "LAG": duckdb_numbers.lag,
    "LEAD": duckdb_numbers.lag,
}

_REASONS = {
    "CHECKSUM": "SQL Server's checksum algorithm has no counterpart; use HASHBYTES.",
    "BINARY_CHECKSUM": "SQL Server's checksum algorithm has no counterpart; use HASHBYTES.",
    "CHECKSUM_AGG": "SQL Server's checksum algorithm has no counterpart; use HASHBYTES.",
    "RAND": "a random number is different in every run.",
    "SOUNDEX": "DuckDB has no SOUNDEX.",
    "DIFFERENCE": "DuckDB has no SOUNDEX.",
    "NEWSEQUENTIALID": "the sequence of ids belongs to the server.",
}


class DuckDb:
    """The :class:`core.tsql.meaning.values.Target` that writes DuckDB's SQL."""

    def literal(self, node: exp.Expr, type_: SqlType) -> exp.Expr:
        """A literal of any kind as DuckDB writes it."""
        if isinstance(node, exp.National):
            return sql.text(node.name)
        if isinstance(node, exp.HexString):
            digits = node.name
            return sql.fn("unhex", digits.rjust(len(digits) + len(digits) % 2, "0").upper())
        if isinstance(node, exp.Null):
            return exp.Null()
        if type_.is_money:
            return sql.cast(sql.number(node.name), "DECIMAL(19, 4)")
        if isinstance(node, exp.Literal) and node.is_string:
            return sql.text(node.name)
        return sql.number(node.name)

    def convert(
        self,
        value: Value,
        to: SqlType,
        options: Options,
        *,
        style: int | None = None,
        safe: bool = False,
    ) -> exp.Expr:
        """CAST, CONVERT and their TRY_ forms."""
        return duckdb_casts.convert(value, to, options, style=style, safe=safe)

    def align(self, value: Value, to: SqlType, options: Options) -> exp.Expr:
        """A value in the type it is compared or combined in."""
        return duckdb_casts.align(value, to, options)

    def arithmetic(
        self, node: exp.Expr, left: Value, right: Value, type_: SqlType, options: Options
    ) -> exp.Expr:
        """``+ - * / %`` and the bit operators."""
        if type_.is_string:
            return duckdb_strings.concatenation(left, right, type_, options)
        if type_.is_binary:
            return sql.concat(left.tree, right.tree)
        if left.type.is_datetime or right.type.is_datetime:
            return duckdb_dates.arithmetic(node, left, right, options)
        return duckdb_numbers.arithmetic(node, left, right, type_, options)

    def negated(self, value: Value, type_: SqlType) -> exp.Expr:
        """``-x``."""
        return duckdb_numbers.negated(value, type_)

    def call(self, call: Call) -> exp.Expr:
        """A built-in function; refused when nothing in DuckDB means the same."""
        rule = _RULES.get(call.name)
        if rule is None:
            reason = _REASONS.get(call.name, "this function is not supported.")
            raise refuse(call.node, call.name, reason)
        return rule(call)

    def clock(self, type_: SqlType, options: Options) -> exp.Expr:
        """The current moment."""
        return duckdb_dates.clock(type_, options)

    def folded(self, tree: exp.Expr) -> exp.Expr:
        """Text for comparison without case and trailing blanks."""
        return duckdb_text.folded(tree)

    def without_case(self, tree: exp.Expr) -> exp.Expr:
        """Text under the collation that sorts without regard to case."""
        return exp.Collate(this=sql.operand(tree), expression=exp.Var(this="nocase"))

    def like(self, value: Value, pattern: Value, escape: str | None, options: Options) -> exp.Expr:
        """``value LIKE pattern``."""
        return duckdb_patterns.like(value, pattern, escape, options)

    def storage(self, type_: SqlType) -> exp.DataType:
        """DuckDB's type for a T-SQL type."""
        return duckdb_casts.storage(type_)

    def name(self, identifier: exp.Expr) -> exp.Identifier:
        """The identifier as written, in quotes only when DuckDB needs them."""
        text = identifier.name
        quoted = not _PLAIN_NAME.match(text) or text.lower() in RESERVED
        return exp.to_identifier(text, quoted=quoted)
