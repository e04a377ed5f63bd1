"""A pane that shows one document: scrolls, searches, follows a growing end.

It paints visible lines only. While the reader is at the end of a growing document it follows;
scrolled up it stays, and counts what came (``behind``).
"""

from __future__ import annotations

from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from tui.text import literal, plain, width_of
from tui.viewmodels.document import Document, Lines
from tui.widgets.painting import Painting


class TextPane(ScrollView, Painting, can_focus=True):
    """Shows a document."""

    COMPONENT_CLASSES: ClassVar[set[str]] = Painting.COMPONENT_CLASSES
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "scroll_by(-1)", "Up", id="pane.up", show=False),
        Binding("down,j", "scroll_by(1)", "Down", id="pane.down", show=False),
        Binding("left,h", "scroll_side(-8)", "Left", id="pane.left", show=False),
        Binding("right,l", "scroll_side(8)", "Right", id="pane.right", show=False),
        Binding("pageup,ctrl+b", "scroll_page(-1)", "Page up", id="pane.pageup", show=False),
        Binding("pagedown,ctrl+f", "scroll_page(1)", "Page down", id="pane.pagedown", show=False),
        Binding("home,g", "scroll_edge(0)", "Top", id="pane.top", show=False),
        Binding("end,G", "scroll_edge(1)", "Bottom", id="pane.bottom", show=False),
    ]

    class LineClicked(Message):
        """A line was clicked; ``number`` is from 0."""

        def __init__(self, pane: TextPane, number: int) -> None:
            super().__init__()
            self.pane, self.number = pane, number

        @property
        def control(self) -> TextPane:
            """The pane."""
            return self.pane

    class Scrolled(Message):
        """The reader scrolled; captions that count lines below may change."""

        def __init__(self, pane: TextPane) -> None:
            super().__init__()
            self.pane = pane

        def can_replace(self, message: Message) -> bool:
            """Only the last position matters."""
            return isinstance(message, TextPane.Scrolled) and message.pane is self.pane

    def __init__(self, *, follow: bool = False, id: str | None = None) -> None:
        """``follow``: stay at the end of documents that grow, while the reader is there."""
        super().__init__(id=id)
        self._document: Document = Lines("")
        self.follow = follow
        self.needle = ""
        self._hits: list[int] = []
        self._hit = -1
        self._read = 0
        """How many lines there were when the reader was last at the end."""

    # --- content ----------------------------------------------------------------------------

    @property
    def document(self) -> Document:
        """What is shown."""
        return self._document

    @property
    def behind(self) -> int:
        """Lines that came since the reader left the end."""
        return max(0, self._document.count - self._read) if self.follow else 0

    @property
    def at_end(self) -> bool:
        """Whether the last line is in sight."""
        return self.scroll_offset.y >= self.max_scroll_y

    def set_document(self, document: Document) -> None:
        """Show a document; one with the same key stays scrolled where it is."""
        if document is self._document:
            return
        same = document.key == self._document.key
        was_at_end = self.at_end
        self._document = document
        self._measure()
        if self.needle:
            self._hits = document.matches(self.needle)
        if not same:
            self._hit = -1
            target = self.max_scroll_y if self.follow else getattr(document, "start", 0)
            self.scroll_to(0, target, animate=False, force=True)
            self._read = document.count
        elif self.follow and was_at_end:
            self.scroll_to(y=self.max_scroll_y, animate=False, force=True)
            self._read = document.count
        self.refresh()

    def show_line(self, number: int) -> None:
        """Bring a line into sight, a third from the top."""
        top = self.scroll_offset.y
        if not top <= number < top + self.size.height:
            self.scroll_to(y=max(0, number - self.size.height // 3), animate=False, force=True)

    def _measure(self) -> None:
        count = self._document.count
        widest = max((len(plain(self._document.line(n))) for n in _sampled(count)), default=0)
        width = max(self.size.width, widest + 2)
        self.virtual_size = Size(width if widest > self.size.width else self.size.width, count)

    def on_resize(self) -> None:
        """The width decides whether there is something to scroll to."""
        was_at_end = self.at_end
        self._measure()
        if self.follow and was_at_end:
            self.scroll_to(y=self.max_scroll_y, animate=False, force=True)

    # --- painting ---------------------------------------------------------------------------

    def render_line(self, y: int) -> Strip:
        """The strip of one visible line."""
        if y == 0:
            self._prepare()
        left, top = self.scroll_offset
        number, width = top + y, self.scrollable_content_region.width
        if number >= self._document.count:
            return Strip.blank(width, self.rich_style)
        spans = self._document.line(number)
        strip = self.strip(spans, width, self.rich_style, left)
        if width_of(spans) > left + width:
            sign = Strip([Segment("›", self.rich_style + self.tone("accent"))])
            strip = Strip.join([strip.crop(0, width - 1), sign])
        if self.needle and number in self._hits:
            strip = strip.apply_style(self._hit_style(number))
        return strip

    def _hit_style(self, number: int) -> Style:
        current = 0 <= self._hit < len(self._hits) and self._hits[self._hit] == number
        return self.tone("hit") + Style(reverse=True) if current else self.tone("hit")

    def _prepare(self) -> None:
        last = self.scroll_offset.y + self.size.height
        if not self._document.prepare(last):
            self.set_timer(0.03, self.refresh)

    # --- scrolling --------------------------------------------------------------------------

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Remember what was read."""
        super().watch_scroll_y(old_value, new_value)
        if self.at_end:
            self._read = self._document.count
        self.post_message(self.Scrolled(self))

    def action_scroll_by(self, by: int) -> None:
        """Scroll by lines."""
        self.scroll_to(y=self.scroll_offset.y + by, animate=False)

    def action_scroll_side(self, by: int) -> None:
        """Scroll by columns."""
        self.scroll_to(x=self.scroll_offset.x + by, animate=False)

    def action_scroll_page(self, by: int) -> None:
        """Scroll by a page."""
        self.action_scroll_by(by * max(1, self.size.height - 1))

    def action_scroll_edge(self, last: int) -> None:
        """Scroll to the top or the bottom."""
        self.scroll_to(y=self.max_scroll_y if last else 0, animate=False)

    def on_click(self, event: events.Click) -> None:
        """Say which line."""
        number = self.scroll_offset.y + event.y
        if number < self._document.count:
            self.post_message(self.LineClicked(self, number))

    # --- searching --------------------------------------------------------------------------

    def search(self, needle: str) -> int:
        """Mark the lines that contain ``needle`` and go to the first; how many there are."""
        self.needle = literal(needle)
        self._hits = self._document.matches(needle) if needle else []
        self._hit = -1
        self.refresh()
        if self._hits:
            self.next_hit(1)
        return len(self._hits)

    def next_hit(self, by: int) -> tuple[int, int]:
        """Go to the next or previous match; its number (from 1) and how many there are."""
        if not self._hits:
            return 0, 0
        self._hit = (self._hit + by) % len(self._hits)
        self.show_line(self._hits[self._hit])
        self.refresh()
        return self._hit + 1, len(self._hits)


def _sampled(count: int) -> range:
    """Lines looked at for the width: all of a usual text, every so many of a huge one."""
    return range(0, count, max(1, count // 2000))
