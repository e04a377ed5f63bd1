"""Rowsets and scopes while columns are inferred: who a column name belongs to."""

from __future__ import annotations

from dataclasses import dataclass, field

from core.compiler.inferred_types import Cell, Strength
from core.tsql.schema import ObjectName, Table


@dataclass(eq=False)
class Rowset:
    """Anything with columns: a described table, one nobody describes, a query, a CTE.

    `name` is set for a table nobody describes: asking it for a column gives it that column.
    `open` are the rowsets whose columns come along through ``*``. `opaque` has columns that
    cannot be told (a function's rows).
    """

    name: ObjectName | None = None
    columns: dict[str, Cell] = field(default_factory=dict)
    open: list[Rowset] = field(default_factory=list)
    opaque: bool = False
    starred: bool = False
    """All columns are read with ``*``."""
    complete: tuple[str, ...] | None = None
    """The names an INSERT without a column list gives: all columns, in order."""

    @classmethod
    def of(cls, table: Table) -> Rowset:
        """A described table."""
        return cls(
            columns={
                column.name.lower(): Cell(column.name, column.type, Strength.CATALOG)
                for column in table.columns
            }
        )

    def add(self, name: str, cell: Cell | None = None) -> Cell:
        """The column of that name, made when it is new."""
        return self.columns.setdefault(name.lower(), cell or Cell(name))

    def find(self, name: str) -> Cell | None:
        """A column already known, here or behind a ``*``."""
        found = self.columns.get(name.lower())
        if found is not None:
            return found
        for rowset in self.open:
            if (found := rowset.find(name)) is not None:
                return found
        return None

    @property
    def may_grow(self) -> bool:
        """Whether a name that is not known yet can belong here."""
        return self.name is not None or any(rowset.may_grow for rowset in self.open)

    def need(self, name: str) -> Cell:
        """The column of that name, invented where the rowset may have it."""
        found = self.find(name)
        if found is not None:
            return found
        if self.name is not None:
            return self.add(name)
        grows = [rowset for rowset in self.open if rowset.may_grow]
        return grows[0].need(name) if grows else Cell(name)

    def outputs_so_far(self) -> list[tuple[str, Cell]]:
        """The named columns known by now."""
        found = [pair for rowset in self.open for pair in rowset.outputs_so_far()]
        return found + [(cell.name, cell) for cell in self.columns.values() if cell.name]

    @property
    def outputs(self) -> list[tuple[str, Cell]] | None:
        """The columns in order, None when a ``*`` hides them."""
        if self.opaque or self.may_grow:
            return None
        found = [cell for rowset in self.open for _, cell in rowset.outputs or []]
        return [(cell.name, cell) for cell in [*found, *self.columns.values()]]


@dataclass(eq=False)
class Scope:
    """What the names of one query level mean; `parent` is the query around it."""

    sources: dict[str, Rowset] = field(default_factory=dict)
    ctes: dict[str, Rowset] = field(default_factory=dict)
    parent: Scope | None = None
    aliases: dict[str, Cell] = field(default_factory=dict)
    """The names of the select list, which ORDER BY may use."""

    def cte(self, name: str) -> Rowset | None:
        scope: Scope | None = self
        while scope is not None:
            if name in scope.ctes:
                return scope.ctes[name]
            scope = scope.parent
        return None


@dataclass(frozen=True, eq=False)
class Doubtful:
    """An unqualified name that several tables may own, to be decided when all else is known."""

    name: str
    cell: Cell
    owners: tuple[Rowset, ...]

    def settle(self) -> None:
        """To the owner that has such a column by other uses, else the one named alike, else the
        first one."""
        for owner in self.owners:
            if (found := owner.find(self.name)) is not None:
                found.same_as(self.cell)
                return
        alike = [
            owner
            for owner in self.owners
            if owner.name is not None and self.name.lower().startswith(_stem(owner.name.name))
        ]
        (alike or list(self.owners))[0].need(self.name).same_as(self.cell)


def _stem(table: str) -> str:
    for prefix in ("dim_", "fact_", "stg_", "tbl_", "dim", "fact", "stg", "tbl"):
        if table.lower().startswith(prefix):
            table = table[len(prefix) :]
            break
    return table.lower().rstrip("s") or table.lower()


def lookup(scope: Scope, name: str, table: str, doubtful: list[Doubtful]) -> Cell:
    """The cell of a column reference, by SQL Server's scoping: innermost query first."""
    level: Scope | None = scope
    while level is not None:
        if table:
            if table in level.sources:
                return level.sources[table].need(name)
        else:
            for rowset in level.sources.values():
                if (found := rowset.find(name)) is not None:
                    return found
            grows = tuple(r for r in level.sources.values() if r.may_grow)
            if len(grows) == 1:
                return grows[0].need(name)
            if grows:
                cell = Cell(name)
                doubtful.append(Doubtful(name, cell, grows))
                return cell
            if any(rowset.opaque for rowset in level.sources.values()):
                return Cell(name)
        level = level.parent
    return Cell(name)
