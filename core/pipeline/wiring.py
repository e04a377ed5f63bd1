"""The real parts of a run: authors, bench, reviewer, equivalence checker."""

from __future__ import annotations

from pathlib import Path

from core.dbt.pool import WorkerPool
from core.generation.authors import available_authors
from core.pipeline.bench import DbtBench
from core.pipeline.judges import RulesReviewer, StructuralEquivalence
from core.pipeline.ports import Parts
from core.project.settings import Settings


def real_parts(settings: Settings, dbt_root: Path, pool: WorkerPool | None = None) -> Parts:
    """Everything a run works with; ``pool`` is one that was started early (the app).

    ``dbt_root`` is the dbt project of the working place.
    """
    verifier = pool or WorkerPool(settings.workers)
    return Parts(
        authors=available_authors(settings),
        bench=DbtBench(verifier, dbt_root),
        reviewer=RulesReviewer(),
        equivalence=StructuralEquivalence(),
    )
