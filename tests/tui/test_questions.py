"""Questions are deaf at first, so that nobody approves by typing ahead."""

from __future__ import annotations

from tests.tui.kit import Kit
from tui.screens.question import Answer, Question
from tui.text import line
from tui.viewmodels.document import Lines


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


async def test_the_answers_are_in_sight_on_24_lines_however_long_the_text(kit: Kit) -> None:
    long = Lines("long", [line(f"line {number}") for number in range(200)])
    for most in (2, 9):
        answers = [Answer(str(n), f"answer {n}", str(n)) for n in range(1, most + 1)]
        async with kit.write().open(size=(80, 24)) as app:
            app.app.push_screen(Question("Which?", long, answers))
            await app.shows(f"answer {most}")
            assert "not now" in app.text
            assert "Which?" in app.text
            assert "line 0" in app.text
