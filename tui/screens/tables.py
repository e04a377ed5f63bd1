"""The table list with the details of the row under the cursor: where everything begins."""

from __future__ import annotations

from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.timer import Timer

from core.project.codes import Code, ProjectError
from tui.actions import TABLES, Situation
from tui.screens.base import STYLES, BaseScreen, bindings_for
from tui.screens.question import Answer, Question
from tui.text import Line, count, line, span, wrapped
from tui.viewmodels import tables as vm
from tui.viewmodels.document import Document, Lines
from tui.viewmodels.tables import TableInfo
from tui.widgets.filter_bar import FilterBar
from tui.widgets.line_bar import LineBar
from tui.widgets.row_list import RowList
from tui.widgets.tab_line import TabLine
from tui.widgets.text_pane import TextPane
from tui.widgets.titles import title_box

RESTS = 0.25
"""Seconds the cursor stays on a table before the compiler is asked about it."""


class TablesScreen(BaseScreen):
    """Select tables and run them."""

    NAME = TABLES
    CSS_PATH = STYLES / "tables.tcss"
    BINDINGS = bindings_for(TABLES) + [
        (str(n), f"tab('{name}')", name) for n, name in enumerate(vm.DETAIL_TABS, 1)
    ]

    def __init__(self, preselected: tuple[str, ...] = ()) -> None:
        super().__init__()
        self._preselected = preselected
        self._infos: dict[str, TableInfo] = {}
        self._words = ""
        self._sort = "name"
        self._everything = False
        self._tab = vm.DETAIL_TABS[0]
        self._seen = -1
        self._detail: tuple[object, ...] = ()
        self._ahead: Timer | None = None
        self._all_wanted = False
        """All ready tables were asked for while the project is still being read."""
        self._all_marked = False
        """The marks are those of ``all ready``: once more takes them away."""

    def compose_body(self) -> ComposeResult:
        """List and details."""
        with Horizontal(id="columns"):
            with Vertical(id="left", classes="box"):
                yield FilterBar(id="filter")
                yield LineBar(lambda width: [vm.head_line(width)], id="head")
                yield RowList(self._row, id="rows")
            with Vertical(id="right", classes="box"):
                yield LineBar(id="facts")
                yield TabLine([(t, t) for t in vm.DETAIL_TABS], id="tabs")
                yield TextPane(id="detail")

    def on_mount(self) -> None:
        """Take up the last filter and order; read the project behind the first paint."""
        prefs = self.proc.prefs
        self._words, self._sort = prefs.table_filter, prefs.table_sort
        self.query_one("#filter", FilterBar).show_kept(self._words)
        self.query_one("#rows", RowList).focus()

    # --- painting ---------------------------------------------------------------------------

    def _row(self, key: str, width: int, marked: bool) -> Line:
        return vm.row_line(self._infos[key], width, marked)

    def look(self) -> None:
        """The project is read behind the screen."""
        if self._seen != self.session.version:
            self.repaint()

    def repaint(self) -> None:
        """List, header, details, footer."""
        view = self.session.view
        if self._seen != self.session.version:
            self._seen = self.session.version
            self._infos = {t.item_id: t for t in view.tables}
            self._mark_preselected()
        self._fill()
        self._mark_wanted()
        self.paint_header()
        self._paint_detail()
        self.query_one("#footer").rebuild()  # type: ignore[attr-defined]

    def _mark_preselected(self) -> None:
        rows = self.query_one("#rows", RowList)
        wanted = set(self._preselected) & set(self._infos)
        if wanted:
            rows.marked |= wanted
            self._preselected = ()

    def _fill(self) -> None:
        rows = self.query_one("#rows", RowList)
        view = self.session.view
        shown = vm.visible(view.tables, self._words, self._sort, self._everything)
        keys = [t.item_id for t in shown]
        if keys != list(rows.keys):
            rows.set_keys(keys)
        else:
            rows.repaint()
        rows.empty = self._why_empty()
        subtitle = "" if self._sort == "name" else f"by {self._sort}"
        title_box(self.query_one("#left"), "Tables", subtitle)

    def _why_empty(self) -> str:
        view = self.session.view
        if view.problems:
            return view.problems[0].code.value
        if not view.complete:
            return "reading the project …"
        if self._words and view.tables:
            return "no table has these words; esc in the filter clears it"
        return "no tables: catalog/tables and ddl/ are empty"

    def header_lines(self, width: int) -> list[Line]:
        """Project, branch, target, author; how many tables, ready, marked."""
        view = self.session.view
        rows = self.query_one("#rows", RowList)
        settings = self.session.settings
        left: list[tuple[str, str]] = [
            ("proc2dbt ", "title"),
            span(view.root.resolve().name, "bold"),
        ]
        for words in (
            view.branch,
            settings.target or "duckdb",
            settings.author,
            view.person.split(" <")[0],
        ):
            if words:
                left += [("  ", ""), span(words, "dim")]
        right = vm.counts_line(view.tables, len(rows.marked)) if view.tables else ()
        room = width - sum(len(t) for t, _ in left) - sum(len(t) for t, _ in right)
        while room < 2 and len(left) > 2:
            room += sum(len(t) for t, _ in left[-2:])
            left = left[:-2]
        return [(*left, (" " * max(2, room), ""), *right)]

    def _paint_detail(self) -> None:
        rows = self.query_one("#rows", RowList)
        info = self._infos.get(rows.current)
        view = self.session.view
        pane = self.query_one("#detail", TextPane)
        width = max(20, pane.size.width - 2)
        wanted = (info, self._tab, view.problems, view.complete, width, self.session.version)
        if wanted == self._detail:
            return
        self._detail = wanted
        title_box(self.query_one("#right"), info.display if info is not None else "")
        facts: list[Line] = [()]
        if info is not None and not info.loading:
            facts = self._facts(info, width)
        if self.session.view.unfinished and info is not None:
            facts = [self._unfinished_line(), *facts]
        self.query_one("#facts", LineBar).set_lines(facts)
        self.query_one("#tabs", TabLine).show(self._tab)
        pane.set_document(self._document(info, width))

    def _facts(self, info: TableInfo, width: int) -> list[Line]:
        if info.ready and self.session.view.complete:
            self._look_ahead(info.item_id)
        return vm.facts(info, width, self.session.previews.get(info.item_id))

    def _look_ahead(self, item_id: str) -> None:
        """Ask the compiler once the cursor rests."""
        if self._ahead is not None:
            self._ahead.stop()
        if item_id not in self.session.previews:
            self._ahead = self.set_timer(RESTS, lambda: self._preview(item_id))

    def _preview(self, item_id: str) -> None:
        self.run_worker(
            self.session.preview(item_id), group="preview", exclusive=True, exit_on_error=False
        )

    def _unfinished_line(self) -> Line:
        left = self.session.view.unfinished[0]
        return line(
            ("! unfinished run ", "accent"),
            (f"of {count(len(left.meta.tables), 'table')}: ", ""),
            ("h", "key"),
            (" then ", "dim"),
            ("R", "key"),
            (" takes it up", ""),
        )

    def _document(self, info: TableInfo | None, width: int) -> Document:
        view = self.session.view
        if view.problems:
            return vm.project_problem_document(view.problems, width)
        project = view.project
        if info is None or info.loading or project is None:
            return Lines("none", [])
        if self._tab == "columns":
            return vm.columns_document(info, project)
        if self._tab == "test spec":
            return vm.spec_document(info, project)
        if self._tab == "last result":
            return vm.last_result_document(info, width)
        text, first = self.session.procedure(info.writer)
        return vm.procedure_document(info, text, first)

    # --- what happens -----------------------------------------------------------------------

    def situation(self) -> Situation:
        """The tables an action would work on."""
        rows = self.query_one("#rows", RowList)
        view = self.session.view
        problem = view.problems[0].message if view.problems else ""
        bridge = self.session.bridge
        return Situation(
            screen=TABLES,
            run=bridge.state if bridge is not None else None,
            busy=self.session.busy,
            tables=tuple(self._infos[k] for k in rows.targets() if k in self._infos),
            project_problem=problem,
            loaded=view.complete,
        )

    @on(RowList.Moved)
    def _moved(self) -> None:
        self._paint_detail()
        self.query_one("#footer").rebuild()  # type: ignore[attr-defined]

    @on(RowList.Opened)
    def _opened(self) -> None:
        self.act_switch()

    @on(TabLine.Chosen)
    def _chosen(self, message: TabLine.Chosen) -> None:
        self.action_tab(message.tab)

    def action_tab(self, tab: str) -> None:
        """Show a tab of the details."""
        self._tab = tab
        self._paint_detail()

    @on(FilterBar.Typed)
    def _typed(self, message: FilterBar.Typed) -> None:
        if message.bar.purpose == "search":
            self.query_one("#detail", TextPane).search(message.words)
        else:
            self._words = message.words
            self._fill()
            self._paint_detail()

    @on(FilterBar.Closed)
    def _filter_closed(self, message: FilterBar.Closed) -> None:
        where = "#detail" if message.bar.purpose == "search" else "#rows"
        self.query_one(where).focus()
        if message.bar.purpose == "filter":
            self.proc.remember(table_filter=message.words)
        else:
            message.bar.show_kept(self._words)

    def act_select(self) -> None:
        """Mark the row."""
        self._all_marked = False
        self.query_one("#rows", RowList).toggle_mark()

    def act_all_ready(self) -> None:
        """Mark every ready table that is shown; pressed once more: unmark them."""
        rows = self.query_one("#rows", RowList)
        view = self.session.view
        ready = self._ready_shown()
        if self._all_marked and rows.marked >= ready:
            rows.marked = set()
            self._all_marked = self._all_wanted = False
            return
        rows.marked |= ready
        self._all_marked = True
        if not view.complete and not view.problems:
            self._all_wanted = True
            self.tell("The project is still being read; ready tables are marked as they come.")
        elif not ready:
            self._all_marked = False
            self.tell("No table is ready; the details of a row say what is missing.", "warning")

    def _ready_shown(self) -> set[str]:
        rows = self.query_one("#rows", RowList)
        return {k for k in rows.keys if self._infos[k].ready}

    def _mark_wanted(self) -> None:
        """What became ready since all of them were asked for."""
        if self._all_wanted:
            self.query_one("#rows", RowList).marked |= self._ready_shown()
            self._all_wanted = not self.session.view.complete

    def act_show_all(self) -> None:
        """Sources too, or targets only."""
        self._everything = not self._everything

    def act_sort(self) -> None:
        """The next order."""
        self._sort = vm.SORTS[(vm.SORTS.index(self._sort) + 1) % len(vm.SORTS)]
        self.proc.remember(table_sort=self._sort)

    def act_filter(self) -> None:
        """Filter the list; in the details, search."""
        purpose = "search" if self.query_one("#detail").has_focus else "filter"
        words = self._words if purpose == "filter" else ""
        self.query_one("#filter", FilterBar).open(purpose, words)

    def act_switch(self) -> None:
        """From list to details and back; where only one has room, to the other."""
        if self.stacked_away:
            self.act_maximize()
            return
        rows = self.query_one("#rows")
        target = "#detail" if rows.has_focus else "#rows"
        self.query_one(target).focus()

    def act_maximize(self) -> None:
        """Only the details."""
        self.toggle_class("-maximized")
        self.query_one("#detail" if self.has_class("-maximized") else "#rows").focus()

    def act_copy(self) -> None:
        """Copy the details."""
        self.proc.copy(self.query_one("#detail", TextPane).document.text())

    def act_export(self) -> None:
        """Write the details to a file."""
        info = self._infos.get(self.query_one("#rows", RowList).current)
        name = f"{info.item_id if info else 'table'}-{self._tab}"
        self.proc.export(name, self.query_one("#detail", TextPane).document.text())

    def act_copy_command(self) -> None:
        """The headless command for the selection."""
        rows = self.query_one("#rows", RowList)
        self.proc.copy(self.session.headless(rows.targets()), "the command")

    def act_history(self) -> None:
        """Earlier runs."""
        self.proc.show_history()

    async def act_run(self) -> None:
        """Begin a run over the selection; what is not ready is said and left out."""
        rows = self.query_one("#rows", RowList)
        chosen = [self._infos[k] for k in rows.targets()]
        await self.start([t.item_id for t in chosen])
        rows.marked.clear()

    async def start(self, tables: list[str], *, discard: bool = False) -> None:
        """Start, and ask about an unfinished run that is in the way."""
        self.tell(f"Starting {count(len(tables), 'table')} …")
        try:
            await self.session.start(tables, discard=discard)
        except ProjectError as error:
            if error.diagnostic.code is not Code.RUN_UNFINISHED or discard:
                raise
            await self._ask_unfinished(tables, error)
            return
        self.app.clear_notifications()  # what they said is on the screen now
        self.proc.show_run()

    async def _ask_unfinished(self, tables: list[str], error: ProjectError) -> None:
        run_id = str((error.diagnostic.details or {}).get("run_id", ""))
        width = min(90, int(self.size.width * 0.9) - 8)
        words = Lines("unfinished", wrapped(error.diagnostic.message, width))
        answers = (
            Answer("r", "take it up: finished tables are kept", "resume"),
            Answer("d", "discard it and start anew", "discard"),
        )
        answer = await self.app.push_screen_wait(
            Question("There is an unfinished run", words, answers)
        )
        if answer == "resume":
            await self.session.resume(run_id)
            self.proc.show_run()
        elif answer == "discard":
            await self.start(tables, discard=True)
