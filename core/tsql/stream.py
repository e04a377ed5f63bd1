"""The cursor the statement parsers share: significant tokens, spans, and where things end.

A `Stream` moves forward over the significant tokens of one batch. Statement parsers take tokens
from it one by one; what they do not take stays, so nothing can be lost on the way. When a parser
meets what it cannot read it raises `Stuck`, which never leaves this package: the statement loop
turns it into an `Unparsed` node.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from core.tsql import boundaries
from core.tsql.errors import TooDeep, TsqlError
from core.tsql.nodes import Expr, Leaf, LeafKind, ObjectName, Span, Statement
from core.tsql.tokens import Token, TokenKind, unquoted

#: Blocks nested deeper than this are refused: no person wrote them, and the tree would be deeper
#: than Python's stack lets consumers go.
MAX_DEPTH = 60

_NAMES = (TokenKind.WORD, TokenKind.QUOTED)
_TABLE_NAMES = (TokenKind.WORD, TokenKind.QUOTED, TokenKind.VARIABLE)


class Stuck(TsqlError):  # noqa: N818
    """The statement cannot be read on; `str(reason)` becomes the reason of an `Unparsed`."""

    code = "TSQL_STUCK"


def unknown_token(token: Token) -> str:
    """What is wrong with an UNKNOWN token, as a sentence."""
    if len(token.text) > 1 or token.text in "'[\"":
        return "a string, quoted name or comment is opened here and never closed"
    return f"the character {token.text!r} does not belong here"


class Stream:
    """Significant tokens of a batch with a position. `parse_statement` reads one statement."""

    def __init__(
        self,
        source: str,
        tokens: Sequence[Token],
        parse_statement: Callable[[Stream], Statement],
    ) -> None:
        self.source = source
        self.tokens = tuple(token for token in tokens if not token.is_trivia)
        self.match = boundaries.matching_parens(self.tokens)
        self.position = 0
        self.depth = 0
        self.parse_statement = parse_statement

    # --- looking ---

    @property
    def at_end(self) -> bool:
        return self.position >= len(self.tokens)

    def peek(self, ahead: int = 0) -> Token | None:
        index = self.position + ahead
        return self.tokens[index] if index < len(self.tokens) else None

    def upper(self, ahead: int = 0) -> str:
        """What the token ahead is compared by; ``""`` behind the last token."""
        index = self.position + ahead
        return self.tokens[index].upper if index < len(self.tokens) else ""

    def kind(self, ahead: int = 0) -> TokenKind | None:
        index = self.position + ahead
        return self.tokens[index].kind if index < len(self.tokens) else None

    def at(self, *words: str) -> bool:
        """Whether the next tokens are these words, in this order."""
        return all(self.upper(ahead) == word for ahead, word in enumerate(words))

    def at_any(self, *words: str) -> bool:
        return self.upper() in words

    @property
    def at_statement_end(self) -> bool:
        """Whether nothing more can belong to the statement being read."""
        return (
            self.at_end
            or self.kind() is TokenKind.SEMICOLON
            or boundaries.starts_statement(self.tokens, self.position)
        )

    # --- taking ---

    def take(self) -> Token:
        token = self.peek()
        if token is None:
            raise self.stuck("the text ends in the middle of this statement")
        self.position += 1
        return token

    def accept(self, *words: str) -> bool:
        """Take these words if they come next, all or none."""
        if not self.at(*words):
            return False
        self.position += len(words)
        return True

    def accept_any(self, *words: str) -> str | None:
        if self.upper() not in words or self.at_end:
            return None
        return self.take().upper

    def expect(self, *words: str) -> None:
        if not self.accept(*words):
            raise self.stuck(f"expected {' '.join(words)}")

    def stuck(self, reason: str) -> Stuck:
        token = self.peek() or (self.tokens[-1] if self.tokens else None)
        line, column = (token.line, token.column) if token else (1, 1)
        found = "" if self.at_end or token is None else f", found {token.text[:40]!r}"
        return Stuck(f"{reason}{found}", line=line, column=column)

    # --- names, variables, types ---

    def name(self) -> str:
        if self.kind() not in _NAMES:
            raise self.stuck("expected a name")
        return unquoted(self.take())

    def variable(self) -> str:
        if self.kind() is not TokenKind.VARIABLE:
            raise self.stuck("expected a variable")
        return self.take().text

    def object_name(self) -> ObjectName:
        """``a.b.c.d``, ``a..d``, ``#t`` or ``@t``."""
        if self.kind() not in _TABLE_NAMES:
            raise self.stuck("expected an object name")
        first = self.position
        parts = [unquoted(self.take())]
        while self.kind() is TokenKind.DOT and len(parts) < 4:
            self.position += 1
            if self.kind() is TokenKind.DOT:
                parts.append("")
            else:
                parts.append(self.name())
        return ObjectName(self.span(first), tuple(parts))

    def names_in_parens(self) -> tuple[str, ...]:
        """``(a, [b], t.c, d ASC)``: the last part of each name."""
        close = self.match[self.position] if self.kind() is TokenKind.OPEN else -1
        if close < 0:
            raise self.stuck("expected a list of names in parentheses")
        names = []
        self.position += 1
        while self.position < close:
            names.append(self.name())
            while self.position < close and self.kind() is TokenKind.DOT:
                self.position += 1
                names[-1] = self.name()
            self.accept_any("ASC", "DESC")
            if self.position < close and self.kind() is not TokenKind.COMMA:
                raise self.stuck("expected a comma between names")
            if self.position < close:
                self.position += 1
        self.position = close + 1
        return tuple(names)

    def skip_parens(self) -> str:
        """Take a parenthesised group; returns its text with the parentheses."""
        close = self.match[self.position] if self.kind() is TokenKind.OPEN else -1
        if close < 0:
            raise self.stuck("expected a group in parentheses")
        first = self.position
        self.position = close + 1
        return self.text(first)

    # --- spans, expressions, leaves ---

    def span(self, first: int) -> Span:
        """From token number `first` to the last token taken."""
        start = self.tokens[first]
        last = self.tokens[max(self.position - 1, first)]
        newlines = last.text.count("\n") if last.kind is not TokenKind.WORD else 0
        return Span(start.start, last.end, start.line, start.column, last.line + newlines)

    def empty_span(self) -> Span:
        """A place without extent, behind the last token taken."""
        token = self.tokens[self.position - 1] if self.position else self.tokens[0]
        return Span(token.end, token.end, token.line, token.column, token.line)

    def text(self, first: int) -> str:
        """Source from token number `first` to the last token taken."""
        return self.source[self.tokens[first].start : self.tokens[self.position - 1].end]

    def expression(self, *stops: str, is_condition: bool = False) -> Expr:
        """Everything up to a comma, a word of `stops`, or the end of the statement."""
        end = boundaries.expression_end(self.tokens, self.match, self.position, frozenset(stops))
        if end == self.position:
            raise self.stuck("expected an expression")
        return self.expression_to(end, is_condition=is_condition)

    def expression_to(self, end: int, *, is_condition: bool = False) -> Expr:
        first = self.position
        for index in range(first, end):
            kind = self.tokens[index].kind
            if kind is TokenKind.UNKNOWN:
                self.position = index
                raise self.stuck(unknown_token(self.tokens[index]))
            if kind is TokenKind.OPEN and self.match[index] < 0:
                raise self.stuck("a parenthesis is opened and never closed")
        self.position = end
        span = self.span(first)
        return Expr(span, self.source[span.start : span.end], is_condition, self.tokens[first:end])

    def leaf_to(self, end: int, kind: LeafKind, first: int | None = None) -> Leaf:
        """A leaf from token number `first` (default: here) to `end`."""
        first = self.position if first is None else first
        self.position = end
        span = self.span(first)
        return Leaf(span, kind, self.source[span.start : span.end], self.tokens[first:end])

    # --- depth ---

    def nested_statement(self) -> Statement:
        """One statement inside another; refuses absurd nesting."""
        self.enter()
        try:
            return self.parse_statement(self)
        finally:
            self.depth -= 1

    def enter(self) -> None:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            token = self.peek() or self.tokens[-1]
            raise TooDeep(
                f"blocks are nested more than {MAX_DEPTH} deep; split the procedure",
                line=token.line,
                column=token.column,
            )
