"""Reviews as tasks of the worker processes: judging is pure Python and takes its time."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from core.dbt.outcome import Progress
from core.equivalence.verdict import StructuralCheck
from core.review.material import ReviewMaterial
from core.review.reviewer import judged
from core.review.structural import structural_checks
from core.review.verdict import ReviewResult


@dataclass(frozen=True)
class ReviewTask:
    """The review of one version."""

    doing: ClassVar[str] = "review"
    material: ReviewMaterial

    @property
    def item_id(self) -> str:
        """By which the pool cancels it."""
        return self.material.item_id

    def run(self, folder: Path, progress: Progress) -> ReviewResult:
        """The verdict; neither the worker's folder nor progress is needed."""
        return judged(self.material)


@dataclass(frozen=True)
class StructureTask:
    """The structural checks of one version."""

    doing: ClassVar[str] = "comparison of structure"
    material: ReviewMaterial

    @property
    def item_id(self) -> str:
        """By which the pool cancels it."""
        return self.material.item_id

    def run(self, folder: Path, progress: Progress) -> tuple[StructuralCheck, ...]:
        """What the structures say; neither the worker's folder nor progress is needed."""
        return structural_checks(self.material)
