"""Runs a model the way dbt would: renders its Jinja, materializes it in DuckDB.

Small on purpose: the strategies are the SQL that dbt-duckdb's macros write (append, merge with and
without a key, merge clauses), nothing else is understood.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import duckdb
import jinja2

from core.compiler import Compiled

CLOCK = dt.datetime(2024, 6, 15, 10, 30)


class _Config:
    def __init__(self) -> None:
        self.values: dict[str, Any] = {}

    def __call__(self, **values: Any) -> str:
        self.values.update(values)
        return ""


@lru_cache(maxsize=64)
def _template(sql: str) -> jinja2.Template:
    environment = jinja2.Environment(undefined=jinja2.StrictUndefined, autoescape=False)
    return environment.from_string(sql)


def render(
    sql: str,
    target: str,
    *,
    incremental: bool,
    variables: Mapping[str, Any] | None = None,
    clock: dt.datetime = CLOCK,
) -> tuple[str, dict[str, Any]]:
    """The SQL of one run and the config it declares."""
    given = dict(variables or {})
    config = _Config()

    def var(name: str, *default: Any) -> Any:
        if name in given:
            return given[name]
        assert default, f"var {name} has no default and is not set"
        return default[0]

    text = _template(sql).render(
        config=config,
        var=var,
        source=lambda schema, table: f'"{schema}"."{table}"',
        ref=lambda model: f'models."{model}"',
        this=target,
        is_incremental=lambda: incremental and config.values["materialized"] == "incremental",
        current_timestamp=lambda: f"timestamp '{clock}'",
    )
    return text, config.values


def run(
    connection: duckdb.DuckDBPyConnection,
    model: Compiled,
    target: str,
    variables: Mapping[str, Any] | None = None,
    clock: dt.datetime = CLOCK,
) -> None:
    """Materialize a model into `target` (``schema.table``), which is created when missing."""
    schema, _, name = target.replace('"', "").partition(".")
    exists = bool(
        connection.execute(
            "select 1 from information_schema.tables where lower(table_schema) = lower(?) "
            "and lower(table_name) = lower(?)",
            [schema, name],
        ).fetchall()
    )
    text, config = render(model.sql, target, incremental=exists, variables=variables, clock=clock)
    text = text.strip().rstrip(";")
    if not exists or config["materialized"] == "table":
        connection.execute(f'create or replace table "{schema}".__new as {text}')
        connection.execute(f"drop table if exists {target}")
        connection.execute(f'alter table "{schema}".__new rename to "{name}"')
        return
    connection.execute(f"create or replace temp table __rows as {text}")
    strategy = config["incremental_strategy"]
    if strategy == "append":
        connection.execute(f"insert into {target} by name select * from __rows")
    elif strategy == "merge":
        connection.execute(_merge(target, config, connection))
    else:
        raise AssertionError(strategy)


def _merge(target: str, config: Mapping[str, Any], connection: duckdb.DuckDBPyConnection) -> str:
    key = config.get("unique_key")
    keys = [key] if isinstance(key, str) else list(key or [])
    on = " and ".join(f"src.{k} = dest.{k}" for k in keys) or "false"
    excluded = {name.lower() for name in config.get("merge_exclude_columns", [])}
    columns = [row[0] for row in connection.execute("describe __rows").fetchall()]
    update = "update by name"
    if excluded:
        kept = [f'"{c}" = src."{c}"' for c in columns if c.lower() not in excluded]
        update = f"update set {', '.join(kept)}"
    clauses = config.get("merge_clauses", {})
    not_matched = ""
    for clause in clauses.get("when_not_matched", [{"action": "insert", "mode": "by_name"}]):
        by = f" by {clause['by']}" if clause.get("by") else ""
        action = "insert by name" if clause["action"] == "insert" else clause["action"]
        not_matched += f" when not matched{by} then {action}"
    return (
        f"merge into {target} as dest using __rows as src on ({on}) "
        f"when matched then {update}{not_matched}"
    )


def rows(
    connection: duckdb.DuckDBPyConnection, target: str, *columns: str
) -> list[tuple[Any, ...]]:
    """The table's rows, sorted."""
    wanted = ", ".join(columns) or "*"
    found = connection.execute(f"select {wanted} from {target}").fetchall()
    return sorted(found, key=lambda row: tuple((value is None, str(value)) for value in row))
