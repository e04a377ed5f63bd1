"""What a running batch or procedure remembers: variables, errors, results."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from core.interpreter.errors import SqlError
from core.tsql.scope import OutputColumn
from core.tsql.types import SqlType

if TYPE_CHECKING:
    from core.interpreter.cursors import CursorState
    from core.interpreter.tables import StoredTable

DEFAULT_CLOCK = dt.datetime(2024, 6, 15, 10, 30, 0)


@dataclass
class Variable:
    """A scalar variable: its declared type and its value (None is NULL)."""

    type: SqlType
    value: object = None


@dataclass
class Frame:
    """One module (or batch) that is being executed.

    `hidden` are tables of outer scopes that a temp table of this one hides; `lines_before` is what
    ERROR_LINE does not count of the file's lines.
    """

    name: str | None
    number: int
    variables: dict[str, Variable] = field(default_factory=dict)
    created: list[StoredTable] = field(default_factory=list)
    hidden: list[StoredTable] = field(default_factory=list)
    aliases: dict[str, str] = field(default_factory=dict)
    cursors: dict[str, CursorState] = field(default_factory=dict)
    cursor_variables: set[str] = field(default_factory=set)
    declared: dict[str, object] = field(default_factory=dict)
    scope_identity: object = None
    trancount: int = 0
    is_function: bool = False
    lines_before: int = 0

    @property
    def types(self) -> Mapping[str, SqlType]:
        return {name: variable.type for name, variable in self.variables.items()}


@dataclass(frozen=True)
class ResultSet:
    """The rows a SELECT returned to the client."""

    columns: tuple[OutputColumn, ...]
    rows: tuple[tuple[object, ...], ...]

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(column.name or "" for column in self.columns)


@dataclass
class Sink:
    """Where results, messages and uncaught errors of a run go."""

    result_sets: list[ResultSet] = field(default_factory=list)
    messages: list[str] = field(default_factory=list)
    errors: list[SqlError] = field(default_factory=list)
