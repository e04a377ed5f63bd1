"""The sqlglot dialect in which leaf statements are parsed: T-SQL with its functions left alone.

sqlglot's own ``tsql`` reader translates while it parses: ``FORMAT`` patterns become strftime
patterns, ``HASHBYTES`` becomes ``MD5``, ``LEN`` casts, ``DATEDIFF`` turns ``0`` into a date string,
``ISNULL`` becomes ``COALESCE``. What the procedure said is then gone. Here every built-in call
stays ``exp.Anonymous(name, arguments)``, so that typing and meaning see the function the author
wrote; only what has a syntax of its own (CAST, CONVERT, TRIM FROM, OPENJSON WITH, CASE, EXISTS) is
parsed into a node of its own.

Four more readings of sqlglot's are put right: ``& | ^`` bind as tightly as ``+`` and ``-``
(``language-elements/operator-precedence-transact-sql``), ``!<`` and ``!>`` are operators, ``"x"``
is a name, not a string (QUOTED_IDENTIFIER ON); ``real`` (``DType.FLOAT``) is told from ``float``
(``DType.DOUBLE``).
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any, cast

from sqlglot import exp
from sqlglot.dialects.tsql import TSQL
from sqlglot.parsers.tsql import TSQLParser
from sqlglot.tokenizer_core import TokenType

# What sqlglot would warn about is decided by our own checks; the warning would only reach the
# user's terminal, without a file or line.
logging.getLogger("sqlglot").setLevel(logging.ERROR)

_OWN_SYNTAX = ("CAST", "CONVERT", "TRY_CAST", "TRY_CONVERT", "OPENJSON", "TRIM")


def _parse_using(name: str) -> Callable[[Any], exp.Expr]:
    """PARSE and TRY_PARSE: ``(text AS type [USING culture])`` as a plain call."""

    def parse(parser: Any) -> exp.Expr:
        value = parser._parse_disjunction()
        parser._match(TokenType.ALIAS)
        arguments = [value, parser._parse_types()]
        if parser._match_text_seq("USING"):
            arguments.append(parser._parse_disjunction())
        return cast(exp.Expr, exp.Anonymous(this=name, expressions=arguments))

    return parse


class LeafParser(TSQLParser):
    """Parses one leaf statement without translating any function."""

    FUNCTIONS = {}  # noqa: RUF012 - a table in sqlglot's form
    FUNCTION_PARSERS = {  # noqa: RUF012
        **{
            name: TSQLParser.FUNCTION_PARSERS[name]
            for name in _OWN_SYNTAX
            if name in TSQLParser.FUNCTION_PARSERS
        },
        "PARSE": _parse_using("PARSE"),
        "TRY_PARSE": _parse_using("TRY_PARSE"),
    }
    BITWISE = {}  # noqa: RUF012

    def _parse_table_hints(self) -> list[exp.Expr] | None:
        """``WITH (INDEX = ix, NOLOCK FORCESEEK)``: sqlglot knows neither ``=`` nor a missing comma.

        Commas between hints may be left out (``queries/hints-transact-sql-table``, Remarks).
        """
        if not self._match_pair(TokenType.WITH, TokenType.L_PAREN):
            return super()._parse_table_hints()
        hints: list[exp.Expr] = []
        while self._curr and not self._match(TokenType.R_PAREN, advance=False):
            hint = self._parse_table_hint()
            if hint is None:
                break
            hints.append(hint)
            self._match(TokenType.COMMA)
        self._match_r_paren()
        return [self.expression(exp.WithTableHint(expressions=hints))]

    def _parse_table_hint(self) -> exp.Expr | None:
        if self._next and self._next.token_type == TokenType.EQ:
            name = self._parse_var(any_token=True)
            self._match(TokenType.EQ)
            value = self._parse_wrapped_csv(self._parse_hint_value, optional=True)
            return exp.Anonymous(this=name.name if name else "", expressions=value)
        return self._parse_function() or self._parse_var(any_token=True)

    def _parse_hint_value(self) -> exp.Expr | None:
        return self._parse_number() or self._parse_id_var(any_token=True)

    TERM = {**TSQLParser.TERM, **TSQLParser.BITWISE}  # noqa: RUF012


class TSqlLeaf(TSQL):
    """T-SQL for leaf statements; use ``read=TSqlLeaf`` wherever a leaf is parsed."""

    class Tokenizer(TSQL.Tokenizer):
        QUOTES = ["'"]  # noqa: RUF012
        KEYWORDS = {  # noqa: RUF012
            **TSQL.Tokenizer.KEYWORDS,
            "!<": TokenType.GTE,
            "!>": TokenType.LTE,
            "FLOAT": TokenType.DOUBLE,
        }

    Parser = LeafParser


def negation_outside(node: exp.Expr) -> None:
    """``a NOT LIKE b`` as ``NOT (a LIKE b)``, the way NOT IN and NOT BETWEEN are trees too.

    sqlglot hides the negation of LIKE in a flag, which is easily overlooked.
    """
    node.set("negate", None)
    predicate = node.parent if isinstance(node.parent, exp.Escape) else node
    outside = exp.Not()
    predicate.replace(outside)
    outside.set("this", predicate)


def parse_leaf_text(text: str) -> exp.Expr:
    """The tree of one leaf statement or expression.

    Raises ``sqlglot.errors.SqlglotError`` when the text does not parse.
    """
    statements = TSqlLeaf().parse(text)
    if len(statements) != 1 or statements[0] is None:
        raise ValueError("expected exactly one statement")
    tree = statements[0]
    for node in [node for node in tree.walk() if node.args.get("negate")]:
        negation_outside(node)
    return tree
