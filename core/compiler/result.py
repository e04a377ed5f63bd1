"""What compiling gives back: a model with what it takes for granted, or the reason there is none.

Plain values: the text of the model is complete, nothing has to be filled in afterwards.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


@dataclass(frozen=True, slots=True)
class Unsupported:
    """Why no model is emitted: one sentence, the 1-based line of the procedure's text, and a
    short stable name of the construct by which refusals are counted (``"cursor"``).
    """

    reason: str
    line: int = 0
    construct: str = ""


class AssumptionKind(StrEnum):
    UNIQUE = "unique"
    NOT_NULL = "not_null"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Assumption:
    """Something the model takes for granted; worth a dbt test or a look.

    ``relation`` is the table (``schema.table``) it is about, empty for the model itself.
    """

    kind: AssumptionKind
    text: str
    relation: str = ""
    columns: tuple[str, ...] = ()
    line: int = 0


@dataclass(frozen=True, slots=True)
class Dropped:
    """A statement of the procedure that the model leaves out, and why that is right."""

    text: str
    line: int


@dataclass(frozen=True, slots=True)
class CteLines:
    """The procedure lines (inclusive ranges) one CTE of the model comes from."""

    cte: str
    lines: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class Compiled:
    """A complete dbt model.

    ``strategy`` is empty for ``table``; ``unique_key`` is empty when the strategy needs none.
    ``inputs`` are the keys (``schema.table``) of the tables read through source() or ref();
    ``variables`` the dbt vars the model reads; ``required_variables`` those without a default.
    ``other_targets`` are the other permanent tables the procedure writes.
    """

    sql: str
    materialization: str
    strategy: str = ""
    unique_key: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    assumptions: tuple[Assumption, ...] = ()
    dropped: tuple[Dropped, ...] = ()
    cte_map: tuple[CteLines, ...] = ()
    other_targets: tuple[str, ...] = ()
    inputs: tuple[str, ...] = ()
    variables: tuple[str, ...] = ()
    required_variables: tuple[str, ...] = ()


class Refused(Exception):  # noqa: N818 - reads as a sentence where it is raised
    """Raised inside the compiler where something is not understood; never leaves it.

    A refusal concerns one statement: what that statement writes becomes unknown, and only a
    target that depends on it is refused.
    """

    def __init__(self, reason: str, construct: str, line: int = 0) -> None:
        super().__init__(reason)
        self.reason = reason
        self.construct = construct
        self.line = line

    def at(self, line: int) -> Unsupported:
        """The refusal as a value, placed at `line` unless it knows its own."""
        return Unsupported(self.reason, self.line or line, self.construct)
