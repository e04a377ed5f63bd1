"""From lines of spans to strips of a widget, with the colours of the style sheet."""

from __future__ import annotations

from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip
from textual.widget import Widget

from tui.text import TONES, Line

TONE_CLASSES = {f"tone--{tone}" for tone in TONES} | {"row--cursor", "row--blurred"}
"""Component classes of every widget that paints lines."""


class Painting(Widget):
    """A widget that paints lines; the base of the list, the panes and the one-line widgets."""

    COMPONENT_CLASSES: ClassVar[set[str]] = TONE_CLASSES

    def tone(self, name: str) -> Style:
        """The style of a tone, to be laid over the row's own."""
        if not name:
            return Style.null()
        return self.get_component_rich_style(f"tone--{name}", partial=True)

    def strip(self, spans: Line, width: int, base: Style, scroll: int = 0) -> Strip:
        """A line as a strip of exactly ``width`` cells, ``scroll`` cells to the right."""
        segments = [Segment(text, base + self.tone(tone)) for text, tone in spans if text]
        return Strip(segments).crop_extend(scroll, scroll + width, base)
