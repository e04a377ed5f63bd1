"""A run as rows, a header and a stage strip: what the Run screen's left side says."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from core.pipeline.events import Stage, StageOutcome
from core.pipeline.result import ItemStatus
from core.pipeline.state import ItemPhase, ItemState, RunPhase, RunState
from tui.text import Line, Span, bar, count, duration, fit, line, literal, money, span, tokens
from tui.viewmodels.document import Lines

STAGES = (
    (Stage.GENERATE, "gen"),
    (Stage.TEST, "test"),
    (Stage.FIX, "fix"),
    (Stage.REVIEW, "rev"),
    (Stage.EQUIVALENCE, "equ"),
)
_OUTCOMES = {
    StageOutcome.PASSED: ("✓", "ok"),
    StageOutcome.WARNED: ("~", "warn"),
    StageOutcome.FAILED: ("✗", "error"),
    StageOutcome.SKIPPED: ("-", "dim"),
}
_SUPERSCRIPTS = "⁰¹²³⁴⁵⁶⁷⁸⁹"
STATUS_SIGNS = {
    ItemStatus.OK: ("✓", "ok", "ok"),
    ItemStatus.PARTIAL: ("~", "warn", "partial"),
    ItemStatus.ERROR: ("✗", "error", "error"),
}

SORTS = ("run order", "needs you", "stage", "status", "time")


# --- rows -------------------------------------------------------------------------------------


def visible(
    state: RunState, words: str = "", sort: str = "run order", now: float = 0.0
) -> list[str]:
    """Item ids to show, with every word of the filter, in an order."""
    wanted = words.casefold().split()
    items = [i for i in state.items.values() if not wanted or _fits(i, wanted)]
    if sort == "needs you":
        items.sort(key=lambda i: not i.needs_person)
    elif sort == "stage":
        items.sort(key=_progress)
    elif sort == "status":
        items.sort(key=lambda i: _STATUS_ORDER.index(status_words(i)[2]))
    elif sort == "time":
        items.sort(key=lambda i: -i.elapsed(now))
    return [i.item_id for i in items]


def _fits(item: ItemState, wanted: Sequence[str]) -> bool:
    text = " ".join(
        (item.table_ref, item.model_name, item.writer, status_words(item)[2], *item.codes)
    ).casefold()
    if item.needs_person:
        text += " needs you"
    return all(word in text for word in wanted)


_STATUS_ORDER = ("error", "partial", "cancelled", "running", "queued", "ok")


def _progress(item: ItemState) -> tuple[int, int]:
    order = [stage for stage, _ in STAGES]
    if item.phase is ItemPhase.DONE:
        return (2, 0)
    if item.stage is None:
        return (1, 0)
    return (0, -order.index(item.stage))


def status_words(item: ItemState) -> tuple[str, str, str]:
    """Sign, tone and word for how an item stands."""
    if item.status is not None:
        if item.cancelled and item.failed:
            return "✗", "warn", "cancelled"
        return STATUS_SIGNS[item.status]
    if item.phase is ItemPhase.RUNNING:
        return "▶", "accent", "running"
    return "·", "dim", "queued"


def decision_mark(item: ItemState) -> Span:
    """Whether a person accepted it."""
    if item.commit:
        return "⎇", "ok"
    if item.accepted is True:
        return "✔", "ok"
    if item.accepted is False:
        return "✘", "error"
    return ("!", "accent") if item.needs_person else (" ", "")


def row_line(item: ItemState, width: int, marked: bool, now: float) -> Line:
    """Mark, decision, sign, name, strip, time."""
    sign, tone, _ = status_words(item)
    strip = stage_strip(item, names=width >= 72)
    strip_width = sum(len(text) for text, _ in strip)
    took = item.elapsed(now)
    time = (
        f"{duration(took):>6}"
        if took >= 0.05 and width >= 40
        else ("      " if width >= 40 else "")
    )
    name_width = max(8, width - strip_width - len(time) - 7)
    return (
        ("●" if marked else " ", "mark"),
        decision_mark(item),
        (f" {sign} ", tone),
        (fit(literal(item.table_ref), name_width) + " ", ""),
        *strip,
        (time, "dim"),
    )


def stage_strip(item: ItemState, *, names: bool = True) -> Line:
    """``gen ✓ test ✗² fix ▶ rev · equ ·``; without names where it is narrow."""
    parts: list[Span] = []
    for stage, name in STAGES:
        sign, tone = stage_sign(item, stage)
        if names:
            parts += [(f"{name} ", "dim"), (fit(sign, 3), tone)]
        else:
            parts.append((fit(sign, 2), tone))
    return tuple(parts)


def stage_sign(item: ItemState, stage: Stage) -> tuple[str, str]:
    """How a stage stands: its sign, with how often it failed, and the tone."""
    found = item.stage_state(stage)
    failures = _superscript(found.failures) if found.failures else ""
    if found.running:
        return f"▶{failures}", "accent"
    if found.outcome is None:
        return "·", "dim"
    sign, tone = _OUTCOMES[found.outcome]
    return f"{sign}{failures if found.failures > 1 or sign != '✗' else ''}", tone


def _superscript(number: int) -> str:
    return "".join(_SUPERSCRIPTS[int(digit)] for digit in str(number))


def head_line(width: int) -> Line:
    """The column titles above the list."""
    strip_width = 33 if width >= 72 else 10
    name = fit("    Table", max(8, width - strip_width - (6 if width >= 40 else 0) - 7) + 6)
    stages = fit("Stages", strip_width) if width >= 72 else fit("g t f r e", strip_width)
    return ((name + stages + ("  Time" if width >= 40 else ""), "head"),)


# --- the line that is always there -----------------------------------------------------------

_PHASES = {
    RunPhase.NEW: ("starting", "dim"),
    RunPhase.RUNNING: ("● running", "accent"),
    RunPhase.PAUSED: ("‖ paused", "warn"),
    RunPhase.DRAINING: ("▼ draining", "warn"),
    RunPhase.INTERRUPTED: ("◼ interrupted", "warn"),
    RunPhase.FINISHED: ("■ finished", "bold"),
}


def consent_open(state: RunState) -> bool:
    """Whether the run waits for an answer to what may be sent to Claude.

    Whoever asked may have been cancelled meanwhile: then nothing is at work any more.
    """
    if state.consent_asked is None or state.consent_given is not None:
        return False
    return state.phase in _STEERABLE and state.totals.running > 0


_STEERABLE = (RunPhase.RUNNING, RunPhase.PAUSED, RunPhase.DRAINING)


def phase_span(state: RunState) -> Span:
    """The phase in words; a run whose items are all done waits for decisions."""
    t = state.totals
    asked = state.consent_asked
    if asked is not None and consent_open(state):
        cost = f", about {money(asked.estimate_usd)}" if asked.estimate_usd is not None else ""
        return span(f"! may texts be sent to {asked.host}{cost}?", "accent")
    if state.phase in (RunPhase.RUNNING, RunPhase.DRAINING) and t.total and t.done == t.total:
        return ("◆ your decision", "accent")
    if state.phase is RunPhase.DRAINING and not t.running:
        return ("◆ drained", "warn")
    return _PHASES[state.phase]


def warming(state: RunState) -> bool:
    """Whether the first verification waits for dbt to be warm: nobody has been verified yet."""
    if state.phase not in _STEERABLE:
        return False
    waits = False
    for item in state.items.values():
        if any(a.verification is not None for a in item.attempts):
            return False
        waits = waits or (
            item.phase is ItemPhase.RUNNING and item.stage is Stage.TEST and not item.progress
        )
    return waits


def header_lines(state: RunState, width: int, now: float) -> list[Line]:
    """Two lines: the counts with pace and money, and the bar."""
    t = state.totals
    parts: list[Line] = [
        (phase_span(state),),
        ((f"{t.done}/{t.total}", "bold"), (" done", "")),
    ]
    if t.running:
        parts.append(((f"▶ {t.running} at work", "accent"),))
    for number, sign, tone, word in (
        (t.ok, "✓", "ok", "ok"),
        (t.partial, "~", "warn", "partial"),
        (t.error, "✗", "error", "failed"),
    ):
        if number:
            parts.append(((f"{sign} {number} {word}", tone),))
    if t.needs_person:
        need = "need" if t.needs_person > 1 else "needs"
        parts.append(((f"! {t.needs_person} {need} you", "accent"),))
    if warming(state):
        parts.append((("verifier warming up", "dim"),))
    right = _pace(state, now) + _money(state)
    first: list[Span] = []
    left_width = 0
    for part in (*parts, *right):
        wide = sum(len(text) for text, _ in part)
        if left_width and left_width + 3 + wide > width - 1:
            break
        if left_width:
            first.append((" · ", "dim"))
            left_width += 3
        first.extend(part)
        left_width += wide
    done = t.done / t.total if t.total else 0.0
    full, rest = bar(done, max(0, width - 7))
    second: Line = (
        (full, "ok" if not t.error else "warn"),
        (rest, "dim"),
        (f" {done:>4.0%}", "bold"),
    )
    return [tuple(first), second]


def _pace(state: RunState, now: float) -> list[Line]:
    found: list[Line] = []
    pace = state.throughput(now)
    left = state.totals.total - state.totals.done
    if pace and left:
        found.append(((f"{pace:.1f}/min", ""),))
        eta = state.eta_seconds(now)
        if eta is not None and state.phase is RunPhase.RUNNING:
            found.append(((f"ETA {duration(eta)}", ""),))
    elapsed = state.seconds if state.finished else state.working_seconds(now)
    if elapsed >= 1:
        found.append(((duration(elapsed), "dim"),))
    if state.jobs > 1 and left:
        found.append(((f"{state.jobs} at once", "dim"),))
    if state.workers_lost:
        found.append(((count(state.workers_lost, "worker") + " lost, replaced", "warn"),))
    return found


def _money(state: RunState) -> list[Line]:
    """Tokens and dollars, only where Claude was used."""
    found: list[Line] = []
    usage = state.usage
    budget = state.started.budget_usd if state.started is not None else None
    if usage.calls:
        found.append(((f"{tokens(usage.input_tokens + usage.output_tokens)} tokens", ""),))
        if usage.cost_usd is not None:
            of = f" of {money(budget)}" if budget is not None else ""
            over = budget is not None and usage.cost_usd >= 0.8 * budget
            found.append(((f"{money(usage.cost_usd)}{of}", "warn" if over else ""),))
    if state.claude_waiting is not None:
        waiting = state.claude_waiting
        found.append((span(f"Claude waits {duration(waiting.seconds)}: {waiting.reason}", "warn"),))
    return found


# --- groups -----------------------------------------------------------------------------------


def group_title(key: str) -> str:
    """``GENERATION_FAILED: cursor`` as a person says it: ``unsupported: cursor``."""
    code, _, construct = key.partition(": ")
    return f"{construct} ({code})" if construct else code


def groups_document(state: RunState) -> Lines:
    """Failures with the same cause, the largest group first, with one sentence each."""
    shown: list[Line] = []
    for key, ids in state.groups.items():
        first = state.items[ids[0]]
        shown.append(line((f"{count(len(ids), 'table')}: ", "bold"), (group_title(key), "warn")))
        shown.append(line((f"  {first.reason}", "")))
        names = ", ".join(state.items[i].table_ref for i in ids[:6])
        more = f" and {len(ids) - 6} more" if len(ids) > 6 else ""
        shown += [line((f"  {names}{more}", "dim")), ()]
    return Lines("groups", shown)


# --- who needs a person -----------------------------------------------------------------------


def next_needing(keys: Sequence[str], state: RunState, current: str, step: int) -> str:
    """The next (or previous) row after ``current`` that needs a person; empty if none does."""
    needing = set(state.waiting_for_person)
    if not needing:
        return ""
    order = list(keys)
    start = order.index(current) if current in order else -1
    for offset in range(1, len(order) + 1):
        key = order[(start + step * offset) % len(order)]
        if key in needing:
            return key
    return ""


def finished(items: Iterable[ItemState]) -> list[ItemState]:
    """Those that are done."""
    return [i for i in items if i.phase is ItemPhase.DONE]
