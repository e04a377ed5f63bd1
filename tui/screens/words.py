"""Asks for a sentence: why an override, what to revise. Deaf at first, like every question."""

from __future__ import annotations

import time
from typing import ClassVar, cast

from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Input

from tui.screens.base import STYLES
from tui.screens.question import DEAF
from tui.text import line
from tui.viewmodels.document import Document
from tui.widgets.line_bar import LineBar
from tui.widgets.text_pane import TextPane


class Words(ModalScreen[str]):
    """Returns the words, or an empty text when it was escaped."""

    CSS_PATH = STYLES / "modal.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "give_up", "Cancel", id="words.escape", show=False, priority=True)
    ]

    def __init__(self, title: str, document: Document, hint: str, *, required: bool = True) -> None:
        super().__init__()
        self._title = title
        self._document = document
        self._hint = hint
        self._required = required
        self._hears_from = float("inf")

    def compose(self) -> ComposeResult:
        """Title, what it is about, the line to write on."""
        with Vertical(id="dialog"):
            title = LineBar(id="title")
            title.set_lines([line((self._title, "title"))])
            yield title
            yield TextPane(id="text")
            entry = Input(id="words", compact=True)
            entry.cursor_blink = False
            entry.placeholder = self._hint
            yield entry
            keys = LineBar(id="answers")
            keys.set_lines(
                [line((" enter ", "key"), "do it"), line((" esc ", "key"), ("not now", "dim"))]
            )
            yield keys

    def on_mount(self) -> None:
        """Start the deaf time."""
        pane = self.query_one("#text", TextPane)
        pane.set_document(self._document)
        entry = self.query_one("#words", Input)
        deaf = cast("float", getattr(self.app, "deaf_seconds", DEAF))
        self._hears_from = time.monotonic() + deaf
        entry.disabled = deaf > 0
        if deaf:
            self.set_timer(deaf, self._listen)
        else:
            entry.focus()

    def _listen(self) -> None:
        """The deaf time is over: take the keys."""
        entry = self.query_one("#words", Input)
        entry.disabled = False
        entry.focus()

    @property
    def hearing(self) -> bool:
        """Whether the deaf time is over."""
        return time.monotonic() >= self._hears_from

    async def on_event(self, event: events.Event) -> None:
        """Swallow keys during the deaf time, wherever the focus is."""
        if isinstance(event, events.Key | events.Paste) and not self.hearing:
            event.stop()
            return
        await super().on_event(event)

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        event.stop()
        words = event.value.strip()
        if words or not self._required:
            self.dismiss(words or " ")

    def action_give_up(self) -> None:
        """No words."""
        self.dismiss("")
