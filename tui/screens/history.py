"""Earlier runs, from their journals; an unfinished one can be taken up."""

from __future__ import annotations

from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical

from tui.actions import HISTORY, Situation
from tui.screens.base import STYLES, BaseScreen, bindings_for
from tui.session import PastRun
from tui.text import Line, count, line, span
from tui.viewmodels import history as vm
from tui.widgets.line_bar import LineBar
from tui.widgets.row_list import RowList
from tui.widgets.titles import title_box


class HistoryScreen(BaseScreen):
    """The list of runs."""

    NAME = HISTORY
    CSS_PATH = STYLES / "history.tcss"
    BINDINGS = bindings_for(HISTORY)

    def __init__(self) -> None:
        super().__init__()
        self._runs: dict[str, PastRun] = {}
        self._read = False

    def compose_body(self) -> ComposeResult:
        """The list."""
        with Vertical(id="left", classes="box"):
            yield LineBar(lambda width: [vm.head_line(width)], id="head")
            yield RowList(self._row, empty="reading …", id="rows")

    def on_mount(self) -> None:
        """Read the runs."""
        title_box(self.query_one("#left"), "History")
        self.query_one("#rows").focus()
        self.run_worker(self._telling(self._load()), group="history", exit_on_error=False)

    def on_screen_resume(self) -> None:
        """A run may have ended meanwhile."""
        super().on_screen_resume()
        self.run_worker(self._telling(self._load()), group="history", exclusive=True)

    async def _load(self) -> None:
        runs = await self.session.history()
        self._runs = {r.folder.meta.run_id: r for r in runs}
        rows = self.query_one("#rows", RowList)
        rows.empty = "no runs yet"
        rows.set_keys(list(self._runs))
        self._read = True
        self.repaint()

    def _row(self, key: str, width: int, _marked: bool) -> Line:
        return vm.row_line(self._runs[key], width)

    def header_lines(self, width: int) -> list[Line]:
        """The project, and how many runs it has."""
        name = span(self.session.view.root.resolve().name)
        return [line(("History ", "title"), name, (f"   {count(len(self._runs), 'run')}", "dim"))]

    def repaint(self) -> None:
        """Header and footer."""
        self.paint_header()
        self.query_one("#footer").rebuild()  # type: ignore[attr-defined]

    def situation(self) -> Situation:
        """What is under the cursor."""
        current = self._runs.get(self.query_one("#rows", RowList).current)
        bridge = self.session.bridge
        return Situation(
            screen=HISTORY,
            run=bridge.state if bridge is not None else None,
            busy=self.session.busy,
            past=current is not None,
            resumable=current is not None and current.resumable,
        )

    @on(RowList.Moved)
    def _moved(self) -> None:
        self.query_one("#footer").rebuild()  # type: ignore[attr-defined]

    @on(RowList.Opened)
    def _opened(self) -> None:
        self.action_do("open_past")

    async def act_open_past(self) -> None:
        """The run's screens, from its journal."""
        run = self._runs[self.query_one("#rows", RowList).current]
        bridge = await self.session.open_past(run)
        self.proc.show_run("", bridge)

    async def act_resume(self) -> None:
        """Take up an unfinished run."""
        run = self._runs[self.query_one("#rows", RowList).current]
        await self.session.resume(run.folder.meta.run_id)
        self.proc.show_run()
