"""Make ``docs/images/app.svg`` for the README: the demo, really run, at its most telling moment.

Usage: python scripts/picture.py [FILE]
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from core.dbt.pool import WorkerPool  # noqa: E402
from core.demo import copy_demo  # noqa: E402
from core.pipeline.state import ItemPhase  # noqa: E402
from core.pipeline.wish import Wish, settings_for  # noqa: E402
from tui.app import Proc2dbtApp  # noqa: E402
from tui.screens.run import RunScreen  # noqa: E402

SIZE = (132, 34)
SHOWN = "silver.dimcustomer"
"""A MERGE on the business key: its model is worth looking at beside its procedure."""


async def take(file: Path) -> None:
    """Run the demo and keep the picture from when most of it is done."""
    with tempfile.TemporaryDirectory() as folder:
        project = Path(folder) / "retail"
        copy_demo(project)
        wish = Wish(project=project, in_place=True)
        app = Proc2dbtApp(wish, settings_for(wish))
        async with app.run_test(size=SIZE) as pilot:
            while not app.session.view.complete:
                await pilot.pause(0.1)
            await pilot.press("a", "r")
            while not isinstance(app.screen, RunScreen):
                await pilot.pause(0.1)
            bridge = app.session.bridge
            assert bridge is not None
            while not _telling(bridge.state.items.values()):
                await pilot.pause(0.1)
            app.screen.rows.go_to(SHOWN)
            await pilot.press("2", *["right_parenthesis"] * 3)
            await pilot.pause(0.3)
            app.clear_notifications()
            await pilot.pause(0.3)
            file.parent.mkdir(parents=True, exist_ok=True)
            svg = app.export_screenshot(title="proc2dbt")
            file.write_text(svg, encoding="utf-8")  # noqa: ASYNC240
            await app.session.interrupt("the picture is taken")


def _telling(items: object) -> bool:
    """Whether the shown table is done and others are still under way."""
    states = {i.item_id: i for i in items}  # type: ignore[attr-defined]
    done = sum(i.phase is ItemPhase.DONE for i in states.values())
    return states[SHOWN].phase is ItemPhase.DONE and done >= min(7, len(states))


if __name__ == "__main__":
    WorkerPool(1).start_early()
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "docs/images/app.svg"
    asyncio.run(take(target))
    print(target)
