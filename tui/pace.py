"""How often what moves by itself is painted anew."""

from __future__ import annotations

import os

REPAINTS = 10.0
"""Repaints a second of what changes by itself."""

REPAINTS_SSH = 5.0
"""The same over ssh, where every repaint travels."""


def repaint_interval() -> float:
    """Seconds between repaints here."""
    return 1.0 / (REPAINTS_SSH if os.environ.get("SSH_CONNECTION") else REPAINTS)
