"""The tabs of a pane: numbered names on one line, the open one emphasized."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from textual import events
from textual.message import Message
from textual.strip import Strip

from tui.text import Line, Span
from tui.widgets.painting import Painting


class TabLine(Painting):
    """Posts which tab was clicked; which one is open is told from outside."""

    class Chosen(Message):
        """A tab was clicked."""

        def __init__(self, tab: str) -> None:
            super().__init__()
            self.tab = tab

    def __init__(
        self,
        tabs: Sequence[tuple[str, str]],
        short: Mapping[str, str] | None = None,
        *,
        id: str | None = None,
    ) -> None:
        """``tabs`` are pairs of key and title; ``short`` titles are for narrow panes."""
        super().__init__(id=id)
        self._short = short or {}
        self._tabs = tabs
        self._open = tabs[0][0] if tabs else ""
        self._signs: dict[str, Span] = {}

    def show(self, open_tab: str, signs: dict[str, Span] | None = None) -> None:
        """Emphasize a tab; ``signs`` are small marks before some titles (a failed review)."""
        if (open_tab, signs or {}) != (self._open, self._signs):
            self._open, self._signs = open_tab, signs or {}
            self.refresh()

    def _entries(self) -> list[tuple[str, Line]]:
        short = self.size.width < sum(len(title) + 5 for _, title in self._tabs)
        found: list[tuple[str, Line]] = []
        for number, (key, title) in enumerate(self._tabs, 1):
            shown = self._short.get(key, title) if short else title
            sign, tone = self._signs.get(key, ("", ""))
            is_open = key == self._open
            found.append(
                (
                    key,
                    (
                        (f" {number}", "key" if not is_open else "chip"),
                        (f" {sign}" if sign else "", tone if not is_open else "chip"),
                        (f" {shown} ", "chip" if is_open else "dim"),
                    ),
                )
            )
        return found

    def render_line(self, y: int) -> Strip:
        """The line."""
        spans = tuple(span for _, entry in self._entries() for span in entry)
        return self.strip(spans, self.size.width, self.rich_style)

    def on_click(self, event: events.Click) -> None:
        """Which tab is at that place."""
        place = 0
        for key, entry in self._entries():
            place += sum(len(text) for text, _ in entry)
            if event.x < place:
                self.post_message(self.Chosen(key))
                return
