"""Titles of boxes from foreign text: a border title is markup unless it is content already."""

from __future__ import annotations

from weakref import WeakKeyDictionary

from textual.content import Content
from textual.widget import Widget

from tui.text import literal

_SHOWN: WeakKeyDictionary[Widget, tuple[str, str]] = WeakKeyDictionary()


def title_box(box: Widget, title: str, subtitle: str = "") -> None:
    """Set the titles of a box's border, literally; the same ones again cost no repaint."""
    if _SHOWN.get(box) == (title, subtitle):
        return
    _SHOWN[box] = (title, subtitle)
    box.border_title = Content(literal(title)) if title else None
    box.border_subtitle = Content(literal(subtitle)) if subtitle else None
