"""Tokens: what the lexer cuts a source text into.

Every character of the source is in exactly one token: white space and comments are tokens too, so
that ``"".join(token.text for token in tokens)`` is the source again.
"""

from __future__ import annotations

from enum import Enum, auto
from typing import NamedTuple


class TokenKind(Enum):
    WORD = auto()  # keyword or unquoted name: SELECT, dbo, #stage
    QUOTED = auto()  # [name] or "name"
    VARIABLE = auto()  # @x, @@ROWCOUNT
    STRING = auto()  # 'x', N'x'
    NUMBER = auto()  # 1, 1.5e3, 0x1F
    MONEY = auto()  # $1.50
    OPERATOR = auto()  # + - <> >= += ::
    OPEN = auto()  # (
    CLOSE = auto()  # )
    COMMA = auto()
    DOT = auto()
    SEMICOLON = auto()
    SPACE = auto()
    COMMENT = auto()  # -- … and /* … */
    GO = auto()  # a GO line with its count
    SQLCMD = auto()  # :setvar, :r and the like
    BOM = auto()
    UNKNOWN = auto()  # a character no token starts with, or a string that is never closed


#: Kinds that carry no meaning for the structure.
TRIVIA = frozenset({TokenKind.SPACE, TokenKind.COMMENT, TokenKind.BOM, TokenKind.SQLCMD})


class Token(NamedTuple):
    """One token. `start` is an offset into the source, `line` and `column` are 1-based.

    `upper` is what keywords are compared with: the upper-case text of a WORD, else the text itself.
    """

    kind: TokenKind
    text: str
    start: int
    line: int
    column: int
    upper: str

    @property
    def end(self) -> int:
        return self.start + len(self.text)

    @property
    def is_trivia(self) -> bool:
        return self.kind in TRIVIA


def unquoted(token: Token) -> str:
    """The name a WORD or QUOTED token stands for: ``[a]]b]`` is ``a]b``."""
    text = token.text
    if token.kind is TokenKind.QUOTED:
        if text[0] == "[":
            return text[1:-1].replace("]]", "]")
        return text[1:-1].replace('""', '"')
    return text


def string_value(token: Token) -> str:
    """The characters a STRING token stands for: ``N'it''s'`` is ``it's``."""
    text = token.text
    if text[0] == '"':
        return text[1:-1].replace('""', '"')
    return text[text.index("'") + 1 : -1].replace("''", "'")
