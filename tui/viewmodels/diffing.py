"""What changed between two versions of a model, as lines to show."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher

from tui.text import Line, literal, split_lines
from tui.viewmodels.document import Lines

LARGEST = 1500
"""Lines compared with each other one by one; a larger changed part is shown as replaced."""

CONTEXT = 3
"""Unchanged lines shown around a change."""


def difference(key: str, before: str, after: str) -> Lines:
    """A unified diff with the line numbers of the new text."""
    old, new = split_lines(before), split_lines(after)
    shown: list[Line] = []
    start = 0
    for tag, a, b, c, d in _operations(old, new):
        if tag == "equal":
            shown += _unchanged(old, new, (a, b, c, d))
            continue
        start = start or max(0, len(shown) - CONTEXT)
        shown += [(("    ", "gutter"), (f"- {literal(text)}", "remove")) for text in old[a:b]]
        shown += [
            ((f"{number:>4}", "gutter"), (f"+ {literal(text)}", "add"))
            for number, text in enumerate(new[c:d], c + 1)
        ]
    if old == new:
        shown = [(("The two versions have the same text.", "dim"),)]
    return Lines(key, shown)


def _unchanged(
    old: Sequence[str], new: Sequence[str], place: tuple[int, int, int, int]
) -> Iterator[Line]:
    """An unchanged part: its edges near changes, and how many lines are left out between."""
    a, b, c, d = place
    head = 0 if a == 0 else CONTEXT
    tail = 0 if b == len(old) else CONTEXT
    left_out = (b - a) - head - tail
    for number in range(c, d):
        if number < c + head or number >= d - tail or left_out <= 1:
            yield ((f"{number + 1:>4}", "gutter"), (f"  {literal(new[number])}", ""))
        elif number == c + head:
            yield (("    ", "gutter"), (f"  ⋯ {left_out} lines unchanged", "dim"))


def counts(before: str, after: str) -> tuple[int, int]:
    """How many lines were added and removed."""
    added = removed = 0
    for tag, a, b, c, d in _operations(split_lines(before), split_lines(after)):
        if tag != "equal":
            removed += b - a
            added += d - c
    return added, removed


def _operations(old: Sequence[str], new: Sequence[str]) -> list[tuple[str, int, int, int, int]]:
    """Edits between two texts; the common head and tail are cut off first, which keeps it quick."""
    head = 0
    while head < min(len(old), len(new)) and old[head] == new[head]:
        head += 1
    tail = 0
    while tail < min(len(old), len(new)) - head and old[-1 - tail] == new[-1 - tail]:
        tail += 1
    a, b, c, d = head, len(old) - tail, head, len(new) - tail
    found: list[tuple[str, int, int, int, int]] = []
    if head:
        found.append(("equal", 0, head, 0, head))
    if max(b - a, d - c) > LARGEST:
        found.append(("replace", a, b, c, d))
    else:
        matcher = SequenceMatcher(None, old[a:b], new[c:d])
        found += [(tag, i + a, j + a, m + c, n + c) for tag, i, j, m, n in matcher.get_opcodes()]
    if tail:
        found.append(("equal", b, len(old), d, len(new)))
    return _merged(found)


def _merged(
    operations: list[tuple[str, int, int, int, int]],
) -> list[tuple[str, int, int, int, int]]:
    out: list[tuple[str, int, int, int, int]] = []
    for one in operations:
        if out and out[-1][0] == one[0] == "equal":
            last = out.pop()
            one = ("equal", last[1], one[2], last[3], one[4])
        out.append(one)
    return out
