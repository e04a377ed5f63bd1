"""The command palette: every action of the screen by name, and the themes."""

from __future__ import annotations

from textual.command import DiscoveryHit, Hit, Hits, Provider

from tui.actions import Action, actions_for
from tui.screens.base import BaseScreen


class Actions(Provider):
    """Actions from the registry; one that does not work now says why when it is chosen."""

    def _actions(self) -> tuple[Action, ...]:
        screen = self.screen
        return actions_for(screen.NAME) if isinstance(screen, BaseScreen) else ()

    def _hit_text(self, action: Action) -> str:
        return f"{action.title[:1].upper()}{action.title[1:]}  ({action.first_key})"

    async def discover(self) -> Hits:
        """All of them, before anything is typed."""
        for action in self._actions():
            yield DiscoveryHit(
                self._hit_text(action), lambda a=action: self._do(a), help=action.help
            )

    async def search(self, query: str) -> Hits:
        """Those whose name or help fits."""
        matcher = self.matcher(query)
        for action in self._actions():
            score = matcher.match(f"{action.title} {action.help}")
            if score > 0:
                yield Hit(
                    score, self._hit_text(action), lambda a=action: self._do(a), help=action.help
                )

    def _do(self, action: Action) -> None:
        screen = self.screen
        if isinstance(screen, BaseScreen):
            screen.action_do(action.id)
