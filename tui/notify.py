"""The bell and the window title, when something happened while nobody was looking."""

from __future__ import annotations

import time
from collections.abc import Callable

from tui.text import literal

THROTTLE = 1.0
"""Seconds between two rings."""


class Notifier:
    """Rings when the app is not in focus; says in the title how the run stands."""

    def __init__(self, write: Callable[[str], None], clock: Callable[[], float] = time.monotonic):
        self._write = write
        self._clock = clock
        self._rung = float("-inf")
        self._title = ""
        self.focused = True

    def attention(self, sentence: str) -> bool:
        """Ring and say it in the title, unless somebody is looking; whether it rang."""
        if self.focused:
            return False
        self.title(f"! {sentence} – proc2dbt")
        if self._clock() - self._rung < THROTTLE:
            return False
        self._rung = self._clock()
        self._write("\a")
        return True

    def title(self, text: str) -> None:
        """Set the terminal's title; its text can hold nothing a terminal would obey."""
        text = literal(text)[:120]
        if text != self._title:
            self._title = text
            self._write(f"\x1b]2;{text}\x1b\\")
