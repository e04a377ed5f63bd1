"""The text sqlglot is given, and the way back from its positions to the source.

A `LeafText` is put together from pieces of a leaf's source and from connecting words, with the few
rewrites of `rewritten` applied token by token. It remembers where each piece came from, so that
after parsing every position in the tree can be turned into one of the source file.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field

from sqlglot import exp

from core.tsql.lexer import tokenize
from core.tsql.nodes import Expr, Leaf
from core.tsql.reserved import FOREIGN_WORDS, SOFT_WORDS, TYPE_WORDS
from core.tsql.tokens import Token, TokenKind, string_value


@dataclass(frozen=True)
class LeafSource:
    """A leaf's text with its significant tokens; token offsets are relative to the text.

    `base` and `line` place the text in the source file.
    """

    text: str
    tokens: tuple[Token, ...]
    base: int
    line: int
    column: int
    line_starts: tuple[int, ...]

    @staticmethod
    def of(node: Leaf | Expr) -> LeafSource:
        text, span = node.text, node.span
        if node.tokens is None or span.end - span.start != len(text):
            tokens = tuple(token for token in tokenize(text) if not token.is_trivia)
        else:
            tokens = tuple(
                Token(t.kind, t.text, t.start - span.start, t.line, t.column, t.upper)
                for t in node.tokens
            )
        starts = [0, *(newline.end() for newline in _NEWLINE.finditer(text))]
        return LeafSource(text, tokens, span.start, span.line, span.column, tuple(starts))

    def position(self, offset: int) -> tuple[int, int]:
        """Line and column in the source file of an offset into the text."""
        row = bisect_right(self.line_starts, offset) - 1
        column = offset - self.line_starts[row] + 1
        return self.line + row, column + (self.column - 1 if row == 0 else 0)

    def line_of(self, index: int) -> int:
        """Source line of a token by its number."""
        if not self.tokens:
            return self.line
        return self.position(self.tokens[min(index, len(self.tokens) - 1)].start)[0]


@dataclass
class LeafText:
    """Pieces of source and words between them."""

    source: LeafSource
    parts: list[str] = field(default_factory=list)
    size: int = 0
    emitted: list[Token] = field(default_factory=list)
    _out: list[int] = field(default_factory=list)
    _in: list[int] = field(default_factory=list)

    def word(self, text: str) -> None:
        """A connecting word that is not in the source: what is made of it has no position."""
        self._out.append(self.size)
        self._in.append(-1)
        self.parts.append(f" {text} ")
        self.size += len(text) + 2

    def _piece(self, text: str, offset: int) -> None:
        self._out.append(self.size)
        self._in.append(offset)
        self.parts.append(text)
        self.size += len(text)

    def tokens(self, start: int, end: int) -> None:
        """Tokens `start` to `end` of the source, with white space and comments between them."""
        tokens = self.source.tokens
        self.emitted.extend(tokens[start:end])
        index = run = start
        while index < end:
            replacement, width = rewritten(tokens, index, end)
            if replacement is None:
                index += 1
                continue
            self._run(run, index)
            self.parts.append(" ")
            self.size += 1
            self._piece(replacement, tokens[index].start)
            index += width
            run = index
            self.parts.append(" ")
            self.size += 1
        self._run(run, end)
        self.parts.append(" ")
        self.size += 1

    def _run(self, start: int, end: int) -> None:
        if start >= end:
            return
        tokens = self.source.tokens
        first, last = tokens[start].start, tokens[end - 1].end
        text = self.source.text[first:last]
        # "/*+" would be read as an optimizer hint of another database.
        self._piece(text.replace("/*+", "/* ") if "/*+" in text else text, first)

    @property
    def text(self) -> str:
        return "".join(self.parts)

    def locate(self, nodes: Sequence[exp.Expr]) -> None:
        """Turn the positions of a parsed tree's nodes into positions of the source file."""
        for node in nodes:
            meta = node._meta
            if not meta or "start" not in meta:
                continue
            start = self._source_offset(meta["start"])
            if start < 0:
                for key in ("start", "end", "line", "col"):
                    meta.pop(key, None)
                continue
            length = meta["end"] - meta["start"]
            meta["line"], meta["col"] = self.source.position(start)
            meta["start"] = self.source.base + start
            meta["end"] = self.source.base + start + length

    def source_position(self, offset: int) -> tuple[int, int]:
        """Line and column in the source file of an offset into the text given to sqlglot."""
        return self.source.position(max(self._source_offset(offset), 0))

    def _source_offset(self, offset: int) -> int:
        """Offset into the source's text, or -1 for what is not in it."""
        piece = bisect_right(self._out, offset) - 1
        if piece < 0 or self._in[piece] < 0:
            return -1
        limit = len(self.source.text)
        return min(self._in[piece] + offset - self._out[piece], limit)


