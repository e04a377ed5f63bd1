"""How every screen looks in every state that matters: 80x24 and 120x40, dark and light.

Text snapshots (what is where) and SVG pictures (how it looks) lie in ``pictures/``; after a wanted
change, write them anew with ``PROC2DBT_UPDATE_PICTURES=1`` and look at them.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.core.pipeline.small_project import write_table
from tests.tui import streams
from tests.tui.kit import Kit, Opened
from tests.tui.streams import Stream
from tui.screens.items import consent_question

FOLDER = Path(__file__).parent / "pictures"
UPDATE = bool(os.environ.get("PROC2DBT_UPDATE_PICTURES"))
SIZES = ((120, 40), (80, 24))


def blocked_sales(kit: Kit) -> None:
    """Three tables, one of them not profiled."""
    kit.write()
    write_table(kit.root, "silver", "Sales", profile={"status": "partial"})


def broken(kit: Kit) -> None:
    """A manifest that is no JSON."""
    kit.write()
    (kit.root / "manifest.json").write_text("{ broken", encoding="utf-8")


def no_tables(kit: Kit) -> None:
    """A sound project without a table."""
    kit.tables = ()
    kit.write()


def many(kit: Kit) -> None:
    """More tables than anybody reads."""
    kit.tables = tuple(f"silver.Table{n:04}" for n in range(400))
    kit.write()


@dataclass(frozen=True)
class State:
    """A run to show, the keys that lead to the view, and the screen they start on."""

    run: Callable[[Stream], None] | None
    keys: tuple[str, ...] = ()
    screen: str = "run"
    project: Callable[[Kit], None] = field(default=blocked_sales)
    themes: tuple[str, ...] = ("dark", "light")


STATES = {
    "tables": State(None),
    "tables_blocked": State(None, ("j",)),
    "run_running": State(streams.running, ("j",)),
    "run_diff": State(streams.running, ("j", "right_square_bracket", "d")),
    "run_procedure": State(
        streams.running, ("2", "right_parenthesis", "right_parenthesis", "right_parenthesis")
    ),
    "run_failing_test": State(streams.failing_tests, ("3",)),
    "run_review": State(streams.failing_tests, ("4",)),
    "run_counterexample": State(streams.partial, ("j", "5")),
    "run_error": State(streams.partial, ("G",)),
    "run_events": State(streams.partial, ("6", "6")),
    "run_consent": State(streams.with_claude, ("6", "6")),
    "run_cost": State(streams.claude_spent),
    "summary": State(streams.partial, ("j",), "summary"),
    "summary_finished": State(streams.decided, ("j",), "summary"),
    "help": State(None, ("question_mark",)),
    "tables_broken": State(None, project=broken),
    "tables_none": State(None, project=no_tables),
    "tables_many": State(None, ("G",), project=many),
    "tables_contrast": State(None, ("j",), themes=("contrast",)),
    "run_contrast": State(streams.partial, ("j", "5"), themes=("contrast",)),
    "run_consent_question": State(streams.with_claude, screen="consent"),
    "history_empty": State(None, ("h",)),
}


@pytest.mark.parametrize("name", STATES)
async def test_a_state_looks_as_it_did(kit: Kit, tmp_path: Path, name: str) -> None:
    state = STATES[name]
    state.project(kit)
    async with kit.open(size=SIZES[0]) as app:
        await show(app, state, tmp_path)
        for size in SIZES:
            await app.pilot.resize_terminal(*size)
            await app.settle()
            for theme in state.themes:
                app.app.theme = f"proc2dbt-{theme}"
                await app.settle()
                app.app.screen.repaint() if hasattr(app.app.screen, "repaint") else None
                await app.settle()
                base = f"{name}-{size[0]}x{size[1]}"
                if theme == state.themes[0]:
                    check(f"{base}.txt", app.text + "\n", tmp_path)
                check(f"{base}-{theme}.svg", picture(app), tmp_path)


async def show(app: Opened, state: State, folder: Path) -> None:
    """Bring the state onto the screen."""
    app.app.now = lambda: 0.0  # type: ignore[method-assign]
    if state.run is not None:
        stream = Stream(folder / "runs")
        state.run(stream)
        bridge = stream.bridge()
        if state.screen == "summary":
            app.app.show_summary(bridge)
        elif state.screen == "consent":
            app.app.show_run("", bridge)
            await app.settle()
            asked = bridge.state.consent_asked
            assert asked is not None
            app.app.push_screen(consent_question(bridge.state, asked, 60))
        else:
            app.app.show_run("", bridge)
        await app.settle()
    if state.keys:
        await app.press(*state.keys)
    await app.settle()


def picture(app: Opened) -> str:
    """The screen as SVG, without what differs from run to run."""
    svg = app.app.export_screenshot(title="proc2dbt")
    return re.sub(r"terminal-\d+", "terminal", svg)


def check(name: str, found: str, scratch: Path) -> None:
    """Compare with the stored file, or store it."""
    file = FOLDER / name
    if UPDATE:
        FOLDER.mkdir(exist_ok=True)
        file.write_text(found, encoding="utf-8")
        return
    if file.read_text(encoding="utf-8") != found:
        actual = scratch / name
        actual.write_text(found, encoding="utf-8")
        pytest.fail(f"{name} looks different; compare {file} with {actual}")
