"""A migration project whose procedures the compiler refuses, and models for them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from tests.core.pipeline.small_project import write_project, write_spec, write_table

DYNAMIC = """CREATE   procedure [silver].[usp_Load{name}]
AS
BEGIN
SET NOCOUNT ON
-- {comment}
declare @sql nvarchar(max), @cols nvarchar(max)
BEGIN TRY
    select @cols = STRING_AGG(QUOTENAME(name), ',') from sys.columns
        where object_id = OBJECT_ID('bronze.{name}')
    TRUNCATE TABLE [silver].[{name}]
    SET @sql = N'insert into silver.{name} (Id, Name) select Id, UPPER(Name) from bronze.{name}
        where Id > 0 and ' + @cols + ' is not null'
    EXEC sp_executesql @sql
END TRY
BEGIN CATCH
    PRINT ERROR_MESSAGE();
    THROW
END CATCH
END
GO
"""

SPEC = {
    "given": [
        {"id": 1, "name": "Ada Lovelace"},
        {"id": -2, "name": "Nobody"},
    ],
    "expect": [{"Id": 1, "Name": "ADA LOVELACE"}],
}


def write_dynamic(
    root: Path,
    tables: Sequence[str],
    *,
    comment: str = "nightly load",
    pii: bool = False,
) -> Path:
    """Tables of ``silver``, each loaded by dynamic SQL from ``bronze``."""
    write_project(root, [f"silver.{name}" for name in tables])
    texts = []
    for name in tables:
        texts.append(DYNAMIC.format(name=name, comment=comment))
        test = {
            "name": f"test_load_{name.lower()}",
            "target_table": f"[silver].[{name}]",
            "procedure": f"[silver].[usp_Load{name}]",
            "given": [
                {
                    "table": f"[bronze].[{name}]",
                    "rows": [{"Id": r["id"], "Name": r["name"]} for r in SPEC["given"]],
                }
            ],
            "expect": {"rows": SPEC["expect"]},
        }
        write_spec(root, "silver", name, unit_tests=[test])
        if pii:
            profile = {
                "status": "ok",
                "classification": {"resolved_kind": "dim_non_scd"},
                "primary_key": {"columns": ["Id"], "primary_key_type": "natural"},
                "pii_actions": [{"column": "Name", "entity": "name", "suggested_action": "mask"}],
            }
            write_table(root, "silver", name, profile=profile)
    (root / "ddl/procedures.sql").write_text("\n".join(texts), encoding="utf-8")
    return root


def model(name: str, value: str = "upper(source.Name)", where: str = "source.Id > 0") -> str:
    """A model for a table; a good one unless told otherwise."""
    return f"""{{{{ config(materialized='table') }}}}

with source as (
    select * from {{{{ source('bronze', '{name}') }}}}
),

loaded as (
    select
        source.Id,
        {value} as Name,
    from source
    where {where}
),

final as (
    select
        cast(Id as integer) as Id,
        cast(Name as varchar) as Name,
    from loaded
)

select * from final
"""


STATIC = """CREATE OR ALTER PROCEDURE [silver].[usp_Load{name}]
    @RunId INT = NULL
AS
BEGIN
SET NOCOUNT ON;
BEGIN TRY
    BEGIN TRAN
    delete from [silver].[{name}]
    insert into silver.{name} (Id, Name)
    select s.Id, UPPER(ISNULL(s.Name, 'unknown'))
    from bronze.{name} as s
    where s.Id > 0
    COMMIT TRAN
END TRY
BEGIN CATCH
    IF @@TRANCOUNT > 0 ROLLBACK TRAN;
    THROW;
END CATCH
END
GO
"""


def write_static(root: Path, name: str) -> Path:
    """A table whose procedure is plain SQL, with a scenario that has no NULL in it."""
    write_dynamic(root, [name])
    (root / "ddl/procedures.sql").write_text(STATIC.format(name=name), encoding="utf-8")
    return root
