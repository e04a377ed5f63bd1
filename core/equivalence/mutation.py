"""The mutation score: how many wrong versions of the model the data of the trials tells apart."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from core.equivalence.campaign import Progress
from core.equivalence.case import Case
from core.equivalence.model_side import Variant
from core.equivalence.mutants import mutants
from core.equivalence.procedure_side import Observed
from core.equivalence.subject import Subject
from core.equivalence.trial import Differential, Ending

_CASES = 5
"""Cases a mutant is run on: those that told others apart, then those with most rows."""


@dataclass(frozen=True)
class Score:
    """``survivors`` are the mutants, by kind and text, that no data set told from the model."""

    tried: int = 0
    killed: int = 0
    survivors: tuple[dict[str, str], ...] = ()
    out_of_time: bool = False

    def document(self) -> dict[str, Any]:
        """The score as the report has it."""
        return {"mutants": self.tried, "killed": self.killed, "survivors": list(self.survivors)}


def mutation_score(
    subject: Subject,
    both: Differential,
    kept: Sequence[tuple[Case, list[Observed]]],
    ends: float,
    progress: Progress,
) -> Score:
    """A sample of mutants against the cases that were the same on both sides.

    The procedure does not run again: what it left is known. A mutant is run on few cases, for one
    that survives costs a run of the model for every round of each: on those that told mutants
    apart before, latest first, then on those that left most rows.
    """
    if not kept or not subject.mutants:
        return Score()
    parameters = kept[0][0].parameters
    cases = [entry for entry in kept if entry[0].parameters == parameters]
    cases.sort(key=lambda entry: sum(len(state.after) for state in entry[1]), reverse=True)
    base = both.model.variant(parameters)
    survivors: list[dict[str, str]] = []
    tried = killed = 0
    for mutant in mutants(base.compiled, subject.mutants, subject.seed):
        if time.process_time() > ends:
            return Score(tried, killed, tuple(survivors), True)
        variant = both.model.mutated(base, mutant.full, mutant.incremental)
        if variant is None:
            continue
        tried += 1
        progress("mutants", tried, subject.mutants)
        by = _killer(both, variant, cases[:_CASES])
        if by is None:
            survivors.append({"kind": mutant.kind, "text": mutant.text})
        else:
            killed += 1
            cases.insert(0, cases.pop(by))
    return Score(tried, killed, tuple(survivors))


def _killer(
    both: Differential, variant: Variant, cases: Sequence[tuple[Case, list[Observed]]]
) -> int | None:
    for position, (case, seen) in enumerate(cases):
        if both.against(case, seen, variant).ending is Ending.DIFFERENT:
            return position
    return None
