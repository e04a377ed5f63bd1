"""The pull request of a run: what it asks for, its title and its body."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from core.git.pr_body import PrContent, PrItem, pr_body, pr_title
from core.git.pull_request import file_address
from core.pipeline.result import ItemResult, TestCounts
from core.pipeline.run import RunController
from core.version import VERSION

if TYPE_CHECKING:
    from core.pipeline.closing import Closing


def pull_request_text(
    run: RunController, closing: Closing, committed: Iterable[str], notes: Sequence[str]
) -> tuple[str, str]:
    """Title and body, also for showing them before anything is sent."""
    there = set(committed)
    items = tuple(
        _pr_item(run, state.result, state.item_id in there)
        for state in run.state.items.values()
        if state.result is not None
    )
    content = PrContent(
        run_id=run.stream.run_id,
        items=items,
        uncommitted=closing.uncommitted,
        notes=tuple(notes),
        version=VERSION,
    )
    address = file_address(run.files.place, closing.pr)
    return closing.title or pr_title(items), pr_body(content, address)


def _pr_item(run: RunController, result: ItemResult, committed: bool) -> PrItem:
    output = result.output
    decision = output.decision
    words = ""
    if decision is not None and not decision.by.startswith("--approve auto"):
        because = f": {decision.reason}" if decision.reason else ""
        words = f"{decision.action} by {decision.by} at {decision.at}{because}"
    equivalence = output.equivalence
    example = equivalence.counterexample if equivalence is not None else None
    prepared = run.prepared.get(result.item_id)
    repository = run.files.place.repository
    path = output.artifact_paths.model_sql if output.artifact_paths is not None else ""
    return PrItem(
        table=output.table_ref,
        status=result.status.value,
        model=output.model_name,
        model_path=repository.from_top(path) if repository is not None and path else path,
        materialized=output.generated.model_sql.materialized if output.generated else "",
        compile_passed=output.execution.dbt_compile_passed if output.generated else None,
        tests=tests_sentence(output.execution.tests) if output.generated else "",
        equivalence=f"{equivalence.verdict.value}: {equivalence.sentence}" if equivalence else "",
        committed=committed,
        decision=words,
        notes=output.notes,
        warnings=tuple((d.code.value, d.message) for d in (*output.errors, *output.warnings)),
        counterexamples=(json.dumps(example, indent=2),) if example else (),
        required_vars=prepared.required_vars if prepared is not None else (),
    )


def tests_sentence(tests: TestCounts) -> str:
    """How many tests passed and where, for a table cell: ``12 passed (9 in dbt, 3 by replay)``."""
    passed_in_dbt = tests.unit_passed + tests.data_passed
    replayed = tests.scenarios_replayed - tests.scenarios_failed
    failing = tests.unit_failed + tests.data_failed + tests.scenarios_failed
    parts = [f"{passed_in_dbt + replayed} passed ({passed_in_dbt} in dbt, {replayed} by replay)"]
    if failing:
        parts.append(f"{failing} failed")
    if tests.not_replayable:
        parts.append(f"{tests.not_replayable} not replayable")
    return ", ".join(parts)
