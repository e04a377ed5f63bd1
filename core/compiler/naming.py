"""Names of CTEs: from tables and meaning, lower snake case, unique within a model."""

from __future__ import annotations

import re
from collections.abc import Collection

from core.compiler.layout import RESERVED

_BOUNDARY = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_OTHER = re.compile(r"[^a-z0-9]+")


_FUNCTIONS = frozenset(
    [
        "max",
        "min",
        "count",
        "sum",
        "avg",
        "date",
        "time",
        "now",
        "today",
        "year",
        "month",
        "day",
        "first",
        "last",
    ]
)


def snake(name: str) -> str:
    """``DimCustomer`` is ``dim_customer``, ``#tmp Orders`` ``tmp_orders``, ``2x`` ``t_2x``."""
    text = _OTHER.sub("_", _BOUNDARY.sub("_", name).lower()).strip("_")
    if not text:
        return "rows"
    return f"t_{text}" if text[0].isdigit() else text


def unique(wanted: str, taken: Collection[str]) -> str:
    """`wanted` in snake case, numbered when it is taken or a word of SQL's own."""
    base = snake(wanted)
    if base in RESERVED:
        base = f"{base}_rows"
    elif base in _FUNCTIONS:
        base = f"{base}_value"
    if base not in taken:
        return base
    number = 2
    while f"{base}_{number}" in taken:
        number += 1
    return f"{base}_{number}"
