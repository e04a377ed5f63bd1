"""The counterexample of a real comparison goes to the author; the item ends as that leaves it."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from core.dbt.pool import WorkerPool
from core.equivalence.verdict import EquivalenceVerdict
from core.generation.author import Draft, Failure, FailureKind, Job, Refusal, Say
from core.pipeline.bench import DbtBench
from core.pipeline.comparing import ExecutedEquivalence
from core.pipeline.judges import RulesReviewer
from core.pipeline.ports import Parts
from core.pipeline.result import ItemStatus
from core.project.codes import Code
from core.project.settings import EquivalenceSettings
from tests.core.pipeline.conftest import Runs, result

pytestmark = pytest.mark.slow

RIGHT = """{{ config(materialized='table') }}

with

customer as (

    select * from {{ source('bronze', 'Customer') }}

),

final as (

    select
        Id,
        Name
    from customer

)

select * from final
"""
WRONG = RIGHT.replace("    from customer\n", "    from customer\n    where Name is not null\n")
"""The scenario of the test spec has a name in every row, so no dbt test sees it."""


class Answers:
    """An author that gives these models one after the other."""

    name = "scripted"

    def __init__(self, *texts: str) -> None:
        self.texts = list(texts)
        self.failures: list[Failure] = []

    async def draft(self, job: Job, say: Say) -> Draft | Refusal:
        return Draft(self.texts.pop(0), self.name)

    async def correct(self, job: Job, draft: Draft, failure: Failure, say: Say) -> Draft | Refusal:
        self.failures.append(failure)
        if not self.texts:
            return Refusal("nothing left to change", line=1, construct="script", author=self.name)
        return Draft(self.texts.pop(0), self.name, changes=("keeps rows without a name",))


@pytest.fixture
async def pool() -> AsyncIterator[WorkerPool]:
    workers = WorkerPool(1)
    yield workers
    await workers.aclose()


def parts(author: Answers, root: Path, pool: WorkerPool) -> Parts:
    return Parts(
        authors={"compiler": author, "scripted": author},
        bench=DbtBench(pool, root / "dbt"),
        reviewer=RulesReviewer(pool),
        equivalence=ExecutedEquivalence(EquivalenceSettings(), pool),
    )


async def test_a_refuted_model_is_corrected_with_its_counterexample(
    tmp_path: Path, pool: WorkerPool
) -> None:
    runs = Runs(tmp_path)
    runs.write(["silver.Customer"])
    author = Answers(WRONG, RIGHT)
    run = runs.start(parts=parts(author, tmp_path, pool))
    await runs.finish(run)
    (failure,) = author.failures
    assert failure.kind is FailureKind.COUNTEREXAMPLE
    assert failure.counterexample is not None
    ((row,),) = [r["tables"]["bronze.customer"] for r in failure.counterexample["rounds"]]  # type: ignore[attr-defined]
    assert row.get("Name") is None
    item = result(run)
    assert item.status is ItemStatus.OK, item.output.warnings
    assert item.output.execution.self_correction_iterations == 1
    assert item.output.equivalence is not None
    assert item.output.equivalence.verdict is EquivalenceVerdict.NO_DIFFERENCE
    text = (tmp_path / "dbt/models/staging/stg_customer.sql").read_text()
    assert "where Name is not null" not in text


async def test_a_gap_that_stays_carries_its_counterexample(
    tmp_path: Path, pool: WorkerPool
) -> None:
    runs = Runs(tmp_path)
    runs.write(["silver.Customer"])
    run = runs.start(parts=parts(Answers(WRONG), tmp_path, pool))
    await runs.finish(run)
    item = result(run)
    assert item.status is ItemStatus.PARTIAL
    assert item.output.execution.dbt_test_passed
    (gap,) = [w for w in item.output.warnings if w.code is Code.EQUIVALENCE_GAP]
    assert "1 row of the procedure missing from the model" in gap.message
    saved = tmp_path / ".migration-runs/silver.customer.counterexample.json"
    assert json.loads(saved.read_text())["missing"]
