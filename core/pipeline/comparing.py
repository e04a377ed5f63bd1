"""Step 5 of real runs: procedure and model run side by side in a worker process."""

from __future__ import annotations

from collections.abc import Sequence

from core.dbt.pool import Lost, WorkerPool
from core.equivalence.subject import Subject, subject_of
from core.equivalence.task import CompareTask
from core.equivalence.verdict import EquivalenceResult, EquivalenceVerdict, StructuralCheck
from core.generation.offloop import off_loop
from core.pipeline.bench import needs_of
from core.pipeline.judges import StructuralEquivalence
from core.pipeline.ports import Candidate, EquivalenceProgressSink
from core.project.codes import ProjectError
from core.project.settings import EquivalenceSettings
from core.tsql.errors import TsqlError


class ExecutedEquivalence:
    """Runs the procedure on the reference and the model through dbt's own statements."""

    def __init__(self, settings: EquivalenceSettings, pool: WorkerPool) -> None:
        self._settings = settings
        self._pool = pool

    async def check(
        self, candidate: Candidate, progress: EquivalenceProgressSink
    ) -> EquivalenceResult:
        """The verdict, with the structural checks beside it."""
        structure = StructuralEquivalence(self._pool)
        if not self._settings.seconds:
            return await structure.check(candidate, progress)
        progress("reading the procedure", 0, 0)
        checks = await structure.checks(candidate)
        try:
            subject = await off_loop(self._subject, candidate)
        except (ProjectError, TsqlError) as error:
            return unknown(f"the comparison cannot be prepared: {error}", checks)

        def tell(line: str) -> None:
            counted, _, what = line.partition(" ")
            done, _, total = counted.partition("/")
            progress(what, int(done), int(total))

        deadline = 60.0 + self._settings.seconds * 6
        answer = await self._pool.run_task(CompareTask(subject), deadline, tell)
        if isinstance(answer, Lost):
            return unknown(f"the comparison was not finished: {answer.reason}", checks)
        assert isinstance(answer, EquivalenceResult)
        return answer.model_copy(update={"structural": tuple(checks)})

    def _subject(self, candidate: Candidate) -> Subject:
        inputs = needs_of(candidate.prepared).inputs.relations
        return subject_of(
            candidate.job, candidate.prepared.sql, inputs, self._settings, candidate.cte_map
        )


def unknown(sentence: str, checks: Sequence[StructuralCheck] = ()) -> EquivalenceResult:
    """A verdict for what could not be run at all."""
    return EquivalenceResult(
        verdict=EquivalenceVerdict.UNKNOWN, sentence=sentence, structural=tuple(checks)
    )
