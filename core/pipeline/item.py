"""One item from its first draft to its final version: generate, verify, review, compare.

The loops and limits of a run live here. Nothing is written into the dbt project: that is done once,
with the version this ends with (``core.pipeline.run``). A person's cancel and the end of the run
arrive as ``asyncio.CancelledError`` and pass through.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from core.equivalence.verdict import EquivalenceResult, EquivalenceVerdict
from core.generation.author import Author, Draft, Failure, FailureKind, Job, Refusal, Say
from core.pipeline import events as ev
from core.pipeline.attempts import (
    AttemptFiles,
    RecordedDrafts,
    draft_event,
    inputs_hash,
    text_hash,
)
from core.pipeline.events import Stage, StageOutcome
from core.pipeline.ports import Candidate, Parts, Prepared, Verified
from core.pipeline.reports import report_of
from core.pipeline.stream import RunStream
from core.pipeline.version import (
    Version,
    better,
    counterexample_failure,
    failure_of,
    failure_sentence,
    refused_verification,
    review_failure,
)
from core.project.codes import Code
from core.review.verdict import ReviewResult, Verdict

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

MAX_CORRECTIONS = 3
"""Self-corrections per item over the whole run, whoever asks for them."""

MAX_REVIEWS = 2


@dataclass(frozen=True)
class Request:
    """What is asked of an item; see ``ItemQueued``."""

    kind: str = "generate"
    words: str = ""
    from_attempt: int = 0
    by: str = ""
    author: str = ""
    """Another author than the run's, for a retry; empty: the run's."""


@dataclass
class Trail:
    """What happened on the way to an item's final version: counters and findings, no behaviour."""

    version: Version | None = None
    refusal: Refusal | None = None
    """Why there is no (better) version, the last time an author said so."""
    corrections: int = 0
    reviews: int = 0
    kicked_back: list[ReviewResult] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    lost: str = ""
    """Why there is no verdict: the worker died or overran its deadline."""
    lost_code: str = ""


@dataclass
class _Stages:
    """How often each stage ran, for the iteration numbers of events."""

    runs: dict[Stage, int] = field(default_factory=dict)

    def next(self, stage: Stage) -> int:
        self.runs[stage] = self.runs.get(stage, 0) + 1
        return self.runs[stage]


