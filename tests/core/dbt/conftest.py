"""One pool for all tests of this folder: starting a warm worker takes longer than using it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest

from core.dbt.pool import WorkerPool


@pytest.fixture(scope="session")
def pool() -> Iterator[WorkerPool]:
    started = WorkerPool(jobs=2)
    started.start_early()
    yield started
    asyncio.run(started.aclose())
