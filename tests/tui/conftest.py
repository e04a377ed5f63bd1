"""Kits for the app's tests; nothing of the person's own settings gets in."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.tui.kit import Kit


@pytest.fixture(autouse=True)
def _own_surroundings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("TEXTUAL_ANIMATIONS", "none")
    for name in ("NO_COLOR", "SSH_CONNECTION", "TMUX"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def kit(tmp_path: Path) -> Kit:
    """A project of three tables whose models are all good."""
    return Kit(tmp_path / "project")
