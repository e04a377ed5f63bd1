"""Constants that only gate volume, made small enough for small tables.

A batch of 5000 rows or a threshold of 100000 is never reached by tables of ten rows. Such a
constant is replaced by 2 (a second one by 3, and so on, in the order of their size), in the
procedure and in the model alike, before anything runs. Replaced is a whole number of at least 50
that stands

- in ``TOP (n)`` or ``SET ROWCOUNT n``,
- beside ``@@ROWCOUNT`` or ``COUNT(…)`` in a comparison,
- as the value given to a variable or parameter whose name says batch, chunk, block or rows,

and nowhere else in the procedure. The report lists what was replaced, and a replay replaces the
same.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from core.equivalence.subject import Subject
from core.tsql.lexer import tokenize
from core.tsql.tokens import Token, TokenKind

LEAST = 50
"""Smaller constants are reached by the data as they are."""

_SMALLEST = 2
_WINDOW = 40
_COUNTS = ("COUNT", "COUNT_BIG")
_COMPARISONS = frozenset({"=", "<>", "!=", "<", ">", "<=", ">="})
_SIZE_NAME = re.compile(r"batch|chunk|block|rows|maxrow|threshold", re.IGNORECASE)


def shrink_volume(subject: Subject) -> Subject:
    """The subject with its volume constants made small; ``shrunk`` says which."""
    found = volume_constants(subject.procedure_text)
    if not found:
        return subject
    small = {number: _SMALLEST + place for place, number in enumerate(sorted(found))}

    def rewritten(text: str) -> str:
        for number, value in small.items():
            text = re.sub(rf"(?<![\w.']){number}(?![\w.'])", str(value), text)
        return text

    return replace(
        subject,
        procedure_text=rewritten(subject.procedure_text),
        modules=tuple(rewritten(m) if m == subject.procedure_text else m for m in subject.modules),
        sql=rewritten(subject.sql),
        shrunk=tuple(
            f"line {found[number]}: {number} stands for {value} here"
            for number, value in sorted(small.items())
        ),
    )


def volume_constants(text: str) -> dict[int, int]:
    """Constants that only gate volume, with the line where each is first seen."""
    tokens = [t for t in tokenize(text) if not t.is_trivia]
    gates: dict[int, int] = {}
    others: set[int] = set()
    for position, token in enumerate(tokens):
        if token.kind is not TokenKind.NUMBER or not token.text.isdigit():
            continue
        number = int(token.text)
        if number < LEAST:
            continue
        if _is_gate(tokens, position):
            gates.setdefault(number, token.line)
        else:
            others.add(number)
    return {number: line for number, line in gates.items() if number not in others}


def _is_gate(tokens: Sequence[Token], position: int) -> bool:
    before = [t.upper for t in tokens[max(0, position - _WINDOW) : position]][::-1]
    after = [t.upper for t in tokens[position + 1 : position + 3]]
    plain = before[1:] if before[:1] == ["("] else before
    if plain[:1] == ["TOP"] or before[:2] == ["ROWCOUNT", "SET"]:
        return True
    if before[:1] == ["="] and any(_names_size(word) for word in before[1:4]):
        return True  # @BatchSize INT = n
    if before[:1] and before[0] in _COMPARISONS:
        return before[1] == "@@ROWCOUNT" or _names_size(before[1]) or _counts(before[1:])
    counted = after[1:2] and (after[1] in ("@@ROWCOUNT", *_COUNTS) or _names_size(after[1]))
    return bool(after[:1] and after[0] in _COMPARISONS and counted)


def _names_size(word: str) -> bool:
    return word.startswith("@") and bool(_SIZE_NAME.search(word))


def _counts(backwards: Sequence[str]) -> bool:
    """Whether these tokens, read backwards, begin with ``COUNT(…)`` or a subquery that counts."""
    depth = 0
    for place, word in enumerate(backwards):
        depth += (word == ")") - (word == "(")
        if depth == 0:
            inside = backwards[: place + 2]
            return place > 0 and any(name in inside for name in _COUNTS)
    return False
