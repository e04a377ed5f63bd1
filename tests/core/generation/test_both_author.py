"""Two authors in a row: the second one knows what the first could not do, and where."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import pytest

from core.generation.author import Draft, Failure, FailureKind, Job, Refusal, Say
from core.generation.both_author import BothAuthor
from core.pipeline.plan import plan_run
from core.project.project import MigrationProject
from core.project.settings import Settings
from tests.core.pipeline.small_project import write_project

CURSOR = Refusal("The cursor c updates rows one by one.", 7, "cursor", "compiler")
NOTHING_LEFT = Refusal("The compiler has no other translation.", 0, "nothing left", "compiler")
FAILURE = Failure(FailureKind.TESTS, "1 test failed")


@dataclass
class Answers:
    """An author that gives one answer to everything and keeps the jobs it was given."""

    name: str
    answer: Draft | Refusal
    jobs: list[Job] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)
    drafts: list[Draft] = field(default_factory=list)

    async def draft(self, job: Job, say: Say) -> Draft | Refusal:
        self.jobs.append(job)
        return self.answer

    async def correct(self, job: Job, draft: Draft, failure: Failure, say: Say) -> Draft | Refusal:
        self.jobs.append(job)
        self.failures.append(failure)
        self.drafts.append(draft)
        return self.answer


@pytest.fixture
def job(tmp_path: Path) -> Job:
    root = write_project(tmp_path / "project", ["silver.Customer"])
    plan = plan_run(MigrationProject.open(root), ["silver.customer"], Settings())
    return plan.job("silver.customer", {})


def quiet(line: str) -> None:
    return None


async def test_the_second_author_gets_the_refusal_of_the_first(job: Job) -> None:
    second = Answers("claude", Draft("select 1", "claude"))
    draft = await BothAuthor(Answers("compiler", CURSOR), second).draft(job, quiet)
    assert draft == second.answer
    [given] = second.jobs
    assert given.refused == CURSOR
    assert given.procedure == job.procedure


async def test_it_gets_the_draft_the_failure_and_what_could_not_be_corrected(job: Job) -> None:
    second = Answers("claude", Draft("select 2", "claude"))
    both = BothAuthor(Answers("compiler", NOTHING_LEFT), second)
    draft = Draft("select 1", "compiler", notes=("a note",))
    assert await both.correct(job, draft, FAILURE, quiet) == second.answer
    assert (second.drafts, second.failures) == ([draft], [FAILURE])
    assert second.jobs[0].refused == NOTHING_LEFT


async def test_its_own_draft_is_corrected_without_asking_the_first(job: Job) -> None:
    first = Answers("compiler", CURSOR)
    second = Answers("claude", Draft("select 2", "claude"))
    await BothAuthor(first, second).correct(job, Draft("select 1", "claude"), FAILURE, quiet)
    assert first.jobs == []
    assert second.jobs[0].refused is None


async def test_when_both_refuse_both_are_heard(job: Job) -> None:
    limit = Refusal("The limit is reached.", 0, "Claude: budget", "claude", "BUDGET_REACHED")
    refused = await BothAuthor(Answers("compiler", CURSOR), Answers("claude", limit)).draft(
        job, quiet
    )
    assert isinstance(refused, Refusal)
    assert refused.reason == (
        "The limit is reached. Before, the compiler refused (line 7): "
        "The cursor c updates rows one by one."
    )
    assert (refused.code, refused.line, refused.author) == ("BUDGET_REACHED", 7, "claude")
