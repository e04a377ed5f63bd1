"""Foreign text appears literally, whatever it holds, in every widget that shows some."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from textual.app import App, ComposeResult
from textual.widget import Widget
from textual.widgets import Static

from core.pipeline import events as ev
from tests.tui.kit import screen_text
from tests.tui.streams import Stream, hostile
from tui.screens.question import Answer, Question
from tui.screens.reader import Reader
from tui.screens.words import Words
from tui.text import fit, line, literal, plain, table, wrap
from tui.viewmodels.document import Code, Lines
from tui.viewmodels.summary import consent_document
from tui.viewmodels.tables import Preview, TableInfo, facts
from tui.widgets.filter_bar import FilterBar
from tui.widgets.line_bar import LineBar
from tui.widgets.row_list import RowList
from tui.widgets.tab_line import TabLine
from tui.widgets.text_pane import TextPane
from tui.widgets.titles import title_box

HOSTILE = "[dbo].[T] [/x] [b $name {{ x }} \x1b[31m\x07\u202eevil\u200b"
SEEN = "[dbo].[T] [/x] [b $name {{ x }} ␛[31m␇�evil�"


def bar() -> Widget:
    found = LineBar()
    found.set_lines([line((HOSTILE, "ok"))])
    return found


def rows() -> Widget:
    found = RowList(lambda key, _width, _marked: line((key, "name")))
    found.set_keys([HOSTILE])
    return found


def empty_rows() -> Widget:
    return RowList(lambda key, _width, _marked: line(key), empty=literal(HOSTILE))


DOCUMENTS = {
    "lines": Lines("x", [line((HOSTILE, "error"))]),
    "model": Code("x", f"-- {HOSTILE}\n", "sql+jinja"),
    "procedure": Code("x", f"-- {HOSTILE}\n", "tsql"),
}


def pane(name: str) -> Callable[[], Widget]:
    return lambda: TextPane(id=name)


def tabs() -> Widget:
    return TabLine([("a", literal(HOSTILE))])


def titled() -> Widget:
    found = Static("", classes="box")
    found.styles.border = ("round", "white")
    title_box(found, HOSTILE)
    return found


def filter_bar() -> Widget:
    found = FilterBar()
    found.value = literal(HOSTILE)
    found.add_class("-open")
    return found


class Mounting(App[None]):
    def __init__(self, make: Callable[[], Widget]) -> None:
        super().__init__()
        self._make = make

    def get_theme_variable_defaults(self) -> dict[str, str]:
        from tui.themes import DARK

        return dict(DARK.variables)

    CSS = "Screen > * { height: 3; }"

    def compose(self) -> ComposeResult:
        yield self._make()

    def on_mount(self) -> None:
        for pane in self.query(TextPane):
            pane.set_document(DOCUMENTS[str(pane.id)])


WIDGETS = {
    "bar": bar,
    "rows": rows,
    "empty rows": empty_rows,
    "pane": pane("lines"),
    "code of a model": pane("model"),
    "code of a procedure": pane("procedure"),
    "tabs": tabs,
    "title": titled,
    "filter": filter_bar,
}


@pytest.mark.parametrize("name", WIDGETS)
async def test_a_widget_shows_foreign_text_literally(name: str) -> None:
    from tui.screens.base import STYLES

    class Styled(Mounting):
        CSS_PATH = STYLES / "base.tcss"

    app = Styled(WIDGETS[name])
    async with app.run_test(size=(100, 10)) as pilot:
        await pilot.pause()
        assert SEEN in screen_text(app)


@pytest.mark.parametrize("name", ["question", "words", "reader"])
async def test_a_question_shows_foreign_text_literally(name: str) -> None:
    from tui.screens.base import STYLES

    class Styled(Mounting):
        CSS_PATH = STYLES / "base.tcss"

    document = Lines("x", [line(HOSTILE)])
    screen = {
        "question": lambda: Question(HOSTILE, document, [Answer("y", HOSTILE, "y")]),
        "words": lambda: Words(HOSTILE, document, "hint"),
        "reader": lambda: Reader(HOSTILE, document),
    }[name]()
    app = Styled(lambda: Static(""))
    async with app.run_test(size=(120, 30)) as pilot:
        app.push_screen(screen)
        await pilot.pause()
        await pilot.pause(0.05)
        shown = screen_text(app)
        assert shown.count(SEEN) == (3 if name == "question" else 2)


def test_the_question_about_sending_shows_foreign_text_literally(tmp_path: Path) -> None:
    stream = Stream(tmp_path)
    hostile(stream)
    item = next(iter(stream.bridge().state.items))
    stream.add(ev.ConsentAsked(host=HOSTILE, items=(item,), estimate_usd=1.0, text=f"a: {HOSTILE}"))
    bridge = stream.bridge()
    asked = bridge.state.consent_asked
    assert asked is not None
    found = consent_document(bridge.state, asked, 200).text()
    assert SEEN in found
    assert "[dbo].[T] [/x] [b" in found.partition("Tables:")[2]


def test_what_the_compiler_would_do_is_said_literally() -> None:
    info = TableInfo("a.b", HOSTILE, writer=HOSTILE)
    refused = Preview(handled=False, words=HOSTILE, reads=(HOSTILE,))
    found = [plain(spans) for spans in facts(info, 200, refused)]
    assert sum(SEEN in text for text in found) == 3, "writer, what is read, and the reason"
    handled = [plain(spans) for spans in facts(info, 200, Preview(handled=True, words=HOSTILE))]
    assert SEEN in handled[-1]


async def test_a_toast_shows_foreign_text_literally() -> None:
    class Telling(App[None]):
        def on_mount(self) -> None:
            self.notify(literal(HOSTILE), markup=False, timeout=60)

    app = Telling()
    async with app.run_test(size=(120, 30), notifications=True) as pilot:
        await pilot.pause(0.1)
        assert "[dbo].[T] [/x] [b" in screen_text(app)


@given(st.text(max_size=60))
def test_literal_leaves_nothing_a_terminal_would_obey(text: str) -> None:
    shown = literal(text)
    assert not any(ord(c) < 32 or 0x7F <= ord(c) < 0xA0 for c in shown)
    assert not any("\u202a" <= c <= "\u202e" or "\u2066" <= c <= "\u2069" for c in shown)
    shown.encode("utf-8")


@given(st.text(max_size=60), st.integers(1, 30))
def test_fit_takes_exactly_its_cells(text: str, width: int) -> None:
    from rich.cells import cell_len

    assert cell_len(fit(literal(text), width)) == width


@given(st.text(max_size=200), st.integers(8, 60))
def test_wrapping_loses_no_word(text: str, width: int) -> None:
    from rich.cells import cell_len

    parts = wrap(text, width)
    assert "".join("".join(parts).split()) == "".join(literal(text).split())
    assert all(cell_len(part) <= width for part in parts)


def test_brackets_stay_what_they_are_in_tables() -> None:
    shown = [plain(spans) for spans in table([[HOSTILE, "1"]], ["[a]", "[/b]"], 60)]
    assert shown[0].startswith("[a]")
    assert SEEN in shown[1]
