"""Cutting INSERT, UPDATE, DELETE and MERGE into their clauses, by token number."""

from __future__ import annotations

from collections.abc import Iterator

from core.tsql.leaves_query import Refused
from core.tsql.leaves_text import LeafSource
from core.tsql.nodes import Statement
from core.tsql.statements_data import verb_position
from core.tsql.stream import Stream
from core.tsql.tokens import TokenKind

Range = tuple[int, int]
NOTHING: Range = (0, 0)


def _no_statement(stream: Stream) -> Statement:
    raise stream.stuck("there is no statement inside a leaf")


class Cutter(Stream):
    """A cursor over a leaf's tokens that knows clauses."""

    def __init__(self, source: LeafSource) -> None:
        super().__init__(source.text, source.tokens, _no_statement)
        self.leaf = source
        self.ctes: Range = NOTHING

    def refuse(self, reason: str, construct: str) -> Refused:
        return Refused(reason, construct, self.leaf.line_of(self.position))

    def take_ctes(self) -> None:
        """Move behind the WITH clause and remember it."""
        verb = verb_position(self, 0)
        self.ctes = (0, verb)
        self.position = verb

    def until(self, *words: str, end: int | None = None) -> Range:
        """Everything up to one of these words outside parentheses and CASE, taken.

        FROM behind ``IS [NOT] DISTINCT`` and inside functions is not a clause.
        """
        limit = len(self.tokens) if end is None else end
        first, cases = self.position, 0
        while self.position < limit:
            token = self.tokens[self.position]
            if self.match[self.position] >= 0:
                self.position = self.match[self.position] + 1
                continue
            if token.kind is TokenKind.WORD:
                if token.upper == "CASE":
                    cases += 1
                elif token.upper == "END" and cases:
                    cases -= 1
                elif not cases and token.upper in words and not self._is_distinct_from():
                    break
            self.position += 1
        self.position = min(self.position, limit)
        return first, self.position

    def _is_distinct_from(self) -> bool:
        return (
            self.at("FROM")
            and self.position > 0
            and self.tokens[self.position - 1].upper == "DISTINCT"
        )

    def items(self, within: Range) -> Iterator[Range]:
        """The parts of a list, between the commas outside parentheses."""
        start, end = within
        index = start
        while index < end:
            if self.match[index] >= 0:
                index = self.match[index]
            elif self.tokens[index].kind is TokenKind.COMMA:
                yield start, index
                start = index + 1
            index += 1
        if start < end or within[0] < within[1]:
            yield start, end

    def option_clause(self) -> tuple[str, ...]:
        """``OPTION (…)`` as text per option."""
        if not self.accept("OPTION"):
            return ()
        first = self.position
        self.skip_parens()
        inside = (first + 1, self.position - 1)
        return tuple(
            self.source[self.tokens[start].start : self.tokens[end - 1].end]
            for start, end in self.items(inside)
            if end > start
        )

    def hints(self) -> tuple[str, ...]:
        """``WITH (TABLOCK, …)`` behind a target."""
        if not self.at("WITH", "("):
            return ()
        self.position += 1
        first = self.position
        self.skip_parens()
        return tuple(
            self.tokens[start].upper
            for start, end in self.items((first + 1, self.position - 1))
            if end > start
        )

    def expect_end(self) -> None:
        if not self.at_end:
            token = self.tokens[self.position]
            raise self.refuse(f"{token.text[:40]!r} does not belong here", "syntax")
