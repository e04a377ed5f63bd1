"""The evidence panes: dbt's tests and replays, the review, the comparison with the procedure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from core.dbt.outcome import ScenarioStatus, TestKind, TestStatus
from core.equivalence.verdict import EquivalenceResult, EquivalenceVerdict
from core.pipeline.reports import Cell, ScenarioReport, TestReport
from core.pipeline.state import ItemState
from core.review.verdict import CheckName, Issue, ReviewResult, Verdict
from tui.text import Line, Span, count, duration, line, span, table, wrapped
from tui.viewmodels.document import Lines, joined
from tui.viewmodels.events import LogEntry, log_document
from tui.viewmodels.panes import Focus, PaneView, Texts, attempt_of, nothing_yet

_TESTS = {
    TestStatus.PASS: ("✓", "ok"),
    TestStatus.WARN: ("~", "warn"),
    TestStatus.FAIL: ("✗", "error"),
    TestStatus.ERROR: ("✗", "error"),
    TestStatus.NOT_RUN: ("✗", "error"),
    TestStatus.DISABLED: ("-", "dim"),
}
_SCENARIOS = {
    ScenarioStatus.PASS: ("✓", "ok"),
    ScenarioStatus.FAIL: ("✗", "error"),
    ScenarioStatus.ERROR: ("✗", "error"),
    ScenarioStatus.NOT_REPLAYABLE: ("-", "warn"),
    ScenarioStatus.NO_EXPECTATION: ("-", "dim"),
}


# --- dbt --------------------------------------------------------------------------------------


def dbt_pane(
    item: ItemState, texts: Texts, focus: Focus, width: int, log: Sequence[LogEntry] = ()
) -> PaneView:
    """Failing tests first, each with its rows; then what passed; then the log."""
    attempt = attempt_of(item, focus)
    if attempt is None:
        return nothing_yet(item, "verification", width)
    report = attempt.verification
    if report is None:
        words = item.progress or "not verified yet"
        caption: Line = ((f"version {attempt.attempt}", "bold"), span(f"  {words}", "dim"))
        return PaneView(caption, _progress_log(item, log, f"dbt:{item.item_id}:{attempt.attempt}"))
    checks: list[TestReport | ScenarioReport] = [*report.tests, *report.scenarios]
    bad = [c for c in checks if not c.ok]
    good = [c for c in checks if c.ok]
    tone = "ok" if report.passed else "error"
    sign = "✓" if report.passed else "✗"
    caption = (
        (f"{sign} {len(good)} of {len(checks)} passed", tone),
        span(f"  {report.where}  {duration(report.seconds)}", "dim"),
    )
    blocks: list[list[Line]] = []
    if report.lost:
        blocks.append([line(("No verdict: ", "error"), report.lost)])
    blocks += [wrapped(e, width, "error", "  ") for e in report.errors]
    blocks += [_test_block(check, width) for check in bad]
    if good:
        blocks.append([_check_line(check) for check in good])
    blocks += [wrapped(f"note: {n}", width, "dim", "  ") for n in report.notes]
    return PaneView(caption, joined(f"dbt:{item.item_id}:{attempt.attempt}", *blocks))


def _progress_log(item: ItemState, log: Sequence[LogEntry], key: str) -> Lines:
    mine = [e for e in log if e.item_id == item.item_id]
    return log_document(key, mine[-200:], item.item_id)


def _check_line(check: TestReport | ScenarioReport) -> Line:
    if isinstance(check, TestReport):
        sign, tone = _TESTS[check.status]
        what = "unit test" if check.kind is TestKind.UNIT else "data test"
    else:
        sign, tone = _SCENARIOS[check.status]
        what = "replayed" if check.status is ScenarioStatus.PASS else _words(check.status.value)
    seconds = f"  {duration(check.seconds)}" if check.seconds >= 0.05 else ""
    return (span(f"{sign} ", tone), span(check.name), span(f"  {what}{seconds}", "dim"))


def _test_block(check: TestReport | ScenarioReport, width: int) -> list[Line]:
    lines = [_check_line(check)]
    if check.message:
        for part in check.message.splitlines()[:8]:
            lines += [((f"  {text}", "dim"),) for (text, _), *_ in wrapped(part, width - 2)]
    if isinstance(check, TestReport):
        if check.expected or check.actual:
            lines += row_difference(check.expected, check.actual)
        elif check.failing_rows:
            lines.append(line((f"  {count(check.failures, 'failing row')}", "dim")))
            lines += _indented(rows_table(check.failing_rows))
    else:
        lines += row_difference(check.missing, check.unexpected)
    return lines


def row_difference(
    expected: Sequence[Mapping[str, Cell]], actual: Sequence[Mapping[str, Cell]]
) -> list[Line]:
    """Rows of both sides under one head: ``-`` expected and not there, ``+`` there unexpectedly.

    Rows on both sides are left out; they are not what failed.
    """
    left, right = list(expected), list(actual)
    for row in expected:
        if row in right:
            left.remove(row)
            right.remove(row)
    rows = [("-", row) for row in left] + [("+", row) for row in right]
    names = list(dict.fromkeys(name for _, row in rows for name in row))
    cells = [[sign, *(cell_text(row.get(name)) for name in names)] for sign, row in rows]
    if not cells:
        return [line(("  the rows are the same; see the message", "dim"))]
    head, *body = table(cells, ["", *names], 24)
    tones = {"-": "remove", "+": "add"}
    toned = [
        tuple((text, tones[sign]) for text, _ in spans)
        for (sign, _), spans in zip(rows, body, strict=True)
    ]
    legend = line(("  - expected, missing   ", "remove"), ("+ not expected", "add"))
    return [legend, *_indented([head, *toned])]


def rows_table(rows: Sequence[Mapping[str, Cell]], limit: int = 24) -> list[Line]:
    """Rows as a small table."""
    names = list(dict.fromkeys(name for row in rows for name in row))
    return table([[cell_text(row.get(n)) for n in names] for row in rows], names, limit)


def cell_text(value: object) -> str:
    """A value as it is told apart: NULL is not the text NULL, and '' is seen."""
    if value is None:
        return "NULL"
    return "''" if value == "" else str(value)


def _indented(lines: Iterable[Line]) -> list[Line]:
    return [(("  ", ""), *spans) for spans in lines]


def _words(value: str) -> str:
    return value.replace("_", " ")


# --- review -----------------------------------------------------------------------------------

_VERDICTS = {
    Verdict.APPROVED: ("✓ approved", "ok"),
    Verdict.APPROVED_WITH_WARNINGS: ("~ approved with warnings", "warn"),
    Verdict.REVISION_REQUESTED: ("✗ revision requested", "error"),
}
_CHECKS = {
    CheckName.STANDARDS: "code quality and dbt practice",
    CheckName.CORRECTNESS: "correctness of the translation",
    CheckName.TEST_INTEGRATION: "test integration and YAML",
    CheckName.MATERIALIZATION: "materialization",
}


def review_pane(item: ItemState, texts: Texts, focus: Focus, width: int) -> PaneView:
    """Verdict, the four checks, every issue with its evidence, and the feedback."""
    attempt = attempt_of(item, focus)
    review = attempt.review if attempt is not None else None
    if review is None and item.reviews and not focus.attempt:
        review = item.reviews[-1]
    if review is None:
        return nothing_yet(item, "review", width)
    words, tone = _VERDICTS[review.status]
    caption: Line = (
        (words, tone),
        span(
            f"  review {_place(item, review)} of {len(item.reviews)}, by {review.reviewer}", "dim"
        ),
    )
    checks = [
        line(("✓ " if c.passed else "✗ ", "ok" if c.passed else "error"), _CHECKS[name])
        for name, c in review.checks.items()
    ]
    issues = [_issue_block(issue, width) for issue in review.issues]
    feedback = [
        text
        for words in review.feedback_for_model_generator
        for text in wrapped(f"→ {words}", width, "", "  ")
    ]
    block = [line(("Feedback to the author", "title")), *feedback] if feedback else []
    return PaneView(
        caption, joined(f"review:{item.item_id}:{review.status}", checks, *issues, block)
    )


def _place(item: ItemState, review: ReviewResult) -> int:
    return item.reviews.index(review) + 1 if review in item.reviews else len(item.reviews)


def _issue_block(issue: Issue, width: int) -> list[Line]:
    severity = "error" if issue.severity.value == "error" else "warn"
    place = []
    if issue.model_line:
        place.append(f"model line {issue.model_line}")
    if issue.procedure_line:
        place.append(f"procedure line {issue.procedure_line}")
    where = f"  {', '.join(place)}" if place else ""
    lines = [line((issue.code.value, severity), (where, "dim"))]
    lines += wrapped(f"  {issue.message}", width, "", "  ")
    lines += [line(("  │ ", "dim"), (text, "string")) for text in issue.evidence.splitlines()[:8]]
    if issue.fix:
        lines += wrapped(f"  fix: {issue.fix}", width, "accent", "  ")
    return lines


# --- equivalence ------------------------------------------------------------------------------

_EQUIVALENCE = {
    EquivalenceVerdict.NO_DIFFERENCE: ("✓ no difference found", "ok"),
    EquivalenceVerdict.REFUTED: ("✗ refuted", "error"),
    EquivalenceVerdict.NON_DETERMINISTIC: ("~ not deterministic", "warn"),
    EquivalenceVerdict.ERROR_IN_ORIGINAL: ("~ the original fails", "warn"),
    EquivalenceVerdict.UNKNOWN: ("~ unknown", "warn"),
    EquivalenceVerdict.NOT_RUN: ("- not executed", "dim"),
}


def equivalence_pane(item: ItemState, texts: Texts, focus: Focus, width: int) -> PaneView:
    """Verdict, counterexample, structure, and the numbers behind them."""
    attempt = attempt_of(item, focus)
    result = attempt.equivalence if attempt is not None else None
    if result is None:
        if item.trials_total:
            words = f"{item.trials_done} of {item.trials_total} trials  {item.progress}"
            return PaneView((span(words, "accent"),), Lines(f"equ:{item.item_id}", []))
        return nothing_yet(item, "comparison", width)
    words, tone = _EQUIVALENCE[result.verdict]
    caption: Line = ((words, tone),)
    blocks = [wrapped(result.sentence, width)]
    if result.counterexample:
        blocks.append(counterexample_lines(result.counterexample, width))
    blocks.append([_structural_line(check) for check in result.structural])
    blocks.append(_report_lines(result, width))
    number = attempt.attempt if attempt is not None else 0
    return PaneView(caption, joined(f"equ:{item.item_id}:{number}", *blocks))


def _structural_line(check: object) -> Line:
    passed: bool = check.passed  # type: ignore[attr-defined]
    reason: str = check.reason  # type: ignore[attr-defined]
    name: str = check.name  # type: ignore[attr-defined]
    sign: Span = ("✓ ", "ok") if passed else ("✗ ", "error")
    return line(sign, name.replace("_", " "), (f"  {reason}" if reason else "", "dim"))


def counterexample_lines(example: Mapping[str, object], width: int) -> list[Line]:
    """The input that tells procedure and model apart, and what each makes of it.

    The document is read leniently: lists of rows are shown as tables under the name they have.
    """
    lines = [line(("Counterexample", "title"))]
    for name, value in example.items():
        lines += _value_lines(str(name), value, width)
    return lines


def _value_lines(name: str, value: object, width: int, depth: int = 1) -> list[Line]:
    pad = "  " * depth
    if isinstance(value, list) and value and all(isinstance(row, dict) for row in value):
        rows = [{str(k): _cell(v) for k, v in row.items()} for row in value[:20]]
        return [
            line((f"{pad}{_words(name)}", "name")),
            *(((pad + "  ", ""), *spans) for spans in rows_table(rows)),
        ]
    if isinstance(value, dict) and value:
        lines = [line((f"{pad}{_words(name)}", "name"))]
        for key, inner in value.items():
            lines += _value_lines(str(key), inner, width, depth + 1)
        return lines
    if value in (None, "", [], {}):
        return [line((f"{pad}{_words(name)}  ", "name"), ("none", "dim"))]
    text = ", ".join(map(str, value)) if isinstance(value, list) else str(value)
    return wrapped(f"{pad}{_words(name)}: {text}", width, "", pad + "  ")


def _cell(value: object) -> Cell:
    return value if value is None or isinstance(value, str | int | float | bool) else str(value)


def _report_lines(result: EquivalenceResult, width: int) -> list[Line]:
    if not result.report:
        return []
    lines = [line(("What was done", "title"))]
    for name, value in result.report.items():
        lines += _value_lines(str(name), value, width)
    return lines
