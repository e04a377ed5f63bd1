"""What goes out of the app: the end of a run, quitting, the clipboard, exports, the editor."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING, Any, cast

from textual.app import SuspendNotSupported

from core.project.files import write_text
from tui.clipboard import sequence
from tui.screens.base import BaseScreen
from tui.screens.question import Answer, Question
from tui.text import count, line, literal
from tui.viewmodels.document import Lines

if TYPE_CHECKING:
    from tui.app import Proc2dbtApp


async def finish_run(app: Proc2dbtApp, *, pull_request: bool) -> None:
    """Close the run, look at its tables again, and show the summary."""
    bridge = app.session.bridge
    if bridge is None:
        return
    _say(app, "Finishing: building the project, writing and committing …")
    summary = await app.session.close(pull_request=pull_request)
    app.show_summary(bridge)
    if summary.errors:
        _say(app, summary.errors[0].message, "error")
    else:
        commits = bridge.state.commit
        done = count(len(commits.commits), "commit") if commits is not None else "no commit"
        _say(app, f"Finished: {done}.")
    await app.session.refresh(bridge.state.items)


async def ask_quit(app: Proc2dbtApp) -> None:
    """Leave; a run that is not finished is interrupted so that it can be taken up again."""
    bridge = app.session.bridge
    if app.session.busy and bridge is not None:
        t = bridge.state.totals
        working = f"{t.running} running, {t.queued} waiting" if t.done < t.total else "not finished"
        about = Lines(
            "quit",
            [
                line((f"{t.done} of {t.total} tables are done, {working}.", "")),
                line(("The run stays as it is on disk; --resume takes it up.", "dim")),
            ],
        )
        answers = [Answer("q", "leave; the run can be resumed", "quit")]
        if await app.push_screen_wait(Question("Leave the run?", about, answers)) != "quit":
            return
        await app.session.interrupt("the app was closed")
    await app.session.aclose()
    app.exit(0)


CTRL_C_AGAIN = 2.0
"""Seconds in which a second ``ctrl+c`` counts as the answer to the first."""


class CtrlC:
    """Ends nothing at once: the first press offers to leave, a second one soon after is ``q``."""

    def __init__(self) -> None:
        self._last = float("-inf")

    def pressed(self, app: Proc2dbtApp) -> None:
        """Offer, or ask as ``q`` does."""
        now = time.monotonic()
        again, self._last = now - self._last < CTRL_C_AGAIN, now
        if again and isinstance(app.screen, BaseScreen):
            app.screen.action_do("quit")
        else:
            _say(app, "Press ctrl+c once more to leave.", timeout=CTRL_C_AGAIN)


def copy(app: Proc2dbtApp, text: str, what: str) -> None:
    """Copy; a text too long for the terminal's clipboard goes to a file."""
    if sequence(text) is None:
        export(app, "copied", text)
        return
    app.put(text)
    _say(app, f"Copied {what}: {count(text.count(chr(10)) + 1, 'line')}.")


def export(app: Proc2dbtApp, name: str, text: str) -> None:
    """Write below ``.migration-runs/exports`` of the project, which git ignores."""
    from core.git.history import RUNS, ignore_itself

    runs = app.session.view.root / RUNS
    safe = re.sub(r"[^\w.-]+", "_", name)[:100]
    file = runs / "exports" / f"{safe}.txt"
    try:
        ignore_itself(runs)
        file.parent.mkdir(parents=True, exist_ok=True)
        write_text(file, text + "\n")
    except OSError as error:
        _say(app, f"Not written: {error.strerror or error}.", "error")
        return
    _say(app, f"Written to {file}.")


async def edit(app: Proc2dbtApp, text: str, name: str, at: int) -> str | None:
    """Suspend the app and run the editor; the run goes on, painting waits."""
    if app.is_headless:
        return await app.edit_with(text, name, at)
    try:
        with app.batch_update(), app.suspend():
            edited = await app.edit_with(text, name, at)
    except SuspendNotSupported:
        _say(app, "There is no terminal to give to an editor here (a browser).", "error")
        return None
    app.refresh(layout=True)
    if edited is None:
        _say(app, "No editor: set $EDITOR, or it ended with an error.", "error")
    return edited


def _say(
    app: Proc2dbtApp, sentence: str, severity: str = "information", timeout: float | None = None
) -> None:
    level = cast("Any", severity)
    app.notify(literal(sentence), severity=level, markup=False, timeout=timeout)
