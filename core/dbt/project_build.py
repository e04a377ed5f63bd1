"""One ``dbt build`` of the whole project in a scratch database, at the end of a run."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from core.dbt.verify import ProjectBuild, ProjectVerdict


def build_in(folder: Path, build: ProjectBuild, progress: Callable[[str], None]) -> ProjectVerdict:
    """Build the project."""
    raise NotImplementedError
