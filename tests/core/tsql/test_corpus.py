"""The corpus is read completely: every token has its node, every leaf its tree."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.tsql.errors import LeafError
from core.tsql.leaves_dml import INTERNAL
from core.tsql.lexer import tokenize
from core.tsql.nodes import CreateProcedure, Expr, Leaf, Node, Script, Unparsed, children, walk
from core.tsql.parser import parse_script
from core.tsql.tokens import TokenKind
from tests.core.tsql.corpus_files import corpus_files, read, tables_of

#: Leaves that are refused on purpose, with the construct they are refused for.
REFUSED = {
    ("telecom_cursor_update.sql", "WHERE CURRENT OF"),
    ("logistics_objects.sql", "syntax"),  # IF UPDATE(column) of a trigger
}

files = pytest.mark.parametrize("path", corpus_files(), ids=lambda path: path.stem)


def owners(script: Script) -> dict[int, list[Node]]:
    """For each significant token's offset, the innermost nodes it lies in."""
    offsets = [
        token.start
        for token in tokenize(script.source)
        if not token.is_trivia and token.kind not in (TokenKind.GO, TokenKind.SEMICOLON)
    ]
    found: dict[int, list[Node]] = {}
    for offset in offsets:
        level: list[Node] = [script]
        while True:
            inner = [
                child
                for node in level
                for child in children(node)
                if child.span.start <= offset < child.span.end
            ]
            if not inner:
                break
            level = inner
        found[offset] = level
    return found


def test_the_corpus_is_large_and_half_of_it_has_no_semicolons() -> None:
    texts = [read(path) for path in corpus_files()]
    procedures = [p for text in texts for p in parse_script(text).procedures]
    assert len(procedures) >= 150
    bare = [text for text in texts if text.count(";") <= 2]
    assert len(bare) >= 0.35 * len(texts)
    lengths = [p.span.end_line - p.span.line + 1 for p in procedures]
    assert min(lengths) <= 8
    assert max(lengths) >= 300


@files
def test_tokens_give_the_source_back(path: Path) -> None:
    text = read(path)
    assert "".join(token.text for token in tokenize(text)) == text


@files
def test_nothing_is_left_unparsed(path: Path) -> None:
    found = [n for n in walk(parse_script(read(path))) if isinstance(n, Unparsed)]
    assert not [(node.span.line, node.reason) for node in found]


@files
def test_every_token_belongs_to_exactly_one_node(path: Path) -> None:
    script = parse_script(read(path))
    for offset, nodes in owners(script).items():
        # A SelectAssign is its leaf: same span, one inside the other.
        assert len(nodes) == 1, (offset, nodes)
        assert not isinstance(nodes[0], Script), script.source[offset : offset + 40]


@files
def test_children_lie_inside_their_parents_and_do_not_overlap(path: Path) -> None:
    for node in walk(parse_script(read(path))):
        end = node.span.start
        for child in sorted(children(node), key=lambda c: (c.span.start, c.span.end)):
            assert node.span.start <= child.span.start <= child.span.end <= node.span.end
            assert child.span.start >= end
            end = child.span.end


@files
def test_every_leaf_and_expression_has_a_tree(path: Path) -> None:
    refused = {
        (path.name, node.parsed.construct)
        for node in walk(parse_script(read(path)))
        if isinstance(node, Leaf | Expr) and isinstance(node.parsed, LeafError)
    }
    assert refused <= REFUSED


@files
def test_no_refusal_is_a_gap_of_the_reader_itself(path: Path) -> None:
    """Also for beginnings of the file, which end in the middle of a statement."""
    text = read(path)
    for end in (len(text), len(text) * 3 // 4, len(text) // 2, len(text) // 3):
        for node in walk(parse_script(text[:end])):
            if isinstance(node, Leaf | Expr) and isinstance(node.parsed, LeafError):
                assert node.parsed.construct != INTERNAL, node.text


@files
def test_lines_of_leaf_parts_are_lines_of_the_source(path: Path) -> None:
    """Positions inside a leaf's tree point at the word they claim to be."""
    text = read(path)
    for node in walk(parse_script(text)):
        if not isinstance(node, Leaf) or isinstance(node.parsed, LeafError):
            continue
        query = node.parsed.query
        for part in query.walk() if query is not None else ():
            if "start" in part.meta and type(part).__name__ == "Identifier":
                at = text[part.meta["start"] : part.meta["end"] + 1].strip("[]\"'")
                assert at.casefold().lstrip("#") == part.name.casefold().lstrip("#")
                line_ends = text.count("\n", 0, part.meta["start"])
                assert part.meta["line"] == line_ends + 1


@files
def test_every_corpus_file_has_tables(path: Path) -> None:
    script = parse_script(read(tables_of(path)))
    assert script.statements
    assert all(type(s).__name__ == "CreateTable" for s in script.statements)


def test_bodies_and_trailing_statements_are_told_apart() -> None:
    trailing = [
        procedure
        for path in corpus_files()
        for procedure in parse_script(read(path)).procedures
        if isinstance(procedure, CreateProcedure) and procedure.trailing
    ]
    assert len(trailing) >= 4
