"""A question with a few answers. Deaf for half a second, so that nobody answers by typing ahead."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, cast

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen

from tui.screens.base import STYLES
from tui.text import Line, line
from tui.viewmodels.document import Document
from tui.widgets.line_bar import LineBar
from tui.widgets.text_pane import TextPane

DEAF = 0.5
"""Seconds during which keys are ignored."""


@dataclass(frozen=True)
class Answer:
    """One answer: its key, what it is called, and what is returned."""

    key: str
    title: str
    value: str


class Question(ModalScreen[str]):
    """Returns the value of the answer, or an empty text when it was escaped."""

    CSS_PATH = STYLES / "modal.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "answer('')", "No", id="question.escape", show=False, priority=True)
    ]

    def __init__(self, title: str, document: Document, answers: Sequence[Answer]) -> None:
        super().__init__()
        self._title = title
        self._document = document
        self._answers = tuple(answers)
        self._hears_from = float("inf")

    @property
    def answers(self) -> tuple[Answer, ...]:
        """What can be answered."""
        return self._answers

    def compose(self) -> ComposeResult:
        """Title, what it is about, the answers."""
        with Vertical(id="dialog", classes="-many" if len(self._answers) > 4 else ""):
            title = LineBar(id="title")
            title.set_lines([line((self._title, "title"))])
            yield title
            yield TextPane(id="text")
            yield LineBar(id="answers")

    def on_mount(self) -> None:
        """Start the deaf time."""
        pane = self.query_one("#text", TextPane)
        pane.set_document(self._document)
        pane.focus()
        deaf = cast("float", getattr(self.app, "deaf_seconds", DEAF))
        self._hears_from = time.monotonic() + deaf
        self._show_answers(deaf == 0)
        if deaf:
            self.set_timer(deaf, lambda: self._show_answers(True))

    def _show_answers(self, hearing: bool) -> None:
        parts: list[Line] = []
        for answer in self._answers:
            tone = "key" if hearing else "dim"
            parts.append(line((f" {answer.key} ", tone), (answer.title, "" if hearing else "dim")))
        parts.append(line((" esc ", "key" if hearing else "dim"), ("not now", "dim")))
        bar = self.query_one("#answers", LineBar)
        bar.set_lines(parts)

    @property
    def hearing(self) -> bool:
        """Whether the deaf time is over."""
        return time.monotonic() >= self._hears_from

    def on_key(self, event: events.Key) -> None:
        """An answer's key, once it hears."""
        for answer in self._answers:
            if event.key == answer.key or event.character == answer.key:
                event.stop()
                self.action_answer(answer.value)
                return

    def on_line_bar_clicked(self, message: LineBar.Clicked) -> None:
        """A click on an answer."""
        if message.bar.id == "answers" and message.y < len(self._answers):
            self.action_answer(self._answers[message.y].value)

    def action_answer(self, value: str) -> None:
        """Give an answer."""
        if self.hearing:
            self.dismiss(value)
