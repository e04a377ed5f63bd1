"""A run that is killed at any moment and taken up again ends as if nothing had happened."""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import random
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import core.pipeline.journal
import core.project.files
from core.pipeline.closing import Closing, close_run
from core.pipeline.journal import read_journal
from core.pipeline.open import Invocation, OpenRun, find_resumable, take_up
from core.pipeline.plan import plan_run
from core.pipeline.reducer import replay
from core.project.project import MigrationProject
from core.project.settings import Settings
from tests.core.pipeline.conftest import Runs, ticking_clock
from tests.core.pipeline.fakes import ScriptedAuthor, fake_parts
from tests.core.pipeline.small_project import write_project

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")

TABLES = [f"silver.T{n}" for n in range(12)]
ITEMS = tuple(name.lower() for name in TABLES)
SCRIPTS = {
    "silver.t0": ["red 0", "red 1", "good"],
    "silver.t1": ["red 0", "red 1", "red 2", "red 3"],
    "silver.t2": ["sloppy", "good"],
    "silver.t3": ["sloppy 0", "sloppy 1"],
    "silver.t4": ["gap", "good"],
    "silver.t5": ["gap 0", "gap 1"],
    "silver.t6": ["refuse: a cursor"],
    "silver.t7": ["unsafe", "good"],
    "silver.t8": ["broken", "warned"],
}
READS = {"silver.T9": ["silver.T0"], "silver.T10": ["silver.T5"]}
SETTINGS = Settings(author="scripted", jobs=4)


async def finish(run: OpenRun) -> None:
    await run.controller.idle()
    run.controller.decide_headless()
    await close_run(run.controller, Closing())
    run.release()


def run_all(root: Path) -> None:
    async def go() -> None:
        runs = Runs(root)
        run = runs.start(SCRIPTS, tables=ITEMS, jobs=4)
        await finish(run)

    asyncio.run(go())


def resume(root: Path) -> None:
    async def go() -> None:
        found = find_resumable(root)
        project = MigrationProject.open(root)
        started = found.state.started
        existing = started.existing_models if started is not None else None
        plan = plan_run(project, found.item_ids, SETTINGS, existing_models=existing)
        invocation = Invocation("proc2dbt --headless", "Ada <ada@example.com>")
        parts = fake_parts(ScriptedAuthor(SCRIPTS))
        await finish(take_up(found, plan, parts, root, ticking_clock(), invocation))

    asyncio.run(go())


