"""What made the procedure fail on its own, and data that spares it.

A trial in which the procedure fails compares little, so once errors were seen most data sets are
drawn milder: keys that the error is about are distinct, values it names are not NULL, short, small
or convertible. The others stay as they were, for an error may depend on more than its message says.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field, replace
from decimal import Decimal, InvalidOperation

from core.equivalence.hints import Hints
from core.tsql.schema import Table

_SIGNS = {
    "duplicate": ("duplicate key", "returned more than 1 value", "more than once"),
    "null": ("value null into column",),
    "long": ("would be truncated",),
    "convert": ("conversion failed", "error converting", "out-of-range value"),
    "large": ("overflow",),
    "zero": ("divide by zero",),
}
"""Kinds of trouble by the words of SQL Server's messages, lower case."""

_MILD = 0.75
"""The share of data sets that are drawn milder once there was trouble."""

_DISTINCT = 0.8
"""The share of tables whose keys are made distinct in them: some errors need only one to be."""


@dataclass
class Trouble:
    """The kinds of errors seen so far, and whether the data set being drawn spares them."""

    target_keys: frozenset[str] = frozenset()
    """Columns of the target's keys, lower case: sources often spell theirs alike."""
    kinds: set[str] = field(default_factory=set)
    mild: bool = False

    def learn(self, message: str) -> None:
        """Take in the message of an error the procedure ended with."""
        text = message.lower()
        self.kinds |= {k for k, signs in _SIGNS.items() if any(sign in text for sign in signs)}

    def begin(self, rng: random.Random) -> None:
        """Decide for one data set; draws nothing while there was no trouble."""
        self.mild = bool(self.kinds) and rng.random() < _MILD

    def spares(self, kind: str) -> bool:
        """Whether the data set being drawn avoids an error of that kind."""
        return self.mild and kind in self.kinds

    def keyed(self, table: Table, hints: Hints, rng: random.Random) -> Table:
        """The table, perhaps with a key more: what the target calls its key, or joins use."""
        if not self.spares("duplicate") or rng.random() > _DISTINCT:
            return table
        names = [c.name for c in table.columns if c.name.lower() in self.target_keys]
        names = names or [c.name for c in table.columns if c.name.lower() in hints.joined]
        return replace(table, keys=(*table.keys, tuple(names))) if names else table

    def bearable(self, pool: list[object]) -> list[object]:
        """The values of a pool that avoid the errors seen; the pool where none would be left."""
        if not self.mild:
            return pool
        return [value for value in pool if self._bears(value)] or pool

    def _bears(self, value: object) -> bool:
        if isinstance(value, str):
            if self.spares("convert"):
                return _is_number(value)
            return not self.spares("long") or len(value) <= 4
        if isinstance(value, int | Decimal | float):
            if self.spares("zero") and not value:
                return False
            return not self.spares("large") or -100 <= value <= 100
        return True


def _is_number(text: str) -> bool:
    try:
        return Decimal(text.strip()).is_finite()
    except InvalidOperation:
        return False
