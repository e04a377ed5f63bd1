"""Every scenario's expected rows, derived a second time in plain Python (see ``replays``)."""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Any

import pytest

from core.demo import demo_project, expected_outcomes
from core.project.catalog import CatalogTable
from core.project.project import MigrationProject
from core.project.testspec import UnitTest
from tests.core.demo.replays import REPLAYS, Database, Row

PROJECT = MigrationProject.open(Path(str(demo_project())))
CLOCK_IF_NOT_CAPTURED = datetime(2024, 6, 3, 4, 15)


def typed(value: Any, sql_type: str) -> Any:
    """The value as a column of the type would hold it."""
    base, _, arguments = sql_type.upper().rstrip(")").partition("(")
    if value is None:
        return None
    if base in ("SMALLINT", "INT", "BIGINT", "BIT"):
        return int(value)
    if base in ("DECIMAL", "MONEY"):
        scale = int(arguments.partition(",")[2] or 4) if base == "DECIMAL" else 4
        return Decimal(str(value)).quantize(Decimal(1).scaleb(-scale), ROUND_HALF_UP)
    if base in ("DATE", "DATETIME", "DATETIME2"):
        moment = datetime.fromisoformat(str(value))
        return moment.date() if base == "DATE" else moment
    return str(value)


def typed_row(table: CatalogTable, row: Row) -> Row:
    return {c.lower(): typed(v, table.column(c).sql_type) for c, v in row.items()}  # type: ignore[union-attr]


def database(test: UnitTest) -> Database:
    tables: Database = defaultdict(list)
    for given in test.given:
        table = PROJECT.table(given.table.item_id)
        blank: Row = {c.name.lower(): None for c in table.columns}
        # The one default that is not NULL, see ddl/tables.sql.
        blank |= {"istestaccount": 0} if table.item_id == "bronze.customer" else {}
        tables[table.item_id] = [blank | typed_row(table, row) for row in given.rows]
    return tables


def counted(rows: list[Row], columns: list[str]) -> Counter[tuple[Any, ...]]:
    return Counter(tuple(row[column] for column in columns) for row in rows)


@pytest.mark.parametrize(
    ("item", "test"),
    [
        pytest.param(item, test, id=test.name)
        for item in REPLAYS
        for test in PROJECT.test_spec(item).unit_tests
        if test.expect is not None
    ],
)
def test_expected_rows_are_what_the_procedure_leaves(item: str, test: UnitTest) -> None:
    assert test.expect is not None
    table = PROJECT.table(item)
    now = test.captured_at.replace(tzinfo=None) if test.captured_at else CLOCK_IF_NOT_CAPTURED
    cutoff = test.parameters.get("@CutoffDate")

    left = REPLAYS[item](
        database(test), now, datetime.fromisoformat(cutoff) if cutoff is not None else None
    )

    expected = [typed_row(table, row) for row in test.expect.rows]
    columns = list(expected[0]) if expected else []
    known = [{column: row.get(column) for column in columns} for row in left]
    assert counted([typed_row(table, row) for row in known], columns) == counted(expected, columns)


def test_every_procedure_but_the_one_whose_text_is_data_is_derived_again() -> None:
    assert set(expected_outcomes()) - set(REPLAYS) == {"gold.partnerfeed"}
