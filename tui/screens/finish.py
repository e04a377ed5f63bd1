"""The last look before anything is committed or sent: what happens, and the pull request's text."""

from __future__ import annotations

import time
from typing import ClassVar, cast

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen

from core.pipeline.state import RunState
from tui.screens.base import STYLES
from tui.screens.question import DEAF
from tui.session import Session
from tui.text import Line, line, split_lines, wrapped
from tui.viewmodels.document import Lines
from tui.viewmodels.summary import finish_lines
from tui.widgets.line_bar import LineBar
from tui.widgets.text_pane import TextPane


class FinishScreen(ModalScreen[str]):
    """Returns ``pr`` (commit and send), ``commit`` (no sending), or nothing."""

    CSS_PATH = STYLES / "modal.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y", "answer('commit')", "Do it", id="finish.yes"),
        Binding("P", "answer('pr')", "Commit and send", id="finish.pr"),
        Binding("escape", "answer('')", "Not now", id="finish.no"),
    ]

    def __init__(self, session: Session, state: RunState) -> None:
        super().__init__()
        self._session = session
        self._state = state
        closing = session.closing
        accepted = any(i.accepted for i in state.items.values())
        self.commits = closing is not None and closing.commit
        self.sends = closing is not None and closing.pull_request and accepted
        self._hears_from = float("inf")

    def compose(self) -> ComposeResult:
        """What happens, the text, the answers."""
        with Vertical(id="dialog", classes="reading"):
            yield LineBar(id="title")
            yield LineBar(self._plan, id="plan")
            yield TextPane(id="text")
            yield LineBar(id="answers")

    def on_mount(self) -> None:
        """Show it and start the deaf time."""
        verb = "Commit and finish the run" if self.commits else "Finish the run"
        self.query_one("#title", LineBar).set_lines([line((verb, "title"))])
        pane = self.query_one("#text", TextPane)
        pane.focus()
        deaf = cast("float", getattr(self.app, "deaf_seconds", DEAF))
        self._hears_from = time.monotonic() + deaf
        self._show_answers(deaf == 0)
        if deaf:
            self.set_timer(deaf, lambda: self._show_answers(True))

    def _plan(self, width: int) -> list[Line]:
        branch = self._state.started.branch if self._state.started is not None else ""
        found = finish_lines(
            self._state, width, commits=self.commits, branch=branch, sends=self.sends
        )
        return [*found, ()]

    def on_resize(self) -> None:
        """The text is wrapped to the width it has; the first size is one as well."""
        self.call_after_refresh(self._show_text)

    def _show_text(self) -> None:
        pane = self.query_one("#text", TextPane)
        pane.set_document(self._text(max(20, pane.scrollable_content_region.width - 1)))

    def _text(self, width: int) -> Lines:
        if not self.commits:
            return Lines("none", [])
        title, body = self._session.pr_text()
        lines: list[Line] = [*wrapped(title, width, "bold"), ()]
        for row in split_lines(body):
            # A row of a Markdown table stays one line: broken, it would be no table.
            lead = " " * (len(row) - len(row.lstrip()))
            kept = [line(row)] if row.startswith("|") else wrapped(row, width - len(lead))
            lines += [line(lead, *part) for part in kept] if lead else kept
        return Lines("pr", lines)

    def _show_answers(self, hearing: bool) -> None:
        key = "key" if hearing else "dim"
        words = "commit" if self.commits else "finish"
        lines: list[Line] = [line((" y ", key), words + (", send nothing" if self.sends else ""))]
        if self.sends:
            lines.append(line((" P ", key), "commit, push, and open this pull request"))
        lines.append(line((" esc ", key), ("not now", "dim")))
        self.query_one("#answers", LineBar).set_lines(lines)

    def action_answer(self, value: str) -> None:
        """Give an answer, once it hears."""
        if time.monotonic() < self._hears_from or (value == "pr" and not self.sends):
            return
        self.dismiss(value)
