"""What the main screens share: header, footer, keys from the action list, and the 10 Hz look."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, cast

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import Screen

from core.project.codes import ProjectError
from tui.actions import Situation, actions_for, find, help_document
from tui.pace import repaint_interval
from tui.text import Line, literal
from tui.widgets.action_footer import ActionFooter
from tui.widgets.line_bar import LineBar

if TYPE_CHECKING:
    from tui.app import Proc2dbtApp
    from tui.session import Session

STYLES = Path(__file__).parent.parent.parent / "styles"


def bindings_for(screen: str) -> list[BindingType]:
    """Key bindings of a screen's actions; their ids are what a keymap names."""
    return [
        Binding(a.keys, f"do('{a.id}')", a.title, id=a.id, show=False, tooltip=a.help)
        for a in actions_for(screen)
    ]


def _is_sentence(error: Exception) -> bool:
    """Whether an error is one of ours, whose text says what to do."""
    from core.pipeline.decisions import DecisionError

    return isinstance(error, ProjectError | DecisionError)


class BaseScreen(Screen[None]):
    """A main screen: one header line (or two), a body, a footer."""

    NAME: ClassVar[str] = ""
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (100, "-wide"), (160, "-ultra")]  # noqa: RUF012
    VERTICAL_BREAKPOINTS = [(0, "-tiny"), (16, "-short"), (30, "-tall")]  # noqa: RUF012
    AUTO_FOCUS = ""

    @property
    def proc(self) -> Proc2dbtApp:
        """The app, by its own type."""
        return cast("Proc2dbtApp", self.app)

    @property
    def session(self) -> Session:
        """The project and the run."""
        return self.proc.session

    def compose(self) -> ComposeResult:
        """Header, body, footer."""
        yield LineBar(self.header_lines, id="header")
        with Vertical(id="body"):
            yield from self.compose_body()
        yield ActionFooter(self.NAME, self._footer_state, id="footer")

    def header_lines(self, width: int) -> list[Line]:
        """The header for a width; asked for again when that changes."""
        return []

    def paint_header(self) -> None:
        """The header, from the state."""
        self.query_one("#header", LineBar).rebuild()

    @property
    def stacked_away(self) -> bool:
        """There is room for the list or the pane, not for both."""
        return self.has_class("-narrow") and self.has_class("-tiny")

    def compose_body(self) -> ComposeResult:
        """What is between header and footer."""
        yield from ()

    def on_mount(self) -> None:
        """Start looking."""
        self.set_interval(repaint_interval(), self._look)
        self.repaint()

    def on_screen_resume(self) -> None:
        """Shown again: what happened meanwhile is painted at once."""
        self.repaint()

    def on_resize(self) -> None:
        """Another width says more or less; the first size is one as well."""
        self.call_after_refresh(self.repaint)

    def _look(self) -> None:
        if self.is_current:
            self.look()

    def look(self) -> None:
        """Repaint what changed; called ten times a second while the screen is shown."""

    def repaint(self) -> None:
        """Paint everything from the state."""

    def situation(self) -> Situation:
        """What the conditions of actions look at."""
        return Situation(screen=self.NAME)

    # --- actions ----------------------------------------------------------------------------

    def _footer_state(self, action_id: str) -> str:
        return find(action_id).why_not(self.situation())

    def action_do(self, action_id: str) -> None:
        """Carry out an action, or say why it does not work now."""
        if why := find(action_id).why_not(self.situation()):
            self.tell(why, "warning")
            return
        self.guarded(cast("Callable[[], Any]", getattr(self, f"act_{action_id}")))

    def guarded(self, act: Callable[[], Any]) -> None:
        """Call ``act``; what goes wrong becomes a sentence. Coroutines run as a worker."""
        try:
            result = act()
        except Exception as error:
            if not _is_sentence(error):
                raise
            self.tell(str(error), "error")
            return
        if inspect.iscoroutine(result):
            self.run_worker(self._telling(result), group="action", exit_on_error=False)
        else:
            self.repaint()

    async def _telling(self, coroutine: Any) -> None:
        try:
            await coroutine
        except Exception as error:
            if not (_is_sentence(error) or isinstance(error, OSError)):
                raise
            self.tell(str(error), "error")
        if self.is_mounted:
            self.repaint()

    def tell(self, sentence: str, severity: str = "information") -> None:
        """One sentence, where the person looks; never read as markup."""
        level = cast("Any", severity)
        self.notify(literal(sentence), severity=level, markup=False, timeout=6)

    # --- the actions of every screen --------------------------------------------------------

    def act_help(self) -> None:
        """All keys."""
        from tui.screens.reader import Reader

        keys = self.proc.keys
        self.app.push_screen(Reader("Keys", help_document(self.NAME, keys)))

    def act_theme(self) -> None:
        """The next theme."""
        self.proc.next_theme()

    def act_quit(self) -> None:
        """Leave; asks while a run is under way."""
        from tui.leaving import ask_quit

        self.guarded(lambda: ask_quit(self.proc))

    def act_back(self) -> None:
        """To the screen before."""
        self.app.pop_screen()

    def act_watch(self) -> None:
        """To the run."""
        self.proc.show_run()
