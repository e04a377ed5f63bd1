"""What a verification finds, through the pool, in real dbt."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from core.dbt.artifacts import emitting_differently
from core.dbt.outcome import Phase, ScenarioStatus, TestKind, TestStatus, Verification
from core.dbt.pool import WorkerPool
from core.dbt.verify import VerifyRequest
from tests.core.dbt.items import Item, build_item, loaded, order_line, scenario, shop_sql


async def verified(pool: WorkerPool, item: Item | VerifyRequest) -> Verification:
    request = item if isinstance(item, VerifyRequest) else item.request
    return await pool.verify(request, lambda line: None)


@pytest.mark.parametrize("kind", ["table", "append", "merge", "delete+insert"])
async def test_a_good_model_passes_its_tests_and_its_scenarios(
    pool: WorkerPool, tmp_path: Path, kind: str
) -> None:
    item = build_item(tmp_path, 1, kind, count=3)
    lines: list[str] = []
    found = await pool.verify(item.request, lines.append)
    assert found.errors == ()
    assert found.tests_passed, found
    assert found.phase is Phase.DONE
    assert [t.name for t in found.tests] == [t.name for t in item.request.expected_tests]
    assert [s.status for s in found.scenarios] == [ScenarioStatus.PASS] * 3
    assert "final as (" in found.compiled_sql
    assert ("max(ModifiedAt)" in found.compiled_incremental) is (kind != "table")
    assert any("first_load_0" in line for line in lines)


async def test_a_wrong_model_fails_with_both_sets_of_rows(pool: WorkerPool, tmp_path: Path) -> None:
    sql = shop_sql(2, "merge").replace("(1 - l.Discount)", "(1 + l.Discount)")
    found = await verified(pool, build_item(tmp_path, 2, "merge", sql=sql))
    assert found.phase is Phase.TEST
    assert found.compile_passed
    test = next(t for t in found.tests if t.name == "first_load_0")
    assert (test.kind, test.status) == (TestKind.UNIT, TestStatus.FAIL)
    assert len(test.expected) == len(test.actual) == 2
    assert {str(row["NetAmount"]) for row in test.expected} == {"18.9000"}
    assert {str(_cell(row, "netamount")) for row in test.actual} == {"23.1000"}
    assert "\x1b" not in test.message
    replayed = found.scenarios[0]
    assert replayed.status is ScenarioStatus.FAIL
    assert {str(row["NetAmount"]) for row in replayed.missing} == {"18.9000"}
    assert {str(row["NetAmount"]) for row in replayed.unexpected} == {"23.1000"}


def _cell(row: Any, name: str) -> object:
    return next(value for key, value in row.items() if key.casefold() == name)


async def test_a_column_that_does_not_exist_is_an_error_with_duckdbs_words(
    pool: WorkerPool, tmp_path: Path
) -> None:
    sql = shop_sql(3, "table").replace("l.Weight,", "l.Wieght as Weight,")
    found = await verified(pool, build_item(tmp_path, 3, "table", sql=sql))
    assert not found.tests_passed
    assert any("Wieght" in error for error in found.errors)
    assert all(s.status is ScenarioStatus.ERROR for s in found.scenarios)


async def test_hostile_or_unreadable_text_never_reaches_dbt(
    pool: WorkerPool, tmp_path: Path
) -> None:
    item = build_item(tmp_path, 4, "table")
    for sql in ("select {{ env_var('HOME') }}", "select 1; drop table x", "{% if %}"):
        found = await verified(pool, replace(item.request, sql=sql))
        assert found.phase is Phase.GUARD
        assert found.errors
        assert not found.compile_passed


async def test_unreadable_yaml_is_an_error_with_its_line(pool: WorkerPool, tmp_path: Path) -> None:
    item = build_item(tmp_path, 4, "table")
    found = await verified(pool, replace(item.request, yaml_text="models: [\n  - {"))
    assert found.phase is Phase.GUARD
    assert found.errors[0].startswith("line ")


async def test_yaml_that_dbt_refuses_gives_a_parse_error(pool: WorkerPool, tmp_path: Path) -> None:
    item = build_item(tmp_path, 5, "merge")
    broken = item.request.yaml_text.replace(
        "    overrides:\n      macros:\n        is_incremental: false\n", ""
    )
    assert broken != item.request.yaml_text
    found = await verified(pool, replace(item.request, yaml_text=broken))
    assert found.phase is Phase.PARSE
    assert "is_incremental" in found.errors[0]
    assert "Traceback" not in found.errors[0]


async def test_a_test_that_silently_does_not_run_counts_as_a_failure(
    pool: WorkerPool, tmp_path: Path
) -> None:
    item = build_item(tmp_path, 6, "table")
    start = item.request.yaml_text.index("  - name: first_load_1")
    shorter = replace(item.request, yaml_text=item.request.yaml_text[:start])
    found = await verified(pool, shorter)
    missing = next(t for t in found.tests if t.name == "first_load_1")
    assert missing.status is TestStatus.NOT_RUN
    assert not found.tests_passed


async def test_a_good_item_right_after_a_bad_one_passes(pool: WorkerPool, tmp_path: Path) -> None:
    bad = build_item(tmp_path / "bad", 7, "table", sql="select 1 as nothing")
    good = build_item(tmp_path / "good", 7, "table")
    assert not (await verified(pool, bad)).tests_passed
    assert (await verified(pool, good)).tests_passed


async def test_rows_the_model_rightly_emits_again_are_left_to_the_replay(
    pool: WorkerPool, tmp_path: Path
) -> None:
    """A merge that emits every source row leaves the right table, but not "the changed rows"."""
    first, second = order_line(1), order_line(2)
    prior = [loaded(first)]
    both = scenario(8, "one_new", [first, second], [loaded(first), loaded(second)], prior=prior)
    sql = shop_sql(8, "merge")
    start, end = sql.index("    {% if is_incremental()"), sql.index("{% endif %}\n")
    sql = sql[:start] + sql[end + len("{% endif %}\n") :]
    item = build_item(tmp_path, 8, "merge", sql=sql, scenarios=[both])
    found = await verified(pool, item)
    assert next(t for t in found.tests if t.name == "one_new").status is TestStatus.FAIL
    assert found.scenarios[0].status is ScenarioStatus.PASS
    only = emitting_differently(item.artifacts, found)
    assert only == {"one_new"}
    again = build_item(tmp_path, 8, "merge", sql=sql, scenarios=[both], replay_only=only)
    assert "enabled: false" in again.request.yaml_text
    found = await verified(pool, again)
    assert found.tests_passed
    assert next(t for t in found.tests if t.name == "one_new").status is TestStatus.DISABLED


async def test_the_clock_is_frozen_and_compared_only_when_the_spec_says_when(
    pool: WorkerPool, tmp_path: Path
) -> None:
    line = order_line(1)
    at = "2024-03-01T07:30:00"
    right = {**loaded(line), "LoadedAt": at}
    wrong = {**loaded(line), "LoadedAt": "2020-01-01T00:00:00"}
    cases = [
        scenario(9, "captured", [line], [right], captured_at=at),
        scenario(9, "captured_wrong", [line], [wrong], captured_at=at),
        scenario(9, "not_captured", [line], [wrong]),
    ]
    found = await verified(pool, build_item(tmp_path, 9, "table", scenarios=cases))
    assert [s.status.value for s in found.scenarios] == ["pass", "fail", "pass"]
    assert "LoadedAt" in found.scenarios[0].compared_columns
    assert "LoadedAt" not in found.scenarios[2].compared_columns
    by_name = {t.name: t.status for t in found.tests if t.kind is TestKind.UNIT}
    assert by_name == {
        "captured": TestStatus.PASS,
        "captured_wrong": TestStatus.FAIL,
        "not_captured": TestStatus.PASS,
    }


async def test_parameters_become_vars_and_a_missing_one_is_never_guessed(
    pool: WorkerPool, tmp_path: Path
) -> None:
    one, two = order_line(1, Region="North"), order_line(2, Region="South")
    condition = "\nwhere Region = '{{ var('usp_loadfactorderline10_region') }}'\n"
    sql = shop_sql(10, "table").replace("select * from final", "select * from final" + condition)
    cases = [
        scenario(10, "north", [one, two], [loaded(one)], parameters={"@Region": "North"}),
        scenario(10, "south", [one, two], [loaded(two)], parameters={"Region": "South"}),
        scenario(10, "unknown", [one, two], [loaded(two)]),
    ]
    item = build_item(tmp_path, 10, "table", sql=sql, scenarios=cases)
    assert "Needs a value for the var" in item.request.yaml_text
    found = await verified(pool, item)
    assert [s.status.value for s in found.scenarios] == ["pass", "pass", "not_replayable"]
    assert "@region has no value" in found.scenarios[2].message
    by_name = {t.name: t.status.value for t in found.tests if t.kind is TestKind.UNIT}
    assert by_name == {"north": "pass", "south": "pass", "unknown": "disabled"}
    assert found.tests_passed


async def test_a_value_that_does_not_fit_its_column_is_reported_and_not_cast(
    pool: WorkerPool, tmp_path: Path
) -> None:
    """dbt would cast 10.505 to decimal(18,2) on both sides and pass."""
    line = order_line(1)
    bad = {**loaded(line), "UnitPrice": "10.505"}
    item = build_item(tmp_path, 11, "table", scenarios=[scenario(11, "silent_cast", [line], [bad])])
    assert any("more than 2 decimal places" in note for note in item.artifacts.notes)
    found = await verified(pool, item)
    assert found.scenarios[0].status is ScenarioStatus.NOT_REPLAYABLE
    assert "10.505" in found.scenarios[0].message
    test = next(t for t in found.tests if t.name == "silent_cast")
    assert test.status is TestStatus.DISABLED


async def test_a_wrong_type_in_the_model_is_found_although_dbt_casts(
    pool: WorkerPool, tmp_path: Path
) -> None:
    """The model keeps four decimals where the table has two: replay compares exactly."""
    sql = shop_sql(12, "table").replace("l.UnitPrice,", "l.UnitPrice * 1.005 as UnitPrice,")
    line = order_line(1, UnitPrice="10.00")
    expect = {**loaded(line), "UnitPrice": "10.05"}
    close = build_item(
        tmp_path, 12, "table", sql=sql, scenarios=[scenario(12, "x", [line], [expect])]
    )
    assert (await verified(pool, close)).scenarios[0].status is ScenarioStatus.PASS
    line = order_line(1, UnitPrice="10.03")
    expect = {**loaded(line), "UnitPrice": "10.08"}
    off = build_item(
        tmp_path, 12, "table", sql=sql, scenarios=[scenario(12, "x", [line], [expect])]
    )
    assert (await verified(pool, off)).scenarios[0].status is ScenarioStatus.FAIL


async def test_scenarios_without_expectation_and_without_rows(
    pool: WorkerPool, tmp_path: Path
) -> None:
    empty = scenario(13, "nothing to load", [], [])
    silent = scenario(13, "never captured", [order_line(1)], [])
    del silent["expect"]
    item = build_item(tmp_path, 13, "table", scenarios=[empty, silent])
    found = await verified(pool, item)
    assert [s.status.value for s in found.scenarios] == ["pass", "no_expectation"]
    assert found.tests_passed
    assert [t.name for t in found.tests if t.kind is TestKind.UNIT] == ["nothing_to_load"]


async def test_surrogate_keys_that_repeat_fail_the_unique_test(
    pool: WorkerPool, tmp_path: Path
) -> None:
    """Expected rows leave the key out; the table the scenario left shows that it repeats."""
    sql = shop_sql(14, "table").replace("l.OrderLineKey,", "cast(1 as bigint) as OrderLineKey,")
    lines = [order_line(1), order_line(2)]
    expect = [{k: v for k, v in loaded(r).items() if k != "OrderLineKey"} for r in lines]
    item = build_item(
        tmp_path, 14, "table", sql=sql, scenarios=[scenario(14, "two", lines, expect)]
    )
    found = await verified(pool, item)
    assert found.scenarios[0].status is ScenarioStatus.PASS
    unique = next(t for t in found.tests if t.name.startswith("unique_"))
    assert unique.status is TestStatus.FAIL
    assert unique.failing_rows


async def test_the_precheck_agrees_with_dbt(pool: WorkerPool, tmp_path: Path) -> None:
    good = build_item(tmp_path / "good", 15, "merge", count=4)
    quick = await pool.precheck(good.request)
    assert quick.tests_passed
    assert {t.name for t in quick.tests} == {
        t.name for t in good.request.expected_tests if t.kind is TestKind.UNIT
    }
    sql = good.sql.replace("l.Quantity,", "l.Quantity + 1 as Quantity,")
    bad = build_item(tmp_path / "bad", 15, "merge", sql=sql, count=4)
    quick = await pool.precheck(bad.request)
    slow = await verified(pool, bad)
    assert {t.name: t.status for t in quick.tests} == {
        t.name: t.status for t in slow.tests if t.kind is TestKind.UNIT
    }
    assert (await pool.precheck(replace(good.request, sql="drop table x"))).phase is Phase.GUARD
