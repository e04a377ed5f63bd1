"""The pool: deadlines, dead workers, cancelling, the environment of workers, start methods."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Event
from typing import ClassVar

from core.dbt.outcome import Phase, Progress
from core.dbt.pool import WorkerPool
from core.dbt.sample import sample_request
from core.dbt.verify import VerifyRequest
from core.project.codes import Code
from tests.core.dbt.items import build_item, shop_sql


def endless(tmp_path: Path, deadline_s: float) -> VerifyRequest:
    """A model that no guard can tell from an honest one, and that does not end."""
    sql = shop_sql(1, "table").replace(
        "select * from final",
        "select final.* from final, range(100000000) as a, range(1000000) as b",
    )
    return build_item(tmp_path, 1, "table", sql=sql, deadline_s=deadline_s).request


async def test_an_endless_query_ends_at_its_deadline_and_the_next_item_is_fine(
    pool: WorkerPool, tmp_path: Path
) -> None:
    found = await pool.verify(endless(tmp_path / "a", 3.0), lambda line: None)
    assert found.lost_code == "DEADLINE_EXCEEDED"
    assert "3 seconds" in found.lost
    assert not found.tests_passed
    good = build_item(tmp_path / "b", 2, "table").request
    assert (await pool.verify(good, lambda line: None)).tests_passed


async def test_a_killed_worker_loses_nothing(pool: WorkerPool, tmp_path: Path) -> None:
    item = build_item(tmp_path, 3, "merge").request
    begun = asyncio.Event()
    task = asyncio.create_task(pool.verify(item, lambda line: begun.set()))
    await begun.wait()
    pool._running[0].worker.process.kill()
    found = await task
    assert found.lost == ""
    assert found.tests_passed


async def test_cancelling_stops_an_item_at_once(pool: WorkerPool, tmp_path: Path) -> None:
    begun = asyncio.Event()
    item = endless(tmp_path, 60.0)
    task = asyncio.create_task(pool.verify(item, lambda line: begun.set()))
    await begun.wait()
    pool.cancel(item.item_id)
    assert (await task).lost_code == "CANCELLED"


async def test_more_requests_than_workers_all_get_their_answer(
    pool: WorkerPool, tmp_path: Path
) -> None:
    requests = [build_item(tmp_path / str(n), n, "append").request for n in range(20, 25)]
    found = await asyncio.gather(*(pool.verify(r, lambda line: None) for r in requests))
    assert [f.phase for f in found] == [Phase.DONE] * 5


async def test_a_pool_can_be_resized_and_closed_while_it_works(tmp_path: Path) -> None:
    small = WorkerPool(jobs=1)
    begun = asyncio.Event()
    task = asyncio.create_task(small.verify(endless(tmp_path, 60.0), lambda line: begun.set()))
    await begun.wait()
    small.resize(2)
    await small.aclose()
    assert (await task).lost_code == "CANCELLED"


async def test_spawned_workers_behave_the_same(tmp_path: Path) -> None:
    """Where there is no forkserver (Windows): slower to start, the same answers."""
    spawned = WorkerPool(jobs=1, start_method="spawn")
    spawned.start_early()
    try:
        good = await spawned.verify(build_item(tmp_path, 4, "merge").request, lambda line: None)
        assert good.tests_passed
        lost = await spawned.verify(endless(tmp_path, 3.0), lambda line: None)
        assert lost.lost_code == "DEADLINE_EXCEEDED"
    finally:
        await spawned.aclose()


_SECRETS = """
import asyncio, os, sys
from core.dbt.pool import WorkerPool
from core.dbt.sample import sample_request
from datetime import datetime

async def main():
    pool = WorkerPool(1)
    pool.start_early()
    await pool.verify(sample_request(datetime(2024, 1, 1)), lambda line: None)
    pid = pool._idle[0].process.pid
    seen = open(f"/proc/{pid}/environ", "rb").read()
    print(b"hunter2" in seen, os.environ["DB_PASSWORD"])
    await pool.aclose()

if __name__ == "__main__":
    asyncio.run(main())
"""


def test_workers_do_not_see_our_environment_and_leave_nothing_behind(tmp_path: Path) -> None:
    """Neither in their variables nor in what the system shows of their start."""
    script = tmp_path / "script.py"
    script.write_text(_SECRETS)
    root = str(Path(__file__).parents[3])
    done = subprocess.run(
        [sys.executable, str(script)],
        env={
            "PATH": "/usr/bin:/bin",
            "HOME": str(tmp_path),
            "TMPDIR": str(tmp_path),
            "DB_PASSWORD": "hunter2",
            "PYTHONPATH": root,
        },
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.stdout.split() == ["False", "hunter2"], done.stderr
    assert done.stderr == ""
    assert not list(tmp_path.glob("proc2dbt-*"))


_IN_AN_APP = """
import sys
from datetime import datetime
from textual.app import App
from core.dbt.pool import WorkerPool
from core.dbt.sample import sample_request

class Screen(App):
    async def on_mount(self):
        found = []
        for pool in (early, early, WorkerPool(1, "spawn")):
            done = await pool.verify(sample_request(datetime(2024, 1, 1)), lambda line: None)
            found.append(done.phase.value + done.lost)
            for worker in list(pool._idle):
                worker.process.kill()
        await early.aclose()
        self.exit(found)

if __name__ == "__main__":
    early = WorkerPool(1)
    early.start_early()
    print(Screen().run(headless=True))
"""


def test_workers_start_and_restart_inside_a_running_textual_app(tmp_path: Path) -> None:
    script = tmp_path / "app.py"
    script.write_text(_IN_AN_APP)
    root = str(Path(__file__).parents[3])
    done = subprocess.run(
        [sys.executable, str(script)],
        env={"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), "PYTHONPATH": root, "TERM": "xterm"},
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )
    assert "['done', 'done', 'done']" in done.stdout, done.stderr


def test_importing_the_pool_does_not_import_dbt() -> None:
    code = (
        "import sys, core.dbt.pool, core.dbt.facts, core.dbt.artifacts; print('dbt' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout.strip() == "False"


async def test_a_request_is_answered_by_the_sample_item(pool: WorkerPool) -> None:
    from datetime import datetime

    request = replace(sample_request(datetime(2024, 1, 1)), replay=False)
    assert (await pool.verify(request, lambda line: None)).phase is Phase.DONE


@dataclass(frozen=True)
class Broken:
    """A task with a defect of ours."""

    doing: ClassVar[str] = "comparison"
    item_id: str = "silver.broken"

    def run(self, folder: Path, progress: Progress) -> None:
        raise ValueError("never thought of")


async def test_a_defect_of_ours_is_named_as_one_with_the_work_it_hit(pool: WorkerPool) -> None:
    lost = await pool.run_task(Broken(), 30.0, lambda line: None)
    assert lost.code is Code.GENERATION_FAILED
    assert lost.reason.startswith("The comparison itself failed (ValueError: never thought of)")


@dataclass(frozen=True)
class Endless:
    """A task that does not end."""

    doing: ClassVar[str] = "review"
    item_id: str = "silver.endless"

    def run(self, folder: Path, progress: Progress) -> None:
        Event().wait()


async def test_a_deadline_names_the_work_that_did_not_finish(pool: WorkerPool) -> None:
    lost = await pool.run_task(Endless(), 0.2, lambda line: None)
    assert lost.code is Code.DEADLINE_EXCEEDED
    assert lost.reason == "The review did not finish within 0.2 seconds."
