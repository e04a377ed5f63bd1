"""The one thread beside the event loop in which compiling, rendering and reviewing happen.

They are pure Python and gain nothing from several threads; one spares the project's caches and
DuckDB's parser from being used by two at once.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")

_thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="proc2dbt")


async def off_loop(function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    """Call ``function`` in that thread, in turn, while the event loop goes on."""
    loop = asyncio.get_running_loop()
    return await loop.run_in_executor(_thread, lambda: function(*args, **kwargs))
