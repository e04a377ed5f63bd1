"""The branch of a run: its name, and the names to try when it is taken.

Pure text; whether a name is taken is for ``core.git.worktree``. The rules git has for branch
names are those of https://git-scm.com/docs/git-check-ref-format.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence

FOLDER = "feature/"
STEM = "generate-model-"
PREFIX = FOLDER + STEM
"""What every branch of ours begins with; ``cleanup-worktrees`` looks at no other branch."""

MAX_LENGTH = 60
"""Characters after ``feature/``; the name is also a folder, and Windows paths are short."""

_KEPT = frozenset("_@#$")
"""Besides letters and digits: what an unquoted T-SQL identifier may hold, and git accepts."""


def branch_name(tables: Sequence[str]) -> str:
    """``feature/generate-model-<table1>-<table2>-…`` for the item ids of a run, in their order.

    Lower case; dots and every character git (or a Windows folder name) refuses become hyphens;
    at most 60 characters after ``feature/``; never ends in a hyphen. The name is one folder that
    begins with ``generate-model-``, so it is never a name Windows reserves (``con``, ``nul``).
    """
    return FOLDER + _truncated(_stem(tables), MAX_LENGTH)


def branch_names(tables: Sequence[str]) -> Iterator[str]:
    """The branch name and, when it is taken, the next ones: ``-2``, ``-3`` … within the 60."""
    yield branch_name(tables)
    stem = _stem(tables)
    number = 2
    while True:
        suffix = f"-{number}"
        yield FOLDER + _truncated(stem, MAX_LENGTH - len(suffix)) + suffix
        number += 1


def is_ours(branch: str) -> bool:
    """Whether the branch has the name of a run's branch."""
    return branch.startswith(PREFIX) or branch == PREFIX.rstrip("-")


def _stem(tables: Sequence[str]) -> str:
    joined = "-".join(table.lower() for table in tables)
    composed = unicodedata.normalize("NFC", joined)
    return STEM + "".join(c if c.isalnum() or c in _KEPT else "-" for c in composed)


def _truncated(stem: str, length: int) -> str:
    return stem[:length].rstrip("-")
