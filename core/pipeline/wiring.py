"""The real parts of a run: authors, bench, reviewer, equivalence checker."""

from __future__ import annotations

from pathlib import Path

from core.dbt.pool import WorkerPool
from core.generation.authors import available_authors
from core.generation.compiling import PooledCompiler
from core.pipeline.bench import DbtBench
from core.pipeline.claude_desk import ClaudeDesk, RulesThenClaude
from core.pipeline.claude_use import ClaudeUse
from core.pipeline.comparing import ExecutedEquivalence
from core.pipeline.judges import RulesReviewer
from core.pipeline.ports import Parts
from core.project.settings import Settings


def real_parts(
    settings: Settings, dbt_root: Path, pool: WorkerPool, use: ClaudeUse | None = None
) -> Parts:
    """Everything a run works with; its bench ends the pool.

    ``dbt_root`` is the dbt project of the working place. Claude is there in every run, because a
    person may ask for it for a single item, but nothing is imported or sent before it is used.
    """
    desk = ClaudeDesk(settings, dbt_root.parent, use)
    return Parts(
        authors=available_authors(PooledCompiler(pool), desk.author),
        bench=DbtBench(pool, dbt_root),
        reviewer=RulesThenClaude(RulesReviewer(pool), desk.reviewer),
        equivalence=ExecutedEquivalence(settings.equivalence, pool),
        claude=desk,
    )
