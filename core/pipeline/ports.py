"""What the pipeline needs from the other packages, as protocols it can be tested without them.

The real implementations are in ``core.pipeline.wiring``. All of them are asynchronous and keep the
event loop free: what computes runs in a worker process or a thread.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from core.dbt.outcome import Progress, Verification
from core.dbt.verify import ProjectVerdict
from core.equivalence.verdict import EquivalenceResult
from core.generation.author import Author, CteOrigin, Draft, Job
from core.review.verdict import ReviewResult

if TYPE_CHECKING:
    from core.pipeline.run import RunController


@dataclass(frozen=True)
class Prepared:
    """A draft made into the two files of a model, with the facts that results and commits need.

    ``refs`` are names of the models and seeds it references, ``required_vars`` dbt vars without
    default. ``needs`` is what the shared files
    must hold for it; only the bench that made it looks inside. ``refused`` says why the text may
    not be used at all (the guard, or it cannot be read); then the YAML is empty.
    """

    sql: str
    yaml: str = ""
    materialized: str = ""
    uses_watermark: bool = False
    has_model_description: bool = False
    has_unit_tests: bool = False
    schema_tests: tuple[str, ...] = ()
    refs: tuple[str, ...] = ()
    required_vars: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    refused: tuple[str, ...] = ()
    needs: Any = None


@dataclass(frozen=True)
class Verified:
    """What a verification found, and the files it is about.

    The YAML may have changed: a unit test that compares what the model rightly does not emit is
    disabled in favour of its replay.
    """

    prepared: Prepared
    verification: Verification


class Bench(Protocol):
    """Where drafts become files and are tried: facts, guard, YAML, dbt, scenario replay."""

    async def prepare(self, job: Job, draft: Draft) -> Prepared:
        """Read the draft's facts and render its YAML."""
        ...

    async def verify(self, job: Job, prepared: Prepared, progress: Progress) -> Verified:
        """Compile and test the model, and replay every scenario, in a worker process.

        A lost worker is a verification whose ``lost`` says so, never an exception.
        """
        ...

    def shared_files(self, wanted: Sequence[tuple[Job, Prepared]]) -> Mapping[str, str]:
        """Text of the shared files that these models need, by path below the project.

        Only additions to what is on disk; empty when nothing has to change. Runs in a thread.
        """
        ...

    async def build_project(
        self, models: Sequence[tuple[Job, Prepared]], progress: Progress
    ) -> ProjectVerdict | None:
        """Build the dbt project on disk once, with these models; ``None``: not possible here."""
        ...

    async def aclose(self) -> None:
        """End all worker processes."""
        ...


@dataclass(frozen=True)
class Candidate:
    """One version of a model as reviewer and equivalence checker see it: artifacts, no motives.

    ``author`` is who wrote it, by which a reviewer knows whether it has anything to add.
    """

    job: Job
    prepared: Prepared
    verification: Verification
    notes: tuple[str, ...] = ()
    author: str = ""
    cte_map: tuple[CteOrigin, ...] = ()


class Reviewer(Protocol):
    """Judges a version whose tests pass; changes nothing and runs nothing."""

    async def review(self, candidate: Candidate, earlier: Sequence[ReviewResult]) -> ReviewResult:
        """A full review; ``earlier`` are the reviews before it."""
        ...

    async def recheck(self, candidate: Candidate) -> ReviewResult:
        """Only the deterministic checks, after a correction for a counterexample."""
        ...


class EquivalenceProgressSink(Protocol):
    """Hears how far a comparison is."""

    def __call__(self, line: str, done: int, total: int) -> None: ...


class EquivalenceChecker(Protocol):
    """Compares the original procedure with a version of the model."""

    async def check(
        self, candidate: Candidate, progress: EquivalenceProgressSink
    ) -> EquivalenceResult:
        """The verdict; a checker that cannot say anything says ``not_run`` or ``unknown``."""
        ...


class ClaudePort(Protocol):
    """What a run has to do with Claude beside its author and reviewer."""

    def attach(self, run: RunController) -> None:
        """Tell calls, waits and questions to this run's stream; emits nothing yet."""
        ...

    def answer_consent(self, given: bool, by: str = "") -> None:
        """A person's answer to ``ConsentAsked``."""
        ...

    def reopen_consent(self) -> None:
        """After a refusal: ask again when something is to be sent next; else without effect."""
        ...

    async def aclose(self) -> None:
        """Close the connection."""
        ...


@dataclass(frozen=True)
class Parts:
    """Everything a run works with. ``authors`` maps a name to an author."""

    authors: Mapping[str, Author]
    bench: Bench
    reviewer: Reviewer
    equivalence: EquivalenceChecker
    claude: ClaudePort | None = None

    async def aclose(self) -> None:
        """End worker processes and connections."""
        await self.bench.aclose()
        if self.claude is not None:
            await self.claude.aclose()
