"""A list of many rows, painted line by line: only what is visible costs anything.

It holds keys and asks a painter for the line of each visible one, so 5,000 rows open and scroll
like fifty. Cursor, marks and scrolling live here; what is in a row, its order and the filter are
the view-model's business.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Region, Size
from textual.message import Message
from textual.reactive import reactive
from textual.scroll_view import ScrollView
from textual.strip import Strip

from tui.text import Line
from tui.widgets.painting import Painting

RowPainter = Callable[[str, int, bool], Line]
"""Key, width and whether it is marked, to the line of a row."""


class RowList(ScrollView, Painting, can_focus=True):
    """A scrolling list with a cursor and a set of marked rows."""

    COMPONENT_CLASSES: ClassVar[set[str]] = Painting.COMPONENT_CLASSES
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "move(-1)", "Up", id="list.up", show=False),
        Binding("down,j", "move(1)", "Down", id="list.down", show=False),
        Binding("pageup,ctrl+b", "page(-1)", "Page up", id="list.pageup", show=False),
        Binding("pagedown,ctrl+f", "page(1)", "Page down", id="list.pagedown", show=False),
        Binding("home,g", "edge(0)", "First", id="list.first", show=False),
        Binding("end,G", "edge(1)", "Last", id="list.last", show=False),
        Binding("enter", "open", "Open", id="list.open", show=False),
    ]

    cursor: reactive[int] = reactive(0, repaint=False)
    """The index of the row with the cursor."""

    class Moved(Message):
        """The cursor is on another row (or the row under it changed)."""

        def __init__(self, rows: RowList, key: str) -> None:
            super().__init__()
            self.rows, self.key = rows, key

        def can_replace(self, message: Message) -> bool:
            """Only the last position matters."""
            return isinstance(message, RowList.Moved) and message.rows is self.rows

        @property
        def control(self) -> RowList:
            """The list."""
            return self.rows

    class Opened(Message):
        """A row was chosen with Enter or a second click."""

        def __init__(self, rows: RowList, key: str) -> None:
            super().__init__()
            self.rows, self.key = rows, key

        @property
        def control(self) -> RowList:
            """The list."""
            return self.rows

    def __init__(self, painter: RowPainter, *, empty: str = "", id: str | None = None) -> None:
        """``empty`` is shown when there is no row."""
        super().__init__(id=id)
        self._painter = painter
        self._keys: Sequence[str] = ()
        self._places: dict[str, int] = {}
        self.marked: set[str] = set()
        self.empty = empty

    # --- content ----------------------------------------------------------------------------

    @property
    def keys(self) -> Sequence[str]:
        """The keys of the rows, from top to bottom."""
        return self._keys

    @property
    def current(self) -> str:
        """The key of the row under the cursor; empty without rows."""
        return self._keys[self.cursor] if 0 <= self.cursor < len(self._keys) else ""

    def set_keys(self, keys: Sequence[str]) -> None:
        """Show these rows; the cursor stays on its row when it is still there."""
        before = self.current
        self._keys = keys
        self._places = {key: index for index, key in enumerate(keys)}
        self.virtual_size = Size(self.size.width, len(keys))
        place = self._places.get(before, min(self.cursor, max(0, len(keys) - 1)))
        self.set_reactive(RowList.cursor, place)
        self._show_cursor(animate=False)
        self.refresh()
        if self.current != before:
            self.post_message(self.Moved(self, self.current))

    def repaint(self, keys: Sequence[str] | None = None) -> None:
        """Paint these rows anew, or all visible ones; nothing for rows out of sight."""
        if keys is None:
            self.refresh()
            return
        top, height = self.scroll_offset.y, self.size.height
        for key in keys:
            place = self._places.get(key)
            if place is not None and top <= place < top + height:
                self.refresh(Region(0, place - top, self.size.width, 1))

    def go_to(self, key: str) -> bool:
        """Put the cursor on a row; whether there is such a row."""
        place = self._places.get(key)
        if place is None:
            return False
        self.cursor = place
        return True

    def targets(self) -> tuple[str, ...]:
        """What an action works on: the marked rows in sight, else the one under the cursor."""
        chosen = tuple(key for key in self._keys if key in self.marked)
        return chosen or ((self.current,) if self.current else ())

    # --- painting ---------------------------------------------------------------------------

    def render_line(self, y: int) -> Strip:
        """The strip of one visible line."""
        width = self.scrollable_content_region.width
        index = self.scroll_offset.y + y
        if index >= len(self._keys):
            text = self.empty if index == 0 and not self._keys else ""
            return self.strip(((text, "dim"),), width, self.rich_style)
        key = self._keys[index]
        base = self.rich_style
        if index == self.cursor:
            name = "row--cursor" if self.has_focus else "row--blurred"
            base = self.get_component_rich_style(name)
        return self.strip(self._painter(key, width, key in self.marked), width, base)

    def watch_cursor(self, before: int, after: int) -> None:
        """Paint the two rows, and tell."""
        top = self.scroll_offset.y
        for index in (before, after):
            if top <= index < top + self.size.height:
                self.refresh(Region(0, index - top, self.size.width, 1))
        self._show_cursor(animate=False)
        self.post_message(self.Moved(self, self.current))

    def validate_cursor(self, value: int) -> int:
        """Within the rows."""
        return max(0, min(value, len(self._keys) - 1))

    def _show_cursor(self, *, animate: bool) -> None:
        if self.size.height:
            self.scroll_to_region(
                Region(0, self.cursor, 1, 1), animate=animate, force=True, x_axis=False
            )

    def on_resize(self) -> None:
        """The cursor stays in sight."""
        self.virtual_size = Size(self.size.width, len(self._keys))
        self._show_cursor(animate=False)

    def on_focus(self) -> None:
        """The cursor row looks different."""
        self.refresh()

    def on_blur(self) -> None:
        """The cursor row looks different."""
        self.refresh()

    # --- moving and marking -----------------------------------------------------------------

    def action_move(self, by: int) -> None:
        """Move the cursor by rows."""
        self.cursor += by

    def action_page(self, by: int) -> None:
        """Move the cursor by a page."""
        self.cursor += by * max(1, self.size.height - 1)

    def action_edge(self, last: int) -> None:
        """Move the cursor to the first or last row."""
        self.cursor = len(self._keys) - 1 if last else 0

    def action_open(self) -> None:
        """Open the row under the cursor."""
        if self.current:
            self.post_message(self.Opened(self, self.current))

    def toggle_mark(self) -> None:
        """Mark or unmark the row under the cursor and go on to the next."""
        if not self.current:
            return
        self.marked ^= {self.current}
        self.refresh()
        self.action_move(1)

    def on_click(self, event: events.Click) -> None:
        """A click puts the cursor; a second one opens; with ctrl it marks."""
        index = self.scroll_offset.y + event.y
        if index >= len(self._keys):
            return
        self.cursor = index
        if event.ctrl:
            self.marked ^= {self.current}
            self.refresh()
        elif event.chain >= 2:
            self.post_message(self.Opened(self, self.current))
