"""Runs over small projects with scripted parts."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from core.git.worktree import open_in_place
from core.pipeline.closing import Closing, close_run
from core.pipeline.open import Invocation, OpenRun, start_run
from core.pipeline.plan import plan_run
from core.pipeline.ports import Parts
from core.pipeline.result import ItemResult, Summary
from core.project.project import MigrationProject
from core.project.settings import Settings
from tests.core.pipeline.fakes import ScriptedAuthor, fake_parts
from tests.core.pipeline.small_project import write_project


def ticking_clock() -> Callable[[], datetime]:
    """A clock that goes on by one second each time it is looked at."""
    start = datetime(2026, 1, 5, 6, 0, tzinfo=UTC)
    seconds = itertools.count()
    return lambda: start + timedelta(seconds=next(seconds))


class Runs:
    """Starts and finishes runs in one project folder."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.settings = Settings(author="scripted", jobs=2)

    def write(
        self, tables: Sequence[str], reads: Mapping[str, Sequence[str]] | None = None
    ) -> None:
        write_project(self.root, tables, reads)

    def start(
        self,
        scripts: Mapping[str, Sequence[str]] | None = None,
        *,
        tables: Sequence[str] = ("silver.customer",),
        parts: Parts | None = None,
        interactive: bool = False,
        **settings: object,
    ) -> OpenRun:
        if not (self.root / "manifest.json").exists():
            self.write([f"silver.{t.split('.')[1].title()}" for t in tables])
        project = MigrationProject.open(self.root)
        changed = replace(self.settings, **settings)  # type: ignore[arg-type]
        plan = plan_run(project, tables, changed)
        return start_run(
            plan,
            parts or fake_parts(ScriptedAuthor(scripts or {})),
            open_in_place(self.root),
            ticking_clock(),
            Invocation("proc2dbt --headless", "Ada <ada@example.com>", interactive=interactive),
        )

    async def finish(self, run: OpenRun) -> Summary:
        await run.controller.idle()
        run.controller.decide_headless()
        try:
            return await close_run(run.controller, Closing())
        finally:
            run.release()

    async def one(self, *script: str, **settings: object) -> ItemResult:
        """Run one item with this script and return its result."""
        run = self.start({"silver.customer": script}, **settings)  # type: ignore[arg-type]
        await self.finish(run)
        return result(run)


def result(run: OpenRun, item_id: str = "silver.customer") -> ItemResult:
    found = run.controller.state.items[item_id].result
    assert found is not None
    return found


@pytest.fixture
def runs(tmp_path: Path) -> Runs:
    return Runs(tmp_path / "project")
