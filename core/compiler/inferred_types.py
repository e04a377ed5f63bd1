"""What the type of a column nobody describes is likely to be: evidence, gathered by union-find.

A `Cell` stands for the type of one column. Cells that are compared, assigned or combined with each
other are one class, and whatever says something about one of them (a variable, a cast, a function,
a literal, at last its name) says it about all.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import IntEnum

from core.tsql import types as t

NUMBER = t.decimal(18, 4)
TEXT = t.nvarchar(4000)


def words(text: str) -> frozenset[str]:
    """The words of a text, as a set of names."""
    return frozenset(text.split())


class Strength(IntEnum):
    """How much a piece of evidence weighs; of two of the same weight the first one counts."""

    LITERAL = 2
    ARITHMETIC = 3
    FUNCTION = 4
    DECLARED = 5
    CATALOG = 6


@dataclass(eq=False)
class Cell:
    """The unknown type of one column: `parent` is the class it was merged into."""

    name: str = ""
    type: t.SqlType | None = None
    strength: int = 0
    parent: Cell | None = None

    def root(self) -> Cell:
        """The one cell that speaks for the class."""
        found = self
        while found.parent is not None:
            found = found.parent
        return found

    def says(self, type_: t.SqlType, strength: Strength) -> None:
        """Adds evidence."""
        root = self.root()
        if strength > root.strength:
            root.type, root.strength = type_, strength

    def same_as(self, other: Cell) -> None:
        """Makes one class of two. Two declared types stay apart: they are merely compared."""
        mine, its = self.root(), other.root()
        if mine is its:
            return
        if min(mine.strength, its.strength) >= Strength.DECLARED:
            return
        if its.strength > mine.strength:
            mine, its = its, mine
        its.parent = mine
        if not mine.name:
            mine.name = its.name

    def settled(self) -> t.SqlType:
        """The type to use: the evidence, else what the column's name suggests, else text."""
        root = self.root()
        if root.type is None:
            return by_name(self.name or root.name) or TEXT
        if root.strength <= Strength.LITERAL and root.type == t.INT:
            # ISNULL(Amount, 0) does not make an amount a whole number.
            named = by_name(self.name or root.name)
            return named if named is not None and named.name in t.NUMERIC else t.INT
        return root.type


_WORDS = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+|\d+")
_INTEGERS = frozenset({"id", "key", "sk", "year", "month", "day", "count", "cnt", "number"})
_NUMBERS = words(
    "amount amt price cost total qty quantity rate pct percent percentage balance sum "
    "value revenue sales discount tax salary weight score avg fee margin profit"
)
_DATES = frozenset({"date", "time", "dt", "datetime", "timestamp", "on", "at"})
_RUN_TOGETHER = (
    (("datetime", "date"), t.DATETIME),
    (("amount", "price", "quantity"), NUMBER),
    (("key", "id"), t.INT),
)


def by_name(name: str) -> t.SqlType | None:
    """What a column's name suggests: ``OrderDate`` a time, ``CustomerID`` a number."""
    words = [word.lower() for word in _WORDS.findall(name)]
    if not words:
        return None
    if words[0] in ("is", "has") and len(words) > 1:
        return t.BIT
    last = words[-1]
    if last in _DATES and (len(words) > 1 or last not in ("on", "at")):
        return t.DATETIME
    if last in _NUMBERS:
        return NUMBER
    if last in _INTEGERS:
        return t.INT
    for endings, type_ in _RUN_TOGETHER:
        if any(last.endswith(ending) for ending in endings):
            return type_
    return None
