"""What Run and Summary share: the list of a run's tables, and all that can be done to them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from textual import on

from core.pipeline.events import ConsentAsked
from core.pipeline.result import ItemStatus
from core.pipeline.run import RunController
from core.pipeline.state import ItemPhase, ItemState, RunState
from tui.actions import Situation
from tui.bridge import Bridge
from tui.screens.base import BaseScreen
from tui.screens.question import Answer, Question
from tui.screens.words import Words
from tui.text import Line, count
from tui.viewmodels import run as vm
from tui.viewmodels import summary as svm
from tui.viewmodels.panes import Focus, attempt_of
from tui.widgets.filter_bar import FilterBar
from tui.widgets.row_list import RowList
from tui.widgets.text_pane import TextPane

if TYPE_CHECKING:
    from textual.app import ComposeResult


def consent_question(state: RunState, asked: ConsentAsked, width: int) -> Question:
    """What would be sent to Claude, and the two answers to it."""
    answers = (
        Answer("y", "agree: it is sent, now and in later runs of this project", "yes"),
        Answer("x", "refuse: nothing is sent, and Claude writes nothing in this run", "no"),
    )
    document = svm.consent_document(state, asked, width)
    return Question(f"Send to {asked.host}?", document, answers)


def retry_question(
    state: RunState, wanted: Sequence[str], title: str, others: Sequence[str]
) -> Question:
    """How tables are done again; ``others`` are the authors the run does not use."""
    answers = [
        Answer("f", "afresh: a new model", "fresh"),
        Answer("t", "from the tests on, with the model they have", "tests"),
        Answer("w", "with a hint in your words", "hint"),
    ]
    answers += [
        Answer(str(n), f"afresh with another author: {name}", f"author:{name}")
        for n, name in enumerate(sorted(others), 1)
    ]
    return Question(title, svm.selection_document(state, wanted, "Do again:"), answers)


class ItemsScreen(BaseScreen):
    """A screen over one run; the bridge may be of a live run or of one from History."""

    SORTS: tuple[str, ...] = vm.SORTS

    def __init__(self, bridge: Bridge) -> None:
        super().__init__()
        self.bridge = bridge
        self.focus_on = Focus()
        self._words = ""
        self._sort = self.SORTS[0]
        self._seen = -1
        self._item = ""

    def compose_body(self) -> ComposeResult:
        """The screens say what they show."""
        yield from ()

    # --- the state --------------------------------------------------------------------------

    @property
    def state(self) -> RunState:
        """The run."""
        return self.bridge.state

    @property
    def rows(self) -> RowList:
        """The list."""
        return self.query_one("#rows", RowList)

    @property
    def item(self) -> ItemState | None:
        """The table under the cursor."""
        return self.state.items.get(self.rows.current)

    @property
    def controller(self) -> RunController:
        """The run to steer; only asked for where the situation is live."""
        assert self.bridge.controller is not None
        return self.bridge.controller

    def targets(self) -> tuple[str, ...]:
        """The marked tables, else the one under the cursor."""
        return self.rows.targets()

    def situation(self) -> Situation:
        """What the conditions of actions look at."""
        state = self.state
        return Situation(
            screen=self.NAME,
            run=state,
            live=self.bridge.live,
            busy=self.session.busy,
            item=self.item,
            targets=tuple(state.items[i] for i in self.targets()),
        )

    def now(self) -> float:
        """The time durations run up to: that of the last event where nothing moves any more."""
        return self.proc.now() if self.bridge.live else 0.0

    # --- painting ---------------------------------------------------------------------------

    def look(self) -> None:
        """Repaint when events came; the clock of running tables moves once a second."""
        if self._seen != self.bridge.version:
            self.repaint()
        elif self.bridge.live and self.state.totals.running:
            self.tick()
        self._offer_consent()

    def _offer_consent(self) -> None:
        """Nothing goes on until it is answered: the question comes by itself, once."""
        asked = self.state.consent_asked
        if asked is None or asked.seq == self.bridge.offered or not self.bridge.live:
            return
        if vm.consent_open(self.state):
            self.bridge.offered = asked.seq
            self.guarded(self.act_consent)

    def tick(self) -> None:
        """Only what the clock moves."""
        self.paint_header()
        self.rows.repaint([i for i, s in self.state.items.items() if s.phase is ItemPhase.RUNNING])

    def repaint(self) -> None:
        """Header, list, pane, footer."""
        self._seen = self.bridge.version
        self.paint_header()
        self.fill()
        self.paint_item()
        self.query_one("#footer").rebuild()  # type: ignore[attr-defined]

    def header_lines(self, width: int) -> list[Line]:
        """The line that is always there."""
        return vm.header_lines(self.state, max(20, width - 2), self.now())

    def fill(self) -> None:
        """The rows, in their order."""
        keys = vm.visible(self.state, self._words, self._sort, self.now())
        if keys != list(self.rows.keys):
            self.rows.set_keys(keys)
        else:
            self.rows.repaint()
        self.rows.empty = "no table has these words" if self._words else "no tables"

    def paint_item(self) -> None:
        """What is said about the table under the cursor."""

    # --- moving -----------------------------------------------------------------------------

    @on(RowList.Moved)
    def _moved(self, message: RowList.Moved) -> None:
        if message.key != self._item:
            self._item = message.key
            self.focus_on = Focus()
        self.paint_item()
        self.query_one("#footer").rebuild()  # type: ignore[attr-defined]

    def act_next_needing(self) -> None:
        """The next table that needs a person."""
        self._go_needing(1)

    def act_previous_needing(self) -> None:
        """The one before."""
        self._go_needing(-1)

    def _go_needing(self, step: int) -> None:
        key = vm.next_needing(self.rows.keys, self.state, self.rows.current, step)
        if key:
            self.rows.go_to(key)
            item = self.state.items[key]
            self.tell(f"{item.table_ref}: {item.needs_person}")
        else:
            self.tell("What needs you is filtered out; clear the filter.", "warning")

    def act_select(self) -> None:
        """Mark the row."""
        self.rows.toggle_mark()

    def act_all_ok(self) -> None:
        """Mark every table that is ok and not decided; all marked already: unmark them."""
        ok = {
            i
            for i in self.rows.keys
            if self.state.items[i].status is ItemStatus.OK and self.state.items[i].accepted is None
        }
        if not ok:
            self.tell("No open table is ok.", "warning")
        self.rows.marked = set() if ok and self.rows.marked >= ok else ok

    def act_sort(self) -> None:
        """The next order."""
        self._sort = self.SORTS[(self.SORTS.index(self._sort) + 1) % len(self.SORTS)]
        self.proc.remember(run_sort=self._sort)

    @on(FilterBar.Typed)
    def _typed(self, message: FilterBar.Typed) -> None:
        if message.bar.purpose == "search":
            self.pane().search(message.words)
        else:
            self._words = message.words
            self.fill()
            self.paint_item()

    @on(FilterBar.Closed)
    def _filter_closed(self, message: FilterBar.Closed) -> None:
        if message.bar.purpose == "search":
            self.pane().focus()
            message.bar.show_kept(self._words)
        else:
            self.rows.focus()

    def pane(self) -> TextPane:
        """The pane that is searched, copied and exported."""
        return self.query_one("#pane", TextPane)

    def act_filter(self) -> None:
        """Filter the list; in a pane, search."""
        purpose = "filter" if self.rows.has_focus else "search"
        self.query_one("#filter", FilterBar).open(
            purpose, self._words if purpose == "filter" else ""
        )

    def act_switch(self) -> None:
        """From the list to the pane and back; where only one has room, to the other."""
        if self.stacked_away:
            self.act_maximize()
            return
        (self.pane() if self.rows.has_focus else self.rows).focus()

    def act_maximize(self) -> None:
        """Only the pane, and back."""
        self.toggle_class("-maximized")
        (self.pane() if self.has_class("-maximized") else self.rows).focus()
        self.call_after_refresh(self.repaint)

    def act_copy(self) -> None:
        """Copy the pane."""
        self.proc.copy(self.pane().document.text())

    def act_copy_command(self) -> None:
        """The headless command for these tables."""
        self.proc.copy(self.session.headless(self.targets()), "the command")

    def export_name(self) -> str:
        """What an exported pane is about."""
        return f"{self.rows.current or 'run'}-{self.NAME}"

    def act_export(self) -> None:
        """Write the pane to a file."""
        self.proc.export(self.export_name(), self.pane().document.text())

    # --- decisions --------------------------------------------------------------------------

    async def act_approve(self) -> None:
        """Accept; more than one table is asked about once, with their names."""
        wanted = self._refs(self.targets())
        if len(wanted) > 1 and not await self._sure("Approve", wanted):
            return
        self.controller.approve(wanted)
        self._decided("approved", wanted)

    async def act_override(self) -> None:
        """Accept partial tables for a reason."""
        wanted = [i for i in self.targets() if self.state.items[i].status is ItemStatus.PARTIAL]
        about = svm.selection_document(self.state, wanted, "Accept although something is wrong:")
        title = f"Override {self._named(wanted)}"
        hint = "why it is right all the same; goes into the pull request"
        reason = await self.app.push_screen_wait(Words(title, about, hint))
        if reason.strip():
            self.controller.override(wanted, reason)
            self._decided("overridden", wanted)

    async def act_reject(self) -> None:
        """Refuse; the files are restored when the run is closed."""
        wanted = self._refs(self.targets())
        about = svm.selection_document(self.state, wanted, "Their files are restored at the end:")
        title = f"Reject {self._named(wanted)}"
        reason = await self.app.push_screen_wait(
            Words(title, about, "why (may be left empty)", required=False)
        )
        if reason:
            self.controller.reject(wanted, reason.strip())
            self._decided("rejected", wanted)

    async def act_revise(self) -> None:
        """Say in words what should be different."""
        item = self._current()
        about = svm.selection_document(
            self.state, [item.item_id], "The author corrects this model:"
        )
        words = await self.app.push_screen_wait(
            Words(f"Revise {item.table_ref}", about, "what should be different")
        )
        if words.strip():
            self.controller.revise(item.item_id, words)
            self.tell(f"{item.table_ref} is being revised.")

    async def act_edit(self) -> None:
        """Open the model in the editor; what was saved is verified."""
        item = self._current()
        attempt = attempt_of(item, self.focus_on)
        assert attempt is not None
        sql = self.bridge.model(item.item_id, attempt.attempt, attempt.sql_hash)
        edited = await self.proc.edit(sql, item.model_name or item.item_id, svm.failing_line(item))
        if edited is None:
            return
        if edited == sql:
            self.tell("Nothing was changed.")
        elif not self.bridge.live or self._current().phase is not ItemPhase.DONE:
            self.tell("The text was only looked at: this model cannot be changed now.", "warning")
        else:
            self.controller.edit(item.item_id, edited)
            self.tell(f"Your text of {item.table_ref} is being verified.")

    async def act_consent(self) -> None:
        """What would be sent to Claude, where to, what it may cost; and the answer."""
        asked = self.state.consent_asked
        assert asked is not None
        width = min(92, int(self.size.width * 0.9) - 8)
        answer = await self.app.push_screen_wait(consent_question(self.state, asked, width))
        if not answer:
            self.tell("Not answered: tables that need Claude wait. ! asks again.", "warning")
        elif self.bridge.live and vm.consent_open(self.state):
            self.controller.answer_consent(answer == "yes")

    def act_undo(self) -> None:
        """Take back the last decision about each of these tables."""
        wanted = [i for i in self.targets() if self.state.items[i].accepted is not None]
        for item_id in wanted:
            self.controller.undo(item_id)
        self._decided("open again", wanted)

    async def act_retry(self) -> None:
        """Do tables again, in a scope that is asked for."""
        wanted = self._refs(self.targets())
        await self.retry(wanted)

    async def retry(self, wanted: Sequence[str]) -> None:
        """Ask how, then do these tables again."""
        about = svm.selection_document(self.state, wanted, "Do again:")
        others = [
            a for a in self.controller.parts.authors if a != self.controller.plan.settings.author
        ]
        title = f"Retry {self._named(wanted)}"
        answer = await self.app.push_screen_wait(retry_question(self.state, wanted, title, others))
        hint = ""
        if answer == "hint":
            hint = await self.app.push_screen_wait(
                Words(title, about, "a hint for the author: use QUALIFY")
            )
        if not answer or (answer == "hint" and not hint.strip()):
            return
        author = answer.removeprefix("author:") if answer.startswith("author:") else ""
        self.controller.retry(wanted, hint=hint, author=author, from_tests=answer == "tests")
        self._decided("being done again", wanted)

    async def act_groups(self) -> None:
        """Failures by cause; a group can be marked or retried as one."""
        keys = list(self.state.groups)[:9]
        answers = [
            Answer(
                str(n),
                f"{'retry' if self.bridge.live else 'mark'} "
                f"{count(len(self.state.groups[key]), 'table')}: {vm.group_title(key)}",
                key,
            )
            for n, key in enumerate(keys, 1)
        ]
        chosen = await self.app.push_screen_wait(
            Question("Failures by cause", vm.groups_document(self.state), answers)
        )
        wanted = self.state.groups.get(chosen, ())
        if not wanted:
            return
        self.rows.marked = set(wanted)
        self.rows.go_to(wanted[0])
        self.rows.repaint()
        if self.bridge.live:
            await self.retry(wanted)

    async def act_commit(self) -> None:
        """The end of the run, shown before it is done."""
        from tui.leaving import finish_run
        from tui.screens.finish import FinishScreen

        answer = await self.app.push_screen_wait(FinishScreen(self.session, self.state))
        if not answer:
            return
        await finish_run(self.proc, pull_request=answer == "pr")

    def _refs(self, ids: Sequence[str]) -> list[str]:
        return list(ids)

    def _named(self, ids: Sequence[str]) -> str:
        if len(ids) == 1:
            return self.state.items[ids[0]].table_ref
        return count(len(ids), "table")

    def _current(self) -> ItemState:
        item = self.item
        assert item is not None
        return item

    async def _sure(self, verb: str, wanted: Sequence[str]) -> bool:
        about = svm.selection_document(self.state, wanted, "")
        answer = await self.app.push_screen_wait(
            Question(
                f"{verb} {self._named(wanted)}?",
                about,
                [Answer("y", f"{verb.lower()} them", "yes")],
            )
        )
        return answer == "yes"

    def _decided(self, what: str, wanted: Sequence[str]) -> None:
        self.tell(f"{self._named(wanted)} {what}.")
        self.rows.marked -= set(wanted)
        self.repaint()

    def row(self, key: str, width: int, marked: bool) -> Line:
        """The line of a row."""
        return vm.row_line(self.state.items[key], width, marked, self.now())

    def set_focus_on(self, **changes: object) -> None:
        """Look at another attempt, diff or CTE."""
        self.focus_on = replace(self.focus_on, **changes)  # type: ignore[arg-type]
        self.paint_item()
