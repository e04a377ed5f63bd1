"""The one place where a failure becomes a sentence and an exit code. No traceback gets past it."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import sys
import tempfile
import traceback
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from core.project.codes import Diagnostic

NOTHING_RAN = 2
INTERRUPTED = 130


def say(text: str) -> None:
    """Print a line for people, on standard error."""
    with contextlib.suppress(BrokenPipeError):
        click.echo(text, err=True)


def say_problem(diagnostic: Diagnostic) -> None:
    """Print a diagnostic: its code, its sentence."""
    say(f"{diagnostic.code.value}: {diagnostic.message}")


def print_json(document: Mapping[str, Any]) -> None:
    """Print the one JSON document of an invocation on standard output."""
    click.echo(json.dumps(document, indent=2))


NO_RUN = {"total": 0, "ok": 0, "partial": 0, "error": 0, "items": []}
"""A run's document where no run took place."""


def error_document(message: str, diagnostic: Diagnostic | None = None) -> dict[str, Any]:
    """The document of an invocation that did nothing; ``code`` is null for a usage error."""
    error: dict[str, Any] = {"code": None, "message": message, "item_id": None, "severity": "error"}
    if diagnostic is not None:
        error = diagnostic.model_dump(mode="json")
    return {"errors": [error]}


@contextlib.contextmanager
def reported(*, as_json: bool = False, runs: bool = True) -> Iterator[None]:
    """End the process with a sentence and the right code for whatever is raised inside.

    ``as_json``: whoever called reads standard output as JSON, so it gets a document as well;
    that of a run (``runs``) has the counts of one.
    """

    def answer(message: str, diagnostic: Diagnostic | None = None) -> None:
        if as_json:
            with contextlib.suppress(BrokenPipeError):
                print_json((NO_RUN if runs else {}) | error_document(message, diagnostic))

    try:
        yield
    except click.exceptions.Exit as done:
        _leave(done.exit_code)
    except (click.Abort, KeyboardInterrupt):
        say("Interrupted.")
        answer("Interrupted.")
        _leave(INTERRUPTED)
    except click.ClickException as error:
        error.show()
        answer(error.format_message())
        _leave(NOTHING_RAN)
    except BrokenPipeError:
        # The reader of our output (a pager, head) is gone; there is nobody to tell.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        _leave(1)
    except Exception as error:
        # Imported here: the modules are heavy, and most invocations have no problem.
        from core.project.codes import ProjectError
        from core.project.selection import SelectionError

        if isinstance(error, ProjectError):
            say_problem(error.diagnostic)
            answer(error.diagnostic.message, error.diagnostic)
        elif isinstance(error, SelectionError):
            click.UsageError(str(error)).show()
            answer(str(error))
        elif isinstance(error, OSError) and error.errno in _NOT_WRITABLE:
            sentence = _not_writable_sentence(error)
            say(sentence)
            answer(sentence)
        else:
            sentence = _crash_sentence(error)
            say(sentence)
            answer(sentence)
        _leave(NOTHING_RAN)


def _leave(code: int) -> None:
    sys.exit(code)


_NOT_WRITABLE = frozenset(
    {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EACCES, errno.EPERM}
)
"""What a disk says that is full, or not for us to write on: no defect of ours."""


def _not_writable_sentence(error: OSError) -> str:
    where = error.filename or "A file"
    return (
        f"{where} cannot be written ({error.strerror}); make room or give write permission, "
        "and continue a run that had begun with --resume."
    )


def _crash_sentence(error: Exception) -> str:
    details = "".join(traceback.format_exception(error))
    kind = type(error).__name__
    try:
        file = _crash_file()
        file.write_text(details, encoding="utf-8")
    except OSError:
        return f"proc2dbt failed ({kind}: {error}); please report it."
    return f"proc2dbt failed ({kind}); the details are in {file}, please report them."


def _crash_file() -> Path:
    """In ``.migration-runs/`` where there is one, else a temporary file."""
    runs = Path(".migration-runs")
    if runs.is_dir() and not runs.is_symlink():
        return runs / "crash.txt"
    handle, name = tempfile.mkstemp(prefix="proc2dbt-crash-", suffix=".txt")
    os.close(handle)
    return Path(name)
