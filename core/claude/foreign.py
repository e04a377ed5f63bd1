"""Text from elsewhere on its way into a prompt: JSON-encoded numbered lines, and nothing else.

A procedure, its comments, names of a catalog, error messages and earlier models are material, not
instructions. JSON cannot be closed from inside, gives the same bytes every time, and the numbers
let an answer name lines. What such a text asks for is of no consequence anyway: the boundary is
what is done with an answer (guard, tests, review), not what is said in a prompt.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any


def foreign(kind: str, origin: str, text: str) -> str:
    """A text as data: ``{"data": kind, "origin": ..., "lines": ["1|...", ...]}``."""
    lines = [f"{number}|{line}" for number, line in enumerate(text.splitlines(), 1)]
    return json.dumps({"data": kind, "origin": origin, "lines": lines}, ensure_ascii=False)


def facts(kind: str, value: Mapping[str, Any]) -> str:
    """Structured facts as data, with their keys in a fixed order."""
    return json.dumps({"data": kind, **value}, ensure_ascii=False, sort_keys=True)
