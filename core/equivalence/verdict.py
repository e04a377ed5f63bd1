"""What an equivalence check says about a procedure and its model."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from pydantic import BaseModel, ConfigDict


class EquivalenceVerdict(StrEnum):
    """The verdicts of an equivalence check; never the bare word "proven"."""

    NO_DIFFERENCE = "no_difference"
    REFUTED = "refuted"
    NON_DETERMINISTIC = "non_deterministic"
    ERROR_IN_ORIGINAL = "error_in_original"
    UNKNOWN = "unknown"
    NOT_RUN = "not_run"


class StructuralCheck(BaseModel):
    """One cheap comparison on the syntax trees, with a reason a person can read."""

    model_config = ConfigDict(frozen=True)

    name: str
    passed: bool
    reason: str = ""
    model_line: int = 0
    procedure_line: int = 0


class EquivalenceResult(BaseModel):
    """The result of step 5 for one item.

    ``report`` is the machine-readable detail of an executed check (trials, rows, seed, coverage,
    mutation score, what was not compared); empty when nothing was executed. ``counterexample``
    is the JSON document that ``proc2dbt check --replay`` takes.
    """

    model_config = ConfigDict(frozen=True)

    verdict: EquivalenceVerdict
    sentence: str
    structural: tuple[StructuralCheck, ...] = ()
    report: dict[str, Any] = {}
    counterexample: dict[str, Any] | None = None

    @property
    def is_gap(self) -> bool:
        """Whether the item gets EQUIVALENCE_GAP for this result."""
        if any(not check.passed for check in self.structural):
            return True
        return self.verdict in (
            EquivalenceVerdict.REFUTED,
            EquivalenceVerdict.UNKNOWN,
            EquivalenceVerdict.ERROR_IN_ORIGINAL,
        )
