"""What a run gives back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from core.interpreter.context import Finding
from core.interpreter.errors import Refused, SqlError
from core.interpreter.state import ResultSet
from core.interpreter.trace import Step
from core.tsql.schema import Column

Row = tuple[object, ...]


@dataclass(frozen=True)
class ErrorInfo:
    """An error as a value. `refused`: the reference cannot run it (`number` is then None)."""

    number: int | None
    message: str
    line: int
    severity: int = 16
    state: int = 1
    procedure: str | None = None
    refused: bool = False
    construct: str | None = None

    @classmethod
    def of(cls, error: SqlError | Refused) -> ErrorInfo:
        if isinstance(error, Refused):
            return cls(None, error.reason, error.line, 0, 0, None, True, error.construct)
        return cls(
            error.number, error.message, error.line, error.severity, error.state, error.procedure
        )


@dataclass(frozen=True)
class TableRows:
    """The content of a table: columns in order, rows in the order they were written."""

    name: str
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(column.name for column in self.columns)

    def dicts(self) -> list[dict[str, object]]:
        return [dict(zip(self.names, row, strict=True)) for row in self.rows]


@dataclass(frozen=True)
class RunResult:
    """One run of a procedure.

    `error` is what ended it, or the first error nobody caught; `errors` are all of those.
    `outputs` are the OUTPUT parameters' values, `findings` what is not determined by the text.
    """

    result_sets: tuple[ResultSet, ...] = ()
    messages: tuple[str, ...] = ()
    error: ErrorInfo | None = None
    errors: tuple[ErrorInfo, ...] = ()
    return_code: int = 0
    outputs: Mapping[str, object] = field(default_factory=dict)
    findings: tuple[Finding, ...] = ()
    trace: tuple[Step, ...] = ()

    @property
    def ok(self) -> bool:
        return self.error is None


@dataclass(frozen=True)
class BatchResult:
    """One batch of a script: `rowcount` is @@ROWCOUNT after it."""

    result_sets: tuple[ResultSet, ...]
    messages: tuple[str, ...]
    rowcount: int
    error: ErrorInfo | None
    errors: tuple[ErrorInfo, ...] = ()
    findings: tuple[Finding, ...] = ()
