"""Edits of a model: each replaces a text that occurs exactly once, or none is made."""

from __future__ import annotations

import difflib
from collections.abc import Sequence

from core.claude.schema import Edit


def edited(text: str, edits: Sequence[Edit]) -> str | tuple[str, ...]:
    """The text with all edits made in order, or why it cannot be had, a sentence each.

    An ``old`` that is missing is answered with the line of the text that is nearest to it.
    """
    problems: list[str] = []
    result = text
    for number, edit in enumerate(edits, 1):
        count = result.count(edit.old) if edit.old else 0
        if count == 1:
            result = result.replace(edit.old, edit.new)
        elif not edit.old:
            problems.append(f"edit {number}: `old` is empty")
        elif count:
            problems.append(f"edit {number}: `old` occurs {count} times; quote more around it")
        else:
            problems.append(f"edit {number}: `old` does not occur{_nearest(result, edit.old)}")
    return tuple(problems) if problems else result


def _nearest(text: str, old: str) -> str:
    wanted = next((line for line in old.splitlines() if line.strip()), "")
    lines = text.splitlines()
    close = difflib.get_close_matches(wanted, lines, n=1, cutoff=0.5)
    if not close:
        return ""
    return f"; the nearest line is {lines.index(close[0]) + 1}: {close[0].strip()}"
