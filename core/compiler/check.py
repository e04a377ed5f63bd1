"""The last check before a model leaves the compiler: DuckDB binds it, and says its column types.

The model's plain form (imports empty but typed, no Jinja) is bound by DuckDB itself, in memory,
without data. A model that does not bind is a defect of the compiler and is refused rather than
emitted; the types it reports tell which columns of ``final`` need a cast to be stored as the
target's.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from core.compiler.result import Refused

if TYPE_CHECKING:
    import duckdb


@cache
def _connection() -> duckdb.DuckDBPyConnection:
    import duckdb

    connection = duckdb.connect(":memory:")
    connection.execute("set enable_external_access = false")
    connection.execute("set lock_configuration = true")
    return connection


def bound_types(sql: str) -> list[str]:
    """The DuckDB types of a query's columns, in order, without running it.

    Raises `Refused` when DuckDB does not accept the query.
    """
    import duckdb

    try:
        rows = _connection().execute(f"describe {sql}").fetchall()
    except duckdb.Error as error:
        message = str(error).split("\n")[0]
        raise Refused(f"the model would not run: {message}", "internal check") from None
    return [str(row[1]).replace(" ", "").upper() for row in rows]
