"""The comparison of one subject, from data to verdict. Runs in a worker process."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from core.equivalence.case import Case, as_document, from_document
from core.equivalence.compare import Comparison, comparison_of
from core.equivalence.evidence import counterexample_document, difference_sentence
from core.equivalence.generate import Generator
from core.equivalence.model_side import ModelError, ModelSide, RunRecorder
from core.equivalence.mutants import mutants
from core.equivalence.procedure_side import Observed, Place, ProcedureSide
from core.equivalence.scenarios import Agreement, agreement
from core.equivalence.shrink import Shrinker
from core.equivalence.subject import Subject
from core.equivalence.trial import Differential, Ending, Outcome
from core.equivalence.verdict import EquivalenceResult, EquivalenceVerdict
from core.interpreter import SqlError

Progress = Callable[[str, int, int], None]

_LEAST = 24
"""Trials that run even when nothing new is reached."""

_DRY = 10
"""Trials without a new branch outcome after which more of them are not worth their time."""

_ORDER_CHECKS = 4
"""Every so many trials, the procedure is compared with itself on another physical order."""

Verdict = EquivalenceVerdict


@dataclass
class _Tally:
    """What the trials so far have shown."""

    trials: int = 0
    failing: Counter[str] = field(default_factory=Counter)
    fail_line: int = 0
    most_rows: int = 0
    target_rows: int = 0
    last_news: int = 0
    places: set[Place] = field(default_factory=set)
    findings: dict[str, int] = field(default_factory=dict)
    unstable: list[tuple[Case, Outcome | None, list[dict[str, Any]]]] = field(default_factory=list)
    kept: list[tuple[Case, list[Observed]]] = field(default_factory=list)
    out_of_time: bool = False


class Check:
    """One subject under comparison; `run` gives the verdict."""

    def __init__(
        self, subject: Subject, connection: Any, record: RunRecorder, progress: Progress
    ) -> None:
        self.subject = subject
        self.progress = progress
        self.model = ModelSide.open(subject, connection, record)
        self.procedure = ProcedureSide(subject, self.model.inputs_of())
        self.generator = Generator(subject, self.model.incremental, self._key_is_declared())
        self.ends = time.process_time() + subject.seconds
        self.tally = _Tally()
        self.by_null: frozenset[str] = frozenset()

    def _key_is_declared(self) -> bool:
        """Whether the catalog itself says that the model's unique_key is one."""
        table = self.subject.table(".".join(self.subject.target_key))
        wanted = {name.lower() for name in self.model.facts.config.unique_key}
        keys = table.keys if table is not None else ()
        identity = {c.name.lower() for c in table.columns if c.identity} if table else set()
        return bool(wanted) and any(
            {c.lower() for c in key} <= wanted and not wanted & identity for key in keys
        )

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
        self.procedure.branches.clear()
        failed = self._trials()
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
        if self.tally.trials and sum(self.tally.failing.values()) == self.tally.trials:
            error, _ = self.tally.failing.most_common(1)[0]
            where = f" (line {self.tally.fail_line})" if self.tally.fail_line else ""
            return self._result(
                Verdict.ERROR_IN_ORIGINAL,
                f"the procedure fails on its own in every trial: {error}{where}",
                agreed,
            )
        if self.tally.unstable:
            return self._unstable(agreed)
        score = self._mutation_score()
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
        of_model = {name.lower() for name in self.model.facts.clock_columns}
        uuids = {
            c.name.lower()
            for c in self.subject.target.columns
            if "uniqueidentifier" in c.sql_type.lower()
        }
        self.by_null = frozenset(moved & (of_model | uuids))

    def _trials(self) -> tuple[Case, Outcome] | None:
        tally = self.tally
        both = self.both
        for number in range(self.subject.trials):
            if time.process_time() > self.ends:
                tally.out_of_time = True
                return None
            if number >= _LEAST and number - tally.last_news > _DRY:
                return None
            case = self.generator.case(number)
            try:
                outcome = both.trial(case)
            except SqlError as error:
                outcome = Outcome(Ending.PROCEDURE_FAILS, detail=f"loading: {error}")
            self._count(number, case, outcome)
            self.progress("comparing", number + 1, self.subject.trials)
            if outcome.ending in (Ending.DIFFERENT, Ending.REFUSED):
                return case, outcome
            if outcome.ending is Ending.NON_DETERMINISTIC:
                rows = [dict(r) for r in outcome.difference.missing]
                tally.unstable.append((case, outcome, rows))
            elif outcome.ending is Ending.SAME and number % _ORDER_CHECKS == 1:
                found = both.self_disagreement(case, list(outcome.seen))
                if found:
                    tally.unstable.append((case, None, [dict(r) for r in found.missing]))
        return None

    def _count(self, number: int, case: Case, outcome: Outcome) -> None:
        tally = self.tally
        tally.trials += 1
        tally.most_rows = max(tally.most_rows, case.most_rows)
        tally.target_rows += outcome.rows
        if outcome.ending is Ending.PROCEDURE_FAILS:
            tally.failing[outcome.detail] += 1
            tally.fail_line = tally.fail_line or outcome.line
        places = set(self.procedure.branches)
        if places - tally.places:
            tally.last_news = number
            tally.places |= places
        for state in outcome.seen:
            for finding in state.findings:
                tally.findings.setdefault(finding.message, finding.line)
        if outcome.ending is Ending.SAME and outcome.rows and not outcome.model_error:
            tally.kept.append((case, list(outcome.seen)))

    # -- verdicts ------------------------------------------------------------------------------

    def _refuted(self, case: Case, outcome: Outcome, agreed: Agreement) -> EquivalenceResult:
        self.progress("shrinking the counterexample", self.tally.trials, self.subject.trials)
        both = self.both
        wanted = bool(outcome.model_error)

        def differs(smaller: Case) -> bool:
            if time.process_time() > self.ends + self.subject.seconds:
                return False
            try:
                found = both.trial(smaller)
            except SqlError:
                return False
            return found.ending is Ending.DIFFERENT and bool(found.model_error) == wanted

        small = Shrinker(self.subject, differs).smallest(case, outcome.round)
        return self._evidence(small, both.trial(small), agreed)

    def _evidence(self, case: Case, outcome: Outcome, agreed: Agreement) -> EquivalenceResult:
        document = counterexample_document(self.subject, case, outcome, self.both)
        sentence = difference_sentence(outcome, case)
        return self._result(Verdict.REFUTED, sentence, agreed, counterexample=document)

    def _unstable(self, agreed: Agreement) -> EquivalenceResult:
        case, outcome, rows = self.tally.unstable[0]
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
                "case": as_document(case),
                "rows": [
                    {k: str(v) if v is not None else None for k, v in r.items()} for r in rows
                ][:20],
                "differs_from_model": outcome is not None,
            }
        }
        return self._result(Verdict.NON_DETERMINISTIC, sentence, agreed, extra=report)

    def _no_difference(
        self, agreed: Agreement, score: dict[str, Any], refusals: list[str]
    ) -> EquivalenceResult:
        tally = self.tally
        compared = tally.trials - sum(tally.failing.values())
        sentence = (
            f"no difference in {compared} trials with tables of at most {tally.most_rows} rows "
            f"(seed {self.subject.seed}; {len(tally.places)} branch outcomes reached"
        )
        if score["mutants"]:
            sentence += f"; {score['killed']} of {score['mutants']} mutants told apart"
        sentence += f"; {agreed.sentence})" if agreed.judged else ")"
        extra: dict[str, Any] = {"mutation": score}
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
            "coverage": _coverage(tally.places),
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
            **(extra or {}),
        }
        return EquivalenceResult(
            verdict=verdict, sentence=sentence, report=report, counterexample=counterexample
        )

    # -- mutants -------------------------------------------------------------------------------

    def _mutation_score(self) -> dict[str, Any]:
        """How many mutants of the model the data of the trials tells apart."""
        found: list[dict[str, Any]] = []
        killed = tried = 0
        if not self.tally.kept or not self.subject.mutants:
            return {"mutants": 0, "killed": 0, "survivors": []}
        both = self.both
        base = self.model.variant(self.tally.kept[0][0].parameters)
        for mutant in mutants(base.compiled, self.subject.mutants, self.subject.seed):
            if time.process_time() > self.ends:
                self.tally.out_of_time = True
                break
            variant = self.model.mutated(base, mutant.full, mutant.incremental)
            if variant is None:
                continue
            tried += 1
            self.progress("mutants", tried, self.subject.mutants)
            if self._killed(both, variant):
                killed += 1
            else:
                found.append({"kind": mutant.kind, "text": mutant.text})
        return {"mutants": tried, "killed": killed, "survivors": found}

    def _killed(self, both: Differential, variant: Any) -> bool:
        first = self.tally.kept[0][0].parameters
        for case, seen in self.tally.kept:
            if case.parameters != first:
                continue
            outcome = both.against(case, seen, variant)
            if outcome.ending is Ending.DIFFERENT:
                return True
        return False


def _coverage(places: set[Place]) -> dict[str, Any]:
    """Branch outcomes by kind, and the places where only one outcome was seen."""
    by_place: dict[tuple[str, int, int, str], set[str]] = {}
    for module, line, column, kind, outcome in places:
        by_place.setdefault((module, line, column, kind), set()).add(outcome)
    one_sided = [
        {"module": module, "line": line, "kind": kind, "only": sorted(outcomes)[0]}
        for (module, line, _, kind), outcomes in sorted(by_place.items())
        if len(outcomes) == 1 and kind.lower() in ("if", "while", "where", "join")
    ]
    return {"outcomes_reached": len(places), "places": len(by_place), "one_sided": one_sided}


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
