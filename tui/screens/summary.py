"""How the run ended, table by table, and the decisions about it."""

from __future__ import annotations

from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical

from tui.actions import SUMMARY
from tui.screens.base import STYLES, bindings_for
from tui.screens.items import ItemsScreen
from tui.text import Line, fit
from tui.viewmodels import run as vm
from tui.viewmodels import summary as svm
from tui.viewmodels.document import Lines
from tui.widgets.filter_bar import FilterBar
from tui.widgets.line_bar import LineBar
from tui.widgets.row_list import RowList
from tui.widgets.text_pane import TextPane
from tui.widgets.titles import title_box


class SummaryScreen(ItemsScreen):
    """Decide, then finish."""

    NAME = SUMMARY
    CSS_PATH = STYLES / "summary.tcss"
    BINDINGS = bindings_for(SUMMARY)
    SORTS = ("run order", "needs you", "status")

    def compose_body(self) -> ComposeResult:
        """List and reasons."""
        with Horizontal(id="columns"):
            with Vertical(id="left", classes="box"):
                yield FilterBar(id="filter")
                yield LineBar(lambda width: [svm.head_line(width)], id="head")
                yield RowList(self.row, id="rows")
            with Vertical(id="right", classes="box"):
                yield TextPane(id="pane")

    def on_mount(self) -> None:
        """Begin in the list."""
        self.rows.focus()

    def row(self, key: str, width: int, marked: bool) -> Line:
        """A row with its decision."""
        return svm.row_line(self.state.items[key], width, marked, 0.0)

    def header_lines(self, width: int) -> list[Line]:
        """The counts and the decisions, what became of the run below."""
        width = max(20, width - 2)
        left = svm.verdict_line(self.state)
        phase, tone = vm.phase_span(self.state)
        used = sum(len(text) for text, _ in left)
        right = fit(phase, len(phase))
        gap = max(1, width - used - len(right))
        return [(*left, (" " * gap, ""), (right, tone)), *svm.end_lines(self.state)]

    def fill(self) -> None:
        """The rows."""
        super().fill()
        title_box(
            self.query_one("#left"),
            "Summary",
            "" if self._sort == "run order" else f"by {self._sort}",
        )

    def paint_item(self) -> None:
        """Why the table is what it is."""
        item = self.item
        pane = self.query_one("#pane", TextPane)
        title_box(self.query_one("#right"), item.table_ref if item is not None else "")
        width = max(24, pane.size.width - 3)
        pane.set_document(svm.item_document(item, width) if item is not None else Lines("none", []))

    @on(RowList.Opened)
    def _opened(self, message: RowList.Opened) -> None:
        self.proc.show_run(message.key)

    def act_watch(self) -> None:
        """To the panes of the table under the cursor."""
        self.proc.show_run(self.rows.current, self.bridge)
