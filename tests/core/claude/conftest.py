"""No developer's key, profile or proxy gets into a test, and no test waits on a real clock."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.claude.call import CallRecord
from core.claude.client import Waits
from core.dbt.pool import WorkerPool


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in list(os.environ):
        upper = name.upper()
        if upper.startswith(("ANTHROPIC_", "AWS_", "GOOGLE_", "PROC2DBT_")) or upper.endswith(
            "_PROXY"
        ):
            monkeypatch.delenv(name)
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("ANTHROPIC_API_KEY", "sk-ant-test-0123456789")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")


class TestClock:
    """A clock that only sleeping moves."""

    __test__ = False

    def __init__(self) -> None:
        self.time = 0.0
        self.slept: list[float] = []

    def now(self) -> float:
        return self.time

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.time += seconds
        await asyncio.sleep(0)

    @property
    def waits(self) -> Waits:
        return Waits(self.now, self.sleep, lambda: 1.0)


class Notes:
    """A watcher that remembers."""

    def __init__(self) -> None:
        self.records: list[CallRecord] = []
        self.waits: list[tuple[float, str, str]] = []

    def waiting(self, seconds: float, reason: str, item_id: str) -> None:
        self.waits.append((seconds, reason, item_id))

    def called(self, record: CallRecord) -> None:
        self.records.append(record)


@pytest.fixture
def clock() -> TestClock:
    return TestClock()


@pytest.fixture
def notes() -> Notes:
    return Notes()


@pytest.fixture(scope="session")
def pool() -> Iterator[WorkerPool]:
    """One pool for all: starting a warm worker takes longer than using it."""
    started = WorkerPool(jobs=1)
    started.start_early()
    yield started
    asyncio.run(started.aclose())
