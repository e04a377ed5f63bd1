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

from collections.abc import Callable
from typing import Any, cast

from sqlglot import exp
from sqlglot.dialects.tsql import TSQL
from sqlglot.parsers.tsql import TSQLParser
from sqlglot.tokenizer_core import TokenType

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


def parse_leaf_text(text: str) -> exp.Expr:
    """The tree of one leaf statement or expression.

    Raises ``sqlglot.errors.SqlglotError`` when the text does not parse.
    """
    statements = TSqlLeaf().parse(text)
    if len(statements) != 1 or statements[0] is None:
        raise ValueError("expected exactly one statement")
    return statements[0]