class ItemProcess:
    """Works on one item once. ``trail`` is filled as it goes and is meaningful at any moment."""

    def __init__(
        self,
        job: Job,
        request: Request,
        author: Author,
        parts: Parts,
        stream: RunStream,
        files: AttemptFiles,
        *,
        recorded: RecordedDrafts | None = None,
        next_attempt: int = 1,
        base: Draft | None = None,
        corrections_spent: int = 0,
        retry_on_refuted: bool = True,
    ) -> None:
        """``base`` is the draft a ``revise``, ``edit`` or ``recheck`` starts from."""
        self.trail = Trail(corrections=corrections_spent)
        self._job = job
        self._request = request
        self._author = author
        self._parts = parts
        self._stream = stream
        self._files = files
        self._recorded = recorded or RecordedDrafts([])
        self._attempt = next_attempt
        self._base = base
        self._retry_on_refuted = retry_on_refuted
        self._stages = _Stages()
        self._seen: set[str] = set()
        self._corrected_for: tuple[str, ...] = ()
        self._inputs = inputs_hash(job, author)

    async def run(self) -> Trail:
        """Do everything that is asked; the trail says how it ended."""
        version = await self._first()
        if version is None:
            return self.trail
        version = await self._until_green(version)
        self.trail.version = version
        if self.trail.lost:
            return self.trail
        if not version.usable:
            return self.trail
        version = await self._reviewed(version)
        self.trail.version = version
        version = await self._compared(version)
        self.trail.version = version
        return self.trail

    # --- drafts ---------------------------------------------------------------------------

    async def _first(self) -> Version | None:
        request, base = self._request, self._base
        if request.kind in ("edit", "recheck") and base is not None:
            async with self._stage(Stage.GENERATE) as finish:
                finish(StageOutcome.PASSED, "the text is a person's" if base.author else "")
                return await self._registered(base, request.kind)
        if request.kind == "revise" and base is not None:
            failure = Failure(FailureKind.PERSON, request.words, feedback=(request.words,))
            self._seen.add(text_hash(base.sql))
            return await self._written(
                Stage.FIX,
                FailureKind.PERSON.value,
                lambda say: self._author.correct(self._job, base, failure, say),
            )
        return await self._written(
            Stage.GENERATE, "draft", lambda say: self._author.draft(self._job, say)
        )

    async def _written(
        self, stage: Stage, cause: str, ask: Callable[[Say], Awaitable[Draft | Refusal]]
    ) -> Version | None:
        """Ask for a draft (or take the recorded one), keep it, and announce it."""
        async with self._stage(stage) as finish:
            answer: Draft | Refusal | None = self._recorded.next(cause, self._attempt, self._inputs)
            if answer is None:
                answer = await ask(self._say(stage))
            if isinstance(answer, Draft) and text_hash(answer.sql) in self._seen:
                answer = Refusal(
                    f"{answer.author} wrote the same text again",
                    author=answer.author,
                    construct="same text again",
                )
            if isinstance(answer, Refusal):
                self.trail.refusal = answer
                self._emit_refusal(answer, cause)
                finish(StageOutcome.FAILED, answer.reason)
                return None
            version = await self._registered(answer, cause)
            finish(StageOutcome.PASSED, "; ".join(answer.changes) or answer.author)
            return version

    async def _registered(self, draft: Draft, cause: str) -> Version:
        """Prepare a draft, write its files, and emit the event that names them."""
        self._seen.add(text_hash(draft.sql))
        prepared = await self._parts.bench.prepare(self._job, draft)
        number = self._attempt
        self._attempt += 1
        await asyncio.to_thread(
            self._files.write, self._job.item_id, number, draft.sql, prepared.yaml
        )
        self._stream.emit(
            draft_event(
                self._job.item_id,
                number,
                cause,
                draft,
                prepared.yaml,
                prepared.materialized,
                self._inputs,
            )
        )
        await self._stream.sync()
        return Version(number, draft, prepared, refused_verification(prepared))

    def _emit_refusal(self, refusal: Refusal, cause: str) -> None:
        self._stream.emit(
            ev.GenerationRefused(
                item_id=self._job.item_id,
                author=refusal.author or self._author.name,
                cause=cause,
                reason=refusal.reason,
                line=refusal.line,
                feature=refusal.construct,
                code=refusal.code,
            )
        )

    # --- verification and corrections -------------------------------------------------------

    async def _until_green(self, version: Version) -> Version:
        """Verify, and correct as long as it is red and corrections are left.

        Ends with the latest version; with an earlier one only when no later text may be used.
        """
        version = await self._verified(version)
        usable = version
        while not version.green and not self.trail.lost:
            corrected = await self._corrected(version, failure_of(version.verification))
            if corrected is None:
                break
            version = await self._verified(corrected)
            usable = version if version.usable else usable
        if usable.usable and not version.usable and not self.trail.lost:
            return self._kept(usable, "the texts after it may not be used")
        return version

    async def _verified(self, version: Version) -> Version:
        prepared = version.prepared
        async with self._stage(Stage.TEST) as finish:
            if prepared.refused:
                verified = Verified(prepared, refused_verification(prepared))
            else:
                verified = await self._verification(version.attempt, prepared)
            verification, yaml = verified.verification, verified.prepared.yaml
            changed = yaml != prepared.yaml
            if changed:
                await asyncio.to_thread(
                    self._files.write, self._job.item_id, version.attempt, prepared.sql, yaml
                )
            report = report_of(verification)
            self._stream.emit(
                ev.VerificationFinished(
                    item_id=self._job.item_id,
                    attempt=version.attempt,
                    report=report,
                    yaml_hash=text_hash(yaml) if changed else "",
                )
            )
            if verification.tests_passed:
                finish(StageOutcome.PASSED, report.sentence)
            else:
                finish(StageOutcome.FAILED, report.lost or failure_sentence(verification))
        self.trail.lost, self.trail.lost_code = verification.lost, verification.lost_code
        return replace(version, prepared=verified.prepared, verification=verification)

    async def _verification(self, attempt: int, prepared: Prepared) -> Verified:
        """Verify once, and once more when the worker was lost: the machine may be to blame."""
        item_id = self._job.item_id
        for last in (False, True):
            verified = await self._parts.bench.verify(
                self._job,
                prepared,
                lambda line: self._stream.emit_soon(
                    ev.VerificationProgress(item_id=item_id, attempt=attempt, line=line)
                ),
            )
            verification = verified.verification
            if not verification.lost:
                break
            self._stream.emit(ev.WorkerLost(item_id=item_id, reason=verification.lost))
            if verification.lost_code not in ("", Code.WORKER_LOST.value):
                break
            if not last:
                self._stream.emit(ev.WorkerRestarted(reason=f"{item_id} is verified again"))
        return verified

    async def _corrected(self, version: Version, failure: Failure) -> Version | None:
        """A better version, or ``None``: no correction left, none possible, or none allowed."""
        if self._request.kind == "edit" or self.trail.corrections >= MAX_CORRECTIONS:
            return None
        self.trail.corrections += 1
        failure = replace(failure, again=failure.findings == self._corrected_for)
        self._corrected_for = failure.findings
        self._stream.emit(
            ev.CorrectionStarted(
                item_id=self._job.item_id,
                n=self.trail.corrections,
                kind=failure.kind.value,
                summary=failure.summary,
            )
        )
        draft = version.draft
        return await self._written(
            Stage.FIX,
            failure.kind.value,
            lambda say: self._author.correct(self._job, draft, failure, say),
        )

    # --- review -----------------------------------------------------------------------------

    async def _reviewed(self, version: Version) -> Version:
        """At most two reviews, with a revision between them if one is asked for and possible."""
        if not version.green:
            return version
        earlier: list[ReviewResult] = []
        while True:
            version = await self._review(version, earlier)
            review = version.review
            assert review is not None
            earlier.append(review)
            if review.status is not Verdict.REVISION_REQUESTED:
                return version
            self.trail.kicked_back.append(review)
            if self.trail.reviews >= MAX_REVIEWS:
                return version
            revised = await self._corrected(version, review_failure(review))
            if revised is None:
                return version
            revised = await self._until_green(revised)
            if self.trail.lost:
                self.trail.lost = ""
                return self._kept(version, "the revision could not be verified")
            if not revised.green:
                return self._kept(version, "the revision asked for by the reviewer stayed red")
            version = revised

    async def _review(self, version: Version, earlier: list[ReviewResult]) -> Version:
        self.trail.reviews += 1
        async with self._stage(Stage.REVIEW) as finish:
            review = await self._parts.reviewer.review(self._candidate(version), earlier)
            self._finish_review(version, review, finish)
        return replace(version, review=review)

    def _finish_review(
        self, version: Version, review: ReviewResult, finish: Callable[[StageOutcome, str], None]
    ) -> None:
        self._stream.emit(
            ev.ReviewFinished(
                item_id=self._job.item_id,
                n=self.trail.reviews,
                attempt=version.attempt,
                review=review,
            )
        )
        count = len(review.issues)
        detail = review.status.value.replace("_", " ")
        finish(_REVIEW_OUTCOME[review.status], f"{detail}, {count} issues" if count else detail)

    # --- equivalence ------------------------------------------------------------------------

    async def _compared(self, version: Version) -> Version:
        """Compare with the procedure; a counterexample goes back to the author once."""
        if not version.verification.compile_passed:
            return version
        first = await self._compare(version)
        assert first.equivalence is not None
        if first.equivalence.verdict is not EquivalenceVerdict.REFUTED or not (
            self._retry_on_refuted
        ):
            return first
        corrected = await self._corrected(first, counterexample_failure(first.equivalence))
        if corrected is None:
            return first
        corrected = await self._until_green(corrected)
        if self.trail.lost:
            self.trail.lost = ""
            return self._kept(first, "the correction could not be verified")
        if corrected.green:
            corrected = await self._rechecked(corrected)
        if corrected.usable and corrected.verification.compile_passed:
            corrected = await self._compare(corrected)
        if not corrected.usable:
            return self._kept(first, "the correction for the counterexample is not usable")
        best = better((first, corrected))
        if best is first:
            return self._kept(first, "the correction for the counterexample was no improvement")
        return best

    async def _rechecked(self, version: Version) -> Version:
        async with self._stage(Stage.REVIEW) as finish:
            review = await self._parts.reviewer.recheck(self._candidate(version))
            self._finish_review(version, review, finish)
        return replace(version, review=review)

    async def _compare(self, version: Version) -> Version:
        item_id = self._job.item_id

        def progress(line: str, done: int, total: int) -> None:
            self._stream.emit_soon(
                ev.EquivalenceProgress(
                    item_id=item_id,
                    attempt=version.attempt,
                    line=line,
                    trials_done=done,
                    trials_total=total,
                )
            )

        async with self._stage(Stage.EQUIVALENCE) as finish:
            result = await self._parts.equivalence.check(self._candidate(version), progress)
            self._stream.emit(
                ev.EquivalenceFinished(item_id=item_id, attempt=version.attempt, result=result)
            )
            finish(_equivalence_outcome(result), result.sentence)
        return replace(version, equivalence=result)

    # --- small things -----------------------------------------------------------------------

    def _candidate(self, version: Version) -> Candidate:
        return Candidate(
            self._job,
            version.prepared,
            version.verification,
            version.notes,
            version.draft.author,
            version.draft.cte_map,
        )

    def _kept(self, version: Version, why: str) -> Version:
        reason = f"Version {version.attempt} was kept: {why}."
        self._stream.emit(
            ev.VersionKept(item_id=self._job.item_id, attempt=version.attempt, reason=reason)
        )
        self.trail.notes.append(reason)
        return version

    def _say(self, stage: Stage) -> Say:
        item_id = self._job.item_id
        return lambda line: self._stream.emit_soon(
            ev.StageProgress(item_id=item_id, stage=stage, line=line)
        )

    @asynccontextmanager
    async def _stage(self, stage: Stage) -> AsyncIterator[Callable[[StageOutcome, str], None]]:
        """Emit the start and the end of one pass; what happens inside decides the outcome."""
        item_id, iteration = self._job.item_id, self._stages.next(stage)
        self._stream.emit(ev.StageStarted(item_id=item_id, stage=stage, iteration=iteration))
        begun = time.monotonic()
        found: list[tuple[StageOutcome, str]] = [(StageOutcome.FAILED, "")]

        def finish(outcome: StageOutcome, detail: str) -> None:
            found[0] = (outcome, detail[:300])

        yield finish
        outcome, detail = found[0]
        self._stream.emit(
            ev.StageFinished(
                item_id=item_id,
                stage=stage,
                outcome=outcome,
                iteration=iteration,
                seconds=round(time.monotonic() - begun, 3),
                detail=detail,
            )
        )
        await self._stream.sync()


_REVIEW_OUTCOME = {
    Verdict.APPROVED: StageOutcome.PASSED,
    Verdict.APPROVED_WITH_WARNINGS: StageOutcome.WARNED,
    Verdict.REVISION_REQUESTED: StageOutcome.FAILED,
}


def _equivalence_outcome(result: EquivalenceResult) -> StageOutcome:
    if result.is_gap:
        return StageOutcome.FAILED
    if result.verdict is EquivalenceVerdict.NO_DIFFERENCE:
        return StageOutcome.PASSED
    if result.verdict is EquivalenceVerdict.NOT_RUN:
        return StageOutcome.SKIPPED
    return StageOutcome.WARNED
