"""One case on both sides: do they leave the same, and does the procedure agree with itself?"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum

from core.equivalence.case import Case
from core.equivalence.compare import Comparison, Difference, Key
from core.equivalence.model_side import ModelError, ModelSide, Variant
from core.equivalence.procedure_side import Observed, ProcedureSide

_ORDERS = (1, 2, 3)
"""Physical orders a difference is checked against: reversed, and two shuffles."""


class Ending(StrEnum):
    """How a trial ended."""

    SAME = "same"
    DIFFERENT = "different"
    NON_DETERMINISTIC = "non_deterministic"
    PROCEDURE_FAILS = "procedure_fails"
    REFUSED = "refused"


@dataclass(frozen=True)
class Outcome:
    """One trial. ``round`` counts from 0; ``rows`` is how many target rows were compared."""

    ending: Ending
    round: int = 0
    difference: Difference = field(default_factory=Difference)
    model_error: str = ""
    detail: str = ""
    line: int = 0
    rows: int = 0
    seen: tuple[Observed, ...] = ()


@dataclass
class Differential:
    """Both sides of one subject."""

    procedure: ProcedureSide
    model: ModelSide
    comparison: Comparison

    def trial(self, case: Case, *, orders: bool = True) -> Outcome:
        """Run a case; a difference counts only where row order does not explain it.

        Without ``orders`` that is not asked.
        """
        seen = self.procedure.run(case)
        outcome = self.against(case, seen)
        if orders and outcome.ending is Ending.DIFFERENT:
            return self._explained_by_order(case, outcome, seen)
        return outcome

    def against(self, case: Case, seen: list[Observed], variant: Variant | None = None) -> Outcome:
        """The model on a case whose procedure side is known."""
        import duckdb

        if seen[-1].refused:
            return Outcome(Ending.REFUSED, len(seen) - 1, detail=seen[-1].refused)
        try:
            used = variant or self.model.variant(case.parameters)
            there = self.model.start(used, case.prior)
        except (ModelError, duckdb.Error) as error:
            self.model.rollback()
            return Outcome(Ending.DIFFERENT, 0, model_error=_first_line(error), seen=tuple(seen))
        compared = 0
        numbers: dict[Key, object] = {}
        for number, (round_, state) in enumerate(zip(case.rounds, seen, strict=False)):
            if state.error:
                return Outcome(
                    Ending.PROCEDURE_FAILS,
                    number,
                    detail=state.error,
                    line=state.error_line,
                    rows=compared,
                )
            try:
                self.model.run(used, state, round_.clock, first=number == 0 and not there)
                rows = self.model.rows()
            except duckdb.Error as error:
                self.model.rollback()
                return Outcome(
                    Ending.DIFFERENT, number, model_error=_first_line(error), seen=tuple(seen)
                )
            compared += len(state.after)
            found = self.comparison.difference(state.after, rows)
            if not found and self.procedure.keeps_rows:
                numbered = self.comparison.numbers(state.after, rows)
                found = _renumbered(numbers, numbered)
                numbers = numbered
            if found:
                return Outcome(Ending.DIFFERENT, number, found, rows=compared, seen=tuple(seen))
        return Outcome(Ending.SAME, len(seen) - 1, rows=compared, seen=tuple(seen))

    def self_disagreement(self, case: Case, seen: list[Observed], order: int) -> Difference:
        """How the procedure differs from itself when the rows are stored in another order."""
        for one, two in zip(seen, self.procedure.run(case, order=order), strict=False):
            found = self.comparison.difference(one.after, two.after)
            if found:
                return found
        return Difference()

    def _explained_by_order(self, case: Case, outcome: Outcome, seen: list[Observed]) -> Outcome:
        """Not blamed on the model when every row that differs depends on physical order."""
        number = outcome.round
        ours = Counter(self.comparison.keys(seen[number].after))
        least, most, varies = ours.copy(), ours.copy(), False
        for order in _ORDERS:
            again = self.procedure.run(case, order=order)
            if len(again) <= number:
                continue
            keys = Counter(self.comparison.keys(again[number].after))
            varies = varies or keys != ours
            least, most = least & keys, most | keys
        if not varies or outcome.model_error:
            return outcome
        missing = Counter(self.comparison.keys(outcome.difference.missing))
        certain = [key for key in missing if key in least and least[key] >= ours[key]]
        if certain:
            return outcome
        return Outcome(
            Ending.NON_DETERMINISTIC,
            number,
            outcome.difference,
            detail="the procedure leaves other rows when its inputs are stored in another order",
            rows=outcome.rows,
            seen=outcome.seen,
        )

    def fed_by_clock(self, case: Case, seen: list[Observed]) -> frozenset[str]:
        """Target columns whose values move with the clock or with NEWID's seed, lower case."""
        moved: set[str] = set()
        shift = timedelta(days=1, minutes=7)
        variants = (
            self.procedure.run(case, clock_shift=shift),
            self.procedure.run(case, seed=2),
        )
        for other in variants:
            for one, two in zip(seen, other, strict=False):
                if len(one.after) == len(two.after) and one.after:
                    moved |= _moved(one.after, two.after)
        return frozenset(moved)


def _renumbered(before: Mapping[Key, object], now: Mapping[Key, object]) -> Difference:
    """A row that stays as it is on the procedure's side must keep its number in the model."""
    for key, number in now.items():
        if key in before and before[key] != number:
            return Difference(
                message=f"the model changes {key[0]} of a row that stays as it is, "
                f"from {before[key]} to {number}"
            )
    return Difference()


def _moved(one: list[dict[str, object]], two: list[dict[str, object]]) -> set[str]:
    found = set()
    for name in one[0]:
        mine = Counter(repr(row.get(name)) for row in one)
        theirs = Counter(repr(row.get(name)) for row in two)
        if mine != theirs and sum(r.get(name) is None for r in one) == sum(
            r.get(name) is None for r in two
        ):
            found.add(name.lower())
    return found


def _first_line(error: Exception) -> str:
    return str(error).split("\n\n")[0].strip()[:500]
