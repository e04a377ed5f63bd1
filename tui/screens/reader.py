"""A document to read over the screen: the help, a reason in full."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen

from tui.screens.base import STYLES
from tui.text import line
from tui.viewmodels.document import Document
from tui.widgets.line_bar import LineBar
from tui.widgets.text_pane import TextPane


class Reader(ModalScreen[None]):
    """Shows a document; any of the closing keys ends it."""

    CSS_PATH = STYLES / "modal.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,question_mark,enter,f1", "dismiss", "Close", id="reader.close")
    ]

    def __init__(self, title: str, document: Document) -> None:
        super().__init__()
        self._title = title
        self._document = document

    def compose(self) -> ComposeResult:
        """Title, text."""
        with Vertical(id="dialog", classes="reading"):
            title = LineBar(id="title")
            title.set_lines([line((self._title, "title"), ("   esc closes", "dim"))])
            yield title
            pane = TextPane(id="text")
            yield pane

    def on_mount(self) -> None:
        """Show it."""
        pane = self.query_one("#text", TextPane)
        pane.set_document(self._document)
        pane.focus()
