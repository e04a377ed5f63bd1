"""The table list: what each row says, the filter, the order, and the details of a row."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from core.project.codes import Diagnostic, ProjectError
from tui.text import Line, Span, count, fit, line, literal, span, table, wrap, wrapped
from tui.viewmodels.document import Code, Document, Lines, joined

if TYPE_CHECKING:  # the file models cost a quarter of the time to the first screen
    from core.project.catalog import CatalogTable
    from core.project.project import MigrationProject
    from core.project.status import LastRun, TableStatus

TARGET = "target"
"""The role of a table that gets a model (``core.project.status.Role.TARGET``)."""


@dataclass(frozen=True)
class TableInfo:
    """One row: what is known about a table, ready to be painted and filtered."""

    item_id: str
    display: str
    loading: bool = False
    role: str = TARGET
    kind: str = ""
    tests: int = 0
    writer: str = ""
    writer_lines: int = 0
    last_run: str = ""
    problems: tuple[Diagnostic, ...] = ()
    marks: tuple[tuple[str, str], ...] = ()
    has_model: bool = False
    last: LastRun | None = None

    @property
    def ready(self) -> bool:
        """Whether a run would get past the guards."""
        return not self.loading and self.role == TARGET and not self.problems

    @property
    def status(self) -> str:
        """One word for the last column."""
        if self.loading:
            return "reading"
        if self.role != TARGET:
            return self.role
        if self.problems:
            return "blocked"
        return self.last_run or ("has model" if self.has_model else "ready")

    @cached_property
    def haystack(self) -> str:
        """What the filter looks in."""
        blocked = [BLOCKED_WORDS.get(code, "") for code in self.codes]
        words = (self.display, self.kind, self.writer, self.status, *self.codes, *blocked)
        ready = "ready" if self.ready else "blocked" if self.problems else ""
        return " ".join((*words, ready)).casefold()

    @property
    def codes(self) -> tuple[str, ...]:
        """Guard codes that stop it."""
        return tuple(dict.fromkeys(p.code.value for p in self.problems))


@dataclass(frozen=True)
class Preview:
    """What the compiler would do with a table, before anything is run."""

    handled: bool
    words: str
    """How the model is kept, or why there is none."""
    line: int = 0
    """The line of the procedure's file that is refused; 0: none in particular."""
    reads: tuple[str, ...] = ()


def info_of(project: MigrationProject, status: TableStatus) -> TableInfo:
    """A row from a table's status; reads only what the guards have read already."""
    from core.project.status import Mark, Stage

    try:
        known: CatalogTable | None = project.table(status.item_id)
    except ProjectError:
        known = None
    tests = 0
    if status.is_target and status.marks.get(Stage.TEST_SPEC) in (Mark.DONE, Mark.PARTIAL):
        tests = len(project.test_spec(status.item_id).unit_tests)
    writer = known.writer if known is not None else None
    source = project.find_procedure(writer) if writer is not None else None
    info = TableInfo(
        item_id=status.item_id,
        display=status.display,
        role=status.role.value,
        kind=known.kind.value if known is not None and known.kind is not None else "",
        tests=tests,
        writer=writer.display if writer is not None else "",
        writer_lines=source.text.count("\n") + 1 if source is not None else 0,
        last_run=status.last_run_status,
        problems=status.problems,
        marks=tuple((stage.value, mark.value) for stage, mark in status.marks.items()),
        last=status.last_run,
        has_model=status.marks.get(Stage.MODEL) is Mark.DONE,
    )
    _ = info.haystack  # made here, off the event loop, so that the first filter is quick
    return info


# --- order and filter -------------------------------------------------------------------------

SORTS = ("name", "status", "kind", "tests")
_STATUS_ORDER = ("error", "partial", "blocked", "ready", "has model", "ok")


def visible(
    tables: Sequence[TableInfo], words: str = "", sort: str = "name", everything: bool = False
) -> list[TableInfo]:
    """The rows to show: targets (or all), those with every word of the filter, in an order."""
    wanted = words.casefold().split()
    found = [
        t
        for t in tables
        if (everything or t.loading or t.role == TARGET)
        and (not wanted or all(word in t.haystack for word in wanted))
    ]
    if sort == "status":
        found.sort(key=lambda t: _place(t.status))
    elif sort == "kind":
        found.sort(key=lambda t: (t.kind or "~", t.item_id))
    elif sort == "tests":
        found.sort(key=lambda t: (-t.tests, t.item_id))
    return found


def _place(status: str) -> int:
    return _STATUS_ORDER.index(status) if status in _STATUS_ORDER else len(_STATUS_ORDER)


# --- painting ---------------------------------------------------------------------------------

STATUS_TONES = {
    "ok": ("✓", "ok"),
    "ready": ("○", ""),
    "has model": ("●", "dim"),
    "partial": ("~", "warn"),
    "error": ("✗", "error"),
    "blocked": ("⊘", "warn"),
    "reading": ("…", "dim"),
}
_SHORT_KINDS = {
    "fact_transaction": "fact",
    "fact_periodic_snapshot": "snapshot",
    "fact_accumulating_snapshot": "accumulating",
    "fact_aggregate": "aggregate",
    "dim_scd1": "scd1",
    "dim_scd2": "scd2",
    "dim_non_scd": "dim",
    "dim_junk": "junk",
}


