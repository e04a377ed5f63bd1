"""The project's database as a schema: catalog and DDL merged, views and functions bound."""

from __future__ import annotations

from pathlib import Path

from core.project.project import MigrationProject
from core.tsql.schema import ObjectName, Schema, Table, TableFunction, TableKind
from core.warehouse import IdentityColumn, Warehouse
from tests.core.project.builder import ProjectBuilder

TABLES = """\
CREATE TABLE [Silver].[DimCustomer](
    [CustomerKey] [int] IDENTITY(1000,5) NOT NULL,
    [CustomerId] [nvarchar](15) COLLATE Latin1_General_BIN NOT NULL,
    [City] [nvarchar](50) NULL,
    [Active] [bit] NOT NULL CONSTRAINT DF_Active DEFAULT ((1)),
    [LoadedAt] [datetime2](3) NULL,
    [Label] AS (CONCAT([CustomerId], N' / ', [City])) PERSISTED,
 CONSTRAINT [PK_DimCustomer] PRIMARY KEY CLUSTERED ([CustomerKey] ASC) ON [PRIMARY]
) ON [PRIMARY]
"""
ALTER = """\
ALTER TABLE [Silver].[DimCustomer] ADD  CONSTRAINT [DF_L]  DEFAULT (sysdatetime()) FOR [LoadedAt]
"""
INDEXES = """\
CREATE UNIQUE NONCLUSTERED INDEX UX_Id ON silver.dimcustomer (CustomerId ASC)
CREATE UNIQUE INDEX UX_City ON silver.dimcustomer (City) WHERE City IS NOT NULL
"""


def project(root: Path) -> ProjectBuilder:
    builder = ProjectBuilder(root)
    builder.table(
        "silver.DimCustomer",
        "CustomerKey INT NOT NULL",
        "CustomerId NVARCHAR(15) NOT NULL",
        "City NVARCHAR(50)",
        "Active BIT NOT NULL",
        "LoadedAt DATETIME2(3)",
    )
    builder._ddl["tables"].clear()
    builder.ddl("tables", TABLES).ddl("tables", ALTER).ddl("tables", INDEXES)
    return builder


def opened(builder: ProjectBuilder) -> Warehouse:
    return Warehouse(MigrationProject.open(builder.write()))


def table_in(schema: Schema, text: str) -> Table:
    found = schema.table(ObjectName.parse(text))
    assert found is not None
    return found


def test_catalog_and_ddl_are_one_table(tmp_path: Path) -> None:
    warehouse = opened(project(tmp_path))
    table = table_in(warehouse.schema_for("INSERT INTO silver.DIMCUSTOMER"), "Silver.dimCustomer")
    assert [column.name for column in table.columns] == [
        "CustomerKey",
        "CustomerId",
        "City",
        "Active",
        "LoadedAt",
        "Label",
    ]
    by_name = {column.name: column for column in table.columns}
    assert by_name["CustomerKey"].identity
    assert by_name["CustomerId"].collation == "Latin1_General_BIN"
    assert by_name["Active"].default == "((1))"
    assert by_name["LoadedAt"].default == "(sysdatetime())"
    assert by_name["LoadedAt"].type.sql().lower() == "datetime2(3)"
    assert by_name["Label"].computed is not None
    assert table.keys == (("CustomerKey",), ("CustomerId",))
    assert warehouse.identity_of("silver.dimcustomer") == IdentityColumn("CustomerKey", 1000, 5)
    assert [problem for problem in warehouse.problems if "Label" not in problem] == []


def test_a_table_known_from_the_ddl_only(tmp_path: Path) -> None:
    builder = project(tmp_path).ddl(
        "tables", "CREATE TABLE etl.RunLog (Id int PRIMARY KEY, At date)"
    )
    table = table_in(opened(builder).schema_for("exec etl.x 'etl.RunLog'"), "etl.runlog")
    assert [column.nullable for column in table.columns] == [False, True]


