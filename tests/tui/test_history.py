"""History shows exactly what the run's screens showed: both are made from the same events."""

from __future__ import annotations

from tests.tui.kit import Kit
from tests.tui.streams import Stream, hostile

CUSTOMER, SALES = "silver.customer", "silver.sales"
TABS = "123456"


async def test_history_equals_what_was_shown_live(kit: Kit) -> None:
    kit.author.scripts = {CUSTOMER: ["red", "better"], SALES: ["refuse: a cursor"]}
    async with kit.write().open() as app:
        await app.started("a", "r")
        await app.done()
        await app.press("S", "A", "a", "y")
        await app.until(lambda: app.state.items["silver.store"].accepted)
        await app.press("C", "y")
        await app.until(lambda: app.state.finished)
        await app.press("w")
        await app.until(lambda: app.name == "RunScreen")
        app.app.clear_notifications()
        live = {}
        for tab in TABS:
            await app.press(tab, "g")
            for row in range(3):
                app.app.screen.repaint()  # type: ignore[attr-defined]
                await app.settle()
                live[tab, row] = app.text
                await app.press("j")
        assert len(set(live.values())) == 3 * len(TABS), "every tab of every row says its own"
    async with kit.open() as again:
        await again.press("h")
        await again.shows("✓ ")
        await again.press("enter")
        await again.until(lambda: again.name == "RunScreen")
        again.app.clear_notifications()
        await again.settle()
        for tab in TABS:
            await again.press(tab, "g")
            for row in range(3):
                await again.settle()
                assert again.text == live[tab, row]
                await again.press("j")
        await again.press("c")
        assert "This run is over" in again.toasts()


async def test_a_hostile_run_is_shown_literally_on_every_pane(kit: Kit) -> None:
    async with kit.write().open() as app:
        stream = Stream(kit.root / "hostile")
        hostile(stream)
        app.app.show_run("", stream.bridge("-- [dbo].[T] [/x] [b\n"))
        await app.settle()
        for tab in TABS:
            await app.press(tab)
            assert "[dbo].[T] [/x] [b" in app.text
        await app.press("S")
        assert app.text.count("[dbo].[T] [/x] [b") >= 3
