"""Every action of the app, declared once: keys, title, help, where it works, and why not.

Bindings, footer, palette, help page and ``docs/app.md`` are made from this list. An action that
does not work now stays visible, dimmed, and says why when it is asked for.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tui.text import Line, line
from tui.viewmodels.document import Lines

if TYPE_CHECKING:
    from core.pipeline.state import ItemState, RunState
    from tui.viewmodels.tables import TableInfo

TABLES, RUN, SUMMARY, HISTORY = "tables", "run", "summary", "history"
SCREENS = (TABLES, RUN, SUMMARY, HISTORY)
_ITEMS = (RUN, SUMMARY)


@dataclass(frozen=True)
class Situation:
    """What an action's condition may look at."""

    screen: str = TABLES
    run: RunState | None = None
    live: bool = False
    """The run can be steered from here."""
    busy: bool = False
    """A run of this sitting is not finished (perhaps not the one that is shown)."""
    item: ItemState | None = None
    targets: tuple[ItemState, ...] = ()
    tables: tuple[TableInfo, ...] = ()
    """The tables an action on the table list would work on."""
    project_problem: str = ""
    loaded: bool = True
    commits: bool = True
    """Whether closing the run commits (not in place without ``--commit``)."""
    past: bool = False
    """A row of History is under the cursor."""
    resumable: bool = False


WhyNot = Callable[[Situation], str]


def _always(_situation: Situation) -> str:
    return ""


@dataclass(frozen=True)
class Action:
    """One thing a person can do."""

    id: str
    keys: str
    title: str
    help: str
    screens: tuple[str, ...]
    why_not: WhyNot = _always
    footer: int = 0
    """Its place in the footer, from 1; 0: not there."""

    @property
    def first_key(self) -> str:
        """The key to show."""
        return spoken_key(self.keys.split(",")[0])


_SPOKEN = {
    "question_mark": "?",
    "slash": "/",
    "left_square_bracket": "[",
    "right_square_bracket": "]",
    "left_parenthesis": "(",
    "right_parenthesis": ")",
    "plus": "+",
    "minus": "-",
    "escape": "esc",
    "ctrl+p": "^p",
    "exclamation_mark": "!",
    "ctrl+t": "^t",
}


def spoken_key(key: str) -> str:
    """A key as people write it."""
    return _SPOKEN.get(key, key)


# --- conditions -------------------------------------------------------------------------------


def _can_run(s: Situation) -> str:
    if s.project_problem:
        return s.project_problem
    if not s.loaded:
        return "The project is still being read."
    if s.busy:
        return "A run is under way; finish it first (w goes to it)."
    if not any(t.ready for t in s.tables):
        return "None of these tables is ready; the details say what is missing."
    return ""


def _has_run(s: Situation) -> str:
    return "" if s.run is not None else "There is no run in this sitting; r starts one."


def _has_past(s: Situation) -> str:
    return "" if s.past else "There is no earlier run."


def _can_resume(s: Situation) -> str:
    if s.busy:
        return "A run is under way; finish it first."
    return "" if s.resumable else "This run is finished; there is nothing to take up."


def _of_run(name: str) -> WhyNot:
    """A condition of ``tui.conditions``, imported when it is first asked."""

    def why_not(situation: Situation) -> str:
        condition: WhyNot = getattr(importlib.import_module("tui.conditions"), name)
        return condition(situation)

    return why_not


# --- the list ---------------------------------------------------------------------------------


