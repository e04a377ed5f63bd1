"""The app over small projects with scripted parts, and ways to look at its screen."""

from __future__ import annotations

import contextlib
import subprocess
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from textual.pilot import Pilot

from core.pipeline.ports import Parts
from core.pipeline.state import ItemPhase, RunState
from core.pipeline.wish import Wish
from core.project.settings import Settings
from tests.core.pipeline.fakes import FakeBench, ScriptedAuthor, fake_parts
from tests.core.pipeline.small_project import write_project
from tui.app import Proc2dbtApp

AT_THE_KEYBOARD = "Ada <ada@example.com>"


@dataclass
class Kit:
    """One project, and apps on it. ``scripts`` are what the author writes, by table."""

    root: Path
    tables: Sequence[str] = ("silver.Customer", "silver.Sales", "silver.Store")
    scripts: Mapping[str, Sequence[str]] = field(default_factory=dict)
    bench: FakeBench = field(default_factory=FakeBench)
    settings: Settings = field(default_factory=lambda: Settings(jobs=2))
    in_place: bool = True
    commit: bool = False

    def __post_init__(self) -> None:
        self.author = ScriptedAuthor(self.scripts)

    def write(self) -> Kit:
        """Put the project on disk."""
        write_project(self.root, self.tables)
        return self

    def with_git(self) -> Kit:
        """Make it a repository with one commit."""
        self.write()
        git(self.root, "init", "-q", "-b", "main")
        git(self.root, "config", "user.name", "Ada")
        git(self.root, "config", "user.email", "ada@example.com")
        git(self.root, "add", ".")
        git(self.root, "commit", "-q", "-m", "as extracted")
        return self

    def parts(self, _settings: Settings, _dbt: Path) -> Parts:
        """Scripted author, fake bench."""
        return fake_parts(self.author, self.bench)

    def app(self, **options: Any) -> Proc2dbtApp:
        """An app that asks without a deaf time."""
        wish = Wish(project=self.root, in_place=self.in_place, commit=self.commit)
        options.setdefault("previews", False)
        app = Proc2dbtApp(wish, self.settings, parts=self.parts, **options)
        app.deaf_seconds = 0.0
        return app

    @contextlib.asynccontextmanager
    async def open(
        self, *, size: tuple[int, int] = (120, 40), **options: Any
    ) -> AsyncIterator[Opened]:
        """The app, running, with the project read."""
        app = self.app(**options)
        async with app.run_test(size=size, notifications=True) as pilot:
            opened = Opened(app, pilot)
            await opened.until(lambda: app.session.view.complete)
            await opened.settle()
            yield opened
            await app.session.interrupt("the test is over")


@dataclass
class Opened:
    """A running app."""

    app: Proc2dbtApp
    pilot: Pilot[Any]

    async def until(self, condition: Callable[[], object], most: int = 2000) -> None:
        """Let the app go on until something holds."""
        for _ in range(most):
            if condition():
                return
            await self.pilot.pause(0.005)
        raise AssertionError("it never happened; the screen says:\n" + self.text)

    async def settle(self) -> None:
        """Until everything that was posted is painted."""
        await self.pilot.pause()
        await self.pilot.pause(0.01)

    async def press(self, *keys: str) -> None:
        """Press keys and let them do what they do."""
        await self.pilot.press(*keys)
        await self.settle()

    async def type(self, text: str) -> None:
        """Type words."""
        names = {" ": "space", ".": "full_stop", ":": "colon", "-": "minus"}
        await self.press(*(names.get(c, c) for c in text))

    async def shows(self, text: str) -> None:
        """Wait until the screen shows a text."""
        await self.until(lambda: text in self.text)

    @property
    def text(self) -> str:
        """The screen as lines of text."""
        return screen_text(self.app)

    @property
    def state(self) -> RunState:
        """The run."""
        bridge = self.app.session.bridge
        assert bridge is not None
        return bridge.state

    @property
    def name(self) -> str:
        """The class of the screen in front."""
        return type(self.app.screen).__name__

    async def started(self, *keys: str) -> None:
        """Press keys that start a run, and wait for its screen (a question may be over it)."""
        await self.press(*keys)
        await self.until(
            lambda: any(type(s).__name__ == "RunScreen" for s in self.app.screen_stack)
        )
        await self.settle()

    async def done(self) -> None:
        """Until every table is done and painted."""
        await self.until(lambda: all(i.phase is ItemPhase.DONE for i in self.state.items.values()))
        self.app.screen.repaint()  # type: ignore[attr-defined]
        await self.settle()

    def toasts(self) -> str:
        """What was told."""
        return "\n".join(n.message for n in self.app._notifications)


def screen_text(app: Proc2dbtApp) -> str:
    """What is on the screen, trimmed at the right."""
    strips = app.screen._compositor.render_strips()
    return "\n".join(strip.text.rstrip() for strip in strips)


def git(root: Path, *args: str) -> str:
    """Run git in a folder and return what it said."""
    done = subprocess.run(
        ["git", *args], cwd=root, check=True, capture_output=True, text=True, timeout=60
    )
    return done.stdout
