"""The comparison of one subject, from data to verdict. Runs in a worker process."""

from __future__ import annotations

import time
from dataclasses import replace
from functools import partial
from typing import Any

from core.equivalence.campaign import Campaign, Progress, Tally, coverage_report
from core.equivalence.case import Case, as_document, from_document
from core.equivalence.collation import affected_comparisons
from core.equivalence.compare import Comparison, comparison_of
from core.equivalence.evidence import counterexample_document
from core.equivalence.generate import Generator
from core.equivalence.model_side import ModelError, ModelSide, RunRecorder
from core.equivalence.mutation import Score, mutation_score
from core.equivalence.procedure_side import ProcedureSide
from core.equivalence.scenarios import Agreement, agreement
from core.equivalence.shrink import Shrinker
from core.equivalence.subject import Subject
from core.equivalence.trial import Differential, Ending, Outcome
from core.equivalence.verdict import EquivalenceResult, EquivalenceVerdict
from core.equivalence.volume import shrink_volume
from core.interpreter import SqlError

Verdict = EquivalenceVerdict


class Check:
    """One subject under comparison; `run` gives the verdict."""

    def __init__(
        self, subject: Subject, connection: Any, record: RunRecorder, progress: Progress
    ) -> None:
        self.subject = subject = shrink_volume(subject)
        self.progress = progress
        self.model = ModelSide.open(subject, connection, record)
        self.procedure = ProcedureSide(subject, self.model.inputs_of(), self.model.built_inputs())
        self.generator = Generator(subject, self.model.incremental, *self._prior_rows())
        self.ends = time.process_time() + subject.seconds
        self.tally = Tally()
        self.by_null: frozenset[str] = frozenset()

    def _prior_rows(self) -> tuple[tuple[str, ...], float]:
        """By which columns rows put into the target beforehand differ, and in how many cases."""
        table = self.subject.table(".".join(self.subject.target_key))
        unique = tuple(name.lower() for name in self.model.facts.config.unique_key)
        identity = {c.name.lower() for c in table.columns if c.identity} if table else set()
        if not self.model.incremental or identity & set(unique):
            return (), 0.0
        return unique, 0.25

    def close(self) -> None:
        """Let go of the reference."""
        self.procedure.close()

    @property
    def comparison(self) -> Comparison:
        """How rows are compared, as far as it is known by now."""
        return comparison_of(self.subject, self.by_null)

    @property
    def both(self) -> Differential:
        """The two sides with the comparison of now."""
        return Differential(self.procedure, self.model, self.comparison)

    # -- the check -----------------------------------------------------------------------------

    def run(self) -> EquivalenceResult:
        """Scenarios, trials, shrinking or mutants, verdict."""
        refusals = self.procedure.not_executable()
        self._find_moving_columns()
        agreed = agreement(self.subject, self.procedure, self.comparison)
        self.procedure.reference.coverage.clear()
        failed = Campaign(
            self.subject, self.generator, self.both, self.ends, self.progress, self.tally
        ).run()
        if failed is not None and failed[1].ending is Ending.REFUSED:
            return self._result(
                Verdict.UNKNOWN,
                f"the interpreter cannot run the procedure: {failed[1].detail}",
                agreed,
            )
        if failed is not None and not agreed.disagreements:
            return self._refuted(*failed, agreed)
        if agreed.disagreements:
            first = agreed.disagreements[0]
            return self._result(
                Verdict.UNKNOWN,
                f"reference not trusted here: it {agreed.sentence}; {first}",
                agreed,
            )
        if self.tally.trials and self.tally.not_judged == self.tally.trials:
            error, _ = self.tally.failing.most_common(1)[0]
            where = f" (line {self.tally.fail_line})" if self.tally.fail_line else ""
            return self._result(
                Verdict.ERROR_IN_ORIGINAL,
                f"the procedure fails on its own in every trial: {error}{where}",
                agreed,
            )
        if self.tally.unstable:
            return self._unstable(agreed)
        score = mutation_score(self.subject, self.both, self.tally.kept, self.ends, self.progress)
        self.tally.out_of_time |= score.out_of_time
        return self._no_difference(agreed, score, [str(r) for r in refusals])

    def replay(self, case: Case) -> EquivalenceResult:
        """The verdict on one case, without generating or shrinking anything."""
        self._find_moving_columns()
        outcome = self.both.trial(case)
        self.tally.trials, self.tally.most_rows = 1, case.most_rows
        nobody = Agreement()
        match outcome.ending:
            case Ending.DIFFERENT:
                return self._evidence(case, outcome, nobody)
            case Ending.REFUSED:
                sentence = f"the interpreter cannot run the procedure: {outcome.detail}"
                return self._result(Verdict.UNKNOWN, sentence, nobody)
            case Ending.PROCEDURE_FAILS:
                sentence = f"the procedure fails on these rows: {outcome.detail}"
                return self._result(Verdict.ERROR_IN_ORIGINAL, sentence, nobody)
            case Ending.NON_DETERMINISTIC:
                return self._result(Verdict.NON_DETERMINISTIC, outcome.detail, nobody)
        sentence = "no difference on the rows of the file"
        return self._result(Verdict.NO_DIFFERENCE, sentence, nobody)

    # -- trials --------------------------------------------------------------------------------

    def _find_moving_columns(self) -> None:
        """Which target columns move with the clock or NEWID: run the procedure under two of each.

        A column the model feeds from elsewhere is compared by value all the same.
        """
        of_model = {name.lower() for name in self.model.facts.clock_columns}
        uuids = {
            c.name.lower()
            for c in self.subject.target.columns
            if "uniqueidentifier" in c.sql_type.lower()
        }
        if not of_model | uuids:
            return
        moved: set[str] = set()
        for number in range(1, 6):
            case = self.generator.case(number)
            case = replace(case, rounds=case.rounds[:1], prior=())
            try:
                seen = self.procedure.run(case)
            except SqlError:
                continue
            if seen[-1].error or seen[-1].refused or not seen[-1].after:
                continue
            moved |= self.both.fed_by_clock(case, seen)
        self.by_null = frozenset(moved & (of_model | uuids))

    # -- verdicts ------------------------------------------------------------------------------

    def _refuted(self, case: Case, outcome: Outcome, agreed: Agreement) -> EquivalenceResult:
        self.progress("shrinking the counterexample", self.tally.trials, self.subject.trials)
        both = self.both
        wanted = bool(outcome.model_error)

        def differs(smaller: Case, strictly: bool) -> bool:
            if time.process_time() > self.ends + self.subject.seconds:
                return False
            try:
                found = both.trial(smaller, orders=strictly)
            except SqlError:
                return False
            return found.ending is Ending.DIFFERENT and bool(found.model_error) == wanted

        # Other physical orders are asked about at the end only: that is three runs of four.
        for strictly in (False, True):
            shrinker = Shrinker(self.subject, partial(differs, strictly=strictly))
            small = shrinker.smallest(case, outcome.round)
            found = both.trial(small)
            if found.ending is Ending.DIFFERENT:
                return self._evidence(small, found, agreed)
        return self._evidence(case, outcome, agreed)

    def _evidence(self, case: Case, outcome: Outcome, agreed: Agreement) -> EquivalenceResult:
        document = counterexample_document(self.subject, case, outcome, self.both)
        return self._result(Verdict.REFUTED, document["summary"], agreed, counterexample=document)

    def _unstable(self, agreed: Agreement) -> EquivalenceResult:
        first = self.tally.unstable[0]
        why = "; ".join(
            f"line {line}: {message}" for message, line in list(self.tally.findings.items())[:2]
        )
        sentence = (
            f"the procedure does not agree with itself when the physical order of its rows changes "
            f"(in {len(self.tally.unstable)} of {self.tally.trials} trials)"
            + (f": {why}" if why else "")
            + "; the rows that do not depend on it are the same in the model"
        )
        report = {
            "unstable": {
                "case": as_document(first.case),
                "rows": [
                    {k: str(v) if v is not None else None for k, v in row.items()}
                    for row in first.rows[:20]
                ],
                "differs_from_model": first.differs,
            }
        }
        return self._result(Verdict.NON_DETERMINISTIC, sentence, agreed, extra=report)

    def _no_difference(
        self, agreed: Agreement, score: Score, refusals: list[str]
    ) -> EquivalenceResult:
        tally = self.tally
        compared = tally.trials - tally.not_judged
        sentence = (
            f"no difference in {compared} trials with tables of at most {tally.most_rows} rows "
            f"(seed {self.subject.seed}"
        )
        covered = coverage_report(self.both)
        if covered["outcomes_known"]:
            sentence += (
                f"; {covered['outcomes_reached']} of {covered['outcomes_known']} outcomes of the "
                "procedure's conditions reached"
            )
        if score.tried:
            sentence += f"; {score.killed} of {score.tried} mutants told apart"
        sentence += f"; {agreed.sentence})" if agreed.judged else ")"
        extra: dict[str, Any] = {"mutation": score.document()}
        if refusals:
            extra["not_executable"] = refusals
        if not tally.target_rows:
            return self._result(
                Verdict.UNKNOWN,
                f"the procedure left no row in any of {compared} trials: nothing was compared",
                agreed,
                extra=extra,
            )
        return self._result(Verdict.NO_DIFFERENCE, sentence, agreed, extra=extra)

    def _result(
        self,
        verdict: EquivalenceVerdict,
        sentence: str,
        agreed: Agreement,
        *,
        extra: dict[str, Any] | None = None,
        counterexample: dict[str, Any] | None = None,
    ) -> EquivalenceResult:
        tally = self.tally
        report: dict[str, Any] = {
            "seed": self.subject.seed,
            "trials": tally.trials,
            "trials_planned": self.subject.trials,
            "out_of_time": tally.out_of_time,
            "most_rows": tally.most_rows,
            "target_rows_compared": tally.target_rows,
            "procedure_failed": dict(sorted(tally.failing.items())),
            "drawn": tally.drawn,
            "coverage": coverage_report(self.both),
            "not_compared": self.comparison.not_compared,
            "scenarios": {
                "sentence": agreed.sentence,
                "judged": agreed.judged,
                "agreed": agreed.agreed,
                "disagreements": list(agreed.disagreements),
                "not_judged": list(agreed.not_judged),
            },
            "findings": [f"line {line}: {text}" for text, line in tally.findings.items()],
            "collation": self.subject.collation,
            "collation_affects": affected_comparisons(self.subject),
            "constants_shrunk": list(self.subject.shrunk),
            **(extra or {}),
        }
        return EquivalenceResult(
            verdict=verdict, sentence=sentence, report=report, counterexample=counterexample
        )


def check_subject(
    subject: Subject,
    connection: Any,
    record: RunRecorder,
    progress: Progress,
    replayed: dict[str, Any] | None = None,
) -> EquivalenceResult:
    """The verdict on a subject; whatever cannot be run is ``unknown`` with its reason."""
    check = None
    try:
        check = Check(subject, connection, record, progress)
        if replayed is not None:
            return check.replay(from_document(replayed))
        return check.run()
    except ModelError as error:
        return EquivalenceResult(
            verdict=Verdict.UNKNOWN, sentence=f"the model cannot be run: {error}"
        )
    except SqlError as error:
        return EquivalenceResult(
            verdict=Verdict.UNKNOWN, sentence=f"the reference cannot be prepared: {error}"
        )
    finally:
        if check is not None:
            check.close()
