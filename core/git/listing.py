"""The working trees of a repository, as git lists them. Reads only."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from core.git.command import git, line
from core.git.repository import Repository


@dataclass(frozen=True)
class WorktreeEntry:
    """One line of ``git worktree list``."""

    path: Path
    branch: str | None
    head: str
    bare: bool = False
    locked: bool = False
    missing: bool = False
    """The folder is gone; git still knows of it."""


def list_worktrees(repository: Repository) -> tuple[WorktreeEntry, ...]:
    """Every working tree of the repository, the main one first.

    Format: https://git-scm.com/docs/git-worktree#_porcelain_format
    """
    found: list[WorktreeEntry] = []
    # Without -z, which git has only since 2.36.
    listed = line(repository.top, "worktree", "list", "--porcelain").splitlines()
    for label, _, value in (row.partition(" ") for row in listed):
        match label:
            case "worktree":
                path = Path(value)
                found.append(WorktreeEntry(path, None, "", missing=not path.is_dir()))
            case "HEAD":
                found[-1] = replace(found[-1], head=value)
            case "branch":
                found[-1] = replace(found[-1], branch=value.removeprefix("refs/heads/"))
            case "bare":
                found[-1] = replace(found[-1], bare=True)
            case "locked":
                found[-1] = replace(found[-1], locked=True)
            case _:
                pass
    main = _main_tree(repository, found[0])
    return (replace(found[0], path=main, missing=not main.is_dir()), *found[1:])


def _main_tree(repository: Repository, listed: WorktreeEntry) -> Path:
    """The main working tree. For a submodule git lists its git folder instead."""
    if repository.git_dir == repository.common_dir:
        return repository.top
    config = str(repository.common_dir / "config")
    asked = git(repository.top, "config", "--file", config, "--get", "core.worktree", check=False)
    value = asked.stdout.strip()
    return (repository.common_dir / value).resolve() if value else listed.path
