"""The shape of a query, traced down to base columns: what it reads, joins, filters and groups.

Procedure and model are brought to the same shape and then compared. A shape knows nothing of
CTE names, aliases, temp tables or dialects: a column of a derived table is the set of base
columns it is computed from, so that ``#c.Id`` of a temp table and ``customers.id`` of a CTE are
both ``bronze.customer.id``.

Shapes explain; they do not decide equality. Where tracing is not certain (a column that could
come from two tables, an expression the dialects spell differently) the fact is left vague, and
vague facts never make a finding.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum


@dataclass(frozen=True, order=True)
class BaseColumn:
    """A column of a base table: case-folded ``schema.table`` and column name."""

    table: str
    column: str

    def __str__(self) -> str:
        return f"{self.table}.{self.column}"


Lineage = frozenset[BaseColumn]
"""The base columns a value is computed from; empty for constants."""


class JoinKind(StrEnum):
    """How two relations meet; ``scalar`` is a correlated subquery or an APPLY."""

    INNER = "inner"
    LEFT = "left"
    FULL = "full"
    SEMI = "semi"
    ANTI = "anti"
    SCALAR = "scalar"


@dataclass(frozen=True)
class JoinKey:
    """One equality between columns of two base tables.

    ``preserved`` is the table whose rows an outer join keeps, empty for the other kinds.
    """

    columns: frozenset[BaseColumn]
    kind: JoinKind
    preserved: str = ""
    line: int = 0
    text: str = ""

    def describe(self) -> str:
        """The key as people write it: ``a.x = b.y``."""
        return " = ".join(str(column) for column in sorted(self.columns))


@dataclass(frozen=True)
class Predicate:
    """One atomic condition that keeps or drops rows.

    ``operator`` is ``eq``, ``lt``, ``isnull``, ``like`` …; ``literals`` are the constants it
    compares with, or ``None`` when dialects spell them differently (dates, functions,
    variables), in which case only columns and operator are comparable. ``soft`` marks a
    condition inside CASE or under a negated group.
    """

    columns: Lineage
    operator: str
    literals: tuple[str, ...] | None
    soft: bool = False
    line: int = 0
    text: str = ""

    def agrees_with(self, other: Predicate) -> bool:
        """Whether both say the same as far as both are known."""
        if self.columns != other.columns or self.operator != other.operator:
            return False
        if self.literals is None or other.literals is None:
            return True
        return self.literals == other.literals


@dataclass(frozen=True)
class Window:
    """``OVER (partition by … order by …)`` of a ranking function, traced to base columns."""

    function: str
    partition: frozenset[Lineage]
    order: tuple[tuple[Lineage, bool], ...]
    line: int = 0
    text: str = ""

    @property
    def is_traced(self) -> bool:
        """Whether every key of partition and order is known by its base columns."""
        return all(self.partition) and all(lineage for lineage, _ in self.order)

    def is_kept_by(self, other: Window) -> bool:
        """Whether the other ranks the same rows in the same order, tie-breakers apart."""
        return (
            self.function == other.function
            and self.partition == other.partition
            and other.order[: len(self.order)] == self.order
        )


@dataclass(frozen=True)
class RankFilter:
    """A condition on a rank: the ranks it keeps, from and to, or all others (``outside``).

    ``kept`` is ``None`` when the rank is compared with something that is no plain number.
    """

    window: Window
    kept: tuple[int, int | None] | None
    outside: bool = False
    line: int = 0
    text: str = ""

    def agrees_with(self, other: RankFilter) -> bool:
        """Whether both keep the same ranks, as far as both are known."""
        if self.kept is None or other.kept is None:
            return True
        return (self.kept, self.outside) == (other.kept, other.outside)


@dataclass(frozen=True)
class Aggregate:
    """An aggregate function over traced columns; ``count_distinct`` is its own function."""

    function: str
    columns: Lineage
    line: int = 0
    text: str = ""


@dataclass(frozen=True)
class Grouping:
    """The keys of one GROUP BY."""

    keys: frozenset[Lineage]
    line: int = 0
    text: str = ""


@dataclass
class Shape:
    """Everything found in one or more queries; grows while they are walked."""

    tables: dict[str, int] = field(default_factory=dict)
    """Base tables read, with the first line that reads them."""
    joins: list[JoinKey] = field(default_factory=list)
    predicates: list[Predicate] = field(default_factory=list)
    groupings: list[Grouping] = field(default_factory=list)
    aggregates: list[Aggregate] = field(default_factory=list)
    windows: list[Window] = field(default_factory=list)
    rank_filters: list[RankFilter] = field(default_factory=list)
    distincts: list[int] = field(default_factory=list)
    """Lines with SELECT DISTINCT or a UNION that removes duplicates."""
    union_distinct: list[int] = field(default_factory=list)
    union_all: list[int] = field(default_factory=list)
    pivots: bool = False
    """Whether a PIVOT or UNPIVOT occurs, which a model may spell as aggregates or a union."""

    def include(self, other: Shape, *, soft: bool = False) -> None:
        """Add everything of another shape; ``soft`` weakens its predicates and rank filters."""
        for table, line in other.tables.items():
            self.tables.setdefault(table, line)
        self.joins += other.joins
        self.predicates += (
            [
                Predicate(p.columns, p.operator, p.literals, True, p.line, p.text)
                for p in other.predicates
            ]
            if soft
            else other.predicates
        )
        self.groupings += other.groupings
        self.aggregates += other.aggregates
        self.windows += other.windows
        self.rank_filters += (
            [replace(f, kept=None) for f in other.rank_filters] if soft else other.rank_filters
        )
        self.distincts += other.distincts
        self.union_distinct += other.union_distinct
        self.union_all += other.union_all
        self.pivots |= other.pivots


@dataclass(frozen=True)
class Relation:
    """A table as a FROM clause sees it: where each of its columns comes from.

    ``base`` is the base table's key, empty for derived relations. A base table whose columns
    are unknown answers for every name.
    """

    base: str = ""
    columns: Mapping[str, Lineage] = field(default_factory=dict)
    ranks: Mapping[str, Window] = field(default_factory=dict)
    """Columns that show a rank, which comes from a window and no base column."""
    is_open: bool = False
    """Whether the list of columns is not known, so that any name may be one."""

    def has(self, name: str) -> bool:
        """Whether a column of this name certainly exists."""
        return name in self.columns

    def lineage(self, name: str) -> Lineage | None:
        """Where a column comes from; ``None`` when there is no such column."""
        if name in self.columns:
            return self.columns[name]
        if self.is_open and self.base:
            return frozenset({BaseColumn(self.base, name)})
        return frozenset() if self.is_open else None

    @classmethod
    def of_table(cls, key: str, columns: tuple[str, ...] | None) -> Relation:
        """A base table, with its columns when they are known."""
        if columns is None:
            return cls(base=key, is_open=True)
        return cls(
            base=key,
            columns={c.casefold(): frozenset({BaseColumn(key, c.casefold())}) for c in columns},
        )
