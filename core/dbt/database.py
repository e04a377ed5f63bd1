"""Our own DuckDB: locked, in memory; tables from catalog columns, rows from test specs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from core.dbt.guard import LOCKED_CONFIG
from core.dbt.outcome import Row
from core.dbt.template import quoted
from core.dbt.values import Misfit, duckdb_type, read_value
from core.dbt.verify import InputColumn

if TYPE_CHECKING:
    import duckdb

MAX_EVIDENCE_ROWS = 50
"""Rows of a difference that are kept for a person to see."""


def connect(path: str = ":memory:") -> duckdb.DuckDBPyConnection:
    """Open a DuckDB that cannot reach anything outside itself."""
    import duckdb

    return duckdb.connect(path, config=dict(LOCKED_CONFIG))


def create_table(
    connection: duckdb.DuckDBPyConnection, name: str, columns: Sequence[InputColumn]
) -> None:
    """Create (or replace) an empty table; ``name`` is quoted SQL, without constraints."""
    described = ", ".join(f"{quoted(c.name)} {duckdb_type(c.sql_type)}" for c in columns)
    connection.execute(f"create or replace table {name} ({described})")


def insert_rows(
    connection: duckdb.DuckDBPyConnection,
    name: str,
    columns: Sequence[InputColumn],
    rows: Iterable[Mapping[str, object]],
) -> None:
    """Insert rows whose values are what :func:`core.dbt.values.read_value` returns."""
    values = [tuple(row.get(c.name) for c in columns) for row in rows]
    if not values:
        return
    marks = "(" + ", ".join("?" for _ in columns) + ")"
    names = ", ".join(quoted(c.name) for c in columns)
    connection.execute(
        f"insert into {name} ({names}) values {', '.join([marks] * len(values))}",
        [value for row in values for value in row],
    )


def stored_rows(
    rows: Iterable[Mapping[str, object]], columns: Sequence[InputColumn]
) -> tuple[list[dict[str, Any]], list[str]]:
    """Rows of a spec in the columns' spelling and types, and what was wrong with them.

    Identity columns that a row leaves out are numbered, as the server did; other columns that
    are left out are NULL. A value that does not fit, or a column that does not exist, is named.
    """
    by_folded = {c.name.casefold(): c for c in columns}
    problems: list[str] = []
    stored: list[dict[str, Any]] = []
    for row in rows:
        kept: dict[str, Any] = {}
        for name, value in row.items():
            column = by_folded.get(name.casefold())
            if column is None:
                problems.append(f"there is no column '{name}'")
                continue
            read = read_value(value, column.sql_type)
            if isinstance(read, Misfit):
                problems.append(f"column '{column.name}': {read.reason}")
            else:
                kept[column.name] = read
        stored.append(kept)
    _number_identities(stored, columns)
    return stored, list(dict.fromkeys(problems))


def _number_identities(rows: list[dict[str, Any]], columns: Sequence[InputColumn]) -> None:
    for column in columns:
        if not column.identity:
            continue
        taken = [row[column.name] for row in rows if isinstance(row.get(column.name), int)]
        following = max(taken, default=0) + 1
        for row in rows:
            if row.get(column.name) is None:
                row[column.name] = following
                following += 1


def fetch_rows(
    connection: duckdb.DuckDBPyConnection, sql: str, limit: int = MAX_EVIDENCE_ROWS
) -> tuple[Row, ...]:
    """The first rows of a query as name to value."""
    cursor = connection.execute(sql)
    names = [d[0] for d in cursor.description or []]
    return tuple(dict(zip(names, row, strict=True)) for row in cursor.fetchmany(limit))


def wipe(connection: duckdb.DuckDBPyConnection) -> None:
    """Drop every table, view and schema an earlier item left."""
    schemas = connection.execute(
        "select schema_name from duckdb_schemas() "
        "where database_name = current_database() and not internal"
    ).fetchall()
    for (schema,) in schemas:
        if schema != "main":
            connection.execute(f"drop schema {quoted(schema)} cascade")
    left = connection.execute(
        "select table_type, table_name from information_schema.tables where table_schema = 'main'"
    ).fetchall()
    for kind, name in left:
        what = "view" if kind == "VIEW" else "table"
        connection.execute(f"drop {what} if exists main.{quoted(name)}")
