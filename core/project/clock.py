"""The one clock: what the product calls "now", replaceable in tests and replays."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

Clock = Callable[[], datetime]
"""Returns the current moment, time-zone aware, in UTC."""


def system_clock() -> datetime:
    """The machine's current time in UTC."""
    return datetime.now(UTC)


def frozen_clock(moment: datetime) -> Clock:
    """A clock that always shows ``moment``."""
    return lambda: moment
