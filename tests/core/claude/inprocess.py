"""Whole runs in this process: real dbt workers, guard, tests and review; Claude is a stub."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from core.claude.client import Waits
from core.dbt.pool import WorkerPool
from core.git.worktree import Workplace, open_in_place
from core.pipeline.claude_use import ClaudeUse
from core.pipeline.events import Event
from core.pipeline.launch import project_at
from core.pipeline.open import Invocation, start_run
from core.pipeline.plan import plan_run
from core.pipeline.result import ItemResult
from core.pipeline.run import RunController
from core.pipeline.state import RunState
from core.pipeline.wiring import real_parts
from core.project.clock import frozen_clock
from core.project.settings import Settings
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


def read_ledger(project: Path) -> list[dict[str, Any]]:
    """The lines of a run's ledger."""
    text = (project / ".migration-runs/ledger.ndjson").read_text()
    return [json.loads(line) for line in text.splitlines()]


async def run_here(
    project: Path,
    stub: Stub,
    pool: WorkerPool,
    waits: Waits,
    *,
    tables: Sequence[str] = ("silver.customer",),
    yes: bool = True,
    place: Workplace | None = None,
    on: Callable[[RunController, Event], None] | None = None,
    **changes: object,
) -> Done:
    """Run these items with Claude as the author, up to the end of the last item.

    ``place`` is where it writes (else the project itself); ``on`` hears every event and may steer
    the run.
    """
    place = place or open_in_place(project)
    settings = replace(
        Settings(author="claude", jobs=2),
        **changes,  # type: ignore[arg-type]
    )
    settings = replace(settings, claude=replace(settings.claude, base_url=stub.url))
    parts = real_parts(settings, place.root / "dbt", pool, ClaudeUse(yes=yes))
    assert parts.claude is not None
    parts.claude.claude._pauses._sleep = waits.sleep  # type: ignore[attr-defined]
    parts.claude.claude._pauses._now = waits.now  # type: ignore[attr-defined]
    parts.claude.claude._waits = waits  # type: ignore[attr-defined]
    plan = plan_run(project_at(project, place), tables, settings)
    clock = frozen_clock(datetime(2026, 1, 5, tzinfo=UTC))
    opened = start_run(plan, parts, place, clock, Invocation("proc2dbt", "Ada <a@example.com>"))
    controller = opened.controller
    if on is not None:
        controller.stream.subscribe(lambda event, state: on(controller, event))
    try:
        async with asyncio.timeout(240):
            await controller.idle()
        return Done(controller.state, place.root)
    finally:
        opened.release()
        await parts.claude.aclose()
