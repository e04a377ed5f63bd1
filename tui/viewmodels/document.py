"""What a pane shows: a document is a number of lines, made when they are needed.

``key`` says what it is about: a pane that gets another document with the same key stays where it
was scrolled to. Code is highlighted with pygments only as far as somebody has looked, a bounded
number of lines at a time, so that a procedure of 10,000 lines opens as fast as one of ten.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from pygments.token import Token  # type: ignore[import-untyped]

from tui.text import Line, literal, plain, split_lines

AT_ONCE = 400
"""Lines highlighted in one go: about 15 ms of T-SQL."""


class Document(Protocol):
    """Lines with an identity."""

    @property
    def key(self) -> str:
        """What it is about."""
        ...

    @property
    def count(self) -> int:
        """How many lines there are."""
        ...

    def line(self, number: int) -> Line:
        """Line ``number``, from 0."""
        ...

    def prepare(self, last: int) -> bool:
        """Get lines up to ``last`` ready, as far as that is quick; whether they all are."""
        ...

    def text(self) -> str:
        """Everything as plain text, for copying and exporting."""
        ...

    def matches(self, needle: str) -> list[int]:
        """Numbers of the lines that contain ``needle``, in any case."""
        ...


@dataclass(frozen=True)
class Lines:
    """A document of ready lines."""

    key: str
    lines: Sequence[Line] = ()
    start: int = 0
    """The line to show first when the document is new to the pane."""

    @property
    def count(self) -> int:
        """How many lines there are."""
        return len(self.lines)

    def line(self, number: int) -> Line:
        """Line ``number``, from 0."""
        return self.lines[number]

    def prepare(self, last: int) -> bool:
        """Nothing to do."""
        return True

    def text(self) -> str:
        """Everything as plain text."""
        return "\n".join(plain(line).rstrip() for line in self.lines)

    def matches(self, needle: str) -> list[int]:
        """Lines that contain ``needle``."""
        wanted = needle.casefold()
        return [n for n, line in enumerate(self.lines) if wanted in plain(line).casefold()]


@dataclass
class Code:
    """Source text, highlighted lazily, with line numbers and marked lines.

    ``marked`` are 1-based numbers of lines to emphasize (those a CTE came from); ``signs`` puts a
    sign before a line (``+`` in a diff).
    """

    key: str
    source: str
    language: str
    marked: frozenset[int] = frozenset()
    start: int = 0
    first_number: int = 1
    """The number of the first line in its file."""
    _plain: list[str] = field(default_factory=list, repr=False)
    _done: list[Line] = field(default_factory=list, repr=False)
    _tokens: Iterator[tuple[str, str]] | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        self._plain = split_lines(self.source)

    @property
    def count(self) -> int:
        """How many lines there are."""
        return len(self._plain)

    def line(self, number: int) -> Line:
        """The number and the text; not highlighted yet where nobody prepared it."""
        width = max(3, len(str(self.first_number + self.count)))
        shown = number + self.first_number
        is_marked = number + 1 in self.marked
        sign = "▌" if is_marked else " "
        gutter = (f"{shown:>{width}}{sign}", "origin" if is_marked else "gutter")
        if number < len(self._done):
            return (gutter, *self._done[number])
        return (gutter, (literal(self._plain[number]), ""))

    def prepare(self, last: int) -> bool:
        """Highlight up to ``last``, at most :data:`AT_ONCE` lines; whether all are ready."""
        last = min(last, self.count - 1)
        end = min(last + 1, len(self._done) + AT_ONCE)
        tokens = self._tokens_of()
        parts: list[tuple[str, str]] = []
        while len(self._done) < end:
            token = next(tokens, None)
            if token is None:
                self._done.append(tuple(parts))
                self._done.extend(((literal(t), ""),) for t in self._plain[len(self._done) :])
                break
            tone, text = token
            first, *more = text.split("\n")
            parts.append((literal(first), tone))
            for piece in more:
                self._done.append(tuple(p for p in parts if p[0]))
                parts = [(literal(piece), tone)]
        if parts and parts[-1][0]:
            # What was read of the next line goes back in front of the tokens.
            self._tokens = _chain(parts, tokens)
        return len(self._done) > last

    def _tokens_of(self) -> Iterator[tuple[str, str]]:
        if self._tokens is None:
            self._tokens = _highlighted("\n".join(self._plain), self.language)
        return self._tokens

    def text(self) -> str:
        """The source."""
        return self.source

    def matches(self, needle: str) -> list[int]:
        """Lines that contain ``needle``."""
        wanted = needle.casefold()
        return [n for n, text in enumerate(self._plain) if wanted in text.casefold()]


def _chain(
    parts: list[tuple[str, str]], rest: Iterator[tuple[str, str]]
) -> Iterator[tuple[str, str]]:
    yield from ((tone, text) for text, tone in parts)
    yield from rest


# --- highlighting -----------------------------------------------------------------------------

_TONES: Mapping[object, str] = {
    Token.Keyword: "keyword",
    Token.Operator.Word: "keyword",
    Token.Literal.String: "string",
    Token.Literal.Number: "number",
    Token.Comment: "comment",
    Token.Comment.Preproc: "template",
    Token.Name.Function: "name",
    Token.Name.Builtin: "name",
    Token.Name.Class: "name",
    Token.Name.Tag: "name",
    Token.Operator: "operator",
}
_LEXERS: dict[str, Any] = {}


def _highlighted(text: str, language: str) -> Iterator[tuple[str, str]]:
    """Pairs of tone and text that make up ``text``."""
    lexer = _lexer(language)
    for chunk in _chunks(text, language):
        for _, kind, value in lexer.get_tokens_unprocessed(chunk):
            yield _tone(kind), value


def _chunks(text: str, language: str) -> Iterator[str]:
    """The whole text where the lexer is a generator; dbt's is not, and gets paragraphs."""
    if language != "sql+jinja":
        yield text
        return
    lines = text.split("\n")
    begin = 0
    while begin < len(lines):
        end = min(begin + AT_ONCE, len(lines))
        while end < len(lines) and lines[end].strip() and end < begin + 2 * AT_ONCE:
            end += 1
        last = end == len(lines)
        yield "\n".join(lines[begin:end]) + ("" if last else "\n")
        begin = end


def _tone(kind: object) -> str:
    while kind is not None and kind is not Token:
        tone = _TONES.get(kind)
        if tone is not None:
            return tone
        kind = getattr(kind, "parent", None)
    return ""


def _lexer(language: str) -> Any:
    if language not in _LEXERS:
        # 7 ms, and only when code is shown.
        from pygments.lexers import get_lexer_by_name  # type: ignore[import-untyped]

        _LEXERS[language] = get_lexer_by_name(language)
    return _LEXERS[language]


def joined(key: str, *blocks: Iterable[Line]) -> Lines:
    """A document of several blocks with an empty line between them."""
    out: list[Line] = []
    for block in blocks:
        ready = list(block)
        if out and ready:
            out.append(())
        out.extend(ready)
    return Lines(key, out)
