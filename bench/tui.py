"""How quick the app is: prints latency, first paint, filter time and memory growth.

Usage: python bench/tui.py [SECONDS]   (how long the loaded run is watched; default 10)

Eight items run with an author that emits progress as fast as the event loop takes it; a key is
pressed every 50 ms, and the clock stops when the screen that answers it is painted.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
import pty
import resource
import signal
import statistics
import struct
import sys
import tempfile
import termios
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from core.generation.author import Draft, Job, Refusal, Say  # noqa: E402
from core.pipeline import events as ev  # noqa: E402
from core.pipeline.ports import Parts  # noqa: E402
from core.pipeline.reducer import apply  # noqa: E402
from core.pipeline.wish import Wish  # noqa: E402
from core.project.settings import Settings  # noqa: E402
from tests.core.pipeline.fakes import FakeBench, FakeEquivalence, FakeReviewer  # noqa: E402
from tests.core.pipeline.small_project import write_project  # noqa: E402
from tui.app import Proc2dbtApp  # noqa: E402
from tui.bridge import Bridge  # noqa: E402
from tui.screens.run import RunScreen  # noqa: E402
from tui.screens.tables import TablesScreen  # noqa: E402
from tui.viewmodels.tables import TableInfo, visible  # noqa: E402


class FloodingAuthor:
    """Says something on every turn of the event loop, for ever."""

    name = "compiler"

    def __init__(self) -> None:
        self.said = 0

    async def draft(self, job: Job, say: Say) -> Draft | Refusal:
        while True:
            self.said += 1
            say(f"writing {self.said:,} characters")
            await asyncio.sleep(0)

    async def correct(self, job: Job, draft: Draft, failure: object, say: Say) -> Refusal:
        return Refusal("never asked")


async def loaded(folder: Path, seconds: float) -> None:
    """Key-to-screen latency under load."""
    tables = [f"silver.Table{n}" for n in range(8)]
    write_project(folder, tables)
    author = FloodingAuthor()
    parts = Parts({"compiler": author}, FakeBench(), FakeReviewer(), FakeEquivalence())
    app = Proc2dbtApp(
        Wish(project=folder, in_place=True), Settings(jobs=8), parts=lambda _s, _p: parts
    )
    async with app.run_test(size=(120, 40)) as pilot:
        while not (app.session.view.complete and _seen_ready(app) == len(tables)):
            await pilot.pause(0.05)
        await pilot.press("a", "r")
        while not (isinstance(app.screen, RunScreen) and author.said > 1000):  # noqa: ASYNC110
            await asyncio.sleep(0.05)
        rows = app.screen.rows
        assert len(rows.keys) == len(tables)
        painted = asyncio.Event()
        paint = rows.render_line

        def render_line(y: int) -> object:
            if y == rows.cursor - rows.scroll_offset.y:
                app.call_later(painted.set)
            return paint(y)

        rows.render_line = render_line  # type: ignore[method-assign,assignment]
        waits: list[float] = []
        work: list[float] = []
        before, memory, said = time.monotonic(), rss(), author.said
        while time.monotonic() < before + seconds:
            key = "j" if rows.cursor < 7 and len(waits) % 2 == 0 else "k"
            place = rows.cursor
            painted.clear()
            begun, cpu = time.perf_counter(), time.process_time()
            app.simulate_key(key)
            while rows.cursor == place or not painted.is_set():
                await asyncio.sleep(0)
                if time.perf_counter() - begun > 2:
                    break
            waits.append((time.perf_counter() - begun) * 1000)
            work.append((time.process_time() - cpu) * 1000)
            await asyncio.sleep(0.05)
        rate = (author.said - said) / (time.monotonic() - before)
        await app.session.interrupt("measured")
    print(f"key to screen, 8 items, {rate:,.0f} events/s, {len(waits)} keys (target p95 50 ms)")
    print(f"  on the clock:  {_percentiles(waits)}")
    print(
        f"  of CPU time:   {_percentiles(work)} (what it is on a machine with nothing else to do)"
    )
    print(f"memory during it: {rss() - memory:+.1f} MB")


def _seen_ready(app: Proc2dbtApp) -> int:
    """How many tables the first screen, not only the session, knows to be ready."""
    screen = app.screen
    return sum(t.ready for t in screen._infos.values()) if isinstance(screen, TablesScreen) else 0


def _percentiles(values: list[float]) -> str:
    ordered = sorted(values)
    p95 = ordered[int(len(ordered) * 0.95)]
    return f"p50 {statistics.median(ordered):.0f} ms, p95 {p95:.0f} ms"


def hour() -> None:
    """An hour of a run's events (one every 20 ms), simulated: memory must not grow."""
    bridge = Bridge(Path("/nonexistent"))
    tables = tuple(ev.RunTable(item_id=f"s.t{n}", table_ref=f"s.T{n}") for n in range(8))
    started = ev.RunStarted(tables=tables, author="x", jobs=8, version="1", command="")
    bridge.hear(started, apply(bridge.state, started))
    sizes = []
    for number in range(180_000):
        line = f"line {number}"
        event = ev.VerificationProgress(
            item_id=f"s.t{number % 8}", attempt=1, line=line, seq=number
        )
        bridge.hear(event, apply(bridge.state, event))
        if number in (20_000, 179_999):
            sizes.append(rss())
    print(f"memory over a simulated hour (180,000 events): {sizes[1] - sizes[0]:+.1f} MB")


