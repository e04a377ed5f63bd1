"""The panes of an item: what each tab says, as a caption and a document."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Protocol

from core.pipeline.state import AttemptState, ItemState
from tui.text import Line, Span, count, line, span, wrapped
from tui.viewmodels.diffing import counts, difference
from tui.viewmodels.document import Code, Document, Lines


class Texts(Protocol):
    """Where the texts of a run come from; the bridge."""

    def model(self, item_id: str, attempt: int, sql_hash: str) -> str:
        """The SQL of an attempt."""
        ...

    def procedure(self, writer: str) -> tuple[str, int]:
        """Text of a writer and the number of its first line in its file."""
        ...


@dataclass(frozen=True)
class PaneView:
    """One pane: a caption line, and what is below it. ``beside`` is shown next to it."""

    caption: Line
    document: Document
    beside: Document | None = None


@dataclass(frozen=True)
class Focus:
    """What of an item is looked at: which attempt (0: the kept one), as a diff, which CTE."""

    attempt: int = 0
    diff: bool = False
    cte: str = ""


TABS = ("sql", "procedure", "dbt", "review", "equivalence", "events")
SHORT_TITLES: Mapping[str, str] = {
    "procedure": "Proc",
    "review": "Rev",
    "equivalence": "Equ",
    "events": "Log",
}
TAB_TITLES: Mapping[str, str] = {
    "sql": "SQL",
    "procedure": "Procedure",
    "dbt": "dbt",
    "review": "Review",
    "equivalence": "Equivalence",
    "events": "Events",
}

CAUSES = {
    "draft": "first draft",
    "guard": "corrected: not allowed by the guard",
    "compile": "corrected: did not compile",
    "tests": "corrected: tests failed",
    "review": "revised for the reviewer",
    "counterexample": "corrected for a counterexample",
    "person": "revised for you",
    "edit": "edited by hand",
}


def attempt_of(item: ItemState, focus: Focus) -> AttemptState | None:
    """The attempt in focus."""
    for attempt in item.attempts:
        if attempt.attempt == focus.attempt:
            return attempt
    return item.kept


def step_attempt(item: ItemState, focus: Focus, step: int) -> Focus:
    """The attempt before or after the one in focus, shown as a diff to the one before it."""
    current = attempt_of(item, focus)
    if current is None:
        return focus
    place = [a.attempt for a in item.attempts].index(current.attempt) + step
    if not 0 <= place < len(item.attempts):
        return focus
    return replace(focus, attempt=item.attempts[place].attempt, diff=place > 0)


def _attempt_caption(item: ItemState, attempt: AttemptState) -> list[Span]:
    place = [a.attempt for a in item.attempts].index(attempt.attempt) + 1
    parts = [span(f"version {place}/{len(item.attempts)}", "bold")]
    parts.append(span(f" {CAUSES.get(attempt.cause, attempt.cause)}", ""))
    parts.append(span(f" by {attempt.author}", "dim"))
    kept = item.kept
    if kept is not None and kept.attempt == attempt.attempt and len(item.attempts) > 1:
        parts.append(("  kept", "ok"))
    if attempt.materialized:
        parts.append(span(f"  {attempt.materialized}", "accent"))
    return parts


def nothing_yet(item: ItemState, what: str, width: int = 80) -> PaneView:
    """A pane whose stage was not reached: one sentence that says why."""
    key = f"none:{item.item_id}:{what}"
    if item.refusals and not item.attempts:
        refusal = item.refusals[-1]
        place = f", {item.writer} line {refusal.line}" if refusal.line else ""
        said = f"said by {refusal.author or 'the author'}{place}"
        words = [
            line((f"No {what}", "error")),
            *wrapped(refusal.reason, width),
            *wrapped(said, width, "dim"),
        ]
        return PaneView((), Lines(key, words))
    if item.status is None and item.started_at:
        doing = item.progress or (f"{item.stage.value} …" if item.stage is not None else "starting")
        words = [line((f"No {what} yet", "dim")), line(("▶ ", "accent"), doing)]
        return PaneView((), Lines(key, words))
    reason = item.reason or "not started yet"
    return PaneView((), Lines(key, [line((f"No {what}", "dim")), *wrapped(reason, width)]))


# --- SQL --------------------------------------------------------------------------------------


def sql_pane(item: ItemState, texts: Texts, focus: Focus, width: int) -> PaneView:
    """The model's text, or what one correction changed in it."""
    attempt = attempt_of(item, focus)
    if attempt is None:
        return nothing_yet(item, "model", width)
    sql = texts.model(item.item_id, attempt.attempt, attempt.sql_hash)
    caption = _attempt_caption(item, attempt)
    place = [a.attempt for a in item.attempts].index(attempt.attempt)
    before = item.attempts[place - 1] if place else None
    if before is not None:
        old = texts.model(item.item_id, before.attempt, before.sql_hash)
        added, removed = counts(old, sql)
        caption += [("  ", ""), (f"+{added}", "add"), (" ", ""), (f"-{removed}", "remove")]
        if focus.diff:
            key = f"diff:{item.item_id}:{before.sql_hash}:{attempt.sql_hash}"
            diff = difference(key, old, sql)
            head = [line(("changed: ", "dim"), text) for text in attempt.changes]
            return PaneView(tuple(caption), Lines(key, [*head, *diff.lines]))
    return PaneView(tuple(caption), Code(f"sql:{attempt.sql_hash}", sql, "sql+jinja"))


