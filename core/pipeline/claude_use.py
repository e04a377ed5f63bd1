"""What an invocation says about Claude beside the settings.

A module of its own: the command line and the app hold these values long before anything that
speaks to Claude (and its half second of imports) is needed.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class ClaudeUse:
    """``--yes``, ``--record`` and ``--replay``."""

    yes: bool = False
    record: Path | None = None
    replay: Path | None = None
