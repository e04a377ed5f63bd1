"""The pre-check: what it accepts DuckDB finds equal, and one attempt leaves nothing to the next."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from core.dbt.outcome import TestStatus, Verification
from core.dbt.precheck import precheck, release_database
from core.dbt.verify import InputColumn, TargetTable, VerifyRequest
from core.project.names import QualifiedName
from core.project.testspec import TestSpec
from tests.core.dbt.items import build_item, order_line, scenario, shop_sql


def compared(select: str, expected: str) -> Verification:
    """The pre-check of a model without inputs against expected rows written as YAML."""
    table = QualifiedName.parse("silver.T")
    request = VerifyRequest(
        item_id="silver.t",
        model_name="stg_t",
        sql=f"{{{{ config(materialized='table') }}}}\n{select}\n",
        yaml_text=(
            "unit_tests:\n  - name: one\n    model: stg_t\n    given: []\n"
            f"    expect: {{rows: [{expected}]}}\n"
        ),
        target=TargetTable(table, (InputColumn("a", "INT"),)),
        inputs=(),
        spec=TestSpec.model_validate({"item_id": "silver.t", "unit_tests": []}),
    )
    return precheck(request)


EQUAL = [
    ("select 1 as a", "{a: 1}"),
    ("select 1 as A", "{a: '1'}"),
    ("select cast(1.5 as decimal(9, 4)) as a", "{a: '1.5000'}"),
    ("select 'nan'::double as a", "{a: 'nan'}"),
    ("select cast(null as int) as a, 'x' as b", "{a: null, b: 'x'}"),
    ("select date '9999-12-31' as a", "{a: '9999-12-31'}"),
    ("select unnest([1, 1, 2]) as a", "{a: 2}, {a: 1}, {a: 1}"),
    ("select interval 1 month as a", "{a: '1 month'}"),
    ("select {'x': 1} as a", "{a: '{x: 1}'}"),
    ("select 1 as a where false", ""),
]
DIFFERENT = [
    ("select 1 as a", "{a: 2}"),
    ("select 1 as a", ""),
    ("select 1 as a where false", "{a: 1}"),
    ("select date 'infinity' as a", "{a: '9999-12-31'}"),
    ("select timestamp 'infinity' as a", "{a: '9999-12-31 23:59:59.999999'}"),
    ("select timestamp_ns '2024-01-01 00:00:00.000000001' as a", "{a: '2024-01-01 00:00:00'}"),
    ("select unnest([1, 1, 2]) as a", "{a: 2}, {a: 2}, {a: 1}"),
    ("select 'x ' as a", "{a: 'x'}"),
    ("select '' as a", "{a: null}"),
]


@pytest.mark.parametrize(("select", "expected"), EQUAL)
def test_equal_rows_pass(select: str, expected: str) -> None:
    assert compared(select, expected).tests[0].status is TestStatus.PASS


@pytest.mark.parametrize(("select", "expected"), DIFFERENT)
def test_different_rows_fail(select: str, expected: str) -> None:
    test = compared(select, expected).tests[0]
    assert test.status is TestStatus.FAIL
    assert test.message


def test_a_column_the_model_lacks_is_an_error() -> None:
    test = compared("select 1 as a", "{b: 1}").tests[0]
    assert (test.status, test.message) == (TestStatus.ERROR, "the model does not return b")
    assert compared("select 1 as a", "{a: 'x'}").tests[0].status is TestStatus.ERROR


def test_an_attempt_leaves_nothing_to_the_next(tmp_path: Path) -> None:
    """Rows all tests share, rows of one test, an attempt that breaks, another model between."""
    first = build_item(tmp_path / "a", 31, "merge", count=4).request
    other = build_item(tmp_path / "b", 32, "table", count=3).request
    wrong = replace(first, sql=first.sql.replace("l.Quantity,", "l.Quantity + 1 as Quantity,"))
    broken = replace(first, sql=first.sql.replace("l.Quantity,", "l.Quantty as Quantity,"))
    assert precheck(first).tests_passed
    assert not precheck(wrong).tests_passed
    assert {t.status for t in precheck(broken).tests} == {TestStatus.ERROR}
    assert precheck(first).tests_passed
    assert precheck(other).tests_passed
    assert precheck(first).tests_passed
    release_database()
    assert precheck(first).tests_passed


def test_a_shared_fixture_that_does_not_fit_is_every_tests_error(tmp_path: Path) -> None:
    item = build_item(tmp_path, 33, "table", count=2).request
    bad = replace(item, yaml_text=item.yaml_text.replace("CustomerId: 1,", "CustomerId: 'one',"))
    assert bad.yaml_text != item.yaml_text
    assert {t.status for t in precheck(bad).tests} == {TestStatus.ERROR}
    assert precheck(item).tests_passed


def test_no_rows_in_and_none_out(tmp_path: Path) -> None:
    request = build_item(
        tmp_path,
        34,
        "table",
        sql=shop_sql(34, "table"),
        scenarios=[scenario(34, "empty", [], []), scenario(34, "same", [], [])],
    ).request
    assert precheck(request).tests_passed
    filled = build_item(
        tmp_path / "f", 34, "table", scenarios=[scenario(34, "one", [order_line(1)], [])]
    ).request
    assert not precheck(filled).tests_passed