ACTIONS: tuple[Action, ...] = (
    # Tables
    Action("select", "space", "select", "Mark or unmark the row", (TABLES, *_ITEMS), footer=1),
    Action("all_ready", "a", "all ready", "Mark every table that is ready", (TABLES,), footer=2),
    Action(
        "run",
        "r",
        "run",
        "Generate models for the marked tables, or the one under the cursor",
        (TABLES,),
        _can_run,
        footer=3,
    ),
    Action(
        "all_ok",
        "A",
        "all ok",
        "Mark every table that is ok and open",
        _ITEMS,
        _of_run("needs_anyone"),
        footer=2,
    ),
    Action("show_all", "A", "sources too", "Show sources, seeds and logs as well", (TABLES,)),
    # steering
    Action(
        "next_needing",
        "n",
        "needs you",
        "Go to the next table that needs a person",
        _ITEMS,
        _of_run("needs_anyone"),
        footer=2,
    ),
    Action(
        "previous_needing",
        "N",
        "needs you before",
        "Go to the one before",
        _ITEMS,
        _of_run("needs_anyone"),
    ),
    Action(
        "cancel",
        "c",
        "cancel",
        "Stop work on the marked tables, or the one here",
        (RUN,),
        _of_run("can_cancel"),
        footer=5,
    ),
    Action(
        "pause",
        "p",
        "pause",
        "Start nothing new, or go on",
        (RUN,),
        _of_run("unfinished"),
        footer=6,
    ),
    Action(
        "drain",
        "D",
        "drain",
        "Finish what runs and start nothing more",
        (RUN,),
        _of_run("unfinished"),
    ),
    Action(
        "faster",
        "plus",
        "more at once",
        "Work on one table more at once",
        (RUN,),
        _of_run("unfinished"),
    ),
    Action(
        "slower",
        "minus",
        "fewer at once",
        "Work on one table fewer at once",
        (RUN,),
        _of_run("unfinished"),
    ),
    # decisions
    Action(
        "consent",
        "exclamation_mark",
        "consent",
        "Answer what may be sent to Claude",
        _ITEMS,
        _of_run("consent_open"),
    ),
    Action(
        "approve",
        "a",
        "approve",
        "Accept the marked tables, or the one here",
        _ITEMS,
        _of_run("can_approve"),
        footer=3,
    ),
    Action(
        "override",
        "O",
        "override",
        "Accept a partial table; needs a reason for the PR",
        _ITEMS,
        _of_run("can_override"),
        footer=7,
    ),
    Action(
        "reject",
        "x",
        "reject",
        "Refuse tables; their files are restored",
        _ITEMS,
        _of_run("decidable"),
        footer=8,
    ),
    Action(
        "revise",
        "v",
        "revise",
        "Ask the author for a revision, in your words",
        _ITEMS,
        _of_run("can_revise"),
        footer=9,
    ),
    Action(
        "edit",
        "e",
        "edit",
        "Open the model in $EDITOR; a change is verified at once",
        _ITEMS,
        _of_run("can_edit"),
        footer=10,
    ),
    Action(
        "undo", "u", "undo", "Take back the last decision", _ITEMS, _of_run("can_undo"), footer=11
    ),
    Action(
        "retry",
        "R",
        "retry",
        "Do tables again: afresh, from the tests, with a hint",
        _ITEMS,
        _of_run("decidable"),
    ),
    Action(
        "groups",
        "f",
        "failures",
        "Failures by cause; a group can be retried together",
        _ITEMS,
        _of_run("has_groups"),
    ),
    Action(
        "commit",
        "C",
        "finish",
        "Commit what is accepted, and end the run",
        _ITEMS,
        _of_run("can_commit"),
        footer=4,
    ),
    # looking
    Action(
        "attempt_back",
        "left_square_bracket",
        "version before",
        "The version before",
        (RUN,),
        _of_run("attempts"),
    ),
    Action(
        "attempt_on",
        "right_square_bracket",
        "next version",
        "The version after",
        (RUN,),
        _of_run("attempts"),
    ),
    Action("diff", "d", "diff", "What the last correction changed", (RUN,), _of_run("attempts")),
    Action(
        "cte_back",
        "left_parenthesis",
        "CTE before",
        "The lines of the CTE before",
        (RUN,),
        _of_run("has_map"),
    ),
    Action(
        "cte_on",
        "right_parenthesis",
        "next CTE",
        "The lines the next CTE came from",
        (RUN,),
        _of_run("has_map"),
    ),
    Action(
        "filter",
        "slash",
        "filter",
        "Filter the list, or search in the pane",
        (TABLES, *_ITEMS),
        footer=12,
    ),
    Action("sort", "s", "sort", "Another order of the list", (TABLES, *_ITEMS)),
    Action("switch", "tab", "pane", "Go from the list to the pane and back", (TABLES, *_ITEMS)),
    Action("maximize", "m", "maximize", "Only the pane, and back", (TABLES, *_ITEMS)),
    Action("copy", "y", "copy", "Copy what the pane shows", (TABLES, *_ITEMS)),
    Action(
        "copy_command",
        "Y",
        "copy command",
        "Copy the command that does the same headless",
        (TABLES, *_ITEMS),
    ),
    Action("export", "o", "export", "Write what the pane shows to a file", (TABLES, *_ITEMS)),
    # going
    Action("watch", "w", "run", "Go to the run", (TABLES, HISTORY, SUMMARY), _has_run),
    Action(
        "summary", "S", "summary", "Go to the summary and the decisions", (RUN,), _has_run, footer=1
    ),
    Action("history", "h", "history", "Earlier runs", (TABLES,), footer=5),
    Action(
        "open_past", "enter", "open", "Show this run as it was", (HISTORY,), _has_past, footer=1
    ),
    Action(
        "resume", "R", "resume", "Go on with an unfinished run", (HISTORY,), _can_resume, footer=2
    ),
    Action("back", "escape", "back", "Back", (RUN, SUMMARY, HISTORY), footer=13),
    Action("theme", "ctrl+t", "theme", "The next theme: dark, light, high contrast", SCREENS),
    Action("help", "question_mark,f1", "help", "All keys", SCREENS, footer=14),
    Action("quit", "q", "quit", "Leave; a run under way can be resumed", SCREENS, footer=15),
)
"""Every action, in the order of the help page."""

