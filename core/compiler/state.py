"""The state of symbolic execution: table contents as disjoint row groups, variables as values.

A table's content is the union of its groups, and no row is in two of them. INSERT appends a
group, UPDATE splits groups into changed and unchanged rows, DELETE filters, TRUNCATE empties.
What an incremental model has to emit is then simply "every group that is not BASE".

Whatever could not be executed *poisons* what it writes: the table or variable becomes unknown,
with the reason, and only something that reads it is refused. Logging that nobody understands
therefore costs nothing, and a target that was written in an unknown way is never emitted.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum

from sqlglot import exp

from core.compiler.relations import Relation
from core.compiler.result import Unsupported
from core.tsql.schema import Table
from core.tsql.types import SqlType


class GroupKind(StrEnum):
    BASE = "base"
    """Rows the table had before the run, unchanged."""
    UPDATED = "updated"
    """Rows the table had before the run, with new values in some columns."""
    NEW = "new"


@dataclass(frozen=True)
class Group:
    """A disjoint part of a table's rows; `relation` has the table's columns, in its order.

    ``changed`` are the columns (lower case) in which UPDATED rows may differ from what they were.
    ``constants`` are columns known to hold one literal in every row, as T-SQL text.
    """

    relation: Relation
    kind: GroupKind
    changed: frozenset[str] = frozenset()
    constants: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Upsert:
    """A MERGE that is exactly dbt's: emit `rows`, merged on `keys`, never updating `excluded`.

    Valid for a table whose groups are still the very ones the MERGE made (`groups`).
    """

    rows: Relation
    keys: tuple[str, ...]
    excluded: tuple[str, ...]
    groups: tuple[Group, ...]


@dataclass(frozen=True)
class TableState:
    """What a table holds. `deleted`: rows of the prior content are gone (not merely changed)."""

    table: Table
    groups: tuple[Group, ...] = ()
    deleted: bool = False
    poison: Unsupported | None = None
    written: bool = False
    upsert: Upsert | None = None
    version: int = 0
    """How often the table was written so far: tells whether a read sees its final content."""
    reseeded: bool = False
    """TRUNCATE or creation: identity starts at its seed again."""

    @property
    def table_names(self) -> tuple[str, ...]:
        return tuple(column.name for column in self.table.columns)

    @property
    def is_empty(self) -> bool:
        return not self.groups

    def poisoned(self, why: Unsupported) -> TableState:
        return replace(self, poison=self.poison or why, written=True, upsert=None)


@dataclass(frozen=True)
class Value:
    """A variable: a closed T-SQL expression (no free columns), or the reason it is unknown.

    ``expression`` mentions only parameters of the compiled procedure (``@p``) and relations.
    ``is_constant``: it mentions neither, so it can be folded.
    """

    type: SqlType
    expression: exp.Expr | None = None
    unknown: Unsupported | None = None


Lazy = Callable[[], Value]


@dataclass(frozen=True)
class OpenCursor:
    """The rows of a cursor as they were when it was opened, and the tables they come from."""

    rows: Relation
    reads: frozenset[str]


@dataclass(frozen=True)
class Savepoint:
    """What tables held at BEGIN TRANSACTION or SAVE TRANSACTION: where ROLLBACK goes back to."""

    name: str
    tables: Mapping[str, TableState]
    is_transaction: bool = True


RETURN_CODE = "return code"
"""The variable that holds what RETURN gave: no variable of a procedure can have this name."""


@dataclass
class State:
    """One point in the execution. Copied where control flow forks; parts are immutable."""

    tables: dict[str, TableState] = field(default_factory=dict)
    variables: dict[str, Value] = field(default_factory=dict)
    lazies: dict[str, Lazy] = field(default_factory=dict)
    """``@@ROWCOUNT`` and what else is only computed when something asks."""
    procedure: str = ""
    """The name of the running procedure, as ``OBJECT_NAME(@@PROCID)`` gives it."""
    cursors: dict[str, OpenCursor] = field(default_factory=dict)
    identity_insert: frozenset[str] = frozenset()
    poison: Unsupported | None = None
    """Something with unknown effects ran: every table may have changed."""
    savepoints: tuple[Savepoint, ...] | None = ()
    """Open transactions and savepoints, the oldest first; None when that is not known."""

    @property
    def open_transactions(self) -> int | None:
        """``@@TRANCOUNT``, or None when it is not known."""
        if self.savepoints is None:
            return None
        return sum(point.is_transaction for point in self.savepoints)

    def copy(self) -> State:
        return replace(
            self,
            tables=dict(self.tables),
            variables=dict(self.variables),
            lazies=dict(self.lazies),
            cursors=dict(self.cursors),
        )
