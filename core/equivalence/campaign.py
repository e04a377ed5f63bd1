"""The trials of one subject: how many data sets, of which kind, and when there are enough.

First come data sets of growing size, whatever they reach. Then the search is led by the coverage
of the procedure: data sets are drawn and run on the procedure's side alone, and those that make a
branch, predicate, CASE arm or join come out in a way it has not before become trials. It ends when
every outcome was seen, or after so many draws without a new one: the rest is reported as not
reached. Counts decide, not clocks: the same seed gives the same trials on any machine.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from core.equivalence.case import Case, Row
from core.equivalence.generate import Generator
from core.equivalence.procedure_side import Observed
from core.equivalence.subject import Subject
from core.equivalence.trial import Differential, Ending, Outcome
from core.interpreter import SqlError

Progress = Callable[[str, int, int], None]

LEAST = 16
"""Trials that run whatever they reach."""

MORE_FOR_FAILED = 12
"""At most so many more run in place of those in which the procedure failed on its own."""

_PATIENCE = 6
"""Trials after which a target that was always empty is filled beforehand."""

DRY_DRAWS = 16
"""Draws without a new outcome after which what is missing counts as not reachable."""

ORDER_CHECKS = 3
"""Every so many trials, the procedure is compared with itself on another physical order."""


@dataclass(frozen=True)
class Unstable:
    """A case on which the procedure disagrees with itself; ``differs`` from the model, too."""

    case: Case
    rows: tuple[Row, ...]
    differs: bool


@dataclass
class Tally:
    """What the trials so far have shown."""

    trials: int = 0
    drawn: int = 0
    failing: Counter[str] = field(default_factory=Counter)
    fail_line: int = 0
    not_judged: int = 0
    """Trials in which the procedure failed before it had left a row to compare."""
    most_rows: int = 0
    target_rows: int = 0
    findings: dict[str, int] = field(default_factory=dict)
    unstable: list[Unstable] = field(default_factory=list)
    kept: list[tuple[Case, list[Observed]]] = field(default_factory=list)
    out_of_time: bool = False

    def count(self, case: Case, outcome: Outcome) -> None:
        """Add a trial."""
        self.trials += 1
        self.most_rows = max(self.most_rows, case.most_rows)
        self.target_rows += outcome.rows
        if outcome.ending is Ending.PROCEDURE_FAILS:
            self.failing[outcome.detail] += 1
            self.fail_line = self.fail_line or outcome.line
            self.not_judged += not outcome.rows
        for state in outcome.seen:
            for finding in state.findings:
                self.findings.setdefault(finding.message, finding.line)
        if outcome.ending is Ending.NON_DETERMINISTIC:
            self.unstable.append(Unstable(case, outcome.difference.missing, True))
        elif outcome.ending is Ending.SAME and outcome.rows and not outcome.model_error:
            self.kept.append((case, list(outcome.seen)))


@dataclass
class Campaign:
    """Runs the trials; ``ends`` is the processor time at which nothing new is begun."""

    subject: Subject
    generator: Generator
    both: Differential
    ends: float
    progress: Progress
    tally: Tally

    def run(self) -> tuple[Case, Outcome] | None:
        """The first case that differs, or that the reference refuses; ``None`` if there is none."""
        number = 0
        while number < min(LEAST + min(self._failed(), MORE_FOR_FAILED), self.subject.trials):
            if self._late():
                return None
            if number == _PATIENCE and not self.tally.target_rows:
                # It puts nothing there itself: it changes or removes what others have put.
                self.generator.prior_share = 1.0
            found = self._trial(self.generator.case(number))
            if found is not None:
                return found
            number += 1
        return self._search(number)

    def _failed(self) -> int:
        return sum(self.tally.failing.values())

    def _search(self, number: int) -> tuple[Case, Outcome] | None:
        coverage = self.both.procedure.reference.coverage
        dry = 0
        while coverage.missing and dry < DRY_DRAWS and self.tally.trials < self.subject.trials:
            if self._late():
                return None
            dry += 1
            self.tally.drawn += 1
            reached = len(coverage.reached)
            case = self.generator.drawn(number, [case for case, _ in self.tally.kept])
            number += 1
            try:
                self.both.procedure.run(case)
            except SqlError:
                continue
            if len(coverage.reached) == reached:
                continue
            dry = 0
            found = self._trial(case)
            if found is not None:
                return found
        return None

    def _late(self) -> bool:
        if time.process_time() > self.ends:
            self.tally.out_of_time = True
        return self.tally.out_of_time

    def _trial(self, case: Case) -> tuple[Case, Outcome] | None:
        tally = self.tally
        try:
            outcome = self.both.trial(case)
        except SqlError as error:
            outcome = Outcome(Ending.PROCEDURE_FAILS, detail=f"loading: {error}")
        tally.count(case, outcome)
        if outcome.ending is Ending.PROCEDURE_FAILS:
            self.generator.trouble.learn(outcome.detail)
        self.progress("comparing", tally.trials, self.subject.trials)
        if outcome.ending in (Ending.DIFFERENT, Ending.REFUSED):
            return case, outcome
        if outcome.ending is Ending.SAME and tally.trials % ORDER_CHECKS == 0:
            order = 1 + tally.trials // ORDER_CHECKS % 3
            found = self.both.self_disagreement(case, list(outcome.seen), order)
            if found:
                tally.unstable.append(Unstable(case, found.missing, False))
        return None


def coverage_report(both: Differential) -> dict[str, Any]:
    """How many outcomes of the procedure's branching places were reached, and which were not."""
    coverage = both.procedure.reference.coverage
    reached, missing = coverage.reached, coverage.missing
    kinds: Counter[str] = Counter(place.kind for place in reached)
    wanted: Counter[str] = Counter(place.kind for place in missing)
    return {
        "outcomes_reached": len(reached),
        "outcomes_known": len(reached) + len(missing),
        "by_kind": {
            kind: {"reached": kinds[kind], "known": kinds[kind] + wanted[kind]}
            for kind in sorted(kinds | wanted)
        },
        "not_reached": [
            {"module": p.module, "line": p.line, "kind": p.kind, "outcome": p.outcome}
            for p in sorted(missing)
        ],
    }
