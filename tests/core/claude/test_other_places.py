"""What a run takes along into a worktree, and what a resumed one takes up from before."""

from __future__ import annotations

import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from core.claude.author import ClaudeAuthor
from core.claude.budget import Budget
from core.claude.call import NobodyWatches
from core.claude.client import Claude
from core.claude.connection import Route
from core.claude.prices import load_prices
from core.dbt.pool import WorkerPool
from core.generation.author import Author, Draft, Job
from core.generation.both_author import BothAuthor
from core.git.repository import Mode, require_ready
from core.git.worktree import open_worktree, plan_worktree
from core.pipeline.attempts import RecordedDrafts, draft_event, inputs_hash
from core.pipeline.plan import plan_run
from core.project.project import MigrationProject
from core.project.settings import ClaudeAuthorSettings, ClaudeSettings, Settings
from tests.core.claude.conftest import TestClock
from tests.core.claude.inprocess import read_ledger, run_here
from tests.core.claude.migration import write_dynamic
from tests.core.claude.stub import Stub, refusal
from tests.core.pipeline.fakes import ScriptedAuthor


def git(root: Path, *arguments: str) -> None:
    subprocess.run(["git", *arguments], cwd=root, check=True, capture_output=True)


async def test_prices_of_the_project_count_in_a_worktree_uncommitted(
    tmp_path: Path, pool: WorkerPool, clock: TestClock
) -> None:
    project = write_dynamic(tmp_path / "project", ["Customer"])
    git(project, "init", "-b", "main")
    git(project, "config", "user.name", "Ada")
    git(project, "config", "user.email", "ada@example.com")
    git(project, "add", ".")
    git(project, "commit", "-m", "Everything")
    (project / "claude-prices.toml").write_text(
        '[models.claude-next-9]\ninput = "1"\noutput = "2"\n'
    )
    repository = require_ready(project, Mode.WORKTREE, "HEAD")
    assert repository is not None
    place = open_worktree(plan_worktree(repository, ["silver.customer"]))
    assert not (place.root / "claude-prices.toml").exists()
    with Stub([refusal()]) as stub:
        done = await run_here(
            project,
            stub,
            pool,
            clock.waits,
            place=place,
            max_cost=5.0,
            claude=ClaudeSettings(author=ClaudeAuthorSettings(model="claude-next-9")),
        )
    assert "declined" in done.result().output.errors[0].message
    [line] = read_ledger(place.root)
    assert line["model"] == "claude-next-9"
    tokens = line["tokens"]
    # A project's table without a price for the cache is priced at its dearest.
    assert float(line["cost_usd"]) > 0
    assert float(line["cost_usd"]) <= (sum(tokens.values()) * 2) / 1e6


@pytest.fixture
def job(tmp_path: Path) -> Job:
    project = MigrationProject.open(write_dynamic(tmp_path / "project", ["Customer"]))
    return plan_run(project, ["silver.customer"], Settings()).job("silver.customer", {})


def claude_of(**changes: Any) -> ClaudeAuthor:
    """An author; ``role`` changes its settings, the rest those of the run."""
    role = replace(ClaudeAuthorSettings(), **changes.pop("role", {}))
    settings = replace(Settings(**changes), claude=ClaudeSettings(author=role))
    claude = Claude(Route(), load_prices("api"), Budget(), NobodyWatches())
    return ClaudeAuthor(claude, settings)


def both(author: Author) -> Author:
    return BothAuthor(ScriptedAuthor({}), author)


def taken_up(job: Job, before: Author, now: Author) -> bool:
    """Whether a draft that was written before counts for a resumed run."""
    draft = Draft("select 1", "claude")
    event = draft_event(job.item_id, 1, "draft", draft, "", "", inputs_hash(job, before))
    recorded = RecordedDrafts([(event, draft)])
    return recorded.next("draft", 1, inputs_hash(job, now)) is draft


@pytest.mark.parametrize(
    "changes",
    [
        {"role": {"model": "claude-haiku-5-5"}},
        {"role": {"effort": "high"}},
        {"role": {"fallback": "claude-haiku-5-5"}},
        {"mask_literals": True},
        {"send_rows": True},
    ],
    ids=str,
)
def test_a_draft_is_not_taken_up_by_a_claude_that_is_set_up_otherwise(
    job: Job, changes: dict[str, Any]
) -> None:
    assert not taken_up(job, claude_of(), claude_of(**changes))
    assert not taken_up(job, both(claude_of()), both(claude_of(**changes)))


@pytest.mark.parametrize(
    "changes", [{}, {"role": {"max_tokens": 64_000}}, {"max_cost": 3.0}, {"jobs": 7}], ids=str
)
def test_a_paid_draft_is_taken_up_where_nothing_it_depends_on_changed(
    job: Job, changes: dict[str, Any]
) -> None:
    assert taken_up(job, claude_of(), claude_of(**changes))
    assert taken_up(job, both(claude_of()), both(claude_of(**changes)))
    assert taken_up(job, ScriptedAuthor({}), ScriptedAuthor({}))
