"""The operands of a comparison in T-SQL tokens: how far they reach, whatever they hold.

Read from tokens, so that a procedure that the parser refuses in one place still gives the rest.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from core.tsql.tokens import Token, TokenKind


def operand_before(tokens: Sequence[Token], position: int, ends: Collection[str]) -> list[Token]:
    """The tokens before a position, back to a word of `ends` or an open parenthesis."""
    found = _operand(reversed(tokens[:position]), TokenKind.CLOSE, TokenKind.OPEN, ends)
    return found[::-1]


def operand_after(tokens: Sequence[Token], position: int, ends: Collection[str]) -> list[Token]:
    """The tokens behind a position, up to a word of `ends` or a closing parenthesis."""
    return _operand(tokens[position + 1 :], TokenKind.OPEN, TokenKind.CLOSE, ends)


def _operand(
    tokens: Iterable[Token], opens: TokenKind, closes: TokenKind, ends: Collection[str]
) -> list[Token]:
    depth = 0
    found: list[Token] = []
    for token in tokens:
        if token.kind is opens:
            depth += 1
        elif token.kind is closes:
            if depth == 0:
                break
            depth -= 1
        elif depth == 0 and token.upper in ends:
            break
        found.append(token)
    return found
