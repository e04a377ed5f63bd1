"""Why an item ended without a model, where that is not its author's word."""

from __future__ import annotations

import traceback
from pathlib import Path

from core.pipeline.attempts import file_stem
from core.pipeline.itemresult import RunItem
from core.project.codes import Code, Diagnostic
from core.project.files import write_text


def cancelled(item: RunItem, by: str) -> Diagnostic:
    """Somebody stopped it."""
    who = f" by {by}" if by else ""
    return Diagnostic.of(
        Code.CANCELLED,
        f"Work on {item.table_ref} was cancelled{who}; take it up again with --resume.",
        item.item_id,
    )


def crashed(item: RunItem, error: Exception, runs: Path) -> Diagnostic:
    """A defect of ours; the details go into a file in ``runs`` where one can be written."""
    file = runs / f"{file_stem(item.item_id)}.crash.txt"
    try:
        write_text(file, "".join(traceback.format_exception(error)))
        details = f"the details are in .migration-runs/{file.name}, please report them"
    except OSError:
        details = f"{error}; please report it"
    return Diagnostic.of(
        Code.GENERATION_FAILED,
        f"proc2dbt itself failed on {item.table_ref} ({type(error).__name__}); {details}.",
        item.item_id,
        construct="internal error",
    )


def past_deadline(item: RunItem, seconds: float) -> Diagnostic:
    """It took longer than it may."""
    return Diagnostic.of(
        Code.DEADLINE_EXCEEDED,
        f"{item.table_ref} was not done within {seconds:g} seconds (setting deadline); take it up "
        "again with --resume.",
        item.item_id,
    )


def unwritable(item: RunItem, error: OSError) -> Diagnostic:
    """Its files could not be written."""
    return Diagnostic.of(
        Code.GENERATION_FAILED,
        f"The files of {item.table_ref} could not be written ({error.strerror or error}); make "
        "room or give write permission and take it up again with --resume.",
        item.item_id,
        construct="files not writable",
    )
