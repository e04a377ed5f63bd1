"""Did-you-mean: which known name somebody may have meant."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


def close_to(wanted: str, known: Iterable[str], likeness: float = 0.6) -> list[str]:
    """Up to three of ``known`` that ``wanted`` may have meant, best first (``likeness`` to 1)."""
    by_folded = {name.casefold(): name for name in known}
    folded = wanted.casefold()
    close = difflib.get_close_matches(folded, by_folded, n=3, cutoff=likeness)
    if not close:
        last = folded.rpartition(".")[2]
        close = [name for name in by_folded if name.rpartition(".")[2] == last][:3]
    return [by_folded[name] for name in close]


def did_you_mean(wanted: str, known: Iterable[str]) -> str:
    """A clause such as ``" (did you mean silver.dimcustomer?)"``, or nothing."""
    close = close_to(wanted, known)
    return f" (did you mean {' or '.join(close)}?)" if close else ""