class Executioner:
    """Kills the process at its n-th effect on the disk: before, in the middle of, or after it."""

    def __init__(self, at: int, how: str) -> None:
        self.at, self.how, self.count, self._numbers = at, how, 0, itertools.count(1)

    def due(self, number: int, how: str) -> bool:
        """Whether the effect of this number (each has its own: threads write too) is the one."""
        return number == self.at and self.how == how

    def kill(self) -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    def watch(self) -> None:
        append = core.pipeline.journal.Journal.append
        write: Callable[[Path, bytes], None] = core.project.files.write_bytes

        def watched_append(journal: Any, event: Any) -> None:
            number = self.count = next(self._numbers)
            if self.due(number, "before"):
                self.kill()
            if self.due(number, "middle"):
                journal._stream.write(b'{"type":"item_finished","item_id":"silv')
                self.kill()
            append(journal, event)
            if self.due(number, "after"):
                self.kill()

        def watched_write(path: Path, data: bytes) -> None:
            number = self.count = next(self._numbers)
            if self.due(number, "before"):
                self.kill()
            if self.due(number, "middle"):
                path.parent.mkdir(parents=True, exist_ok=True)
                (path.parent / f".{path.name}.half.tmp").write_bytes(data[: len(data) // 2])
                self.kill()
            write(path, data)
            if self.due(number, "after"):
                self.kill()

        core.pipeline.journal.Journal.append = watched_append  # type: ignore[method-assign]
        for module in list(sys.modules.values()):
            if getattr(module, "write_bytes", None) is write:
                module.write_bytes = watched_write  # type: ignore[attr-defined]


def in_a_process(work: Callable[[], None]) -> int:
    """Run ``work`` in a forked process; its exit status, or minus the signal that killed it."""
    child = os.fork()
    if child == 0:
        try:
            work()
        except BaseException:
            import traceback

            traceback.print_exc()
            os._exit(3)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status)


def outcome(root: Path) -> dict[str, object]:
    """Everything a run leaves that must not depend on when it was killed."""
    runs = root / ".migration-runs"
    found: dict[str, object] = {}
    for file in sorted((root / "dbt").rglob("*")):
        if file.is_file():
            found[str(file.relative_to(root))] = file.read_text()
    for file in sorted((runs / "attempts").rglob("*")):
        if file.is_file():
            found[str(file.relative_to(root))] = file.read_text()
    for item_id in ITEMS:
        document = json.loads((runs / f"{item_id}.json").read_text())
        decision = document["output"]["decision"]
        if decision is not None:
            decision["at"] = ""
        found[item_id] = document
    found["summary"] = json.loads((runs / "summary.json").read_text())
    return found


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, object], int]:
    """What an undisturbed run leaves, and how many effects on the disk it has."""
    root = tmp_path_factory.mktemp("undisturbed") / "project"
    write_project(root, TABLES, READS)
    counter = root / "count"

    def work() -> None:
        executioner = Executioner(-1, "never")
        executioner.watch()
        run_all(root)
        counter.write_text(str(executioner.count))

    assert in_a_process(work) == 0
    effects = int(counter.read_text())
    counter.unlink()
    return outcome(root), effects


@pytest.mark.parametrize("seed", range(25))
def test_killed_and_resumed(
    seed: int, tmp_path: Path, undisturbed: tuple[dict[str, object], int]
) -> None:
    wanted, effects = undisturbed
    rng = random.Random(seed)
    root = tmp_path / "project"
    write_project(root, TABLES, READS)

    def killed() -> None:
        Executioner(rng.randrange(3, effects), rng.choice(["before", "middle", "after"])).watch()
        run_all(root)

    assert in_a_process(killed) == -signal.SIGKILL
    if not (root / ".migration-runs/meta.json").exists():
        assert in_a_process(lambda: run_all(root)) == 0
    else:
        assert in_a_process(lambda: resume(root)) == 0
    assert outcome(root) == wanted
    assert not list(root.rglob(".*.tmp")), "nothing half-written is left"


def test_a_run_killed_again_and_again(
    tmp_path: Path, undisturbed: tuple[dict[str, object], int]
) -> None:
    wanted, effects = undisturbed
    root = tmp_path / "project"
    write_project(root, TABLES, READS)
    life = effects // 3  # long enough for the items at work at once to finish one of them

    def die(work: Callable[[Path], None]) -> Callable[[], None]:
        def killed() -> None:
            Executioner(life, "after").watch()
            work(root)

        return killed

    assert in_a_process(die(run_all)) == -signal.SIGKILL
    deaths = 0
    while in_a_process(die(resume)) != 0:
        deaths += 1
        assert deaths < 40, "every resume must get further"
    assert deaths > 2
    assert outcome(root) == wanted


def test_a_finished_run_is_rebuilt_from_its_journal_alone(
    tmp_path: Path, undisturbed: tuple[dict[str, object], int]
) -> None:
    root = tmp_path / "project"
    write_project(root, TABLES, READS)
    live: list[Any] = []

    async def go() -> None:
        run = Runs(root).start(SCRIPTS, tables=ITEMS, jobs=4)
        await finish(run)
        live.append(run.controller.state)

    asyncio.run(go())
    rebuilt = replay(read_journal(root / ".migration-runs/events.ndjson").events)
    assert rebuilt == live[0]
    assert rebuilt.finished
