"""The currency of the translation: a translated value with its T-SQL type and its source."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from sqlglot import exp

from core.tsql.meaning.options import Options
from core.tsql.types import SqlType
from core.tsql.typing import type_of, unwrapped


@dataclass(frozen=True)
class Value:
    """``tree`` in the target's SQL, ``type`` in T-SQL, ``source`` the bound T-SQL node."""

    tree: exp.Expr
    type: SqlType
    source: exp.Expr

    @property
    def text(self) -> str | None:
        """The text of a string literal, else None."""
        node = unwrapped(self.source)
        if isinstance(node, exp.National) or (isinstance(node, exp.Literal) and node.is_string):
            return node.name
        return None

    @property
    def number(self) -> str | None:
        """The digits of a numeric literal with its sign, else None."""
        node = unwrapped(self.source)
        sign = ""
        if isinstance(node, exp.Neg):
            sign, node = "-", unwrapped(node.this)
        if isinstance(node, exp.Literal) and not node.is_string:
            return sign + node.name
        return None

    @property
    def integer(self) -> int | None:
        """The value of an integer literal, else None."""
        number = self.number
        return int(number) if number is not None and number.lstrip("-").isdecimal() else None

    @property
    def is_case_sensitive(self) -> bool:
        """Whether a COLLATE in it asks for a case-sensitive or binary comparison."""
        names = (node.expression.name.upper() for node in self.source.find_all(exp.Collate))
        return any("_CS" in name or "_BIN" in name for name in names)

    @property
    def has_letters(self) -> bool:
        """Whether its text can have letters of both cases: not a number or date written as text."""
        source = unwrapped(self.source)
        if self.text is not None:
            return self.text.upper() != self.text.lower()
        if isinstance(source, exp.Cast | exp.TryCast | exp.Convert):
            inner = source.expression if isinstance(source, exp.Convert) else source.this
            return type_of(inner).is_string
        return True

    @property
    def is_null(self) -> bool:
        """A literal NULL."""
        return isinstance(unwrapped(self.source), exp.Null)


@dataclass(frozen=True)
class Call:
    """A built-in function's call: upper-case name, arguments, result type, source node.

    ``part`` is the full name of the date part, for functions that take one; it is not among
    ``arguments`` then. ``distinct`` and ``star`` describe an aggregate's argument.
    """

    name: str
    arguments: tuple[Value, ...]
    type: SqlType
    node: exp.Expr
    options: Options
    part: str | None = None
    distinct: bool = False
    star: bool = False


class Target(Protocol):
    """What the translation asks of a target dialect; ``duckdb.DuckDb`` is the first.

    Every method takes values already translated and returns the target's tree with exactly
    T-SQL's meaning, or raises :class:`core.tsql.meaning.refusal.Refused`.
    """

    def literal(self, node: exp.Expr, type_: SqlType) -> exp.Expr:
        """A literal of any kind."""
        ...

    def convert(
        self,
        value: Value,
        to: SqlType,
        options: Options,
        *,
        style: int | None = None,
        safe: bool = False,
    ) -> exp.Expr:
        """CAST/CONVERT (``safe``: TRY_…), lengths cut, decimals rounded or truncated."""
        ...

    def align(self, value: Value, to: SqlType, options: Options) -> exp.Expr:
        """A value brought to a type it is compared or combined in; as it is when that suffices."""
        ...

    def arithmetic(
        self, node: exp.Expr, left: Value, right: Value, type_: SqlType, options: Options
    ) -> exp.Expr:
        """``+ - * / %`` and the bit operators."""
        ...

    def negated(self, value: Value, type_: SqlType) -> exp.Expr:
        """``-value``."""
        ...

    def call(self, call: Call) -> exp.Expr:
        """A built-in function."""
        ...

    def clock(self, type_: SqlType, options: Options) -> exp.Expr:
        """The current moment."""
        ...

    def folded(self, tree: exp.Expr) -> exp.Expr:
        """Text such that equal in SQL Server's default collation means equal."""
        ...

    def without_case(self, tree: exp.Expr) -> exp.Expr:
        """Text that sorts and is less or greater without regard to case."""
        ...

    def like(self, value: Value, pattern: Value, escape: str | None, options: Options) -> exp.Expr:
        """``value LIKE pattern``."""
        ...

    def storage(self, type_: SqlType) -> exp.DataType:
        """The target's type for a T-SQL type."""
        ...

    def name(self, identifier: exp.Expr) -> exp.Identifier:
        """An identifier, quoted only where it must be."""
        ...