# --- Procedure beside the model ---------------------------------------------------------------


def procedure_pane(item: ItemState, texts: Texts, focus: Focus, width: int) -> PaneView:
    """The procedure, and the model beside it; the lines of the chosen CTE are marked in both."""
    text, first = texts.procedure(item.writer)
    attempt = attempt_of(item, focus)
    if not text:
        words = f"The text of {item.writer or 'the procedure'} is not at hand."
        left: Document = Lines(f"proc:{item.item_id}", [line((words, "dim"))])
    else:
        left = _procedure_code(item, text, first, attempt, focus)
    if attempt is None:
        none = nothing_yet(item, "model", width // 2 - 2)
        return PaneView(none.caption, left, none.document)
    sql = texts.model(item.item_id, attempt.attempt, attempt.sql_hash)
    ctes = cte_lines(sql)
    right = Code(f"model:{attempt.sql_hash}", sql, "sql+jinja")
    caption: list[Span] = [span(item.writer, "name"), (" ⇄ ", "dim"), span(item.model_name, "name")]
    if focus.cte:
        begin, end = ctes.get(focus.cte, (0, 0))
        right.marked = frozenset(range(begin, end + 1))
        right.start = max(0, begin - 2)
        caption += [("   CTE ", "dim"), span(focus.cte, "accent"), ("  ", "")]
        origin = _origin(attempt, focus.cte)
        words = _ranges(origin) if origin else "no line of its own"
        caption.append(span(f"from {words}", "dim"))
    elif attempt.cte_map:
        caption.append((f"   {count(len(attempt.cte_map), 'CTE')}: ( ) step through them", "dim"))
    return PaneView(tuple(caption), left, right)


def _procedure_code(
    item: ItemState, text: str, first: int, attempt: AttemptState | None, focus: Focus
) -> Code:
    """The source with the lines the CTE (or a refusal) points at.

    Line ranges count within the procedure's text; the gutter shows the line in its file.
    """
    marked: set[int] = set()
    if attempt is not None and focus.cte:
        for begin, end in _origin(attempt, focus.cte):
            marked.update(range(begin, end + 1))
    elif attempt is None and item.refusals and item.refusals[-1].line:
        marked.add(item.refusals[-1].line)
    start = max(0, min(marked) - 4) if marked else 0
    return Code(
        f"proc:{item.item_id}", text, "tsql", frozenset(marked), start=start, first_number=first
    )


def _origin(attempt: AttemptState, cte: str) -> tuple[tuple[int, int], ...]:
    return next((c.lines for c in attempt.cte_map if c.cte == cte), ())


def _ranges(lines: tuple[tuple[int, int], ...]) -> str:
    shown = [str(a) if a == b else f"{a}–{b}" for a, b in lines]
    return f"line{'s' if len(shown) > 1 or '–' in shown[0] else ''} {', '.join(shown)}"


_CTE = re.compile(
    r"^\s*(?:with\s+|,\s*)?\"?([A-Za-z_][\w$]*)\"?\s+as\s+(?:not\s+materialized\s+)?\($", re.I
)


def cte_lines(sql: str) -> dict[str, tuple[int, int]]:
    """Where each CTE of a model is, as inclusive 1-based lines.

    Models are written by us or in our style: a CTE begins with ``name as (`` on a line of its own
    and ends before the next one.
    """
    found: dict[str, tuple[int, int]] = {}
    current, begin = "", 0
    lines = sql.split("\n")
    for number, text in enumerate(lines, 1):
        match = _CTE.match(text)
        ends = match is not None or text.lower().startswith("select ")
        if ends and current:
            found[current] = (begin, _trimmed(lines, begin, number - 1))
            current = ""
        if match is not None:
            current, begin = match.group(1), number
    if current:
        found[current] = (begin, _trimmed(lines, begin, len(lines)))
    return found


def _trimmed(lines: list[str], begin: int, end: int) -> int:
    while end > begin and not lines[end - 1].strip():
        end -= 1
    return end


def step_cte(item: ItemState, texts: Texts, focus: Focus, step: int) -> Focus:
    """The next CTE, in the order of the model; past the ends there is none."""
    attempt = attempt_of(item, focus)
    if attempt is None:
        return focus
    sql = texts.model(item.item_id, attempt.attempt, attempt.sql_hash)
    names = ["", *cte_lines(sql)]
    place = names.index(focus.cte) if focus.cte in names else 0
    return replace(focus, cte=names[(place + step) % len(names)])


def cte_at(item: ItemState, texts: Texts, focus: Focus, model_line: int) -> str:
    """The CTE that a line (1-based) of the model belongs to."""
    attempt = attempt_of(item, focus)
    if attempt is None:
        return ""
    sql = texts.model(item.item_id, attempt.attempt, attempt.sql_hash)
    for name, (begin, end) in cte_lines(sql).items():
        if begin <= model_line <= end:
            return name
    return ""


def cte_from(item: ItemState, focus: Focus, procedure_line: int) -> str:
    """The CTE that a line (1-based) of the procedure went into."""
    attempt = attempt_of(item, focus)
    if attempt is None:
        return ""
    fitting = [
        (end - begin, c.cte)
        for c in attempt.cte_map
        for begin, end in c.lines
        if begin <= procedure_line <= end
    ]
    return min(fitting)[1] if fitting else ""


PaneMaker = Callable[[ItemState, Texts, Focus, int], PaneView]
