"""One or more fixed lines of text: headers, captions, tabs. Shows spans, never markup."""

from __future__ import annotations

from collections.abc import Callable

from textual import events
from textual.geometry import Size
from textual.message import Message
from textual.strip import Strip

from tui.text import Line
from tui.widgets.painting import Painting


class LineBar(Painting):
    """Paints what ``set_lines`` was given; a click on a span with a target is posted."""

    class Clicked(Message):
        """A cell of the bar was clicked."""

        def __init__(self, bar: LineBar, x: int, y: int) -> None:
            super().__init__()
            self.bar, self.x, self.y = bar, x, y

        @property
        def control(self) -> LineBar:
            """The bar."""
            return self.bar

    def __init__(
        self, content: Callable[[int], list[Line]] | None = None, *, id: str | None = None
    ) -> None:
        """``content`` makes the lines for a width each time the bar is painted."""
        super().__init__(id=id)
        self._content = content
        self._lines: list[Line] = []
        self._made_for = 0
        """The width that the content was made for."""

    @property
    def shown(self) -> list[Line]:
        """The lines on the screen."""
        return self._lines

    def set_lines(self, lines: list[Line]) -> None:
        """Show these lines; nothing is painted when they are the ones there."""
        if lines != self._lines:
            grown = len(lines) != len(self._lines)
            self._lines = lines
            self.refresh(layout=grown)

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        """As high as it has lines, where the styles leave that open."""
        lines = self._lines if self._content is None or not width else self._content(width)
        return max(1, len(lines))

    def rebuild(self) -> None:
        """Ask for the content again."""
        if self._content is not None and self.size.width:
            self._made_for = self.size.width
            self.set_lines(self._content(self.size.width))

    def on_resize(self) -> None:
        """Another width may need other lines."""
        self.rebuild()

    def render_line(self, y: int) -> Strip:
        """The strip of one line."""
        width = self.size.width
        if self._content is not None and self._made_for != width:
            # Painted at its new size before it heard of it: a busy machine shows that for long.
            self._made_for, self._lines = width, self._content(width)
        spans = self._lines[y] if y < len(self._lines) else ()
        return self.strip(spans, width, self.rich_style)

    def on_click(self, event: events.Click) -> None:
        """Say where."""
        self.post_message(self.Clicked(self, event.x, event.y))
