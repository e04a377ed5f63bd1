"""``proc2dbt status`` as text and as JSON."""

from __future__ import annotations

import textwrap
from collections import Counter
from typing import Any

from core.project.codes import Diagnostic
from core.project.status import Mark, ProjectStatus, Role, Stage, TableStatus

_WIDTH = 100
_HEADINGS = {stage: stage.value for stage in Stage}


def render_status(status: ProjectStatus) -> str:
    """The dashboard: one line a target, what blocks it below, sources counted, next step."""
    lines = [_title(status), ""]
    for problem in status.project_problems:
        lines += _wrapped(f"x  {problem.code.value}: ", problem.message, "  ")
    if status.project_problems:
        lines.append("")
    if status.targets:
        lines += [*_grid(status.targets), ""]
    lines += [f"  {_counts(status)}", ""]
    lines += _wrapped("next: ", status.next_step.sentence, "  ")
    return "\n".join(lines)


def render_table(table: TableStatus) -> str:
    """One table in full: its stages, everything that is left to do, its last run."""
    lines = [f"{table.display} ({table.role.value})", ""]
    if not table.is_target:
        return "\n".join([*lines, "  loaded by no procedure of this project; nothing to do"])
    lines += [f"  {stage.value:<10} {_spoken(table.marks[stage])}" for stage in Stage]
    lines[-1] += f" ({table.model})"
    lines.append(f"  {'last run':<10} {_last_run(table) or 'none'}")
    if table.waits_on:
        lines.append(f"  {'branch':<10} {table.waits_on}")
    for problem in table.problems:
        lines += ["", *_wrapped(f"x  {problem.code.value}: ", problem.message, "  ")]
    if table.last_run is not None:
        for note in table.last_run.notes:
            lines += _wrapped("note: ", note, "  ")
    return "\n".join(lines)


def status_document(status: ProjectStatus) -> dict[str, Any]:
    """What ``proc2dbt status --json`` prints."""
    return {
        "project": status.name,
        "source": status.source,
        "problems": [_diagnostic(problem) for problem in status.project_problems],
        "tables": [_table_document(table) for table in status.tables],
        "totals": {
            "tables": len(status.tables),
            "targets": len(status.targets),
            "ready": len(status.ready),
            "with_model": _with_model(status),
        },
        "next": {
            "sentence": status.next_step.sentence,
            "unblocks": list(status.next_step.unblocks),
        },
    }


def _table_document(table: TableStatus) -> dict[str, Any]:
    run = table.last_run
    return {
        "item_id": table.item_id,
        "table": table.display,
        "role": table.role.value,
        "ready": table.is_ready,
        "model": table.model or None,
        "stages": {
            stage.value.replace(" ", "_"): _spoken(mark) for stage, mark in table.marks.items()
        },
        "blocked_by": _diagnostic(table.blocked_by) if table.blocked_by else None,
        "problems": [_diagnostic(problem) for problem in table.problems],
        "first_missing_file": table.first_missing_file,
        "last_run": None
        if run is None
        else {
            "status": run.status,
            "run_id": run.run_id,
            "finished_at": run.finished_at,
            "codes": list(run.codes),
            "notes": list(run.notes),
            "branch": table.waits_on or None,
        },
    }


def _diagnostic(problem: Diagnostic) -> dict[str, Any]:
    return problem.model_dump(mode="json")


def _title(status: ProjectStatus) -> str:
    source = f" ({status.source})" if status.source else ""
    return f"{status.name}{source}"


def _grid(tables: tuple[TableStatus, ...]) -> list[str]:
    width = max(len(table.display) for table in tables)
    widths = [len(heading) for heading in _HEADINGS.values()]
    headings = "  ".join(_HEADINGS.values())
    lines = [f"     {'':<{width}}  {headings}  last run"]
    for table in tables:
        marks = "  ".join(
            f"{table.marks[stage].value:<{size}}" for stage, size in zip(Stage, widths, strict=True)
        )
        lines.append(f"  {_sign(table)} {table.display:<{width}}  {marks}  {_last_run(table)}")
        lines[-1] = lines[-1].rstrip()
        if table.blocked_by is not None:
            lines += _wrapped(f"{table.blocked_by.code.value}: ", table.blocked_by.message, " " * 7)
        elif table.last_run is not None:
            for note in table.last_run.notes:
                lines += _wrapped("note: ", note, " " * 7)
    return lines


def _sign(table: TableStatus) -> str:
    if table.problems:
        return "x "
    run = table.last_run_status
    return {"ok": "ok", "partial": "~ ", "error": "x "}.get(run, "  ")


def _last_run(table: TableStatus) -> str:
    run = table.last_run
    if run is None:
        return ""
    codes = f" ({', '.join(run.codes)})" if run.codes else ""
    elsewhere = ", to merge" if table.waits_on else ""
    return f"{run.status}{codes}{elsewhere}"


def _spoken(mark: Mark) -> str:
    return {
        Mark.DONE: "ok",
        Mark.PARTIAL: "partial",
        Mark.MISSING: "missing",
        Mark.BROKEN: "broken",
        Mark.NOT_NEEDED: "not needed",
    }[mark]


def _with_model(status: ProjectStatus) -> int:
    return sum(table.marks[Stage.MODEL] is Mark.DONE for table in status.targets)


def _counts(status: ProjectStatus) -> str:
    roles = Counter(table.role for table in status.tables)
    blocked = len(status.targets) - len(status.ready)
    parts = [
        ("tables", len(status.tables)),
        ("sources", roles[Role.SOURCE]),
        ("seeds", roles[Role.SEED]),
        ("without a writer", roles[Role.UNLOADED]),
        ("ready", len(status.ready)),
        ("blocked", blocked),
        ("with a model", _with_model(status)),
    ]
    return " | ".join(f"{name}: {count}" for name, count in parts if count) or "no tables"


def _wrapped(label: str, text: str, indent: str) -> list[str]:
    return textwrap.wrap(
        label + text,
        width=_WIDTH,
        initial_indent=indent,
        subsequent_indent=indent + "  ",
        break_long_words=False,
        break_on_hyphens=False,
    )