def row_line(info: TableInfo, width: int, marked: bool) -> Line:
    """A row: mark, name, kind, tests, and how it stands, in words and with a sign."""
    sign, tone = STATUS_TONES.get(info.status, ("·", "dim"))
    words = BLOCKED_WORDS.get(info.codes[0], "blocked") if info.problems else info.status
    name_width, kind, tests = _columns(width)
    quiet = info.problems or info.role != TARGET
    parts: list[Span] = [
        ("● ", "mark") if marked else ("  ", ""),
        (fit(literal(info.display), name_width) + " ", "dim" if quiet else ""),
    ]
    if kind:
        parts.append((fit(_SHORT_KINDS.get(info.kind, info.kind) or "–", 11), "dim"))
    if tests:
        parts.append((f"{info.tests or '–':>4} ", "dim"))
    parts += [(f" {sign} ", tone), (fit(words, STATUS_WIDTH), tone or "dim")]
    return tuple(parts)


STATUS_WIDTH = 13
BLOCKED_WORDS = {
    "CATALOG_FILE_MISSING": "no catalog",
    "CATALOG_FILE_CORRUPT": "bad catalog",
    "SCOPING_NOT_COMPLETED": "not scoped",
    "PROFILE_NOT_COMPLETED": "not profiled",
    "TEST_SPEC_NOT_FOUND": "no test spec",
    "TEST_SPEC_CORRUPT": "bad test spec",
    "PROCEDURE_NOT_FOUND": "no procedure",
    "DIALECT_NOT_SUPPORTED": "not T-SQL",
    "MODEL_NAME_CONFLICT": "name conflict",
}
"""What blocks a table, in a word or two; the code and the sentence are in the details."""


def _columns(width: int) -> tuple[int, bool, bool]:
    """Width of the name, and whether there is room for kind and tests."""
    room = width - 2 - 1 - 3 - STATUS_WIDTH
    tests = room >= 26
    room -= 5 if tests else 0
    kind = room >= 33
    room -= 11 if kind else 0
    return max(8, room), kind, tests


def head_line(width: int) -> Line:
    """The column titles above the list, in the columns of :func:`row_line`."""
    name_width, kind, tests = _columns(width)
    text = "  " + fit("Table", name_width + 1)
    text += fit("Kind", 11) if kind else ""
    text += "Tests" if tests else ""
    return ((fit(text + "   Status", width), "head"),)


def counts_line(tables: Sequence[TableInfo], selected: int) -> Line:
    """``24 tables · 18 ready · 2 selected``."""
    targets = [t for t in tables if t.role == TARGET]
    ready = sum(t.ready for t in targets)
    blocked = sum(bool(t.problems) for t in targets)
    parts: list[Span] = [(count(len(targets), "table"), "bold"), (f" · {ready} ready", "ok")]
    if blocked:
        parts.append((f" · {blocked} blocked", "warn"))
    if selected:
        parts.append((f" · {selected} selected", "accent"))
    return tuple(parts)


# --- details ----------------------------------------------------------------------------------

_MARK_SIGNS = {"ok": ("✓", "ok"), "~": ("~", "warn"), "-": ("·", "dim"), "x": ("✗", "error")}


def facts(info: TableInfo, width: int, preview: Preview | None = None) -> list[Line]:
    """The lines above the tabs: what is there, what it is, what stops it, what would come of it."""
    lines: list[Line] = _mark_lines(info, width)
    what = [span(info.kind or "not classified", "bold")]
    if info.writer:
        lines_of_it = f" ({count(info.writer_lines, 'line')})" if info.writer_lines else ""
        what += [("  written by ", "dim"), span(info.writer, "name"), (lines_of_it, "dim")]
    lines.append(tuple(what))
    for problem in info.problems[:2]:
        lines += wrapped(f"{problem.code.value}: {problem.message}", width, "warn", "  ")
    if preview is not None and not info.problems:
        lines += _preview_lines(preview, width)
    return lines


def _mark_lines(info: TableInfo, width: int) -> list[Line]:
    """How far each stage is, in as many lines as the width asks for."""
    lines: list[Line] = []
    current: list[Span] = []
    used = 0
    for stage, mark in info.marks:
        sign, tone = _MARK_SIGNS.get(mark, ("·", "dim"))
        text = f"{sign} {stage}"
        if used and used + len(text) > width:
            lines.append(tuple(current))
            current, used = [], 0
        current.append((text + "  ", tone))
        used += len(text) + 2
    return [*lines, tuple(current)] if current else lines


def _preview_lines(preview: Preview, width: int) -> list[Line]:
    lines: list[Line] = []
    if preview.reads:
        found = wrap(", ".join(preview.reads), max(20, width - 10))
        more = " …" if len(found) > 1 else ""
        lines.append(line(("reads     ", "dim"), (found[0] + more, "name")))
    if preview.handled:
        lines.append(line(("compiler  ", "dim"), ("✓ will handle it: ", "ok"), preview.words))
        return lines
    at = f" line {preview.line}" if preview.line else ""
    words = wrap(f"✗ refuses{at}: {preview.words}", max(20, width - 10))
    for number, text in enumerate(words[:3]):
        lines.append(line(("compiler  " if not number else " " * 10, "dim"), (text, "error")))
    return lines


