"""The keys that work here and now; those that do not are dimmed, and say why when pressed."""

from __future__ import annotations

from collections.abc import Callable

from textual import events
from textual.strip import Strip

from tui.actions import footer_for, spoken_key
from tui.text import Line, Span, width_of
from tui.widgets.painting import Painting


class ActionFooter(Painting):
    """One line of keys made from the action list; as many as fit, help and quit always."""

    def __init__(
        self, screen: str, why_not: Callable[[str], str], *, id: str | None = None
    ) -> None:
        """``why_not`` is the reason an action does not work now, empty when it does."""
        super().__init__(id=id)
        self._screen_name = screen
        self._why_not = why_not
        self._shown: list[tuple[str, Line]] = []
        self._made_for = 0

    def rebuild(self) -> None:
        """Look at every action again."""
        shown = self._fitting()
        if shown != self._shown:
            self._shown = shown
            self.refresh()

    def _fitting(self) -> list[tuple[str, Line]]:
        """As many actions as there is room for."""
        self._made_for = self.size.width
        entries = [(a.id, self._entry(a.id)) for a in footer_for(self._screen_name)]
        fixed = [e for e in entries if e[0] in ("help", "quit", "back")]
        room = self.size.width - sum(width_of(spans) for _, spans in fixed)
        chosen: list[tuple[str, Line]] = []
        for entry in entries:
            if entry in fixed:
                continue
            room -= width_of(entry[1])
            if room >= 0:
                chosen.append(entry)
        return [*chosen, *fixed]

    def _entry(self, action_id: str) -> Line:
        action = next(a for a in footer_for(self._screen_name) if a.id == action_id)
        keymap = getattr(self.app, "keys", {})
        key = spoken_key(keymap.get(action_id, action.keys).split(",")[0])
        off = bool(self._why_not(action_id))
        key_span: Span = (f" {key}", "dim" if off else "key")
        return (key_span, (f" {action.title} ", "dim" if off else ""))

    def on_resize(self) -> None:
        """Another width fits other keys."""
        self.rebuild()

    def render_line(self, y: int) -> Strip:
        """The line; made anew where it is painted before it heard of its new width."""
        if self._made_for != self.size.width:
            self._shown = self._fitting()
        spans = tuple(span for _, entry in self._shown for span in entry)
        return self.strip(spans, self.size.width, self.rich_style)

    async def on_click(self, event: events.Click) -> None:
        """A click is the key."""
        place = 0
        for action_id, entry in self._shown:
            place += width_of(entry)
            if event.x < place:
                await self.screen.run_action(f"do('{action_id}')")
                return
