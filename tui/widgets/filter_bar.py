"""The line to type a filter or a search into; out of the way until it is asked for."""

from __future__ import annotations

from typing import ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.widgets import Input


class FilterBar(Input):
    """An input that reports every change, and closes with Enter (kept) or Escape (cleared)."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "give_up", "Clear", id="filter.clear", show=False),
        Binding("down", "keep", "List", id="filter.keep", show=False),
    ]

    class Typed(Message):
        """The words changed."""

        def __init__(self, bar: FilterBar, words: str) -> None:
            super().__init__()
            self.bar, self.words = bar, words

        @property
        def control(self) -> FilterBar:
            """The bar."""
            return self.bar

    class Closed(Message):
        """The person is done typing; ``words`` is what stays."""

        def __init__(self, bar: FilterBar, words: str) -> None:
            super().__init__()
            self.bar, self.words = bar, words

        @property
        def control(self) -> FilterBar:
            """The bar."""
            return self.bar

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id, compact=True)
        self.cursor_blink = False
        self.purpose = "filter"
        """``filter`` the list, or ``search`` in a pane."""

    def open(self, purpose: str, words: str = "") -> None:
        """Show it with these words and take the keys."""
        self.purpose = purpose
        self.placeholder = "words to filter by" if purpose == "filter" else "text to find"
        self.add_class("-open")
        with self.prevent(Input.Changed):
            self.value = words
        self.focus()
        self.cursor_position = len(words)

    def show_kept(self, words: str) -> None:
        """A filter that stays in force stays in sight."""
        with self.prevent(Input.Changed):
            self.value = words
        self.set_class(bool(words), "-open")

    @on(Input.Changed)
    def _changed(self, event: Input.Changed) -> None:
        event.stop()
        self.post_message(self.Typed(self, self.value))

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self.action_keep()

    def action_keep(self) -> None:
        """Keep the words and go back to where one was."""
        self.set_class(bool(self.value) and self.purpose == "filter", "-open")
        self.post_message(self.Closed(self, self.value))

    def action_give_up(self) -> None:
        """Clear the words and go back."""
        with self.prevent(Input.Changed):
            self.value = ""
        self.remove_class("-open")
        self.post_message(self.Typed(self, ""))
        self.post_message(self.Closed(self, ""))
