"""What a run tells a pull request: its title, its base, links to the models."""

from __future__ import annotations

import subprocess
from pathlib import Path

from core.git.repository import Mode, require_ready
from core.git.worktree import open_worktree, plan_worktree
from core.pipeline.closing import close_run
from core.pipeline.launch import closing_for
from core.pipeline.open import Invocation, start_run
from core.pipeline.plan import plan_run
from core.pipeline.pull_request import pull_request_text
from core.project.project import MigrationProject
from core.project.settings import PullRequestSettings, Settings
from tests.core.pipeline.conftest import ticking_clock
from tests.core.pipeline.fakes import ScriptedAuthor, fake_parts
from tests.core.pipeline.small_project import write_project


def git(root: Path, *arguments: str) -> None:
    identity = ("-c", "user.name=Ada", "-c", "user.email=ada@example.com")
    subprocess.run(["git", *identity, *arguments], cwd=root, check=True, capture_output=True)


async def test_title_base_and_links_come_from_settings_and_remote(tmp_path: Path) -> None:
    root = write_project(tmp_path / "shop", ["silver.Customer"])
    git(root, "init", "-b", "main")
    git(root, "add", ".")
    git(root, "commit", "-m", "Everything")
    git(root, "remote", "add", "origin", "https://github.com/acme/shop.git")
    settings = Settings(author="scripted", base="main", pr=PullRequestSettings(title="Customers"))
    repository = require_ready(root, Mode.WORKTREE, settings.base)
    assert repository is not None
    place = open_worktree(plan_worktree(repository, ["silver.customer"]))
    project = MigrationProject.open(root, place.root / "dbt")
    plan = plan_run(project, ["silver.customer"], settings)
    parts = fake_parts(ScriptedAuthor({}))
    run = start_run(plan, parts, place, ticking_clock(), Invocation("proc2dbt", "Ada <a@b.c>"))
    closing = closing_for(False, False, settings, root, place)
    try:
        await run.controller.idle()
        run.controller.decide_headless()
        await close_run(run.controller, closing)
    finally:
        run.release()
    title, body = pull_request_text(run.controller, closing, ["silver.customer"], ())
    assert title == "Customers"
    assert closing.pr.base == "main"
    assert (
        f"https://github.com/acme/shop/blob/{place.branch}/dbt/models/staging/stg_customer.sql"
        in body
    )
