"""The private DuckDB: settings, macros, isolation, limits.

One engine is one in-memory database. Before any text of a procedure reaches it, access to files,
network and extensions is switched off and the configuration locked, so nothing a procedure says
can reach outside.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import duckdb

from core.interpreter import macros, macros_dates
from core.interpreter.errors import LimitExceeded, Refused, from_duckdb

#: Passes of DuckDB's optimizer that cost more than they gain on tables of a few rows.
_UNUSED_OPTIMIZERS = (
    "join_order,statistics_propagation,compressed_materialization,column_lifetime,"
    "late_materialization,join_filter_pushdown,build_side_probe_side,sampling_pushdown"
)
_SETTINGS = (
    "SET threads = 1",
    # What a procedure makes must fit: nothing is spilled to the disk.
    "SET memory_limit = '2GB'",
    "SET temp_directory = ''",
    "SET TimeZone = 'UTC'",
    "SET autoinstall_known_extensions = false",
    "SET autoload_known_extensions = false",
    "SET scalar_subquery_error_on_multiple_rows = true",
    "SET preserve_insertion_order = true",
    f"SET disabled_optimizers = '{_UNUSED_OPTIMIZERS}'",
)
_LOCK = ("SET enable_external_access = false", "SET lock_configuration = true")


@dataclass(frozen=True)
class Limits:
    """How much one run may do: statements executed, rows written or returned, seconds of time."""

    statements: int = 100_000
    rows: int = 1_000_000
    seconds: float = 60.0


class Engine:
    """A DuckDB connection that speaks the server's errors and knows when to stop."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.connection = duckdb.connect(":memory:")
        for statement in (*_SETTINGS, *macros.macros(), *macros_dates.macros(), *_LOCK):
            self.connection.execute(statement)
        self._timer: threading.Timer | None = None
        self._expired = False
        self._deadline = 0.0
        self._rows = 0
        self._statements = 0

    def close(self) -> None:
        self.connection.close()

    # --- limits -----------------------------------------------------------------------------------

    def start(self) -> None:
        """Begin counting a run's statements, rows and seconds."""
        self._expired = False
        self._rows = self._statements = 0
        self._deadline = time.monotonic() + self.limits.seconds
        self._timer = threading.Timer(self.limits.seconds, self._expire)
        self._timer.daemon = True
        self._timer.start()

    def stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _expire(self) -> None:
        self._expired = True
        self.connection.interrupt()

    def count_statement(self, line: int) -> None:
        """One more statement of the procedure; raises `LimitExceeded` beyond the limit."""
        self._statements += 1
        if self._statements > self.limits.statements:
            raise LimitExceeded("limit", f"stopped after {self.limits.statements} statements", line)
        if self._deadline and time.monotonic() > self._deadline:
            raise LimitExceeded("limit", f"stopped after {self.limits.seconds:g} seconds", line)

    def count_rows(self, rows: int) -> None:
        self._rows += rows
        if self._rows > self.limits.rows:
            raise LimitExceeded("limit", f"stopped after {self.limits.rows} rows")

    # --- statements -------------------------------------------------------------------------------

    def query(
        self,
        sql: str,
        parameters: Mapping[str, object] | Sequence[object] | None = None,
        table: str | None = None,
        verb: str = "INSERT",
    ) -> list[tuple[Any, ...]]:
        """The rows of one statement (for a write: one row with the count).

        Raises `SqlError` for what the server would raise, `Refused` for what DuckDB cannot do.
        """
        try:
            self.connection.execute(sql, parameters or None)
            return self.connection.fetchall()
        except duckdb.InterruptException as error:
            raise LimitExceeded(
                "limit", f"stopped after {self.limits.seconds:g} seconds"
            ) from error
        except duckdb.Error as error:
            if self._expired:
                raise LimitExceeded(
                    "limit", f"stopped after {self.limits.seconds:g} seconds"
                ) from error
            found = from_duckdb(error, table, verb)
            if isinstance(found, Refused):
                found.__cause__ = error
            raise found from error

    def write(
        self,
        sql: str,
        parameters: Mapping[str, object] | Sequence[object] | None = None,
        table: str | None = None,
        verb: str = "INSERT",
    ) -> int:
        """Run a write; how many rows it touched."""
        rows = self.query(sql, parameters, table, verb)
        count = int(rows[0][0]) if rows and rows[0] and isinstance(rows[0][0], int) else 0
        self.count_rows(count)
        return count
