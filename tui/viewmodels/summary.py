"""The summary: every table with its decision, the reason it is not ok, and what to do with it."""

from __future__ import annotations

import re
from collections.abc import Sequence

from core.pipeline.events import ConsentAsked
from core.pipeline.result import Decision, ItemStatus
from core.pipeline.state import ItemState, RunState
from tui.text import Line, Span, count, fit, line, literal, span, wrap, wrapped
from tui.viewmodels.document import Lines, joined
from tui.viewmodels.run import STATUS_SIGNS, decision_mark, status_words

_DECISIONS = {
    "approve": ("✔ approved", "ok"),
    "override": ("✔ overridden", "warn"),
    "reject": ("✘ rejected", "error"),
    "revise": ("revision asked", "accent"),
    "edit": ("edited", "accent"),
}


def decision_words(item: ItemState) -> Span:
    """The decision in force, or what is asked for."""
    if item.commit:
        return (f"⎇ {item.commit[:8]}", "ok")
    if item.accepted is not None and item.decisions:
        return _DECISIONS.get(item.decisions[-1].action, (item.decisions[-1].action, ""))
    if item.status is ItemStatus.ERROR:
        return ("no model", "dim")
    if item.status is not None:
        return ("! open", "accent")
    return ("…", "dim")


def row_line(item: ItemState, width: int, marked: bool, _now: float) -> Line:
    """Mark, sign, name, model, decision, why."""
    sign, tone, word = status_words(item)
    decision, decision_tone = decision_words(item)
    name_width = min(36, max(14, width // 3))
    parts: list[Span] = [
        ("●" if marked else " ", "mark"),
        (f" {sign} ", tone),
        (fit(literal(item.table_ref), name_width) + " ", ""),
        (fit(word, 10), tone),
        (fit(decision, 15), decision_tone),
    ]
    room = width - name_width - 30
    if room > 8:
        codes = ", ".join(item.codes)
        parts.append((fit(literal(codes), room), "dim"))
    return tuple(parts)


def head_line(width: int) -> Line:
    """The column titles."""
    name_width = min(36, max(14, width // 3))
    text = "    " + fit("Table", name_width) + " " + fit("Status", 10) + fit("Decision", 15) + "Why"
    return ((fit(text, width), "head"),)


def verdict_line(state: RunState) -> Line:
    """``11 ok · 1 partial · 1 error    9 accepted · 2 open``."""
    t = state.totals
    parts: list[Span] = []
    for number, status in (
        (t.ok, ItemStatus.OK),
        (t.partial, ItemStatus.PARTIAL),
        (t.error, ItemStatus.ERROR),
    ):
        if number:
            sign, tone, word = STATUS_SIGNS[status]
            parts += [(f"{sign} {number} {word}", tone), ("  ", "")]
    accepted = sum(i.accepted is True for i in state.items.values())
    rejected = sum(i.accepted is False for i in state.items.values())
    waiting = sum(
        i.accepted is None and i.status in (ItemStatus.OK, ItemStatus.PARTIAL)
        for i in state.items.values()
    )
    parts.append((f"   {accepted} accepted", "bold"))
    if rejected:
        parts.append((f" · {rejected} rejected", "error"))
    if waiting and not state.finished:
        parts.append((f" · {waiting} open", "accent"))
    return tuple(parts)


def end_lines(state: RunState) -> list[Line]:
    """What became of the run: build, commits, pull request, complaints."""
    lines: list[Line] = []
    build, commit, pull = state.project_build, state.commit, state.pull_request
    if build is not None:
        lines.append(line((build.sentence, "ok" if build.passed else "error")))
    if commit is not None and commit.commits:
        lines.append(
            line(
                ("⎇ ", "ok"),
                count(len(commit.commits), "commit"),
                (" on ", "dim"),
                (commit.branch, "name"),
            )
        )
    if pull is not None and (pull.url or pull.sentence):
        lines.append(line((pull.url or pull.sentence, "error" if pull.error else "")))
    if state.summary is not None:
        lines += [line((e.message, "error")) for e in state.summary.errors]
    return lines


# --- one item ---------------------------------------------------------------------------------


def item_document(item: ItemState, width: int) -> Lines:
    """Everything about how an item ended, the decisive reason first."""
    return joined(
        f"summary:{item.item_id}",
        _head(item),
        _reasons(item, width),
        _evidence(item),
        [line(("note  ", "dim"), text) for note in item.notes for text in _wrap(note, width - 6)],
        [_decision_line(d) for d in item.decisions],
    )


def _wrap(text: str, width: int) -> list[str]:
    return [part for (part, _), *_ in wrapped(text, width)]


def _head(item: ItemState) -> list[Line]:
    sign, tone, word = status_words(item)
    mark, mark_tone = decision_mark(item)
    head: list[Span] = [(f"{sign} {word}", tone), ("  ", ""), span(item.table_ref, "bold")]
    if mark.strip():
        decision, _ = decision_words(item)
        head += [("   ", ""), (decision, mark_tone)]
    lines: list[Line] = [tuple(head)]
    if item.model_name:
        lines.append(line((item.writer, "name"), (" → ", "dim"), (item.model_name, "name")))
    return lines


def _reasons(item: ItemState, width: int) -> list[Line]:
    if item.result is None:
        return [line((item.needs_person or item.progress or "not finished", "dim"))]
    output = item.result.output
    lines: list[Line] = []
    for tone, found in (("error", output.errors), ("warn", output.warnings)):
        for diagnostic in found:
            lines.append(line((diagnostic.code.value, tone)))
            lines += wrapped(f"  {diagnostic.message}", width, "", "  ")
    return lines


def _evidence(item: ItemState) -> list[Line]:
    if item.result is None or item.result.output.generated is None:
        return []
    output = item.result.output
    generated, execution = output.generated, output.execution
    assert generated is not None
    tests = execution.tests
    passed = tests.unit_passed + tests.data_passed
    failed = tests.unit_failed + tests.data_failed + tests.scenarios_failed
    replayed = tests.scenarios_replayed - tests.scenarios_failed
    lines = [
        line(("materialized  ", "dim"), generated.model_sql.materialized),
        line(
            ("tests         ", "dim"),
            (f"{passed} passed in dbt, {replayed} scenarios replayed", "ok"),
            (f", {failed} failed" if failed else "", "error"),
        ),
    ]
    if execution.self_correction_iterations:
        number = execution.self_correction_iterations
        lines.append(line(("corrections   ", "dim"), str(number)))
    if output.review.verdict is not None:
        verdict = output.review.verdict.value.replace("_", " ")
        lines.append(line(("review        ", "dim"), verdict))
    if output.equivalence is not None:
        words = (
            f"{output.equivalence.verdict.value.replace('_', ' ')}: {output.equivalence.sentence}"
        )
        lines.append(line(("equivalence   ", "dim"), words))
    if output.artifact_paths is not None:
        lines.append(line(("file          ", "dim"), output.artifact_paths.model_sql))
    return lines


def _decision_line(decision: Decision) -> Line:
    words, tone = _DECISIONS.get(decision.action, (decision.action, ""))
    reason = f": {decision.reason}" if decision.reason else ""
    return line((words, tone), (f" by {decision.by} at {decision.at[:16]}", "dim"), reason)


# --- questions --------------------------------------------------------------------------------


def selection_document(state: RunState, ids: Sequence[str], sentence: str) -> Lines:
    """The tables an action is about, each with how it stands."""
    lines: list[Line] = [line((sentence, "dim"))] if sentence else []
    for item_id in ids:
        item = state.items[item_id]
        sign, tone, _ = status_words(item)
        why = f"  {', '.join(item.codes)}" if item.codes else ""
        lines.append(line((f" {sign} ", tone), item.table_ref, (why, "dim")))
    return Lines(f"selection:{','.join(ids)}", lines)


def consent_document(state: RunState, asked: ConsentAsked, width: int) -> Lines:
    """What would leave this machine, for which tables, sentence by sentence."""
    where, colon, what = asked.text.partition(": ")
    shown = wrapped(where + colon.strip(), width)
    for part in _CLAUSES.split(what):
        shown += wrapped(f"· {part.strip().rstrip(';')}", width, "", "  ")
    names = ", ".join(state.items[i].table_ref for i in asked.items if i in state.items)
    if names:
        shown += [(), *wrapped(f"Tables: {names}", width, "dim")]
    return Lines(f"consent:{asked.seq}", shown)


_CLAUSES = re.compile(r"(?<=[.;])\s+(?=\S)")
"""Where a clause of the text ends; each gets a line of its own."""


def failing_line(item: ItemState) -> int:
    """The line of the model where the editor should open: the first review issue's."""
    kept = item.kept
    if kept is None or kept.review is None:
        return 0
    return next((i.model_line for i in kept.review.issues if i.model_line), 0)


def finish_lines(
    state: RunState, width: int, *, commits: bool, branch: str, sends: bool
) -> list[Line]:
    """What will happen at the end of the run, before it happens."""
    accepted = [i for i in state.items.values() if i.accepted]
    left = [
        i
        for i in state.items.values()
        if i.accepted is None and i.status in (ItemStatus.OK, ItemStatus.PARTIAL)
    ]
    rejected = [i for i in state.items.values() if i.accepted is False]
    lines: list[Line] = []
    if commits and accepted:
        tables = count(len(accepted), "table")
        words = f"{tables}, one commit each, on {branch or 'the current branch'}"
        lines += _labelled("⎇ commit   ", "ok", words, width)
    elif commits:
        lines += wrapped("Nothing is accepted, so nothing is committed.", width, "warn")
    else:
        words = "Files of the models stay on disk; nothing is committed here."
        lines += wrapped(words, width)
    if sends and accepted:
        words = "push the branch and open the pull request below"
        lines += _labelled("↑ send     ", "ok", words, width)
    if left:
        names = ", ".join(i.table_ref for i in left[:4]) + (" …" if len(left) > 4 else "")
        words = f"{len(left)} stay on disk, uncommitted: {names}"
        lines += _labelled("! open     ", "accent", words, width)
    if rejected:
        words = f"the files of {count(len(rejected), 'rejected table')}"
        lines += _labelled("✘ restore  ", "error", words, width)
    return lines


def _labelled(label: str, tone: str, words: str, width: int) -> list[Line]:
    """A sentence beside its label, wrapped beside it."""
    parts = wrap(words, max(20, width - len(label)))
    return [
        line((label, tone) if not number else " " * len(label), part)
        for number, part in enumerate(parts)
    ]
