"""Questions are deaf at first, so that nobody approves by typing ahead."""

from __future__ import annotations

from tests.tui.kit import Kit


async def test_a_question_ignores_keys_for_its_deaf_time(kit: Kit) -> None:
    async with kit.write().open() as app:
        await app.started("a", "r")
        await app.done()
        app.app.deaf_seconds = 3600.0
        await app.press("A", "a")
        await app.shows("Approve 3 tables?")
        await app.press("y", "escape")
        assert app.name == "Question"
        assert not any(i.accepted for i in app.state.items.values())
        app.app.screen._hears_from = 0.0  # type: ignore[attr-defined]
        await app.press("y")
        await app.until(lambda: all(i.accepted for i in app.state.items.values()))


async def test_words_ignore_keys_for_their_deaf_time(kit: Kit) -> None:
    async with kit.write().open() as app:
        await app.started("r")
        await app.done()
        app.app.deaf_seconds = 3600.0
        await app.press("v")
        await app.shows("Revise")
        await app.type("typed ahead")
        await app.press("enter")
        assert app.name == "Words"
        assert "typed ahead" not in app.text
