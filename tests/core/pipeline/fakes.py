"""Stand-ins for author, bench, reviewer and equivalence, steered by words in the model's text.

``red`` fails a test, ``broken`` does not compile, ``unsafe`` is refused by the guard, ``lost``
loses its worker, ``crash`` raises, ``hang`` never ends, ``sloppy`` is sent back by the reviewer,
``warned`` is approved with warnings, ``gap`` is refuted. ``ref(x)`` references the model ``x``.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from core.dbt.outcome import Phase, Progress, TestKind, TestOutcome, TestStatus, Verification
from core.dbt.verify import ProjectVerdict
from core.equivalence.verdict import EquivalenceResult, EquivalenceVerdict
from core.generation.author import Draft, Failure, Job, Refusal, Say
from core.pipeline.ports import Candidate, EquivalenceProgressSink, Parts, Prepared, Verified
from core.project.codes import Code
from core.review.verdict import Check, CheckName, Issue, ReviewResult, Verdict


@dataclass
class ScriptedAuthor:
    """Answers with the texts of its script, one after another, per item; keeps what it was asked.

    A text that begins with ``refuse:`` is a refusal. An item without a script gets a good model.
    """

    scripts: Mapping[str, Sequence[str]] = field(default_factory=dict)
    name: str = "scripted"
    pause: float = 0.0
    failures: list[tuple[str, Failure]] = field(default_factory=list)
    jobs: list[Job] = field(default_factory=list)

    async def draft(self, job: Job, say: Say) -> Draft | Refusal:
        self.jobs.append(job)
        return await self._answer(job, 0, say)

    async def correct(self, job: Job, draft: Draft, failure: Failure, say: Say) -> Draft | Refusal:
        self.failures.append((job.item_id, failure))
        number = int(draft.sql.splitlines()[0].rpartition(" ")[2]) + 1
        return await self._answer(job, number, say)

    async def _answer(self, job: Job, number: int, say: Say) -> Draft | Refusal:
        say("writing")
        await asyncio.sleep(self.pause)
        script = self.scripts.get(job.item_id, ("good",))
        text = script[number] if number < len(script) else "refuse: nothing left to change"
        if text.startswith("refuse:"):
            return Refusal(text[7:].strip(), line=3, construct="script", author=self.name)
        sql = f"-- version {number}\nselect 1 as id -- {text}\n"
        return Draft(sql=sql, author=self.name, changes=(text,) if number else ())


class FakeBench:
    """Prepares and verifies by the words in the text; a closed ``gate`` holds verifications.

    With ``hangs`` off, a ``hang`` passes: the machine that held it up is well again.
    """

    def __init__(self, gate: asyncio.Event | None = None, *, hangs: bool = True) -> None:
        self.verified: list[str] = []
        self.gate = gate
        self.hangs = hangs
        self.running = 0
        self.most_running = 0

    async def prepare(self, job: Job, draft: Draft) -> Prepared:
        refused = ("The function 'read_csv' is not allowed.",) if "unsafe" in draft.sql else ()
        return Prepared(
            sql=draft.sql,
            yaml=""
            if refused
            else f"version: 2\nmodels:\n  - name: {job.model_name}\n"
            f"    description: 'Migrated from x. Target: {job.table.display}.'\n",
            materialized="table",
            has_model_description=True,
            has_unit_tests=True,
            schema_tests=("unique_id",),
            refs=tuple(re.findall(r"ref\((\w+)\)", draft.sql)),
            refused=refused,
        )

    async def verify(self, job: Job, prepared: Prepared, progress: Progress) -> Verified:
        self.verified.append(job.item_id)
        self.running += 1
        self.most_running = max(self.most_running, self.running)
        try:
            progress("unit test 1")
            if self.hangs and "hang" in prepared.sql:
                await asyncio.Event().wait()
            if self.gate is not None:
                await self.gate.wait()
        finally:
            self.running -= 1
        return Verified(prepared, verdict_on(prepared.sql))

    def shared_files(self, wanted: Sequence[tuple[Job, Prepared]]) -> Mapping[str, str]:
        names = sorted(job.table.object_name for job, _ in wanted)
        if not names:
            return {}
        tables = "".join(f"      - name: {name}\n" for name in names)
        text = f"version: 2\nsources:\n  - name: bronze\n    tables:\n{tables}"
        return {"dbt/models/staging/_sources.yml": text}

    async def build_project(
        self, models: Sequence[tuple[Job, Prepared]], progress: Progress
    ) -> ProjectVerdict | None:
        return None

    async def aclose(self) -> None:
        return None


def verdict_on(sql: str) -> Verification:
    if "crash" in sql:
        raise RuntimeError("the bench fell over")
    if "lost" in sql:
        return Verification(Phase.TEST, compile_passed=False, lost="the worker died")
    if "broken" in sql:
        return Verification(Phase.COMPILE, compile_passed=False, errors=("column x not found",))
    status = TestStatus.FAIL if "red" in sql else TestStatus.PASS
    tests = (
        TestOutcome("test_one", TestKind.UNIT, status),
        TestOutcome("unique_id", TestKind.DATA, TestStatus.PASS),
    )
    return Verification(Phase.DONE, compile_passed=True, tests=tests)


class FakeReviewer:
    """Sends ``sloppy`` texts back and approves ``warned`` ones with warnings."""

    def __init__(self) -> None:
        self.reviewed: list[str] = []

    async def review(self, candidate: Candidate, earlier: Sequence[ReviewResult]) -> ReviewResult:
        self.reviewed.append(candidate.prepared.sql)
        return self._judged(candidate)

    async def recheck(self, candidate: Candidate) -> ReviewResult:
        return self._judged(candidate)

    def _judged(self, candidate: Candidate) -> ReviewResult:
        sql = candidate.prepared.sql
        status = Verdict.APPROVED
        if "sloppy" in sql:
            status = Verdict.REVISION_REQUESTED
        elif "warned" in sql:
            status = Verdict.APPROVED_WITH_WARNINGS
        issues = (
            ()
            if status is Verdict.APPROVED
            else (Issue(code=Code.MISSING_DESCRIPTION, message="a column has no description"),)
        )
        return ReviewResult(
            item_id=candidate.job.item_id,
            status=status,
            checks={CheckName.STANDARDS: Check(passed=not issues, issues=issues)},
            feedback_for_model_generator=("describe the column",) if issues else (),
        )


class FakeEquivalence:
    """Refutes texts with a ``gap``; otherwise nothing is executed."""

    async def check(
        self, candidate: Candidate, progress: EquivalenceProgressSink
    ) -> EquivalenceResult:
        progress("trial 1", 1, 1)
        if "gap" in candidate.prepared.sql:
            return EquivalenceResult(
                verdict=EquivalenceVerdict.REFUTED,
                sentence="one row differs",
                counterexample={"rows": [1]},
            )
        return EquivalenceResult(
            verdict=EquivalenceVerdict.NO_DIFFERENCE, sentence="no difference in 10 trials"
        )


def fake_parts(author: ScriptedAuthor, bench: FakeBench | None = None) -> Parts:
    return Parts(
        authors={"compiler": author, "scripted": author},
        bench=bench or FakeBench(),
        reviewer=FakeReviewer(),
        equivalence=FakeEquivalence(),
    )
