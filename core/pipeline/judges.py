"""Reviewer and equivalence checker of real runs, as the pipeline's ports want them."""

from __future__ import annotations

from collections.abc import Sequence

from core.equivalence.verdict import EquivalenceResult, EquivalenceVerdict
from core.generation.offloop import off_loop
from core.pipeline.bench import needs_of
from core.pipeline.ports import Candidate, EquivalenceProgressSink
from core.review.reviewer import ReviewRequest, review
from core.review.structural import structural_checks
from core.review.verdict import ReviewResult


class RulesReviewer:
    """The deterministic reviewer; both kinds of review are the same for it."""

    async def review(self, candidate: Candidate, earlier: Sequence[ReviewResult]) -> ReviewResult:
        """All checks. What was said before plays no part: rules do not change their mind."""
        return await off_loop(review, review_request(candidate))

    async def recheck(self, candidate: Candidate) -> ReviewResult:
        """All checks again."""
        return await off_loop(review, review_request(candidate))


class StructuralEquivalence:
    """Compares procedure and model on their syntax trees only; nothing is executed."""

    async def check(
        self, candidate: Candidate, progress: EquivalenceProgressSink
    ) -> EquivalenceResult:
        """``not_run`` with the structural checks; a failed one is a gap all the same."""
        progress("comparing structure", 0, 0)
        checks = await off_loop(structural_checks, review_request(candidate))
        failing = sum(not check.passed for check in checks)
        sentence = (
            f"procedure and model were not executed side by side; {len(checks) - failing} of "
            f"{len(checks)} structural checks passed"
        )
        return EquivalenceResult(
            verdict=EquivalenceVerdict.NOT_RUN, sentence=sentence, structural=checks
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
    )
