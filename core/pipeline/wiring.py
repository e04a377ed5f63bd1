"""The real parts of a run: authors, bench, reviewer, equivalence checker."""

from __future__ import annotations

from pathlib import Path

from core.dbt.pool import WorkerPool
from core.generation.authors import available_authors
from core.pipeline.bench import DbtBench
from core.pipeline.judges import RulesReviewer, StructuralEquivalence
from core.pipeline.ports import Parts
from core.project.settings import Settings


def real_parts(settings: Settings, dbt_root: Path, pool: WorkerPool) -> Parts:
    """Everything a run works with; its bench ends the pool.

    ``dbt_root`` is the dbt project of the working place.
    """
    return Parts(
        authors=available_authors(settings),
        bench=DbtBench(pool, dbt_root),
        reviewer=RulesReviewer(),
        equivalence=StructuralEquivalence(),
    )
