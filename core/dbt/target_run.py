"""``--target NAME``: compile and test on the project's own warehouse."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from core.dbt.outcome import Verification
from core.dbt.verify import TargetCheck, TargetRequest


def check_target_in(
    folder: Path, request: TargetRequest, progress: Callable[[str], None]
) -> TargetCheck:
    """Whether the warehouse can be used."""
    raise NotImplementedError


def verify_on_target(
    folder: Path, request: TargetRequest, progress: Callable[[str], None]
) -> Verification:
    """Compile and test one model there."""
    raise NotImplementedError