TABS_HELP = "1 to 6"


def actions_for(screen: str) -> tuple[Action, ...]:
    """The actions of a screen."""
    return tuple(a for a in ACTIONS if screen in a.screens)


def find(action_id: str) -> Action:
    """The action of that id."""
    return next(a for a in ACTIONS if a.id == action_id)


def footer_for(screen: str) -> tuple[Action, ...]:
    """The actions of a screen's footer, in their order."""
    return tuple(sorted((a for a in actions_for(screen) if a.footer), key=lambda a: a.footer))


# --- help -------------------------------------------------------------------------------------

_TITLES = {TABLES: "Tables", RUN: "Run", SUMMARY: "Summary", HISTORY: "History"}
_MOVING = (
    ("j k ↑ ↓", "move; in a pane: scroll"),
    ("g G home end", "first, last"),
    ("ctrl+f ctrl+b", "a page on, back"),
    ("← →", "in a pane: scroll sideways"),
    ("1 … 6", "the panes"),
    ("n N", "while a pane is searched: next match, the one before"),
    ("^p", "every action by name"),
)


def help_document(screen: str, keys: dict[str, str] | None = None) -> Lines:
    """All keys: those of the screen first, then the others."""
    shown: list[Line] = []
    for name in (screen, *(s for s in SCREENS if s != screen)):
        shown.append(line((_TITLES[name], "title")))
        for action in actions_for(name):
            spoken = " ".join(
                spoken_key(k) for k in (keys or {}).get(action.id, action.keys).split(",")
            )
            shown.append(
                line((f"  {spoken:>8}  ", "key"), (f"{action.title:<16} ", "bold"), action.help)
            )
        shown.append(())
    shown.append(line(("Moving", "title")))
    shown += [line((f"  {keys_:>14}  ", "key"), words) for keys_, words in _MOVING]
    return Lines("help", shown)
