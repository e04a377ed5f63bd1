"""Self-corrections, reviews and counterexamples: how each story of an item ends."""

from __future__ import annotations

import json
from pathlib import Path

from core.pipeline.result import ItemResult, ItemStatus
from core.project.codes import Code
from core.review.verdict import Verdict
from tests.core.pipeline.conftest import Runs


def warnings(result: ItemResult) -> list[Code]:
    return [d.code for d in result.output.warnings]


def errors(result: ItemResult) -> list[Code]:
    return [d.code for d in result.output.errors]


def attempts(root: Path) -> list[str]:
    folder = root / ".migration-runs/attempts/silver.customer"
    return sorted(path.name for path in folder.iterdir())


def model(root: Path) -> Path:
    return root / "dbt/models/staging/stg_customer.sql"


async def test_right_at_once(runs: Runs) -> None:
    result = await runs.one("good")
    assert result.status is ItemStatus.OK
    assert warnings(result) == []
    assert result.output.execution.self_correction_iterations == 0
    assert result.output.review.iterations == 1
    assert result.output.review.verdict is Verdict.APPROVED
    assert "good" in model(runs.root).read_text()
    assert result.output.decision is not None
    assert result.output.decision.by == "--approve auto"


async def test_wrong_twice_then_right(runs: Runs) -> None:
    result = await runs.one("red 0", "red 1", "good")
    assert result.status is ItemStatus.OK
    assert warnings(result) == []
    assert result.output.execution.self_correction_iterations == 2
    assert result.output.execution.dbt_test_passed
    assert attempts(runs.root) == ["1.sql", "1.yml", "2.sql", "2.yml", "3.sql", "3.yml"]
    assert "good" in model(runs.root).read_text()


async def test_wrong_four_times_is_written_as_it_is(runs: Runs) -> None:
    result = await runs.one("red 0", "red 1", "red 2", "red 3", "good")
    assert result.status is ItemStatus.PARTIAL
    assert warnings(result) == [Code.DBT_TEST_FAILED]
    assert result.output.execution.self_correction_iterations == 3
    assert result.output.execution.dbt_compile_passed
    assert not result.output.execution.dbt_test_passed
    assert result.output.review.iterations == 0
    assert "red 3" in model(runs.root).read_text()
    assert len(attempts(runs.root)) == 8
    assert result.output.decision is None


async def test_not_compiling_four_times(runs: Runs) -> None:
    result = await runs.one("broken 0", "broken 1", "broken 2", "broken 3")
    assert result.status is ItemStatus.PARTIAL
    assert warnings(result) == [Code.DBT_COMPILE_FAILED]
    assert "column x not found" in result.output.warnings[0].message
    assert result.output.equivalence is None


async def test_the_author_gives_up_before_the_corrections_are_spent(runs: Runs) -> None:
    result = await runs.one("red 0", "refuse: nothing can be changed")
    assert result.status is ItemStatus.PARTIAL
    assert warnings(result) == [Code.DBT_TEST_FAILED]
    assert "nothing can be changed" in result.output.warnings[0].message
    assert "red 0" in model(runs.root).read_text()


async def test_rejected_once_by_the_reviewer(runs: Runs) -> None:
    result = await runs.one("sloppy", "good")
    assert result.status is ItemStatus.OK
    assert warnings(result) == [Code.REVIEW_KICKED_BACK]
    assert result.output.review.iterations == 2
    assert result.output.review.verdict is Verdict.APPROVED
    assert result.output.execution.self_correction_iterations == 1
    assert "good" in model(runs.root).read_text()


async def test_rejected_twice_is_not_revised_again(runs: Runs) -> None:
    result = await runs.one("sloppy 0", "sloppy 1", "good")
    assert result.status is ItemStatus.OK
    assert warnings(result) == [
        Code.REVIEW_KICKED_BACK,
        Code.REVIEW_KICKED_BACK,
        Code.REVIEW_APPROVED_WITH_WARNINGS,
    ]
    assert result.output.review.iterations == 2
    assert result.output.review.verdict is Verdict.APPROVED_WITH_WARNINGS
    assert result.output.execution.self_correction_iterations == 1
    assert "sloppy 1" in model(runs.root).read_text()


async def test_a_red_revision_is_dropped_and_the_green_version_kept(runs: Runs) -> None:
    result = await runs.one("sloppy", "red 1", "red 2", "red 3")
    assert result.status is ItemStatus.OK
    assert result.output.execution.self_correction_iterations == 3
    assert result.output.execution.dbt_test_passed
    assert warnings(result) == [Code.REVIEW_KICKED_BACK, Code.REVIEW_APPROVED_WITH_WARNINGS]
    assert "sloppy" in model(runs.root).read_text()
    assert any("Version 1 was kept" in note for note in result.output.notes)


