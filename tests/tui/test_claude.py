"""Claude in the app: asked about before anything is sent, paid for in sight, refused for good."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from core.claude.client import nothing_is_asked
from core.pipeline.claude_desk import ClaudeDesk
from core.pipeline.claude_use import ClaudeUse
from core.pipeline.ports import Parts
from core.pipeline.wish import Wish
from core.project.settings import ClaudeSettings, Settings
from tests.core.claude.answers import authored
from tests.core.claude.stub import Stub, good
from tests.tui.kit import Kit
from tui.app import Proc2dbtApp

CUSTOMER, SALES = "silver.customer", "silver.sales"
MODEL = "-- version 0\nselect 1 as id -- by Claude\n"


@pytest.fixture
def stub(monkeypatch: pytest.MonkeyPatch) -> Iterator[Stub]:
    monkeypatch.setenv("ANTHROPIC_API_KEY", "sk-ant-test-0123456789")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with Stub([good(authored(MODEL))]) as running:
        yield running


class ClaudeKit(Kit):
    """Claude, through a stub on loopback, writes the models; all else is scripted."""

    use = ClaudeUse()
    desks: list[ClaudeDesk]

    def towards(self, stub: Stub, **settings: object) -> ClaudeKit:
        self.desks = []
        self.settings = replace(
            Settings(author="claude", jobs=2, claude=ClaudeSettings(base_url=stub.url)),
            **settings,  # type: ignore[arg-type]
        )
        self.write()
        return self

    def parts(self, settings: Settings, dbt: Path) -> Parts:
        made = super().parts(settings, dbt)
        desk = ClaudeDesk(settings, dbt.parent, self.use)
        self.desks.append(desk)
        return replace(made, authors={"claude": desk.author}, claude=desk)


@pytest.fixture
def claude(tmp_path: Path) -> ClaudeKit:
    return ClaudeKit(tmp_path / "project")


async def test_consent_is_asked_once_by_itself_and_its_cost_is_shown(
    claude: ClaudeKit, stub: Stub
) -> None:
    async with claude.towards(stub, max_cost=20.0).open() as app:
        await app.started("a", "r")
        await app.shows(f"Send to {stub.host}?")
        assert app.name == "Question"
        assert "names, types, defaults and keys" in app.text
        assert "not live-tested" in app.text
        assert not stub.calls, "nothing before the answer"
        await app.press("y")
        await app.done()
        assert app.name == "RunScreen"
        assert app.state.totals.ok == 3, [i.reason for i in app.state.items.values()]
        assert len(stub.calls) == 3
        header = app.text.splitlines()[0]
        assert "tokens" in header
        assert "of $20.00" in header
        given = (claude.root / ".migration-runs/history/claude-consent.json").read_text()
        assert stub.host in given
    async with claude.towards(stub).open() as again:
        await again.press("a", "r")
        await again.shows("There is an unfinished run")
        await again.press("d")
        await again.until(lambda: again.name == "RunScreen")
        await again.done()
        assert again.state.consent_asked is None, "an agreement stays one"


async def test_an_unanswered_question_waits_and_can_be_asked_for(
    claude: ClaudeKit, stub: Stub
) -> None:
    async with claude.towards(stub).open() as app:
        await app.started("r")
        await app.shows("Send to")
        await app.press("escape")
        assert app.name == "RunScreen"
        assert "may texts be sent to" in app.text.splitlines()[0]
        await app.press("j", "k")
        assert app.name == "RunScreen", "it does not come back by itself"
        await app.press("S", "exclamation_mark")
        await app.shows("Send to")
        await app.press("y")
        await app.done()
        assert app.state.totals.ok == 1


async def test_a_refusal_sends_nothing_and_a_retry_asks_again(
    claude: ClaudeKit, stub: Stub
) -> None:
    async with claude.towards(stub).open() as app:
        await app.started("a", "r")
        await app.shows("Send to")
        await app.press("x")
        await app.done()
        assert app.state.totals.error == 3
        assert not stub.calls
        assert "Nobody agreed" in app.text
        await app.press("exclamation_mark")
        assert "Nobody asks" in app.toasts()
        await app.press("R")
        await app.shows("Retry silver.Customer")
        await app.press("f")
        await app.shows("Send to")
        await app.press("y")
        await app.until(lambda: app.state.items[CUSTOMER].status == "ok")
        assert app.state.totals.error == 2


async def test_an_agreement_of_the_command_line_is_not_asked_about(
    claude: ClaudeKit, stub: Stub
) -> None:
    claude.use = ClaudeUse(yes=True)
    async with claude.towards(stub).open() as app:
        await app.started("r")
        await app.done()
        assert app.state.totals.ok == 1
        assert app.name == "RunScreen"
        assert app.app.session.bridge is not None
        assert app.app.session.bridge.offered == 0, "no question was put to anybody"


async def test_the_connection_is_closed_with_the_run(claude: ClaudeKit, stub: Stub) -> None:
    claude.use = ClaudeUse(yes=True)
    closed: list[bool] = []
    async with claude.towards(stub).open() as app:
        await app.started("r")
        await app.done()
        (desk,) = claude.desks
        end = desk.aclose

        async def aclose() -> None:
            closed.append(True)
            await end()

        desk.aclose = aclose  # type: ignore[method-assign]
        await app.press("a")
        await app.press("C", "y")
        await app.until(lambda: app.state.finished)
        await app.until(lambda: closed)


async def test_the_command_line_reaches_the_real_parts(kit: Kit, tmp_path: Path) -> None:
    """``--yes`` and ``--replay`` are part of the wish, which real parts are made from."""
    use = ClaudeUse(yes=True, replay=tmp_path)
    kit.write()
    app = Proc2dbtApp(
        Wish(project=kit.root, in_place=True, claude=use), replace(kit.settings, jobs=1)
    )
    opener = app.session._opener()
    parts, pool = await opener._make_parts(kit.settings, kit.root / "dbt")
    try:
        assert isinstance(parts.claude, ClaudeDesk)
        assert parts.claude.claude._consent is nothing_is_asked, "a replay sends nothing"
        assert parts.claude.consent._agreed_by == "--yes"
    finally:
        assert pool is not None
        await parts.aclose()
