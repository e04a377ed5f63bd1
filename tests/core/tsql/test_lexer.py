"""The lexer loses nothing and sees strings, comments, names and GO lines as SQL Server's tools do."""

# ruff: noqa: E501 - one example per line reads best
from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.tsql.lexer import tokenize
from core.tsql.tokens import TokenKind, string_value, unquoted

K = TokenKind


def kinds(text: str) -> list[tuple[TokenKind, str]]:
    return [(t.kind, t.text) for t in tokenize(text) if t.kind is not K.SPACE]


@given(st.text())
def test_joining_all_tokens_gives_the_source_back(text: str) -> None:
    assert "".join(token.text for token in tokenize(text)) == text


@given(st.text(alphabet="'\"[]/*-\n\rGo 5N@#$.;:x0e+"))
def test_joining_gives_the_source_back_where_tokens_have_edges(text: str) -> None:
    assert "".join(token.text for token in tokenize(text)) == text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("N'it''s'", [(K.STRING, "N'it''s'")]),
        ("[a]]b] \"x\"\"y\"", [(K.QUOTED, "[a]]b]"), (K.QUOTED, '"x""y"')]),
        ("/* a /* b */ c */x", [(K.COMMENT, "/* a /* b */ c */"), (K.WORD, "x")]),
        ("@a @@ROWCOUNT #t ##g", [(K.VARIABLE, "@a"), (K.VARIABLE, "@@ROWCOUNT"), (K.WORD, "#t"), (K.WORD, "##g")]),
        ("1.5e-3 .5 0xFF $1.50", [(K.NUMBER, "1.5e-3"), (K.NUMBER, ".5"), (K.NUMBER, "0xFF"), (K.MONEY, "$1.50")]),
        ("a+=1", [(K.WORD, "a"), (K.OPERATOR, "+="), (K.NUMBER, "1")]),
        ("$action", [(K.WORD, "$action")]),
        ("'open", [(K.UNKNOWN, "'open")]),
        ("\ufeffGO", [(K.BOM, "\ufeff"), (K.GO, "GO")]),
        (":setvar db x\nGO", [(K.SQLCMD, ":setvar db x"), (K.GO, "GO")]),
    ],
)  # fmt: skip
def test_tokens(text: str, expected: list[tuple[TokenKind, str]]) -> None:
    assert kinds(text) == expected


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("SELECT 1\nGO\nSELECT 2", 1),
        ("SELECT 1\r\n  go 5  -- twice\r\n", 1),
        ("SELECT 'a\nGO\n'", 0),
        ("/*\nGO\n*/", 0),
        ("SELECT 1 AS go", 0),
        ("GOTO x\ngo_on:", 0),
        ("go.x", 0),
    ],
)
def test_go_is_a_line_of_its_own_outside_strings_and_comments(text: str, count: int) -> None:
    assert sum(token.kind is K.GO for token in tokenize(text)) == count


def test_positions_count_every_kind_of_line_end() -> None:
    token = tokenize("a\r\nb\rc\n  d")[-1]
    assert (token.text, token.line, token.column) == ("d", 4, 3)


def test_no_break_spaces_are_white_space() -> None:
    assert kinds("SELECT\u00a01") == [(K.WORD, "SELECT"), (K.NUMBER, "1")]


def test_names_and_strings_without_their_quotes() -> None:
    name, _, text = tokenize("[a]]b] N'it''s'")
    assert (unquoted(name), string_value(text)) == ("a]b", "it's")


def test_double_quotes_are_strings_once_quoted_identifier_is_off() -> None:
    before, *_, after = (t for t in tokenize('"a" SET QUOTED_IDENTIFIER OFF PRINT "b"'))
    assert (before.kind, after.kind) == (K.QUOTED, K.STRING)
