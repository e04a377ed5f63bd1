"""A little warehouse for compiler tests: tables declared in T-SQL, rows as tuples."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import duckdb

from core.compiler import Compiled, CompileOptions, Unsupported, compile_procedure
from core.tsql import nodes
from core.tsql import types as t
from core.tsql.parser import parse_script
from core.tsql.schema import Column, ObjectName, Schema, Table
from tests.core.compiler import model

DDL = """
CREATE TABLE bronze.Customer (
    CustomerID int NOT NULL PRIMARY KEY, FirstName nvarchar(50), LastName nvarchar(50),
    Email varchar(100), City nvarchar(50), ModifiedDate datetime
)
CREATE TABLE bronze.Orders (
    OrderID int NOT NULL PRIMARY KEY, CustomerID int, OrderDate date, Status varchar(20),
    Amount decimal(18, 4), Qty int
)
CREATE TABLE bronze.Changes (CustomerID int, City nvarchar(50), ChangedAt datetime)
CREATE TABLE silver.DimCustomer (
    CustomerKey int IDENTITY(1,1) NOT NULL PRIMARY KEY, CustomerID int NOT NULL,
    FullName nvarchar(101), City nvarchar(50), ValidFrom datetime, ValidTo datetime, IsCurrent bit
)
CREATE TABLE silver.Customer (
    CustomerID int NOT NULL PRIMARY KEY, FullName nvarchar(101), City nvarchar(50),
    CreatedAt datetime, UpdatedAt datetime
)
CREATE TABLE silver.FactOrders (
    OrderID int NOT NULL, CustomerID int, OrderDate date, Amount decimal(18, 2), Qty int
)
CREATE TABLE silver.DailySales (OrderDate date NOT NULL, Orders int, Amount decimal(18, 2))
CREATE TABLE etl.LoadLog (LogID int IDENTITY, Proc_Name sysname, Rows_Loaded int, At datetime)
CREATE TABLE etl.Watermark (TableName varchar(100) NOT NULL PRIMARY KEY, LastLoad datetime)
"""


def schema_of(ddl: str = DDL) -> Schema:
    """The schema that CREATE TABLE statements describe."""
    tables = []
    for statement in parse_script(ddl).statements:
        if not isinstance(statement, nodes.CreateTable):
            continue
        body = statement.body
        columns = tuple(
            Column(
                c.name,
                t.parse_type(c.type.text),
                nullable=c.nullable is not False and not c.primary_key and c.identity is None,
                identity=c.identity is not None,
                default=c.default.text if c.default else None,
            )
            for c in body.columns
            if c.type is not None
        )
        name = ObjectName(statement.name.name, statement.name.schema)
        tables.append(Table(name, columns, keys=body.keys))
    return Schema.of(tables)


SCHEMA = schema_of()


def compiled(
    source: str, target: str, schema: Schema = SCHEMA, options: CompileOptions | None = None
) -> Compiled:
    """Compile, insisting on a model."""
    result = compile_procedure(source, target, schema, options)
    assert isinstance(result, Compiled), result
    return result


def refused(
    source: str, target: str, schema: Schema = SCHEMA, options: CompileOptions | None = None
) -> Unsupported:
    """Compile, insisting on a refusal."""
    result = compile_procedure(source, target, schema, options)
    assert isinstance(result, Unsupported), result.sql
    return result


class Warehouse:
    """A DuckDB with the source tables of a schema; targets appear when models run."""

    def __init__(self, schema: Schema = SCHEMA) -> None:
        self.schema = schema
        self.connection = duckdb.connect()
        # SQL Server raises where DuckDB's floats would give infinity.
        for name in [*sorted({key[0] for key in schema.tables}), "models"]:
            self.connection.execute(f"create schema {name}")

    def load(self, name: str, rows: Sequence[Sequence[Any]]) -> None:
        """(Re)create a table with these rows."""
        table = self.schema.table(ObjectName.parse(name))
        assert table is not None
        columns = ", ".join(f'"{c.name}" {t.duckdb_storage(c.type)}' for c in table.columns)
        self.connection.execute(f"create or replace table {name} ({columns})")
        for row in rows:
            marks = ", ".join("?" for _ in row)
            self.connection.execute(f"insert into {name} values ({marks})", list(row))

    def run(
        self, result: Compiled, target: str, variables: Mapping[str, Any] | None = None
    ) -> None:
        """Run the model once; sources that were not loaded are empty."""
        for key in result.inputs:
            self.ensure(key)
        model.run(self.connection, result, target, variables)

    def ensure(self, name: str) -> None:
        """Create a table empty unless it is there."""
        table = self.schema.table(ObjectName.parse(name))
        if table is None:
            return
        columns = ", ".join(f'"{c.name}" {t.duckdb_storage(c.type)}' for c in table.columns)
        self.connection.execute(f"create table if not exists {name} ({columns})")

    def rows(self, target: str, *columns: str) -> list[tuple[Any, ...]]:
        return model.rows(self.connection, target, *columns)

    def types(self, target: str) -> dict[str, str]:
        """Column names as spelled, with their DuckDB types."""
        found = self.connection.execute(f"describe {target}").fetchall()
        return {row[0]: row[1] for row in found}
