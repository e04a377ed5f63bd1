"""Batches: what stands between two GO lines."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from core.tsql.tokens import Token, TokenKind


@dataclass(frozen=True, slots=True)
class RawBatch:
    """Tokens of one batch without its GO; `repeat` is the count behind that GO."""

    tokens: tuple[Token, ...]
    repeat: int


def split_batches(tokens: Sequence[Token]) -> tuple[RawBatch, ...]:
    """Cut at GO tokens. Batches of nothing but white space and comments are left out."""
    batches: list[RawBatch] = []
    current: list[Token] = []
    for token in tokens:
        if token.kind is TokenKind.GO:
            count = token.text[2:].strip()
            batches.append(RawBatch(tuple(current), int(count) if count else 1))
            current = []
        else:
            current.append(token)
    batches.append(RawBatch(tuple(current), 1))
    return tuple(batch for batch in batches if any(not t.is_trivia for t in batch.tokens))
