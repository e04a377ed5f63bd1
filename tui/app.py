"""The terminal app: themes, keys, and the way between the screens. Everything else is theirs."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from textual import events
from textual.app import App, SystemCommand
from textual.screen import Screen

from core.pipeline.wish import Wish
from core.project.settings import Settings
from tui import clipboard, leaving, themes
from tui.actions import ACTIONS
from tui.editor import Editor, edit_text
from tui.notify import Notifier
from tui.palette import Actions
from tui.prefs import Prefs, load_prefs, save_prefs
from tui.screens.base import STYLES, BaseScreen
from tui.screens.question import DEAF
from tui.screens.tables import TablesScreen
from tui.session import Session

if TYPE_CHECKING:
    from tui.bridge import Bridge
    from tui.runs import PartsFor
    from tui.screens.run import RunScreen
    from tui.screens.summary import SummaryScreen


class Proc2dbtApp(App[int]):
    """One project, one run at a time, four screens."""

    TITLE = "proc2dbt"
    CSS_PATH = STYLES / "base.tcss"
    COMMANDS = {Actions}  # noqa: RUF012
    ENABLE_COMMAND_PALETTE = True

    def __init__(
        self,
        wish: Wish,
        settings: Settings,
        *,
        preselected: Sequence[str] = (),
        resume: str | None = None,
        prefs_file: Path | None = None,
        parts: PartsFor | None = None,
        **session: Any,
    ) -> None:
        """``resume`` takes a run up at once: this one, or the newest when empty."""
        self._defaults = themes.DARK.variables
        super().__init__()
        self.session = Session(wish, settings, parts=parts, **session)
        self.deaf_seconds = DEAF
        self.edit_with: Editor = edit_text
        self._prefs_file = prefs_file
        self.prefs = load_prefs(prefs_file) if prefs_file is not None else Prefs()
        self.keys: dict[str, str] = dict(settings.keys) | self.prefs.keys
        """Keys that differ from the usual ones, by action."""
        self._tables = TablesScreen(tuple(preselected))
        self._resume = resume
        self.notifier = Notifier(self._write)
        self._ctrl_c = leaving.CtrlC()
        self._run_screens: dict[int, tuple[RunScreen, SummaryScreen]] = {}

    def get_theme_variable_defaults(self) -> dict[str, str]:
        """The variables of our style sheets, for themes that do not define them."""
        return dict(self._defaults)

    def on_mount(self) -> None:
        """Themes, keys, the first screen; the project is read behind it."""
        for theme in themes.THEMES:
            self.register_theme(theme)
        self.theme = self.prefs.theme if self.prefs.theme in themes.NAMES else themes.NAMES[0]
        known = {action.id for action in ACTIONS}
        self.set_keymap({name: key for name, key in self.keys.items() if name in known})
        self.push_screen(self._tables)
        self.set_interval(0.5, self._attend)
        self.call_after_refresh(self._start_reading)

    def _start_reading(self) -> None:
        """Not before the first frame is out: what reads the project is imported only then."""
        self.run_worker(self._begin(), group="project", exit_on_error=False)

    async def _begin(self) -> None:
        await self._tables._telling(self.session.load())
        if self._resume is not None:
            await self._tables._telling(self._take_up(self._resume))

    async def _take_up(self, run_id: str) -> None:
        await self.session.resume(run_id)
        self.show_run()

    def now(self) -> float:
        """Seconds since the epoch; replaced by tests."""
        return time.time()

    # --- between the screens ----------------------------------------------------------------

    def _screens_of(self, bridge: Bridge) -> tuple[RunScreen, SummaryScreen]:
        found = self._run_screens.get(id(bridge))
        if found is None:
            self._forget_old_screens()
            from tui.screens.run import RunScreen
            from tui.screens.summary import SummaryScreen

            found = self._run_screens[id(bridge)] = (RunScreen(bridge), SummaryScreen(bridge))
            for screen in found:
                # Else it is taken apart when it is left, and a quick key that shows it again
                # finds it half gone.
                self.install_screen(screen, f"{screen.NAME}-{id(bridge)}")
        return found

    def _forget_old_screens(self) -> None:
        """Earlier runs that were looked at and are left; never the run of this sitting."""
        for key, screens in list(self._run_screens.items()):
            old = not any(s in self.screen_stack or s.bridge.live for s in screens)
            if old and len(self._run_screens) > 4:
                del self._run_screens[key]
                for screen in screens:
                    self.uninstall_screen(screen)
                    if screen.is_attached:
                        screen.remove()

    def show_run(self, item_id: str = "", bridge: Bridge | None = None) -> None:
        """The run's screen, on a table."""
        shown = bridge or self.session.bridge
        if shown is None:
            return
        run, _ = self._screens_of(shown)
        self._go(run)
        if item_id:
            self.call_after_refresh(lambda: run.rows.go_to(item_id))

    def show_summary(self, bridge: Bridge) -> None:
        """The decisions about a run."""
        self._go(self._screens_of(bridge)[1])

    def show_history(self) -> None:
        """Earlier runs."""
        from tui.screens.history import HistoryScreen

        self.push_screen(HistoryScreen())

    def _go(self, screen: Screen[None]) -> None:
        """Back to a screen that is open already, else on to it."""
        if screen in self.screen_stack:
            while self.screen is not screen:
                self.pop_screen()
        else:
            self.push_screen(screen)

    async def action_quit(self) -> None:
        """``ctrl+q`` is the same as ``q``."""
        screen = self.screen
        if isinstance(screen, BaseScreen):
            screen.action_do("quit")

    def action_help_quit(self) -> None:
        """``ctrl+c`` never ends anything at once: pressed again soon, it is the same as ``q``."""
        self._ctrl_c.pressed(self)

    # --- what screens ask for ---------------------------------------------------------------

    def remember(self, **changes: str) -> None:
        """Keep a setting of this user."""
        self.prefs = self.prefs.model_copy(update=changes)
        if self._prefs_file is not None:
            save_prefs(self._prefs_file, self.prefs)

    def next_theme(self) -> None:
        """Dark, light, high contrast."""
        self.theme = themes.next_theme(self.theme)
        self.remember(theme=self.theme)

    def copy(self, text: str, what: str = "the pane") -> None:
        """Copy to the clipboard, or to a file where that cannot hold it."""
        leaving.copy(self, text, what)

    def export(self, name: str, text: str) -> None:
        """Write a text to a file below ``.migration-runs/exports``."""
        leaving.export(self, name, text)

    async def edit(self, text: str, name: str, line: int) -> str | None:
        """Give the terminal to the person's editor."""
        return await leaving.edit(self, text, name, line)

    # --- bell and title ---------------------------------------------------------------------

    def _write(self, code: str) -> None:
        driver = self._driver
        if driver is not None and not self.is_headless:
            driver.write(code)

    def put(self, text: str) -> None:
        """Copy through the terminal."""
        self._clipboard = text
        code = clipboard.sequence(text)
        if code is not None:
            self._write(code)

    def _attend(self) -> None:
        bridge = self.session.bridge
        if bridge is None:
            return
        waiting, bridge.attention = bridge.attention, []
        if waiting and not self.notifier.attention(waiting[-1]):
            t = bridge.state.totals
            self.notifier.title(f"{t.done}/{t.total} – proc2dbt")

    def on_app_blur(self, _event: events.AppBlur) -> None:
        """Nobody is looking."""
        self.notifier.focused = False

    def on_app_focus(self, _event: events.AppFocus) -> None:
        """Somebody is looking again."""
        self.notifier.focused = True

    def get_system_commands(self, screen: Screen[Any]) -> Iterable[SystemCommand]:
        """Only ours: the palette is made from the action list."""
        yield from ()
