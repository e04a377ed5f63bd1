"""One reference for the module: reset between tests, which is what it is made for."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from core.interpreter import Reference


@pytest.fixture(scope="module")
def shared() -> Iterator[Reference]:
    with Reference() as reference:
        yield reference


@pytest.fixture
def reference(shared: Reference) -> Reference:
    shared.reset()
    return shared
