"""The list of earlier runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui.text import Line, Span, count, fit, literal

if TYPE_CHECKING:
    from tui.session import PastRun


def row_line(run: PastRun, width: int) -> Line:
    """When, how it ended, and over which tables."""
    meta = run.folder.meta
    when = meta.started_at[:16].replace("T", " ")
    parts: list[Span] = [(f" {literal(when)}  ", "")]
    if run.counts is not None:
        ok, partial, error = run.counts
        words = [(ok, "✓", "ok"), (partial, "~", "warn"), (error, "✗", "error")]
        shown = [(f"{sign} {number} ", tone) for number, sign, tone in words if number]
        used = sum(len(text) for text, _ in shown)
        parts += [*shown, (" " * max(1, 18 - used), "")]
    elif run.resumable:
        parts.append((fit("! unfinished", 18), "accent"))
    else:
        parts.append((fit("given up", 18), "dim"))
    parts.append((fit(count(len(meta.tables), "table"), 12), "dim"))
    room = width - 50
    if room > 4:
        parts.append((fit(literal(", ".join(meta.tables)), room), "dim"))
    return tuple(parts)


def head_line(width: int) -> Line:
    """The column titles."""
    return ((fit(f" {'Started (UTC)':<18}{'Ended':<18}{'Size':<12}Tables", width), "head"),)