_NEWLINE = re.compile(r"\r\n|\r|\n")
_TEMP_NAME = re.compile(r"#{1,2}\w+")
_NAME_ENDS = (TokenKind.COMMA, TokenKind.DOT, TokenKind.CLOSE)
_LIST_STARTS = frozenset({"SELECT", ",", "DISTINCT", "ALL"})


def is_plain_name(tokens: Sequence[Token], index: int) -> bool:
    """Whether a word that looks like a keyword of some dialect is a name here."""
    token = tokens[index]
    following = tokens[index + 1] if index + 1 < len(tokens) else None
    if token.kind is not TokenKind.WORD or (
        following is not None and following.kind is TokenKind.OPEN
    ):
        return False
    if token.upper in FOREIGN_WORDS:
        return True
    if token.upper not in SOFT_WORDS:
        return False
    before = tokens[index - 1].upper if index else ""
    if before == "WITH":
        return False
    return before == "." or (
        following is not None
        and (following.kind in _NAME_ENDS or following.upper in ("FROM", "AS", "="))
    )


def _is_quoted_type(tokens: Sequence[Token], index: int) -> bool:
    """``CAST(x AS [varchar](10))`` and ``CONVERT([int], x)``."""
    if tokens[index].text[1:-1].upper() not in TYPE_WORDS or index < 2:
        return False
    before = tokens[index - 1].upper
    return before == "AS" or (
        before == "(" and tokens[index - 2].upper in ("CONVERT", "TRY_CONVERT")
    )


def rewritten(tokens: Sequence[Token], index: int, end: int) -> tuple[str | None, int]:
    """What stands for the tokens at `index`, and how many it replaces; (None, 1) for no change.

    * ``$1.50`` is a money constant: ``CAST(1.50 AS MONEY)``;
    * ``'name' = expression`` in a select list names a column: ``[name] = expression``;
    * ``< =``, ``> =``, ``< >``, ``! =`` may be written with a space between;
    * ``0x``, the empty binary constant, is ``CAST('' AS VARBINARY(1))``;
    * a string in double quotes (QUOTED_IDENTIFIER OFF) gets single quotes;
    * a name that another database reserves (``Limit``) is put in brackets;
    * ``[varchar]`` in CAST and CONVERT is the type ``varchar``;
    * ``[#temp]`` is ``#temp``, which sqlglot marks as temporary only without brackets.
    """
    token = tokens[index]
    kind = token.kind
    if kind is TokenKind.WORD:
        return (f"[{token.text}]", 1) if is_plain_name(tokens, index) else (None, 1)
    if kind is TokenKind.NUMBER:
        return ("CAST('' AS VARBINARY(1))", 1) if token.upper in ("0x", "0X") else (None, 1)
    if kind is TokenKind.MONEY:
        return f"CAST({token.text[1:] or '0'} AS MONEY)", 1
    if kind is TokenKind.STRING:
        if (
            index
            and tokens[index - 1].upper in _LIST_STARTS
            and index + 1 < end
            and tokens[index + 1].text == "="
        ):
            return "[" + string_value(token).replace("]", "]]") + "]", 1
        if token.text[0] == '"':
            return "'" + string_value(token).replace("'", "''") + "'", 1
    elif kind is TokenKind.QUOTED and token.text[1:2] == "#":
        return (token.text[1:-1], 1) if _TEMP_NAME.fullmatch(token.text[1:-1]) else (None, 1)
    elif kind is TokenKind.QUOTED and _is_quoted_type(tokens, index):
        return token.text[1:-1], 1
    elif kind is TokenKind.OPERATOR and index + 1 < end:
        both = token.text + tokens[index + 1].text
        if both in ("<=", ">=", "<>", "!=", "!<", "!>") and tokens[index + 1].text in "=<>":
            return both, 2
    return None, 1
