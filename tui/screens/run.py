"""A run: its tables with their stage strips, and the live panes of the one under the cursor."""

from __future__ import annotations

from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical

from tui.actions import RUN
from tui.bridge import Bridge
from tui.screens.base import STYLES, bindings_for
from tui.screens.items import ItemsScreen
from tui.text import Span, span
from tui.viewmodels import evidence, panes
from tui.viewmodels import run as vm
from tui.viewmodels.document import Lines
from tui.viewmodels.events import log_document
from tui.viewmodels.panes import PaneView
from tui.widgets.filter_bar import FilterBar
from tui.widgets.line_bar import LineBar
from tui.widgets.row_list import RowList
from tui.widgets.tab_line import TabLine
from tui.widgets.text_pane import TextPane
from tui.widgets.titles import title_box


class RunScreen(ItemsScreen):
    """Watch, steer, look into."""

    NAME = RUN
    CSS_PATH = STYLES / "run.tcss"
    BINDINGS = bindings_for(RUN) + [
        (str(n), f"tab('{name}')", name) for n, name in enumerate(panes.TABS, 1)
    ]

    def __init__(self, bridge: Bridge) -> None:
        super().__init__(bridge)
        self.tab = "sql"
        self._whole_log = False

    def compose_body(self) -> ComposeResult:
        """List and panes."""
        with Horizontal(id="columns"):
            with Vertical(id="left", classes="box"):
                yield FilterBar(id="filter")
                yield LineBar(lambda width: [vm.head_line(width)], id="head")
                yield RowList(self.row, id="rows")
            with Vertical(id="right", classes="box"):
                yield TabLine(list(panes.TAB_TITLES.items()), panes.SHORT_TITLES, id="tabs")
                yield LineBar(id="caption")
                with Horizontal(id="panes"):
                    yield TextPane(id="pane")
                    yield TextPane(id="beside")
                yield TextPane(id="log", follow=True)

    def on_mount(self) -> None:
        """Take up the last tab and order."""
        prefs = self.proc.prefs
        self.tab = prefs.tab if prefs.tab in panes.TABS else "sql"
        self._sort = prefs.run_sort if prefs.run_sort in self.SORTS else self.SORTS[0]
        self.rows.focus()

    # --- painting ---------------------------------------------------------------------------

    def fill(self) -> None:
        """The rows, and how many of what in the title."""
        super().fill()
        state = self.state
        where = state.started.branch if state.started is not None else ""
        order = "" if self._sort == self.SORTS[0] else f"by {self._sort}"
        title_box(self.query_one("#left"), where or "Run", order)

    def paint_item(self) -> None:
        """The open pane of the table under the cursor; only this one is made."""
        item = self.item
        right = self.query_one("#right")
        if item is None:
            title_box(right, "")
            self._show(PaneView((), Lines("none", [])))
            return
        _, _, word = vm.status_words(item)
        title_box(right, item.table_ref, f"{word}: {item.progress}" if item.progress else word)
        self.query_one("#tabs", TabLine).show(self.tab, self._signs())
        if self.tab == "events":
            self._show_log()
        else:
            self._show(self._view())

    def _view(self) -> PaneView:
        item, texts, focus = self._current(), self.bridge, self.focus_on
        width = max(24, self.query_one("#right").size.width - 4)
        if self.tab == "sql":
            return panes.sql_pane(item, texts, focus, width)
        if self.tab == "procedure":
            return panes.procedure_pane(item, texts, focus, width)
        if self.tab == "dbt":
            return evidence.dbt_pane(item, texts, focus, width, self.bridge.log)
        if self.tab == "review":
            return evidence.review_pane(item, texts, focus, width)
        return evidence.equivalence_pane(item, texts, focus, width)

    def _show(self, view: PaneView) -> None:
        right = self.query_one("#right")
        right.set_class(False, "-log")
        right.set_class(view.beside is not None, "-beside")
        self.query_one("#caption", LineBar).set_lines([view.caption])
        self.query_one("#pane", TextPane).set_document(view.document)
        if view.beside is not None:
            self.query_one("#beside", TextPane).set_document(view.beside)
            self._scroll_to_cte()

    def _scroll_to_cte(self) -> None:
        """A CTE that was just chosen comes into sight on both sides."""
        if not self.focus_on.cte:
            return
        for name in ("#pane", "#beside"):
            pane = self.query_one(name, TextPane)
            start = getattr(pane.document, "start", 0)
            if getattr(pane.document, "marked", None):
                pane.show_line(start + 2)

    def _show_log(self) -> None:
        right = self.query_one("#right")
        right.set_class(True, "-log")
        right.set_class(False, "-beside")
        log = self.query_one("#log", TextPane)
        item_id = "" if self._whole_log else self.rows.current
        log.set_document(log_document(f"log:{item_id}", self.bridge.log, item_id))
        self._paint_log_caption()

    def _paint_log_caption(self) -> None:
        log = self.query_one("#log", TextPane)
        what = "the whole run" if self._whole_log else "this table"
        parts: list[Span] = [
            span(f"events of {what}", "bold"),
            ("   6 ", "key"),
            ("the other", "dim"),
        ]
        if log.behind and not log.at_end:
            parts.append((f"   +{log.behind} lines ▼", "accent"))
        self.query_one("#caption", LineBar).set_lines([tuple(parts)])

    @on(TextPane.Scrolled)
    def _scrolled(self) -> None:
        if self.tab == "events":
            self._paint_log_caption()

    def _signs(self) -> dict[str, Span]:
        """A mark on the tabs that have something bad to say."""
        attempt = panes.attempt_of(self._current(), self.focus_on)
        signs: dict[str, Span] = {}
        if attempt is None:
            return signs
        if attempt.verification is not None and not attempt.verification.passed:
            signs["dbt"] = ("✗", "error")
        if attempt.review is not None and attempt.review.status.value != "approved":
            revise = attempt.review.status.value == "revision_requested"
            signs["review"] = ("✗", "error") if revise else ("~", "warn")
        if attempt.equivalence is not None and attempt.equivalence.is_gap:
            signs["equivalence"] = ("✗", "error")
        return signs

    # --- what happens -----------------------------------------------------------------------

    def pane(self) -> TextPane:
        """The pane with the focus, else the open one."""
        log, beside = self.query_one("#log", TextPane), self.query_one("#beside", TextPane)
        if self.tab == "events":
            return log
        return beside if beside.has_focus else self.query_one("#pane", TextPane)

    def export_name(self) -> str:
        """Table and pane."""
        return f"{self.rows.current or 'run'}-{self.tab}"

    @on(TabLine.Chosen)
    def _chosen(self, message: TabLine.Chosen) -> None:
        self.action_tab(message.tab)

    @on(RowList.Opened)
    def _opened(self) -> None:
        self.act_switch()

    def action_tab(self, tab: str) -> None:
        """Open a pane; the log once more: of the whole run, or of the table."""
        if tab == "events" and self.tab == "events":
            self._whole_log = not self._whole_log
        in_pane = self.pane().has_focus
        self.tab = tab
        self.proc.remember(tab=tab)
        self.paint_item()
        if in_pane:
            self.pane().focus()

    def act_switch(self) -> None:
        """List, pane, the pane beside it, list."""
        if self.stacked_away:
            self.act_maximize()
            return
        beside = self.query_one("#beside", TextPane)
        if self.rows.has_focus:
            self.pane().focus()
        elif self.tab == "procedure" and not beside.has_focus:
            beside.focus()
        else:
            self.rows.focus()

    def act_next_needing(self) -> None:
        """The next match while a pane is searched, else the next table that needs a person."""
        if not self._next_hit(1):
            super().act_next_needing()

    def act_previous_needing(self) -> None:
        """The one before."""
        if not self._next_hit(-1):
            super().act_previous_needing()

    def _next_hit(self, step: int) -> bool:
        pane = self.pane()
        if not (pane.has_focus and pane.needle):
            return False
        number, of = pane.next_hit(step)
        self.tell(f"match {number} of {of}" if of else "no match")
        return True

    def act_attempt_back(self) -> None:
        """The version before."""
        self._step_attempt(-1)

    def act_attempt_on(self) -> None:
        """The version after."""
        self._step_attempt(1)

    def _step_attempt(self, step: int) -> None:
        self.focus_on = panes.step_attempt(self._current(), self.focus_on, step)
        if self.tab == "events":
            self.tab = "sql"

    def act_diff(self) -> None:
        """The text, or what the last correction changed."""
        self.tab = "sql"
        attempt = panes.attempt_of(self._current(), self.focus_on)
        number = attempt.attempt if attempt is not None else 0
        self.set_focus_on(diff=not self.focus_on.diff, attempt=number)

    def act_cte_back(self) -> None:
        """The CTE before."""
        self._step_cte(-1)

    def act_cte_on(self) -> None:
        """The next CTE."""
        self._step_cte(1)

    def _step_cte(self, step: int) -> None:
        self.tab = "procedure"
        self.focus_on = panes.step_cte(self._current(), self.bridge, self.focus_on, step)

    @on(TextPane.LineClicked)
    def _line_clicked(self, message: TextPane.LineClicked) -> None:
        """A line of the model shows where it came from, one of the procedure where it went."""
        if self.tab != "procedure" or self.item is None:
            return
        line = message.number + 1
        if message.pane.id == "beside":
            cte = panes.cte_at(self.item, self.bridge, self.focus_on, line)
        else:
            cte = panes.cte_from(self.item, self.focus_on, line)
        self.set_focus_on(cte=cte)

    def act_cancel(self) -> None:
        """Stop work on the marked tables, or the one here."""
        for item_id in self.targets():
            self.controller.cancel(item_id)

    def act_pause(self) -> None:
        """Start nothing new, or go on."""
        if self.state.phase.value == "paused":
            self.controller.resume()
        else:
            self.controller.pause()

    def act_drain(self) -> None:
        """Finish what runs."""
        self.controller.drain()

    def act_faster(self) -> None:
        """One table more at once."""
        self.session.set_jobs(self.state.jobs + 1)

    def act_slower(self) -> None:
        """One table fewer at once."""
        self.session.set_jobs(max(1, self.state.jobs - 1))

    def act_summary(self) -> None:
        """To the decisions."""
        self.proc.show_summary(self.bridge)
