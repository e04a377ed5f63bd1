"""The summary of a run: the file, the printed block, and the exit code."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from core.pipeline.itemresult import PARTIAL_CODES
from core.pipeline.result import ItemResult, ItemStatus, Summary, SummaryItem
from core.pipeline.state import decisive_diagnostic
from core.project.codes import Diagnostic

_MARKS = {ItemStatus.OK: "ok", ItemStatus.PARTIAL: "~", ItemStatus.ERROR: "x"}


def summary_of(
    results: Iterable[ItemResult],
    notes: Sequence[str] = (),
    errors: Sequence[Diagnostic] = (),
    extra: dict[str, object] | None = None,
) -> Summary:
    """The summary over item results, in the order of the run."""
    items = tuple(_line(result) for result in results)
    return Summary(
        total=len(items),
        ok=sum(i.status is ItemStatus.OK for i in items),
        partial=sum(i.status is ItemStatus.PARTIAL for i in items),
        error=sum(i.status is ItemStatus.ERROR for i in items),
        items=items,
        notes=tuple(notes),
        errors=tuple(errors),
        extra=extra or {},
    )


def _line(result: ItemResult) -> SummaryItem:
    output = result.output
    if result.status is ItemStatus.ERROR:
        codes = [d.code for d in output.errors]
    elif result.status is ItemStatus.PARTIAL:
        codes = [d.code for d in output.warnings if d.code in PARTIAL_CODES]
    else:
        codes = []
    decisive = decisive_diagnostic(result)
    return SummaryItem(
        item_id=result.item_id,
        table_ref=output.table_ref,
        status=result.status,
        codes=tuple(dict.fromkeys(code.value for code in codes)),
        reason=decisive.message if decisive is not None else "",
    )


def printed(summary: Summary) -> str:
    """The block that ends a headless run, exactly as the contract shows it."""
    tables = "table" if summary.total == 1 else "tables"
    lines = [f"generate-model complete -- {summary.total} {tables} processed", ""]
    width = max((len(item.table_ref) for item in summary.items), default=0)
    for item in summary.items:
        codes = f" ({', '.join(item.codes)})" if item.codes else ""
        mark = f"{_MARKS[item.status]:<2}"
        lines.append(f"  {mark} {item.table_ref:<{width}}  {item.status.value}{codes}")
    counts = (("ok", summary.ok), ("partial", summary.partial), ("error", summary.error))
    shown = " | ".join(f"{name}: {count}" for name, count in counts if count)
    return "\n".join([*lines, "", f"  {shown}"]) + "\n"


def exit_code(summary: Summary) -> int:
    """0 when every item is ``ok``; 1 when some is not; 2 when there was nothing to run."""
    if not summary.total:
        return 2
    return 0 if summary.ok == summary.total else 1