async def test_corrections_are_counted_over_tests_and_review_together(runs: Runs) -> None:
    result = await runs.one("red", "red 1", "sloppy 2", "sloppy 3", "good")
    assert result.output.execution.self_correction_iterations == 3
    assert result.output.review.iterations == 2
    assert "sloppy 3" in model(runs.root).read_text()


async def test_no_correction_is_left_for_the_reviewer(runs: Runs) -> None:
    result = await runs.one("red", "red 1", "red 2", "sloppy 3", "good")
    assert result.status is ItemStatus.OK
    assert result.output.review.iterations == 1
    assert warnings(result) == [Code.REVIEW_KICKED_BACK, Code.REVIEW_APPROVED_WITH_WARNINGS]


async def test_a_counterexample_goes_back_once(runs: Runs) -> None:
    result = await runs.one("gap", "good")
    assert result.status is ItemStatus.OK
    assert warnings(result) == []
    assert "good" in model(runs.root).read_text()
    assert result.output.execution.self_correction_iterations == 1


async def test_a_gap_that_stays_makes_the_item_partial(runs: Runs) -> None:
    result = await runs.one("gap 0", "gap 1", "good")
    assert result.status is ItemStatus.PARTIAL
    assert warnings(result) == [Code.EQUIVALENCE_GAP]
    assert "gap 0" in model(runs.root).read_text(), "of two equal versions the earlier is kept"
    example = runs.root / ".migration-runs/silver.customer.counterexample.json"
    assert json.loads(example.read_text()) == {"rows": [1]}


async def test_green_with_a_gap_is_kept_before_red_without(runs: Runs) -> None:
    result = await runs.one("gap 0", "red 1", "red 2", "red 3")
    assert result.status is ItemStatus.PARTIAL
    assert warnings(result) == [Code.EQUIVALENCE_GAP]
    assert "gap 0" in model(runs.root).read_text()


async def test_a_counterexample_is_not_given_back_when_the_setting_says_so(runs: Runs) -> None:
    result = await runs.one("gap", "good", retry_on_refuted=False)
    assert warnings(result) == [Code.EQUIVALENCE_GAP]


async def test_a_refusal_is_generation_failed_with_its_line(runs: Runs) -> None:
    result = await runs.one("refuse: a cursor over a linked server")
    assert result.status is ItemStatus.ERROR
    assert errors(result) == [Code.GENERATION_FAILED]
    message = result.output.errors[0].message
    assert message == "silver.usp_LoadCustomer line 3: a cursor over a linked server."
    assert not model(runs.root).exists()


async def test_a_text_the_guard_refuses_is_never_written(runs: Runs) -> None:
    result = await runs.one("unsafe 0", "unsafe 1", "unsafe 2", "unsafe 3")
    assert result.status is ItemStatus.ERROR
    assert errors(result) == [Code.GENERATION_FAILED]
    assert "read_csv" in result.output.errors[0].message
    assert not model(runs.root).exists()


async def test_a_usable_version_is_kept_before_later_unsafe_ones(runs: Runs) -> None:
    result = await runs.one("red 0", "unsafe 1", "unsafe 2", "unsafe 3")
    assert result.status is ItemStatus.PARTIAL
    assert warnings(result) == [Code.DBT_TEST_FAILED]
    assert "red 0" in model(runs.root).read_text()


async def test_a_lost_worker_is_tried_again_once(runs: Runs) -> None:
    result = await runs.one("lost")
    assert errors(result) == [Code.WORKER_LOST]
    assert "--resume" in result.output.errors[0].message


async def test_a_crash_is_an_error_of_its_item_with_the_details_in_a_file(runs: Runs) -> None:
    result = await runs.one("crash")
    assert errors(result) == [Code.GENERATION_FAILED]
    assert "silver.customer.crash.txt" in result.output.errors[0].message
    crash = runs.root / ".migration-runs/silver.customer.crash.txt"
    assert "the bench fell over" in crash.read_text()


async def test_the_deadline_of_an_item(runs: Runs) -> None:
    result = await runs.one("hang", deadline=0.2)
    assert errors(result) == [Code.DEADLINE_EXCEEDED]


async def test_files_of_a_failed_item_are_what_they_were(runs: Runs) -> None:
    first = await runs.one("good")
    assert first.status is ItemStatus.OK
    before = model(runs.root).read_text()
    second = await runs.one("refuse: changed its mind")
    assert second.status is ItemStatus.ERROR
    assert model(runs.root).read_text() == before
