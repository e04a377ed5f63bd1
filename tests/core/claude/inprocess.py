"""Whole runs in this process: real dbt workers, guard, tests and review; Claude is a stub."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from core.claude.client import Waits
from core.dbt.pool import WorkerPool
from core.git.worktree import open_in_place
from core.pipeline.claude_use import ClaudeUse
from core.pipeline.open import Invocation, start_run
from core.pipeline.plan import plan_run
from core.pipeline.result import ItemResult
from core.pipeline.state import RunState
from core.pipeline.wiring import real_parts
from core.project.clock import frozen_clock
from core.project.project import MigrationProject
from core.project.settings import ClaudeSettings, Settings
from tests.core.claude.stub import Stub


@dataclass(frozen=True)
class Done:
    """A run that came to its end."""

    state: RunState
    project: Path

    def result(self, item_id: str = "silver.customer") -> ItemResult:
        found = self.state.items[item_id].result
        assert found is not None
        return found

    def model(self, item_id: str = "silver.customer") -> str:
        name = item_id.partition(".")[2]
        file = self.project / f"dbt/models/staging/stg_{name}.sql"
        return file.read_text() if file.exists() else ""


async def run_here(
    project: Path,
    stub: Stub,
    pool: WorkerPool,
    waits: Waits,
    *,
    tables: Sequence[str] = ("silver.customer",),
    yes: bool = True,
    **changes: object,
) -> Done:
    """Run these items with Claude as the author, up to the end of the last item."""
    settings = replace(
        Settings(author="claude", jobs=2, claude=ClaudeSettings(base_url=stub.url)),
        **changes,  # type: ignore[arg-type]
    )
    parts = real_parts(settings, project / "dbt", pool, ClaudeUse(yes=yes))
    assert parts.claude is not None
    parts.claude.claude._pauses._sleep = waits.sleep  # type: ignore[attr-defined]
    parts.claude.claude._pauses._now = waits.now  # type: ignore[attr-defined]
    parts.claude.claude._waits = waits  # type: ignore[attr-defined]
    plan = plan_run(MigrationProject.open(project), tables, settings)
    clock = frozen_clock(datetime(2026, 1, 5, tzinfo=UTC))
    opened = start_run(
        plan, parts, open_in_place(project), clock, Invocation("proc2dbt", "Ada <a@example.com>")
    )
    try:
        async with asyncio.timeout(240):
            await opened.controller.idle()
        return Done(opened.controller.state, project)
    finally:
        opened.release()
        await parts.claude.aclose()
