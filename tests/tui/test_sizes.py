"""Every key on every screen, on a terminal too small for both list and pane and on a large one."""

from __future__ import annotations

import pytest

from tests.tui.kit import Kit, Opened
from tests.tui.streams import Stream, partial
from tui.actions import ACTIONS, SCREENS, actions_for

SIZES = ((40, 10), (200, 60))
LEAVING = ("quit", "edit")
"""Not pressed here: what ends the app, and what needs an editor."""


def test_each_screen_has_actions() -> None:
    assert all(actions_for(screen) for screen in SCREENS)
    assert {a.id for a in ACTIONS} >= set(LEAVING)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("screen", SCREENS)
async def test_every_key_of_every_screen(kit: Kit, size: tuple[int, int], screen: str) -> None:
    async with kit.write().open(size=size) as app:
        for action in actions_for(screen):
            if action.id in LEAVING:
                continue
            await show(app, kit, screen)
            for key in action.keys.split(",")[:1]:
                await app.press(key)
                await app.press("escape")
        assert app.app.return_code is None
        assert app.app._exception is None


async def show(app: Opened, kit: Kit, screen: str) -> None:
    """Bring a screen to the front, from wherever the last key led."""
    while len(app.app.screen_stack) > 2:
        app.app.pop_screen()
    await app.settle()
    if screen == "history":
        await app.press("h")
    elif screen != "tables":
        stream = Stream(kit.root / "stream")
        partial(stream)
        bridge = stream.bridge()
        if screen == "run":
            app.app.show_run("", bridge)
        else:
            app.app.show_summary(bridge)
        await app.settle()


async def test_ten_lines_show_the_list_and_tab_the_pane(kit: Kit) -> None:
    async with kit.write().open(size=(40, 10)) as app:
        assert "silver.Customer" in app.text
        assert "procedure" not in app.text
        await app.press("tab")
        assert "procedure" in app.text
        await app.press("tab")
        assert "silver.Sales" in app.text
        await app.pilot.resize_terminal(120, 40)
        await app.settle()
        assert "silver.Sales" in app.text
        assert "procedure" in app.text


async def test_the_header_of_a_run_has_its_new_width_at_once(kit: Kit) -> None:
    async with kit.write().open(size=(120, 40)) as app:
        await app.started("a", "r")
        await app.done()
        await app.pilot.resize_terminal(200, 40)
        await app.pilot.pause()
        assert len(app.text.splitlines()[1].rstrip()) > 180, "the bar of the run"
