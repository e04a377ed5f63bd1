"""The variations of real projects: each one is read, and means what it should."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from core.project.catalog import CatalogTable, PiiAction, ResolvedKind
from core.project.codes import ProjectError
from core.project.manifest import Manifest
from core.project.project import MigrationProject
from core.project.testspec import TestSpec
from tests.core.project.builder import ProjectBuilder

BASE: dict[str, Any] = {"schema": "silver", "name": "T", "columns": []}


def table(**changes: Any) -> CatalogTable:
    return CatalogTable.model_validate({**BASE, **changes})


@pytest.mark.parametrize(
    ("column", "sql_type"),
    [
        ({"sql_type": "NVARCHAR(50)"}, "NVARCHAR(50)"),
        ({"data_type": "money"}, "money"),
        ({"source_sql_type": "DATETIME2(7)"}, "DATETIME2(7)"),
        ({"sql_type": None, "data_type": "int"}, "int"),
        ({"data_type": "decimal", "precision": 18, "scale": 2}, "decimal(18,2)"),
        ({"data_type": "numeric", "numeric_precision": "9"}, "numeric(9,0)"),
        ({"data_type": "nvarchar", "character_maximum_length": -1}, "nvarchar(MAX)"),
        ({"data_type": "decimal(5,1)", "precision": 18}, "decimal(5,1)"),
    ],
)
def test_column_types(column: dict[str, Any], sql_type: str) -> None:
    assert table(columns=[{"name": "[A b]", **column}]).columns[0].sql_type == sql_type
    assert table(columns=[{"name": "[A b]", **column}]).columns[0].name == "A b"


@pytest.mark.parametrize(
    ("value", "expected"), [(True, True), (0, False), ("YES", True), ("no", False), (None, True)]
)
def test_flags(value: object, expected: bool) -> None:
    read = table(columns=[{"name": "a", "sql_type": "int", "is_nullable": value}])
    assert read.columns[0].is_nullable is expected


def test_null_is_absent_everywhere() -> None:
    nulls = dict.fromkeys(
        ["primary_keys", "unique_indexes", "foreign_keys", "auto_increment_columns", "profile",
         "change_capture", "sensitivity_classifications", "scoping", "is_source", "is_seed"]
    )  # fmt: skip
    read = table(**nulls, unknown_key={"a": [1]})
    assert read.primary_keys == ()
    assert read.writer is None
    assert not read.is_source
    profile = table(profile={"status": "OK", "watermark": None, "pii_actions": None}).profile
    assert profile is not None
    assert profile.watermark.column == ""
    assert profile.pii_actions == ()


def test_names_and_words_in_any_case() -> None:
    read = table(
        name="[Silver].[Dim.Customer]",
        schema="SILVER",
        scoping={"status": "Resolved", "selected_writer": "[DW].[Silver].[usp_Load]"},
        profile={
            "status": "Ok",
            "classification": {"resolved_kind": "DIM-SCD2"},
            "primary_key": ["[CustomerKey]"],
            "watermark": "LoadedAt",
            "pii_actions": {"column": "Email", "suggested_action": "MASK"},
        },
    )
    assert read.item_id == "silver.dim.customer"
    assert read.writer is not None
    assert read.writer.item_id == "silver.usp_load"
    assert read.kind is ResolvedKind.DIM_SCD2
    assert read.key_columns == ("CustomerKey",)
    assert read.profile is not None
    assert read.profile.watermark.column == "LoadedAt"
    assert read.profile.pii_actions[0].suggested_action is PiiAction.MASK


def test_schema_and_name_come_from_the_file_when_they_are_missing(tmp_path: Path) -> None:
    builder = ProjectBuilder(tmp_path).source("bronze.T")
    builder.edit("catalog/tables/bronze.t.json", lambda c: (c.pop("schema"), c.pop("name")))
    assert MigrationProject.open(builder.write()).table("BRONZE.T").display == "bronze.t"


@pytest.mark.parametrize("key", ["source_database", "database"])
def test_manifests(key: str) -> None:
    manifest = Manifest.model_validate(
        {"technology": "mssql", key: "[Retail DW]", "schema_version": 2, "extracted_at": "soon"}
    )
    assert manifest.source_database == "Retail DW"
    assert manifest.schema_version == "2"
    assert manifest.extracted_at is None
    assert manifest.is_tsql


def spec(test: dict[str, Any], **changes: Any) -> TestSpec:
    base = {"name": "t", "target_table": "[silver].[T]", "procedure": "silver.p"}
    return TestSpec.model_validate({"unit_tests": [{**base, **test}], **changes})


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2024-01-15", datetime(2024, 1, 15, tzinfo=UTC)),
        ("2024-01-15T00:00:00", datetime(2024, 1, 15, tzinfo=UTC)),
        ("2024-01-15 00:00:00.000", datetime(2024, 1, 15, tzinfo=UTC)),
        ("2024-01-15 10:30:00.1234567", datetime(2024, 1, 15, 10, 30, 0, 123456, UTC)),
        ("2024-01-15T10:30:00Z", datetime(2024, 1, 15, 10, 30, tzinfo=UTC)),
    ],
)
def test_clocks(text: str, moment: datetime) -> None:
    extracted = datetime(2020, 1, 1, tzinfo=UTC)
    with_own = spec({"captured_at": text})
    assert with_own.clock_of(with_own.unit_tests[0], extracted) == moment
    validated = spec({}, validation={"validated_at": text})
    assert validated.clock_of(validated.unit_tests[0], extracted) == moment
    bare = spec({})
    assert bare.clock_of(bare.unit_tests[0], extracted) == extracted


def test_rows_are_kept_as_they_are_spelled(tmp_path: Path) -> None:
    builder = (
        ProjectBuilder(tmp_path)
        .ready("silver.T")
        .file(
            "test-specs/silver.t.json",
            '{"unit_tests": [{"name": "t", "target_table": "SILVER.t", "given": null, "expect":'
            ' {"rows": [{"a": 0.10, "b": "007", "c": true, "d": 1, "e": null, "f": "x  "}]}}]}',
        )
    )
    expect = MigrationProject.open(builder.write()).test_spec("silver.T").unit_tests[0].expect
    assert expect is not None
    row = expect.rows[0]
    assert row == {"a": Decimal("0.10"), "b": "007", "c": True, "d": 1, "e": None, "f": "x  "}
    assert str(row["a"]) == "0.10"


@pytest.mark.parametrize("expect", [None, {}, {"rows": None}])
def test_no_expectation_is_not_an_empty_one(expect: object) -> None:
    assert spec({"expect": expect}).unit_tests[0].expect is None


def test_an_empty_expectation_is_one() -> None:
    expect = spec({"expect": {"rows": []}}).unit_tests[0].expect
    assert expect is not None
    assert expect.rows == ()


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ({"Id": 1, "ID": 2}, "'Id' and 'ID' are the same column"),
        ({"Id": [1]}, "'Id' is not a single value"),
    ],
)
def test_rows_that_mean_nothing_are_refused(tmp_path: Path, row: Any, words: str) -> None:
    builder = ProjectBuilder(tmp_path).ready("silver.T").spec("silver.T", "two", expect=[row])
    with pytest.raises(ProjectError) as caught:
        MigrationProject.open(builder.write()).test_spec("silver.T")
    assert words in caught.value.diagnostic.message
    assert "unit_tests[1].expect.rows[0]" in caught.value.diagnostic.message


def test_thousands_of_tables_are_listed_without_reading_them(tmp_path: Path) -> None:
    builder = ProjectBuilder(tmp_path)
    for number in range(300):
        builder.source(f"bronze.T{number}").file(f"catalog/tables/bronze.t{number}.json", "{")
    project = MigrationProject.open(builder.write())
    assert len(project.tables()) == 300


def test_words_nobody_depends_on_may_be_strange() -> None:
    read = table(
        scoping={"status": "done", "selected_writer": "silver.p"},
        profile={
            "status": "ok",
            "primary_key": {"columns": ["a"], "primary_key_type": "business"},
            "foreign_keys": [{"column": "a", "fk_type": "bridge"}],
        },
    )
    assert read.writer is not None
    assert read.profile is not None
    assert read.profile.primary_key.primary_key_type == "unknown"
    assert read.profile.foreign_keys[0].fk_type == "standard"