DETAIL_TABS = ("procedure", "columns", "test spec", "last result")


def procedure_document(info: TableInfo, text: str, first_line: int) -> Document:
    """The writer's source."""
    key = f"procedure:{info.item_id}"
    if not text:
        words = f"{info.writer} is not in ddl/." if info.writer else "No procedure is selected."
        return Lines(key, [line((words, "dim"))])
    return Code(key, text, "tsql", first_number=first_line)


def columns_document(info: TableInfo, project: MigrationProject) -> Document:
    """Columns with type, key and what the profile says about them."""
    key = f"columns:{info.item_id}"
    try:
        known = project.table(info.item_id)
    except ProjectError as error:
        return Lines(key, wrapped(str(error), 100, "warn"))
    keys = {name.casefold() for name in known.key_columns}
    identity = set(known.identity_columns)
    pii = {}
    foreign: dict[str, str] = {}
    watermark = ""
    if known.profile is not None:
        pii = {p.column.casefold(): p.suggested_action.value for p in known.profile.pii_actions}
        watermark = (known.profile.watermark.column or "").casefold()
    rows = []
    for column in known.columns:
        folded = column.name.casefold()
        notes = [
            "key" if folded in keys else "",
            "identity" if column.name in identity else "",
            "watermark" if folded == watermark else "",
            f"pii: {pii[folded]}" if folded in pii else "",
            foreign.get(folded, ""),
        ]
        null = "null" if column.is_nullable else "not null"
        rows.append((column.name, str(column.sql_type), null, ", ".join(n for n in notes if n)))
    return Lines(key, table(rows, ("Column", "Type", "", "")))


def spec_document(info: TableInfo, project: MigrationProject) -> Document:
    """The scenarios: what was there, what is expected."""
    key = f"spec:{info.item_id}"
    try:
        spec = project.test_spec(info.item_id)
    except (ProjectError, OSError) as error:
        return Lines(key, wrapped(str(error), 100, "warn"))
    head = [line((f"{count(len(spec.unit_tests), 'scenario')}", "bold"), f", {spec.status.value}")]
    blocks: list[list[Line]] = [head]
    for test in spec.unit_tests:
        block = [line((test.name, "title"))]
        for given in test.given:
            block += [line(("  given ", "dim"), (str(given.table), "name"))]
            block += _rows(given.rows)
        if test.expect is None:
            block += [line(("  no expectation", "warn"))]
        else:
            block += [line(("  expect ", "dim"), (count(len(test.expect.rows), "row"), ""))]
            block += _rows(test.expect.rows)
        blocks.append(block)
    return joined(key, *blocks)


def _rows(rows: Sequence[object], most: int = 8) -> list[Line]:
    found = [dict(row) for row in rows[:most]]  # type: ignore[call-overload]
    if not found:
        return [line(("    no rows", "dim"))]
    names = list(dict.fromkeys(name for row in found for name in row))
    cells = [[_cell(row.get(name, "")) for name in names] for row in found]
    shown = [(("    ", ""), *rest) for rest in table(cells, names, 20)]
    if len(rows) > most:
        shown.append(line((f"    and {len(rows) - most} more", "dim")))
    return shown


def _cell(value: object) -> str:
    return "NULL" if value is None else str(value)


EXPLAINED = 8
"""Cells before the words of an explanation: ``  What  ``."""


def project_problem_document(problems: Sequence[Diagnostic], width: int) -> Lines:
    """What stops the whole project, and what to do, instead of details."""
    from core.project.explain import explain

    blocks: list[list[Line]] = []
    for problem in problems:
        block = [line((problem.code.value, "error"))]
        block += wrapped(problem.message, width)
        more = explain(problem.code.value)
        if more:
            block.append(())
            for text in more.splitlines()[2:]:
                lead, words = text[:EXPLAINED], text[EXPLAINED:]
                parts = wrap(words, max(20, width - EXPLAINED))
                block.append(line((lead + parts[0], "dim")))
                block += [line((" " * EXPLAINED + part, "dim")) for part in parts[1:]]
        blocks.append(block)
    return joined("project", *blocks)


def last_result_document(info: TableInfo, width: int) -> Lines:
    """How the newest run of the table ended, and why."""
    key = f"last:{info.item_id}"
    last = info.last
    if last is None:
        return Lines(key, [line(("No run of this table yet; r starts one.", "dim"))])
    sign, tone = STATUS_TONES.get(last.status, ("·", ""))
    lines = [line((f"{sign} {last.status}", tone), (f"  {last.run_id}", "dim"))]
    lines += [line(("  ", ""), (code, "warn")) for code in last.codes]
    for note in last.notes:
        lines += wrapped(f"note: {note}", width, "", "  ")
    return Lines(key, lines)
