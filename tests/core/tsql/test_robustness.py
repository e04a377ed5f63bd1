"""Whatever the input: the source comes back, and nothing but the module's own errors is raised."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.tsql.errors import LeafError, TooDeep, TsqlError
from core.tsql.leaves_dml import INTERNAL
from core.tsql.lexer import tokenize
from core.tsql.nodes import Expr, Leaf, Script, Unparsed, children, walk
from core.tsql.parser import parse_procedure, parse_script
from core.tsql.tokens import TokenKind
from tests.core.tsql.corpus_files import corpus_files, read

TEXTS = [read(path) for path in corpus_files()]
WORDS = [
    *(
        "BEGIN",
        "END",
        "(",
        ")",
        "'",
        "[",
        "]",
        '"',
        "CASE",
        "WITH",
        "SELECT",
        "--",
        "/*",
        "*/",
        "IF",
    ),
    *("ELSE", ";", "@x", "=", ",", "DECLARE", "EXEC", "MERGE", "WHEN", "THEN", "UPDATE", "SET"),
    *("INSERT", "VALUES", "FROM", "TABLE", "CREATE", "PROC", "AS", "FETCH", "CURSOR", "FOR", "x:"),
    *("DEFAULT", "OUTPUT", "OPTION", "TOP", "N'", "ALTER", "RETURN", "FUNCTION", "TRIGGER", "ON"),
    *("DROP", "THROW", "TRY", "CATCH", "GOTO", "::", "?", "{{", "%}", "$", "0x", "1e", "..", "#"),
    *("WHILE", "UNION", "PIVOT", "APPLY", "XML", "NULL", "IDENTITY", "t", "a", "1", "."),
]
JUNK = ["\nGO\n", "\x00", "\u00a0", "\u2028", "😀", "\ufeff", "\r", "/*+ x */", "''", "]]"]


@st.composite
def mutations(draw: st.DrawFn) -> str:
    """A stretch of the corpus with words put in, taken out, moved, and characters replaced."""
    text = draw(st.sampled_from(TEXTS))
    start = draw(st.integers(0, max(len(text) - 1, 0)))
    text = text[start : start + draw(st.integers(10, 800))]
    for _ in range(draw(st.integers(1, 6))):
        at = draw(st.integers(0, len(text)))
        change = draw(st.integers(0, 3))
        if change == 0:
            text = f"{text[:at]} {draw(st.sampled_from(WORDS + JUNK))} {text[at:]}"
        elif change == 1:
            text = text[:at] + text[at + draw(st.integers(1, 30)) :]
        elif change == 2:
            other = draw(st.integers(0, len(text)))
            text = text[:at] + text[other : other + 60] + text[at:]
        else:
            text = text[:at] + draw(st.characters()) + text[at + 1 :]
    return text


def read_everything(text: str) -> None:
    """Parse a text to its last expression; raises only what `core.tsql` declares."""
    assert "".join(token.text for token in tokenize(text)) == text
    try:
        script = parse_script(text)
    except TsqlError:
        return
    assert not uncovered(script)
    for node in walk(script):
        assert 0 <= node.span.start <= node.span.end <= len(text)
        if isinstance(node, Leaf | Expr):
            parsed = node.parsed
            assert not isinstance(parsed, LeafError) or parsed.reason
            assert not isinstance(parsed, LeafError) or parsed.construct != INTERNAL, node.text


def uncovered(script: Script) -> list[str]:
    """Significant tokens outside every statement, and children outside or across their parents."""
    statements = [s for batch in script.batches for s in batch.statements]
    spans = sorted((s.span.start, s.span.end) for s in statements)
    missing = []
    at = 0
    for token in tokenize(script.source):
        if token.is_trivia or token.kind in (TokenKind.GO, TokenKind.SEMICOLON):
            continue
        while at < len(spans) and spans[at][1] <= token.start:
            at += 1
        if at == len(spans) or not spans[at][0] <= token.start:
            missing.append(token.text)
    for node in walk(script):
        end = node.span.start
        for child in sorted(children(node), key=lambda c: (c.span.start, c.span.end)):
            if not end <= child.span.start <= child.span.end <= node.span.end:
                missing.append(f"{type(child).__name__} in {type(node).__name__}")
            end = child.span.end
    return missing


fuzz = settings(
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
    derandomize=True,
    database=None,
)


@given(mutations())
@settings(fuzz, max_examples=300)
def test_a_few_hundred_mutations(text: str) -> None:
    read_everything(text)


@given(st.lists(st.sampled_from(WORDS + JUNK), max_size=60).map(" ".join))
@settings(fuzz, max_examples=200)
def test_word_salad(text: str) -> None:
    read_everything(text)


@pytest.mark.slow
@given(mutations())
@settings(fuzz, max_examples=16_000)
def test_many_mutations(text: str) -> None:
    read_everything(text)


@pytest.mark.slow
@given(st.lists(st.sampled_from(WORDS + JUNK), max_size=80).map(" ".join))
@settings(fuzz, max_examples=5_000)
def test_much_word_salad(text: str) -> None:
    read_everything(text)


DEEP = 10_000
NESTED = {
    "parentheses": "SELECT " + "(" * DEEP + "1" + ")" * DEEP,
    "open parentheses": "SELECT " + "(" * DEEP,
    "derived tables": "SELECT * FROM (" * DEEP + "x",
    "case": "SELECT " + "CASE WHEN 1 = 1 THEN " * DEEP + "1" + " END" * DEEP,
    "not": "IF " + "NOT " * DEEP + "1 = 1 PRINT 1",
    "minus": "SELECT " + "- " * DEEP + "1",
    "plus": "SELECT 1" + " + 1" * DEEP,
    "and": "SELECT 1 WHERE 1 = 1" + " AND 1 = 1" * DEEP,
    "union": "SELECT 1 UNION " * DEEP + "SELECT 1",
    "comments": "/*" * DEEP,
    "names": "SELECT a" + ".a" * DEEP,
    "list": "SELECT 1 WHERE 1 IN (" + ", ".join(["1"] * DEEP) + ")",
    "ends": "END " * DEEP,
    "declares": "DECLARE @a INT = 1 " * 1000,
}


@pytest.mark.parametrize("text", NESTED.values(), ids=NESTED.keys())
def test_absurd_nesting_ends_as_a_value(text: str) -> None:
    read_everything(text)


@pytest.mark.parametrize("opening", ["BEGIN ", "IF 1 = 1 ", "WHILE 1 = 1 ", "BEGIN TRY "])
def test_absurdly_nested_blocks_are_refused(opening: str) -> None:
    with pytest.raises(TooDeep):
        parse_script(opening * DEEP)


def test_a_long_chain_of_else_if_is_no_deep_nesting() -> None:
    text = "IF @a = 0 PRINT 0 " + " ".join(f"ELSE IF @a = {n} PRINT {n}" for n in range(100))
    assert not [node for node in walk(parse_script(text)) if isinstance(node, Unparsed)]


def test_a_text_without_a_procedure_says_so() -> None:
    with pytest.raises(TsqlError, match="no CREATE PROCEDURE"):
        parse_procedure("SELECT 1")
