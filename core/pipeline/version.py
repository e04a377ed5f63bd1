"""One version of an item's model with all that was found about it, and which of two is better."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from core.dbt.outcome import Phase, ScenarioStatus, TestStatus, Verification
from core.equivalence.verdict import EquivalenceResult
from core.generation.author import Draft, Failure, FailureKind
from core.pipeline.ports import Prepared
from core.review.verdict import ReviewResult, Verdict


@dataclass(frozen=True)
class Version:
    """A draft, its files, and the findings about it so far."""

    attempt: int
    draft: Draft
    prepared: Prepared
    verification: Verification
    review: ReviewResult | None = None
    equivalence: EquivalenceResult | None = None

    @property
    def usable(self) -> bool:
        """Whether the text may be written into a dbt project at all."""
        return not self.prepared.refused and self.verification.phase is not Phase.GUARD

    @property
    def green(self) -> bool:
        """Whether everything that had to pass passed."""
        return self.usable and self.verification.tests_passed

    @property
    def gap(self) -> bool:
        """Whether it differs from the procedure, or that could not be excluded."""
        return self.equivalence is not None and self.equivalence.is_gap

    @property
    def notes(self) -> tuple[str, ...]:
        """What its author and its preparation say beside the text."""
        return tuple(dict.fromkeys((*self.draft.notes, *self.prepared.notes)))


def better(versions: Iterable[Version]) -> Version:
    """The green one before the red, the one without a gap before the one with, then the earlier."""
    return min(versions, key=lambda v: (not v.green, v.gap, v.attempt))


def refused_verification(prepared: Prepared) -> Verification:
    """The verification of a text that the guard refused before anything could run."""
    return Verification(phase=Phase.GUARD, compile_passed=False, errors=prepared.refused)


def failure_of(verification: Verification) -> Failure:
    """What an author has to correct after a verification that did not pass."""
    if verification.phase is Phase.GUARD:
        kind = FailureKind.GUARD
    elif not verification.compile_passed:
        kind = FailureKind.COMPILE
    else:
        kind = FailureKind.TESTS
    return Failure(kind, failure_sentence(verification), verification)


def failure_sentence(verification: Verification) -> str:
    """One sentence: the first error, or how many and which tests and scenarios failed."""
    if verification.errors:
        return _first_line(verification.errors[0])
    tests = [t for t in verification.tests if not t.ok]
    scenarios = [s for s in verification.scenarios if not s.ok]
    parts = []
    if tests:
        missing = [t for t in tests if t.status is TestStatus.NOT_RUN]
        what = "did not run" if len(missing) == len(tests) else "failed"
        parts.append(f"{len(tests)} of {len(verification.tests)} tests {what} ({tests[0].name})")
    if scenarios:
        total = sum(s.status is not ScenarioStatus.NO_EXPECTATION for s in verification.scenarios)
        parts.append(
            f"{len(scenarios)} of {total} scenarios ended differently ({scenarios[0].name})"
        )
    return " and ".join(parts) or "the model did not pass"


def review_failure(review: ReviewResult) -> Failure:
    """What an author has to correct after a review that asked for a revision."""
    feedback = review.feedback_for_model_generator or tuple(
        f"{issue.code.value}: {issue.message}" for issue in review.issues
    )
    return Failure(
        FailureKind.REVIEW,
        feedback[0] if feedback else "the reviewer asked for a revision",
        feedback=feedback,
    )


def counterexample_failure(result: EquivalenceResult) -> Failure:
    """What an author has to correct after a counterexample."""
    return Failure(
        FailureKind.COUNTEREXAMPLE, result.sentence, counterexample=result.counterexample
    )


def issues_left(review: ReviewResult) -> bool:
    """Whether the review leaves something that the summary has to name."""
    return review.status is not Verdict.APPROVED


def _first_line(text: str) -> str:
    """The first line that says something; dbt's begin with a bare "Compilation Error"."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    if len(lines) > 1 and re.fullmatch(r"[A-Z]\w+ Error( in .*)?", lines[0]):
        return f"{lines[0]}: {lines[1]}"
    return lines[0] if lines else text
