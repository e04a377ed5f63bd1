"""Foreign keys of several columns: a relationships test that dbt really runs."""

from __future__ import annotations

import json
from pathlib import Path

import duckdb
import pytest
import yaml

from core.dbt.miniproject import referenced_in_yaml
from core.dbt.outcome import TestStatus
from core.dbt.pool import WorkerPool
from core.dbt.verify import InputKind
from core.project.project import MigrationProject
from tests.core.dbt import items

KEY = {
    "constraint_name": "FK_Customer",
    "columns": ["CustomerId", "CustomerName"],
    "referenced_schema": "silver",
    "referenced_table": "DimCustomer",
    "referenced_columns": ["CustomerId", "CustomerName"],
}
NAME = "relationships_stg_factorderline5_CustomerId_CustomerName"


def with_keys(monkeypatch: pytest.MonkeyPatch, *keys: dict[str, object]) -> None:
    """Declare foreign keys in the catalog of the items built from now on."""
    write = items.write_project

    def write_project(root: Path, number: int, scenarios: list[dict[str, object]]) -> object:
        write(root, number, scenarios)
        file = root / "catalog" / "tables" / f"silver.factorderline{number}.json"
        file.write_text(json.dumps(json.loads(file.read_text()) | {"foreign_keys": list(keys)}))
        return MigrationProject.open(root)

    monkeypatch.setattr(items, "write_project", write_project)


async def test_a_key_of_two_columns_is_tested(
    pool: WorkerPool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_keys(monkeypatch, KEY)
    item = items.build_item(tmp_path, 5, "merge")
    found = await pool.verify(item.request, lambda line: None)
    assert found.tests_passed, found
    test = next(t for t in found.tests if t.name == NAME)
    assert test.status is TestStatus.PASS
    with duckdb.connect() as connection:
        connection.execute("create schema __ref")
        connection.execute(
            "create table __ref.stg_dimcustomer as select 1 CustomerId, 'a' CustomerName"
        )
        connection.execute(
            "create table stg_factorderline5 as "
            "select * from (values (1, 'a'), (1, 'b'), (2, null)) as v(CustomerId, CustomerName)"
        )
        assert connection.execute(test.compiled_sql).fetchall() == [("1|b",)]


def test_a_key_to_an_unknown_table_is_noted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_keys(monkeypatch, KEY | {"referenced_table": "DimElsewhere"})
    item = items.build_item(tmp_path, 5, "merge")
    assert any("CustomerId, CustomerName" in note for note in item.artifacts.notes)
    assert NAME not in item.request.yaml_text


def test_two_keys_over_the_same_columns_have_two_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = KEY | {"referenced_columns": ["CustomerName", "CustomerId"]}
    with_keys(monkeypatch, KEY, KEY, other)
    item = items.build_item(tmp_path, 5, "merge")
    names = [t.name for t in item.request.expected_tests if t.name.startswith(NAME)]
    assert len(names) == len(set(names)) == 2


def test_every_column_of_a_key_has_to_exist_in_the_stub() -> None:
    text = """
models:
  - name: m
    data_tests:
      - relationships:
          name: x
          arguments:
            column_name: cast(a as varchar) || '|' || cast("b c" as varchar)
            to: source('bronze', 'T')
            field: cast(id as varchar) || '|' || cast("Line No" as varchar)
"""
    assert list(referenced_in_yaml(yaml.safe_load(text), "m")) == [
        (InputKind.SOURCE, "bronze", "T", "id"),
        (InputKind.SOURCE, "bronze", "T", "Line No"),
    ]
