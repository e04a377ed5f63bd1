"""The procedure's comments, to be kept above the CTE that comes from the statement below them."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from core.tsql.lexer import tokenize
from core.tsql.tokens import TokenKind

_DECORATION = re.compile(r"^[\s*=\-#_/+~]+|[\s*=\-#_/+~]+$")
_LIMIT = 8


@dataclass(frozen=True)
class Comments:
    """Comment lines by the source line of the code they stand above."""

    by_line: dict[int, tuple[str, ...]] = field(default_factory=dict)

    @classmethod
    def of(cls, source: str) -> Comments:
        """Read the comments of a procedure's text."""
        found: dict[int, tuple[str, ...]] = {}
        waiting: list[str] = []
        last_comment = 0
        code_line = 0
        for token in tokenize(source):
            if token.kind is TokenKind.COMMENT:
                if token.line == code_line:
                    continue  # behind code, not above it
                if waiting and token.line > last_comment + 2:
                    waiting = []
                waiting += lines_of(token.text)
                last_comment = token.line + token.text.count("\n")
            elif not token.is_trivia:
                if waiting and token.line != code_line:
                    if token.line <= last_comment + 2 and len(waiting) <= _LIMIT:
                        found[token.line] = tuple(waiting)
                    waiting = []
                code_line = token.line
        return cls(found)

    def above(self, line: int) -> tuple[str, ...]:
        """The comments directly above a line."""
        return self.by_line.get(line, ())


def lines_of(comment: str) -> list[str]:
    """The text of a comment, line by line, without its marks, rules and Jinja."""
    if comment.startswith("--"):
        raw = [comment[2:]]
    else:
        raw = comment[2:].removesuffix("*/").splitlines()
    cleaned = (_DECORATION.sub("", line) for line in raw)
    return [sanitised(line) for line in cleaned if line]


def sanitised(text: str) -> str:
    """A comment line in which dbt finds no Jinja and SQL no end of line."""
    text = re.sub(r"\{([{%#])", r"{ \1", text)
    text = re.sub(r"([}%#])\}", r"\1 }", text)
    return re.sub(r"[\x00-\x1f\x7f\u2028\u2029\u200b-\u200f\u202a-\u202e]+", " ", text).strip()
