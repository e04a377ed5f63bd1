"""What ``proc2dbt tsql`` does: run a script on an empty reference (or a project's) and print it.

`run_tsql_command` is free of any command-line library: text in, text and exit code out.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from core.interpreter.reference import Reference
    from core.interpreter.results import BatchResult, ErrorInfo
    from core.interpreter.state import ResultSet

RAN, FAILED, USAGE = 0, 1, 2


def run_tsql_command(
    text: str,
    setup: str | None = None,
    project: Path | str | None = None,
    as_json: bool = False,
) -> tuple[str, int]:
    """Run `text` batch by batch; what to print, and the exit code.

    `setup` is run first and is not part of the output; if it fails, nothing else runs and its
    error is reported. With `project`, the script sees the tables (empty) and the procedures of the
    migration project in that directory. Exit codes: 0 everything ran, 1 some batch ended with an
    error, 2 the project cannot be opened.
    """
    from core.project.codes import ProjectError

    try:
        reference = _reference(project)
    except ProjectError as error:
        return error.diagnostic.message, USAGE
    with reference:
        try:
            if setup is not None:
                failed = [b for b in reference.run_script(setup) if b.error is not None]
                if failed:
                    return _output(failed[:1], as_json, "setup failed: "), FAILED
            results = reference.run_script(text)
        except Exception as error:  # nothing may reach a user as a traceback
            return _output([_unforeseen(error)], as_json), FAILED
    code = FAILED if any(result.error is not None for result in results) else RAN
    return _output(results, as_json), code


def _reference(project: Path | str | None) -> Reference:
    from core.interpreter.context import Profile
    from core.interpreter.reference import Reference

    profile = Profile(foreign_keys=True)
    if project is None:
        return Reference(profile=profile)
    from core.interpreter.project_reference import project_reference
    from core.project.codes import Code, ProjectError
    from core.project.project import MigrationProject

    root = Path(project)
    if not root.is_dir():
        raise ProjectError.of(Code.MANIFEST_NOT_FOUND, f"there is no directory {root}")
    opened = MigrationProject.open(root)
    _ = opened.manifest
    return project_reference(opened, profile=profile)


def _unforeseen(error: Exception) -> BatchResult:
    from core.interpreter.errors import unforeseen
    from core.interpreter.results import BatchResult, ErrorInfo

    info = ErrorInfo.of(unforeseen(error, int(getattr(error, "line", 0))))
    return BatchResult((), (), 0, info, (info,))


def _output(results: Sequence[BatchResult], as_json: bool, head: str = "") -> str:
    if as_json:
        return json.dumps([batch_object(r) for r in results], ensure_ascii=False, indent=2)
    return head + "\n".join(part for r in results if (part := _text(r)))


def batch_object(result: BatchResult) -> dict[str, object]:
    """One batch as JSON: ``columns`` and ``rows`` repeat the last result set."""
    sets = [{"columns": list(s.names), "rows": _rows(s)} for s in result.result_sets]
    last = sets[-1] if sets else {"columns": [], "rows": []}
    return {
        "result_sets": sets,
        "columns": last["columns"],
        "rows": last["rows"],
        "rowcount": result.rowcount,
        "messages": list(result.messages),
        "error": _error(result.error),
    }


def _rows(result: ResultSet) -> list[list[object]]:
    from core.interpreter.values import json_value

    return [
        [json_value(value, column.type) for value, column in zip(row, result.columns, strict=True)]
        for row in result.rows
    ]


def _error(error: ErrorInfo | None) -> dict[str, object] | None:
    if error is None:
        return None
    return {
        "number": error.number,
        "message": error.message,
        "line": error.line,
        "refused": error.refused,
    }


def _text(result: BatchResult) -> str:
    """Result sets as aligned tables, then messages, then the error."""
    parts = [_table(found) for found in result.result_sets]
    parts += list(result.messages)
    for error in result.errors or ((result.error,) if result.error else ()):
        if error.refused:
            parts.append(f"Not executed, line {error.line}: {error.message}")
        else:
            parts.append(
                f"Msg {error.number}, Level {error.severity}, State {error.state}, "
                f"Line {error.line}\n{error.message}"
            )
    return "\n".join(parts)


def _table(result: ResultSet) -> str:
    names = [name or "(no column name)" for name in result.names]
    rows = [["NULL" if v is None else str(v) for v in row] for row in _rows(result)]
    widths = [
        max(len(name), *(len(row[i]) for row in rows)) if rows else len(name)
        for i, name in enumerate(names)
    ]

    def line(cells: Sequence[str]) -> str:
        return " ".join(c.ljust(w) for c, w in zip(cells, widths, strict=True)).rstrip()

    rule = " ".join("-" * width for width in widths)
    count = f"({len(rows)} row{'' if len(rows) == 1 else 's'})"
    return "\n".join([line(names), rule, *(line(row) for row in rows), count])
