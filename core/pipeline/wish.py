"""What an invocation asks for, before anything of it is looked at.

The first screen of the app needs only this; what carries it out is in ``core.pipeline.launch``.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from core.pipeline.claude_use import ClaudeUse
from core.project.settings import Settings
from core.project.settings_file import load_settings


@dataclass(frozen=True)
class Wish:
    """What an invocation asks for. ``resume`` is ``""`` for the newest run, ``None`` for none."""

    project: Path
    tables: tuple[str, ...] = ()
    all_ready: bool = False
    in_place: bool = False
    commit: bool = False
    no_pr: bool = False
    resume: str | None = None
    discard: bool = False
    dry_run: bool = False
    flags: Mapping[str, Any] = field(default_factory=dict)
    """Settings given as flags, by their dotted name; ``None`` where a flag was not given."""
    environment: Mapping[str, str] = field(default_factory=dict)
    folder: Path | None = None
    """What ``@file`` is relative to; the current folder when absent."""
    claude: ClaudeUse = field(default_factory=ClaudeUse)
    """``--yes``, ``--record``, ``--replay``."""

    @property
    def commits(self) -> bool:
        """Whether accepted items are committed: always in a worktree, in place when asked."""
        return self.commit or not self.in_place

    @property
    def sends(self) -> bool:
        """Whether the branch is pushed and a pull request opened: never from in place."""
        return not self.in_place and not self.no_pr


def settings_for(wish: Wish) -> Settings:
    """The effective settings of an invocation.

    Raises:
        ProjectError: ``SETTINGS_INVALID``.
    """
    return load_settings(wish.project, wish.environment, dict(wish.flags))


def headless_command(
    tables: Sequence[str], settings: Settings, *, in_place: bool, commit: bool, no_pr: bool
) -> str:
    """The command line that does the same run without a screen."""
    words = ["proc2dbt", "--headless", *tables]
    for name, flag in (("author", "--author"), ("jobs", "--jobs"), ("approve", "--approve")):
        if settings.origin(name).startswith("flag"):
            words += [flag, str(getattr(settings, name))]
    words += ["--in-place"] if in_place else []
    words += ["--commit"] if in_place and commit else []
    words += ["--no-pr"] if no_pr and not in_place else []
    return shlex.join(words)