def test_a_schema_holds_what_a_procedure_reaches_and_no_more(tmp_path: Path) -> None:
    builder = project(tmp_path).source("bronze.A").source("bronze.B").source("bronze.Unused")
    builder.ddl("views", "CREATE VIEW dbo.vA AS SELECT a.Id, a.Name AS Label FROM bronze.A AS a")
    builder.ddl("views", "CREATE VIEW dbo.aOuter AS SELECT v.Label FROM dbo.vA AS v")
    builder.procedure(
        "CREATE PROCEDURE dbo.inner_load AS INSERT INTO silver.DimCustomer SELECT * FROM bronze.B"
    )
    schema = opened(builder).schema_for("SELECT * FROM [dbo].[aOuter]; EXEC inner_load")
    names = {str(table.name) for table in schema.tables.values()}
    assert names == {"bronze.A", "bronze.B", "silver.DimCustomer", "dbo.vA", "dbo.aOuter"}
    view = table_in(schema, "AdventureWorksDW.dbo.aouter")
    assert view.kind is TableKind.VIEW
    assert [(column.name, column.type.sql().lower()) for column in view.columns] == [
        ("Label", "nvarchar(50)")
    ]


def test_functions(tmp_path: Path) -> None:
    builder = project(tmp_path).source("bronze.A")
    builder.ddl(
        "functions",
        "CREATE FUNCTION dbo.fn_clean (@text nvarchar(100)) RETURNS nvarchar(100) AS\n"
        "BEGIN RETURN LTRIM(RTRIM(@text)) END",
    )
    builder.ddl(
        "functions",
        "CREATE FUNCTION dbo.fn_recent (@from int) RETURNS TABLE AS RETURN\n"
        "(SELECT a.Id, dbo.fn_clean(a.Name) AS Name FROM bronze.A AS a WHERE a.Id > @from)",
    )
    warehouse = opened(builder)
    schema = warehouse.schema_for("SELECT * FROM dbo.fn_recent(1)")
    function = schema.function(ObjectName.parse("dbo.fn_recent"))
    assert isinstance(function, TableFunction)
    assert [column.name for column in function.columns] == ["Id", "Name"]
    assert schema.function(ObjectName.parse("dbo.fn_clean")) is not None
    assert warehouse.problems == []


def test_disagreements_and_strange_types_are_named(tmp_path: Path) -> None:
    builder = ProjectBuilder(tmp_path).table(
        "silver.T", "Id INT", "Shape geography", "Name VARCHAR(9)"
    )
    builder._ddl["tables"] = ["CREATE TABLE silver.T (Id bigint, Shape geography, Name dbo.Label)"]
    builder.ddl("tables", "CREATE TYPE dbo.Label FROM varchar(9) NOT NULL")
    warehouse = opened(builder)
    assert warehouse.table("silver.t") is not None
    problems = " ".join(warehouse.problems)
    assert "Id is int in the catalog and bigint" in problems
    assert "geography" in problems
    assert "Name" not in problems


def test_a_broken_catalog_file_leaves_the_ddl(tmp_path: Path) -> None:
    builder = project(tmp_path).file("catalog/tables/silver.dimcustomer.json", "{")
    warehouse = opened(builder)
    table = warehouse.table("silver.dimcustomer")
    assert table is not None
    assert len(table.columns) == 6
    assert "silver.dimcustomer.json line 1" in warehouse.problems[0]


def test_a_view_nobody_understands_has_the_columns_of_its_catalog_file(tmp_path: Path) -> None:
    builder = project(tmp_path)
    builder.ddl("views", "CREATE VIEW dbo.v AS SELECT x.* FROM OPENQUERY(srv, 'select 1') AS x")
    builder.ddl("views", "CREATE VIEW dbo.w AS SELECT * FROM nowhere.t")
    builder.file(
        "catalog/views/dbo.v.json",
        '{"schema": "dbo", "name": "v", "columns": [{"name": "Id", "sql_type": "INT"}]}',
    )
    warehouse = opened(builder)
    schema = warehouse.schema_for("SELECT Id FROM dbo.v, dbo.w")
    assert [column.name for column in table_in(schema, "dbo.v").columns] == ["Id"]
    assert schema.table(ObjectName.parse("dbo.w")) is None
    assert "dbo.w" in warehouse.problems[0]
