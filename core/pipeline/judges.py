"""Reviewer and structural comparison of real runs, as the pipeline's ports want them.

Both judge in a worker process: a text that keeps the judge busy for ever costs its item only.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from core.dbt.pool import Lost, WorkerPool, WorkerTask
from core.equivalence.verdict import EquivalenceResult, EquivalenceVerdict, StructuralCheck
from core.generation.offloop import off_loop
from core.pipeline.bench import needs_of
from core.pipeline.ports import Candidate, EquivalenceProgressSink
from core.project.codes import Code, ProjectError
from core.review.material import ReviewRequest, material_of
from core.review.task import ReviewTask, StructureTask
from core.review.verdict import ReviewResult

REVIEW_DEADLINE = 60.0
"""Seconds for one review; the longest procedures take two or three."""


class RulesReviewer:
    """The deterministic reviewer; both kinds of review are the same for it."""

    def __init__(self, pool: WorkerPool, deadline_s: float = REVIEW_DEADLINE) -> None:
        self._pool = pool
        self._deadline = deadline_s

    async def review(self, candidate: Candidate, earlier: Sequence[ReviewResult]) -> ReviewResult:
        """All checks. What was said before plays no part: rules do not change their mind.

        Raises:
            ProjectError: ``DEADLINE_EXCEEDED`` or ``WORKER_LOST``, when no answer came.
        """
        task = ReviewTask(await off_loop(material_of, review_request(candidate)))
        answer = await _answer(self._pool, task, self._deadline)
        assert isinstance(answer, ReviewResult)
        return answer

    async def recheck(self, candidate: Candidate) -> ReviewResult:
        """All checks again."""
        return await self.review(candidate, ())


class StructuralEquivalence:
    """Compares procedure and model on their syntax trees only; nothing is executed."""

    def __init__(self, pool: WorkerPool, deadline_s: float = REVIEW_DEADLINE) -> None:
        self._pool = pool
        self._deadline = deadline_s

    async def checks(self, candidate: Candidate) -> tuple[StructuralCheck, ...]:
        """The structural checks.

        Raises:
            ProjectError: ``DEADLINE_EXCEEDED`` or ``WORKER_LOST``, when no answer came.
        """
        task = StructureTask(await off_loop(material_of, review_request(candidate)))
        answer = await _answer(self._pool, task, self._deadline)
        assert isinstance(answer, tuple)
        return answer

    async def check(
        self, candidate: Candidate, progress: EquivalenceProgressSink
    ) -> EquivalenceResult:
        """``not_run`` with the structural checks; a failed one is a gap all the same."""
        progress("comparing structure", 0, 0)
        checks = await self.checks(candidate)
        failing = sum(not check.passed for check in checks)
        sentence = (
            f"procedure and model were not executed side by side; {len(checks) - failing} of "
            f"{len(checks)} structural checks passed"
        )
        return EquivalenceResult(
            verdict=EquivalenceVerdict.NOT_RUN, sentence=sentence, structural=checks
        )


async def _answer(pool: WorkerPool, task: WorkerTask, deadline_s: float) -> Any:
    answer = await pool.run_task(task, deadline_s, lambda line: None)
    if not isinstance(answer, Lost):
        return answer
    if answer.code is Code.DEADLINE_EXCEEDED:
        why = f"did not finish within {deadline_s:g} seconds"
    elif answer.code is Code.WORKER_LOST:
        why = "took its process down, twice"
    else:
        what = answer.error or answer.reason
        raise ProjectError.of(
            Code.GENERATION_FAILED,
            f"The review of {task.item_id} itself failed ({what}), please report it.",
            task.item_id,
            construct="internal error",
        )
    raise ProjectError.of(
        answer.code,
        f"The review of {task.item_id} {why}; take it up again with --resume.",
        task.item_id,
    )


def review_request(candidate: Candidate) -> ReviewRequest:
    """A version as the reviewer sees it."""
    job, prepared = candidate.job, candidate.prepared
    needs = needs_of(prepared)
    return ReviewRequest(
        item_id=job.item_id,
        model_name=job.model_name,
        sql=prepared.sql,
        yaml_text=prepared.yaml,
        table=job.table,
        spec=job.spec,
        procedure=job.procedure,
        project=job.project,
        models=job.existing_models,
        assumptions=needs.assumptions,
        replay_only=needs.replay_only,
        inputs=needs.inputs.relations,
        expected=needs.artifacts,
    )
