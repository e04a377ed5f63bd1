"""What the compiler would do with a table, found out while a person looks at its details.

It is compiled for real, in a worker process (a thread where a run is scripted), one table at a
time; nothing is written. The answer is kept until the app is closed.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

from core.project.codes import ProjectError
from core.project.project import MigrationProject
from core.project.settings import Settings
from tui.viewmodels.tables import Preview

if TYPE_CHECKING:
    from core.dbt.pool import WorkerPool
    from core.generation.author import Job
    from core.generation.compiling import Compile


@dataclass
class Previewer:
    """Compiles single tables; ``pooled`` in a process of its own."""

    settings: Settings
    pooled: bool = True
    _pool: WorkerPool | None = None

    async def look(self, project: MigrationProject, item_id: str) -> Preview | None:
        """How the table would compile; ``None`` where that cannot be said."""
        try:
            job, compile_ = await asyncio.to_thread(self._job, project, item_id)
        except (ProjectError, KeyError, OSError):
            return None
        return _said(await compile_(job, frozenset()), job)

    def _job(self, project: MigrationProject, item_id: str) -> tuple[Job, Compile]:
        """In a thread: the compiler is imported here."""
        from core.dbt.pool import WorkerPool
        from core.generation.compiling import PooledCompiler, compile_here
        from core.pipeline.plan import plan_run

        plan = plan_run(project, [item_id], self.settings)
        job = plan.job(item_id, plan.existing_models)
        if not self.pooled:
            return job, compile_here
        if self._pool is None:
            self._pool = WorkerPool(1)
        return job, PooledCompiler(self._pool)

    async def aclose(self) -> None:
        """End the process."""
        pool, self._pool = self._pool, None
        if pool is not None:
            await pool.aclose()


def _said(answer: object, job: Job) -> Preview | None:
    from core.compiler.result import Compiled, Unsupported

    if isinstance(answer, Compiled):
        kind = answer.materialization + (f" ({answer.strategy})" if answer.strategy else "")
        on = f" on {', '.join(answer.unique_key)}" if answer.unique_key else ""
        return Preview(handled=True, words=kind + on, reads=answer.inputs)
    if isinstance(answer, Unsupported):
        line = job.procedure.first_line + answer.line - 1 if answer.line else 0
        return Preview(handled=False, words=answer.reason, line=line)
    return None
