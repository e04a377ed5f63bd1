"""What a procedure's text says about the data that would exercise it: literals and key pools.

Read from tokens, not from syntax trees: a procedure that the parser refuses in one place still
gives its literals, and a wrong guess costs nothing but a dull data set.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

from core.tsql.lexer import tokenize
from core.tsql.tokens import Token, TokenKind, string_value, unquoted

_COMPARISONS = frozenset({"=", "<>", "!=", "<", ">", "<=", ">=", "!<", "!>"})
_NAMES = (TokenKind.WORD, TokenKind.QUOTED)
_WINDOW = 14
"""Tokens after a column in which a literal is taken to be about it (IN lists, BETWEEN)."""


@dataclass
class Hints:
    """Literals by the column they are compared with, all literals, and columns compared.

    Column names are lower case and unqualified; ``same`` maps a column to the representative of
    the columns it is equated with, directly or through others.
    """

    texts: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    numbers: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    all_texts: list[str] = field(default_factory=list)
    all_numbers: list[str] = field(default_factory=list)
    same: dict[str, str] = field(default_factory=dict)
    variables: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    joined: set[str] = field(default_factory=set)
    """Columns that are compared with a column, of the same name or another."""
    trims: bool = False
    """Whether a text removes blanks in front of texts: then keys should have some, too."""

    def pool(self, column: str) -> str:
        """The representative of a column's class."""
        found = column
        while self.same.get(found, found) != found:
            found = self.same[found]
        return found

    def equate(self, left: str, right: str) -> None:
        """Columns that are compared with each other draw from one pool."""
        self.joined |= {left, right}
        one, two = sorted((self.pool(left), self.pool(right)))
        if one != two:
            self.same[two] = one

    def texts_for(self, column: str) -> list[str]:
        """Literals of the column's whole class."""
        wanted = self.pool(column)
        return _distinct(t for c, ts in self.texts.items() if self.pool(c) == wanted for t in ts)

    def numbers_for(self, column: str) -> list[str]:
        """Literals of the column's whole class."""
        wanted = self.pool(column)
        return _distinct(t for c, ts in self.numbers.items() if self.pool(c) == wanted for t in ts)


def read_hints(texts: Iterable[str]) -> Hints:
    """The hints in some T-SQL texts."""
    hints = Hints()
    for text in texts:
        tokens = [t for t in tokenize(text) if not t.is_trivia]
        for position, token in enumerate(tokens):
            _literal(hints, token)
            hints.trims = hints.trims or token.upper in ("LTRIM", "TRIM")
            if token.kind in _NAMES:
                _column(hints, tokens, position)
            elif token.kind is TokenKind.VARIABLE:
                _variable(hints, tokens, position)
    hints.all_texts = _distinct(hints.all_texts)
    hints.all_numbers = _distinct(hints.all_numbers)
    return hints


def _literal(hints: Hints, token: Token) -> None:
    if token.kind is TokenKind.STRING:
        hints.all_texts.append(string_value(token))
    elif token.kind in (TokenKind.NUMBER, TokenKind.MONEY):
        hints.all_numbers.append(token.text.lstrip("$"))


def _column(hints: Hints, tokens: list[Token], position: int) -> None:
    """What follows a name: an operator and what it is compared with."""
    name = unquoted(tokens[position]).lower()
    following = tokens[position + 1 : position + 1 + _WINDOW]
    while following and following[0].kind is TokenKind.CLOSE:
        following = following[1:]  # ISNULL(x, '') = …, UPPER(x) = …
    if not following:
        return
    first = following[0]
    if first.kind is TokenKind.COMMA and len(following) > 1:
        _take(hints, name, following[1])  # ISNULL(x, 'Unknown')
        following = _behind_call(following)  # … and ISNULL(x, 0) >= 1000
        if not following:
            return
        first = following[0]
    negated = first.upper == "NOT" and len(following) > 1
    word = following[1].upper if negated else first.upper
    if word in ("IN", "BETWEEN"):
        for token in following[1:]:
            if token.upper in ("THEN", "SELECT") or token.kind is TokenKind.SEMICOLON:
                break
            _take(hints, name, token)
    elif word in _COMPARISONS or word == "LIKE":
        _compared(hints, name, word, following[2 if negated else 1 :])
    elif word == "WHEN" and len(following) > 1:
        for index, token in enumerate(following):
            if token.upper == "WHEN" and index + 1 < len(following):
                _take(hints, name, following[index + 1])


def _behind_call(tokens: list[Token]) -> list[Token]:
    """What follows the parenthesis that closes the call these tokens are arguments of."""
    depth = 0
    for position, token in enumerate(tokens):
        if token.kind is TokenKind.OPEN:
            depth += 1
        elif token.kind is TokenKind.CLOSE:
            if depth == 0:
                return tokens[position + 1 :]
            depth -= 1
    return []


def _compared(hints: Hints, name: str, word: str, other: list[Token]) -> None:
    """A column is compared with what follows the operator."""
    if not other:
        return
    if other[0].kind in _NAMES:
        column = _qualified_end(other)
        if column and word in _COMPARISONS:
            hints.equate(name, column)
    elif word == "LIKE" and other[0].kind is TokenKind.STRING:
        hints.texts[name] += _like_examples(string_value(other[0]))
    else:
        for token in other[:2]:
            _take(hints, name, token)


def _variable(hints: Hints, tokens: list[Token], position: int) -> None:
    """Literals a variable or parameter is compared with."""
    following = tokens[position + 1 : position + 1 + _WINDOW]
    if not following:
        return
    word = following[0].upper
    name = tokens[position].text.lower()
    if word == "IN" or word in _COMPARISONS:
        taken = following[1:] if word == "IN" else following[1:2]
        for token in taken:
            if token.kind is TokenKind.CLOSE:
                break
            if token.kind is TokenKind.STRING:
                hints.variables[name].append(string_value(token))
            elif token.kind is TokenKind.NUMBER:
                hints.variables[name].append(token.text)


def _qualified_end(tokens: list[Token]) -> str:
    """The last part of a dotted name, unless it is the name of a function."""
    index = 0
    while index + 2 < len(tokens) and tokens[index + 1].kind is TokenKind.DOT:
        index += 2
    if tokens[index].kind not in _NAMES:
        return ""
    if index + 1 < len(tokens) and tokens[index + 1].kind is TokenKind.OPEN:
        return ""
    return unquoted(tokens[index]).lower()


def _take(hints: Hints, name: str, token: Token) -> None:
    if token.kind is TokenKind.STRING:
        hints.texts[name].append(string_value(token))
    elif token.kind in (TokenKind.NUMBER, TokenKind.MONEY):
        hints.numbers[name].append(token.text.lstrip("$"))


def _like_examples(pattern: str) -> list[str]:
    """A text that matches a LIKE pattern, and one that does not quite."""
    plain = pattern.replace("[", "").replace("]", "").replace("^", "")
    matching = plain.replace("%", "x").replace("_", "q")
    return [matching, plain.replace("%", "").replace("_", "q"), "z" + matching]


def _distinct(values: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(values))
