"""A small migration project on disk, written by the tests that need many or odd items."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any


def write_project(
    root: Path, tables: Sequence[str], reads: Mapping[str, Sequence[str]] | None = None
) -> Path:
    """A project with one procedure per table (``silver.Name``), each loading from ``bronze``.

    ``reads`` names further tables that a table's procedure reads.
    """
    write_json(
        root / "manifest.json",
        {
            "technology": "sql_server",
            "dialect": "tsql",
            "source_database": "Warehouse",
            "extracted_at": "2026-01-05T06:00:00Z",
        },
    )
    procedures = []
    for table in tables:
        schema, name = table.split(".")
        write_table(root, schema, name)
        write_spec(root, schema, name)
        joins = "".join(
            f"\n    left join {other} o{n} on o{n}.Id = s.Id"
            for n, other in enumerate((reads or {}).get(table, ()))
        )
        procedures.append(
            f"CREATE PROCEDURE {schema}.usp_Load{name}\nAS\nBEGIN\n    SET NOCOUNT ON\n"
            f"    TRUNCATE TABLE {schema}.{name}\n    insert into {schema}.{name} (Id, Name)\n"
            f"    select s.Id, s.Name from bronze.{name} s{joins}\nEND\nGO\n"
        )
        write_json(
            root / f"catalog/tables/bronze.{name.lower()}.json",
            {"schema": "bronze", "name": name, "is_source": True, "columns": _columns()},
        )
    ddl = root / "ddl/procedures.sql"
    ddl.parent.mkdir(parents=True, exist_ok=True)
    ddl.write_text("\n".join(procedures), encoding="utf-8")
    dbt = root / "dbt"
    dbt.mkdir(exist_ok=True)
    (dbt / "dbt_project.yml").write_text(
        "name: small\nversion: '1.0'\nprofile: small\nmodel-paths: [models]\n", encoding="utf-8"
    )
    return root


def write_table(root: Path, schema: str, name: str, **changes: Any) -> None:
    """The catalog file of a target table; ``changes`` replace top-level fields."""
    document = {
        "schema": schema,
        "name": name,
        "columns": _columns(),
        "primary_keys": [{"constraint_name": f"PK_{name}", "columns": ["Id"]}],
        "scoping": {"status": "resolved", "selected_writer": f"{schema}.usp_Load{name}"},
        "profile": {
            "status": "ok",
            "classification": {"resolved_kind": "dim_non_scd"},
            "primary_key": {"columns": ["Id"], "primary_key_type": "natural"},
        },
    } | changes
    write_json(root / f"catalog/tables/{schema}.{name}.json".lower(), document)


def write_spec(root: Path, schema: str, name: str, **changes: Any) -> None:
    """The test spec of a target table with one scenario."""
    document = {
        "item_id": f"{schema}.{name}".lower(),
        "status": "ok",
        "coverage": "complete",
        "unit_tests": [
            {
                "name": f"test_load_{name.lower()}",
                "target_table": f"[{schema}].[{name}]",
                "procedure": f"[{schema}].[usp_Load{name}]",
                "given": [{"table": f"[bronze].[{name}]", "rows": [{"Id": 1, "Name": "a"}]}],
                "expect": {"rows": [{"Id": 1, "Name": "a"}]},
            }
        ],
    } | changes
    write_json(root / f"test-specs/{schema}.{name}.json".lower(), document)


def write_json(path: Path, document: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(document, indent=2), encoding="utf-8")


def _columns() -> list[dict[str, object]]:
    return [
        {"name": "Id", "sql_type": "INT", "is_nullable": False},
        {"name": "Name", "sql_type": "NVARCHAR(50)", "is_nullable": True},
    ]
