"""The app killed with ``kill -9`` in the middle of a run, opened again, and the run taken up."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

from tests.tui.kit import Kit

ROOT = Path(__file__).parent.parent.parent
VICTIM = """
import asyncio, os, signal, sys
from pathlib import Path
from core.project.settings import Settings
from tests.tui.kit import Kit

kit = Kit(Path(sys.argv[1]), settings=Settings(jobs=1))
draft = kit.author.draft

async def die_in_the_second(job, say):
    if len(kit.author.jobs) == 1:
        os.kill(os.getpid(), signal.SIGKILL)
    return await draft(job, say)

kit.author.draft = die_in_the_second

async def main():
    async with kit.open() as app:
        await app.started("a", "r")
        await app.done()

asyncio.run(main())
"""


def run_until_killed(root: Path) -> None:
    """The app in a process of its own, which dies while the second table is written."""
    done = subprocess.run(
        [sys.executable, "-c", VICTIM, str(root)], cwd=ROOT, capture_output=True, timeout=300
    )
    assert done.returncode == -signal.SIGKILL, done.stderr.decode()[-2000:]


async def test_kill_9_and_resume(kit: Kit) -> None:
    kit.with_git()
    run_until_killed(kit.root)
    async with kit.open() as app:
        assert "unfinished run" in app.text
        await app.press("h")
        await app.shows("! unfinished")
        await app.press("R")
        await app.until(lambda: app.name == "RunScreen")
        await app.done()
        assert app.state.totals.ok == 3
        assert app.state.takeovers == 1
        assert len(kit.author.jobs) == 2, "the table that was done is not done again"
