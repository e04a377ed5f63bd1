"""``proc2dbt cleanup-worktrees``."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import click

from tui.commands.options import project_option


@click.command("cleanup-worktrees")
@click.argument("branch", required=False)
@click.option("--dry-run", is_flag=True, help="Only say what would be removed.")
@click.option("--force", metavar="BRANCH", help="Remove this branch whatever is in it.")
@project_option
def command(branch: str | None, dry_run: bool, force: str | None, project: Path) -> None:
    """Remove worktrees and branches whose pull request is merged.

    Anything with uncommitted or unmerged work is left and named.
    """
    from core.git.cleanup import CleanupAction, CleanupRequest, cleanup_worktrees
    from core.git.repository import open_repository
    from core.pipeline.launch import pull_request_settings
    from core.pipeline.lock import read_owner
    from core.project.settings_file import load_settings

    settings = load_settings(project, os.environ)
    results = cleanup_worktrees(
        open_repository(project),
        CleanupRequest(branch=branch, dry_run=dry_run, force=force),
        pull_request_settings(settings),
        is_running=lambda runs: (owner := read_owner(runs)) is not None and owner.alive,
    )
    for result in results:
        click.echo(result.line)
    if not results:
        click.echo("There are no worktrees or branches of proc2dbt here.")
    sys.exit(1 if any(r.action is CleanupAction.FAILED for r in results) else 0)