def filtering() -> None:
    """A filter over 5,000 rows."""
    tables = [
        TableInfo(f"silver.t{n}", f"silver.T{n}", writer=f"silver.usp_{n}") for n in range(5000)
    ]
    for table in tables:
        _ = table.haystack  # made while the project is read, in a thread
    begun = time.perf_counter()
    visible(tables, "t4321")
    first = (time.perf_counter() - begun) * 1000
    begun = time.perf_counter()
    visible(tables, "t432", "status")
    second = (time.perf_counter() - begun) * 1000
    print(f"filter of 5,000 rows: first {first:.0f} ms, then {second:.0f} ms (target 100)")


def first_paint(folder: Path) -> None:
    """From the start of the command in a real terminal to the first screen, and to its tables.

    The best of five: what it takes on a machine with nothing else to do.
    """
    for name, sign, target in (
        ("first paint", b"Status", " (target 1000)"),
        ("tables read", b"8 ready", ""),
    ):
        wall, cpu = map(min, zip(*(_opened(folder, sign) for _ in range(5)), strict=True))
        print(f"{name}: {wall * 1000:.0f} ms{target}, of it {cpu * 1000:.0f} ms of CPU time")


def _opened(folder: Path, sign: bytes) -> tuple[float, float]:
    """Seconds until ``sign`` is on the screen, and seconds of CPU the app took for it."""
    begun = time.perf_counter()
    process, terminal = pty.fork()
    if process == 0:
        os.chdir(ROOT)
        os.environ |= {"TERM": "xterm-256color"}
        words = ["-m", "tui", "--project", str(folder), "--in-place"]
        os.execv(sys.executable, [sys.executable, *words])
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 120, 0, 0))
    seen = b""
    while sign not in seen and time.perf_counter() < begun + 30:
        seen += os.read(terminal, 65536)
    took = time.perf_counter() - begun
    os.kill(process, signal.SIGKILL)
    _, _, used = os.wait4(process, 0)
    os.close(terminal)
    return took, used.ru_utime + used.ru_stime


def rss() -> float:
    """Resident memory in MB; the peak where the system does not tell the present one."""
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
        return pages * resource.getpagesize() / 1e6
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3


if __name__ == "__main__":
    length = float(sys.argv[1]) if len(sys.argv) > 1 else 10.0
    with tempfile.TemporaryDirectory() as scratch:
        asyncio.run(loaded(Path(scratch) / "project", length))
        first_paint(Path(scratch) / "project")
    filtering()
    hour()
