"""A small builder of migration projects on disk, for tests that need a real one.

::

    root = (
        ProjectBuilder(tmp_path)
        .source("bronze.Product", "ProductId INT", "Name NVARCHAR(50)")
        .table("silver.DimProduct", "ProductId INT NOT NULL", "Name NVARCHAR(50)",
               writer="silver.usp_load_DimProduct", kind="dim_non_scd", key=["ProductId"])
        .procedure("CREATE PROCEDURE silver.usp_load_DimProduct AS INSERT INTO ...")
        .spec("silver.DimProduct", given={"bronze.Product": [{"ProductId": 1}]},
              expect=[{"ProductId": 1}])
        .write()
    )

What a call does not say gets the value of a finished project, so that a test names only what
it is about; ``edit`` and ``file`` spoil it afterwards.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from core.project.names import QualifiedName

Json = dict[str, Any]


class ProjectBuilder:
    """Collects the parts of a migration project and writes them below ``root``."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._json: dict[str, Json] = {
            "manifest.json": {
                "technology": "sql_server",
                "dialect": "tsql",
                "source_database": "AdventureWorksDW",
                "extracted_schemas": ["bronze", "silver"],
                "extracted_at": "2024-06-30T12:00:00Z",
                "schema_version": "1.0",
            }
        }
        self._ddl: dict[str, list[str]] = {
            "tables": [],
            "procedures": [],
            "views": [],
            "functions": [],
        }
        self._files: dict[str, str | bytes] = {
            "dbt/dbt_project.yml": (
                "name: warehouse\nversion: 1.0.0\nconfig-version: 2\nprofile: warehouse\n"
                "model-paths: [models]\nseed-paths: [seeds]\n"
            )
        }

    def manifest(self, **changes: Any) -> ProjectBuilder:
        """Change fields of ``manifest.json``; ``None`` removes one."""
        _change(self._json["manifest.json"], changes)
        return self

    def source(self, name: str, *columns: str, **changes: Any) -> ProjectBuilder:
        """A table no procedure of the project loads."""
        return self._table(name, columns, {"is_source": True, **changes})

    def table(
        self,
        name: str,
        *columns: str,
        writer: str | None = None,
        kind: str = "dim_non_scd",
        key: Sequence[str] = (),
        watermark: str | None = None,
        **changes: Any,
    ) -> ProjectBuilder:
        """A target table, scoped and profiled; ``changes`` replace catalog keys."""
        parsed = QualifiedName.parse(name)
        selected = writer or f"[{parsed.schema}].[usp_load_{parsed.name}]"
        catalog: Json = {
            "scoping": {"status": "resolved", "selected_writer": selected},
            "profile": {
                "status": "ok",
                "writer": selected,
                "classification": {"resolved_kind": kind, "rationale": "", "source": "rule"},
                "primary_key": {
                    "columns": list(key),
                    "primary_key_type": "composite" if len(key) > 1 else "natural",
                },
                "natural_key": {"columns": list(key)},
                "watermark": {"column": watermark} if watermark else None,
                "foreign_keys": [],
                "pii_actions": [],
            },
        }
        if key:
            catalog["primary_keys"] = [{"constraint_name": f"PK_{parsed.name}", "columns": [*key]}]
        return self._table(name, columns, {**catalog, **changes})

    def _table(self, name: str, columns: Sequence[str], changes: Json) -> ProjectBuilder:
        parsed = QualifiedName.parse(name)
        declared = columns or ("Id INT NOT NULL", "Name NVARCHAR(50)")
        catalog: Json = {
            "schema": parsed.schema,
            "name": parsed.name,
            "columns": [_column(text) for text in declared],
            "primary_keys": [],
            "unique_indexes": [],
            "foreign_keys": [],
            "auto_increment_columns": [],
            "change_capture": None,
            "sensitivity_classifications": [],
        }
        _change(catalog, changes)
        self._json[f"catalog/tables/{parsed.item_id}.json"] = catalog
        body = ",\n    ".join(declared)
        self._ddl["tables"].append(f"CREATE TABLE {parsed.bracketed} (\n    {body}\n)")
        return self

    def procedure(self, text: str, **catalog: Any) -> ProjectBuilder:
        """A batch of ``ddl/procedures.sql``; ``catalog`` (with ``name=``) adds its hints file."""
        self._ddl["procedures"].append(text)
        if catalog:
            parsed = QualifiedName.parse(catalog.pop("name"))
            self._json[f"catalog/procedures/{parsed.item_id}.json"] = {
                "schema": parsed.schema,
                "name": parsed.name,
                **catalog,
            }
        return self

    def ddl(self, kind: str, text: str) -> ProjectBuilder:
        """A batch of ``ddl/<kind>.sql``."""
        self._ddl[kind].append(text)
        return self

    def spec(
        self,
        name: str,
        test: str = "test_load",
        *,
        given: Mapping[str, Sequence[Json]] | None = None,
        expect: Sequence[Json] | None = None,
        procedure: str | None = None,
        **changes: Any,
    ) -> ProjectBuilder:
        """One scenario more in the table's test spec; ``changes`` replace keys of the spec."""
        parsed = QualifiedName.parse(name)
        spec = self._json.setdefault(
            f"test-specs/{parsed.item_id}.json",
            {
                "item_id": parsed.item_id,
                "status": "ok",
                "coverage": "complete",
                "branch_manifest": [],
                "unit_tests": [],
                "uncovered_branches": [],
                "warnings": [],
                "validation": {"passed": True},
                "errors": [],
            },
        )
        loader = QualifiedName.parse(procedure or f"{parsed.schema}.usp_load_{parsed.name}")
        scenario: Json = {
            "name": test,
            "target_table": parsed.bracketed,
            "procedure": loader.bracketed,
            "given": [
                {"table": QualifiedName.parse(table).bracketed, "rows": list(rows)}
                for table, rows in (given or {}).items()
            ],
        }
        if expect is not None:
            scenario["expect"] = {"rows": list(expect)}
        spec["unit_tests"].append(scenario)
        _change(spec, changes)
        return self

    def ready(self, name: str, *columns: str, **changes: Any) -> ProjectBuilder:
        """A table that passes every guard: catalog, procedure and test spec."""
        parsed = QualifiedName.parse(name)
        self.table(name, *columns, **changes)
        self.procedure(
            f"CREATE PROCEDURE [{parsed.schema}].[usp_load_{parsed.name}] AS\nBEGIN\n"
            f"    TRUNCATE TABLE {parsed.bracketed}\n"
            f"    INSERT INTO {parsed.bracketed} SELECT * FROM bronze.{parsed.name}\nEND"
        )
        return self.spec(name, expect=[])

    def edit(self, file: str, change: Callable[[Json], object]) -> ProjectBuilder:
        """Apply ``change`` to the JSON of one file."""
        change(self._json[file])
        return self

    def file(self, path: str, text: str | bytes) -> ProjectBuilder:
        """Write a file as it is, last."""
        self._files[path] = text
        return self

    def without(self, file: str) -> ProjectBuilder:
        """Leave a file out."""
        self._json.pop(file, None)
        self._files.pop(file, None)
        return self

    def write(self) -> Path:
        """Write everything and return the project's folder."""
        for file, value in self._json.items():
            self._put(file, json.dumps(value, indent=2))
        for kind, batches in self._ddl.items():
            if batches:
                self._put(f"ddl/{kind}.sql", "\nGO\n\n".join(batches) + "\nGO\n")
        for file, text in self._files.items():
            self._put(file, text)
        return self.root

    def _put(self, file: str, text: str | bytes) -> None:
        path = self.root / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text if isinstance(text, bytes) else text.encode())


def _change(target: Json, changes: Mapping[str, Any]) -> None:
    for key, value in changes.items():
        if value is None:
            target.pop(key, None)
        else:
            target[key] = value


def _column(text: str) -> Json:
    """``ProductId INT IDENTITY(1,1) NOT NULL`` as a catalog column."""
    name, _, rest = text.strip().partition(" ")
    upper = rest.upper()
    sql_type = rest
    for word in (" NOT NULL", " NULL", " IDENTITY", " PRIMARY KEY", " DEFAULT", " CONSTRAINT"):
        cut = sql_type.upper().find(word)
        if cut >= 0:
            sql_type = sql_type[:cut]
    return {
        "name": name.strip("[]"),
        "sql_type": sql_type.strip(),
        "is_nullable": "NOT NULL" not in upper and "PRIMARY KEY" not in upper,
        "is_identity": "IDENTITY" in upper,
    }
