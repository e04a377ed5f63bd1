"""Types of computed columns, which a CREATE TABLE does not give."""

from __future__ import annotations

from dataclasses import replace

from sqlglot import exp

from core.compiler import trees
from core.compiler.align import parsed_text
from core.compiler.result import Refused
from core.tsql.binding import bind_query
from core.tsql.errors import TsqlError
from core.tsql.schema import Column, Schema, Table


def with_computed_types(table: Table, schema: Schema) -> Table:
    """The table with the types of its computed columns; one that cannot be typed stays as it is."""
    stored = replace(table, columns=tuple(c for c in table.columns if c.computed is None))
    columns: list[Column] = []
    for column in table.columns:
        if column.computed is not None:
            try:
                value = trees.alias(parsed_text(column.computed, column.name), column.name)
                source = exp.to_table(f"{table.name.schema or 'dbo'}.computed")
                named = replace(stored, name=replace(table.name, name="computed"))
                query = trees.select([value], source)
                bound = bind_query(query, schema.with_table(named))
                column = replace(column, type=bound.columns[0].type)
            except (Refused, TsqlError):
                pass
        columns.append(column)
    return replace(table, columns=tuple(columns))
