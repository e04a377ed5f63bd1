"""How a run of hundreds of items behaves: memory, time per item, and whether either grows.

    .venv/bin/python bench/pipeline_300.py [--copies 25] [--jobs 2] [--seconds S] [--keep DIR]

The demo's twelve ready tables are multiplied: each copy has schemas of its own (``silver07``) and
shares the sources. One headless run does them all with the real compiler and real dbt workers.
``--seconds`` is the setting ``equivalence.seconds``: most of an item's time is its comparison.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from core.demo import copy_demo  # noqa: E402
from core.pipeline.events import ItemFinished, StageFinished  # noqa: E402
from core.pipeline.journal import read_journal  # noqa: E402

SCHEMA = re.compile(r"\b(silver|gold)\b", re.IGNORECASE)
PARTS = ("catalog", "test-specs")


def multiply(project: Path, copies: int) -> None:
    """Add ``copies - 1`` renamed copies of the demo's targets to the project."""
    names = []
    for number in range(1, copies):
        renamed = rf"\g<1>{number:02d}"
        for kind in ("tables", "procedures", "views", "functions"):
            file = project / f"ddl/{kind}.sql"
            if file.exists() and number == 1:
                file.with_suffix(".once").write_bytes(file.read_bytes())
            once = file.with_suffix(".once")
            if once.exists():
                with file.open("a", encoding="utf-8") as stream:
                    text = once.read_text(encoding="utf-8-sig", errors="replace")
                    stream.write("\nGO\n" + SCHEMA.sub(renamed, text))
        for part in PARTS:
            for file in sorted((project / part).rglob("*.json")):
                if re.match(r"(silver|gold)\.", file.name):
                    target = file.with_name(SCHEMA.sub(renamed, file.name))
                    target.write_text(SCHEMA.sub(renamed, file.read_text()), encoding="utf-8")
                    if file.parent.name == "tables":
                        item = target.name.removesuffix(".json")
                        names.append(f'"{item}" = "stg_{item.replace(".", "_")}"')
    for once in (project / "ddl").glob("*.once"):
        once.unlink()
    lines = ["[model_names]", *names]
    (project / "proc2dbt.toml").write_text("\n".join(lines) + "\n", encoding="utf-8")


@dataclass(frozen=True)
class Sample:
    """The run at one moment: clock, MB of the main process, MB and CPU seconds of all of it."""

    at: float
    own_mb: float
    all_mb: float
    cpu: float


def sample(pid: int) -> Sample:
    """Resident memory of the process; proportional memory and CPU of it with its children."""
    pids, seen = [pid], set()
    total = cpu = 0.0
    while pids:
        one = pids.pop()
        if one in seen:
            continue
        seen.add(one)
        total += _field(Path(f"/proc/{one}/smaps_rollup"), "Pss:")
        cpu += _cpu(one)
        for task in Path(f"/proc/{one}/task").glob("*/children"):
            try:
                pids += [int(p) for p in task.read_text().split()]
            except OSError:
                continue
    return Sample(time.time(), _field(Path(f"/proc/{pid}/status"), "VmRSS:"), total, cpu)


def _cpu(pid: int) -> float:
    """User and system seconds of a process and of its children that have ended."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return sum(int(ticks) for ticks in fields[11:15]) / os.sysconf("SC_CLK_TCK")


def _field(file: Path, name: str) -> float:
    try:
        for line in file.read_text().splitlines():
            if line.startswith(name):
                return int(line.split()[1]) / 1024
    except OSError:
        pass
    return 0.0


def watch(process: subprocess.Popen[str], samples: list[Sample]) -> None:
    while process.poll() is None:
        samples.append(sample(process.pid))
        time.sleep(1)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--copies", type=int, default=25)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--seconds", type=float)
    parser.add_argument("--keep", type=Path)
    options = parser.parse_args()
    folder = options.keep or Path(tempfile.mkdtemp(prefix="proc2dbt-bench-"))
    project = folder / "project"
    copy_demo(project)
    multiply(project, options.copies)
    if options.seconds is not None:
        with (project / "proc2dbt.toml").open("a", encoding="utf-8") as settings:
            settings.write(f"\n[equivalence]\nseconds = {options.seconds}\n")
    command = [sys.executable, "-m", "tui", "--headless", "--in-place", "--all"]
    command += ["--jobs", str(options.jobs), "--project", str(project)]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    samples: list[Sample] = []
    watcher = threading.Thread(target=watch, args=(process, samples))
    begun = time.monotonic()
    watcher.start()
    printed, _ = process.communicate()
    watcher.join()
    report(project, printed, time.monotonic() - begun, samples)
    if options.keep is None:
        shutil.rmtree(folder)


def report(project: Path, printed: str, seconds: float, samples: list[Sample]) -> None:
    events = read_journal(project / ".migration-runs/events.ndjson").events
    items = [e for e in events if isinstance(e, ItemFinished) and e.seconds]
    stages = [e for e in events if isinstance(e, StageFinished)]
    size = (project / ".migration-runs/events.ndjson").stat().st_size
    print(printed.strip().splitlines()[-1].strip())
    print(f"{len(items)} items in {seconds:.0f} s: {60 * len(items) / seconds:.1f} per minute")
    for name, values in (
        ("seconds per item", [e.seconds for e in items]),
        *(
            (f"seconds per {stage}", [e.seconds for e in stages if e.stage == stage])
            for stage in ("generate", "test", "review", "equivalence")
        ),
    ):
        tenth = max(1, len(values) // 10)
        chunks = [values[i : i + tenth] for i in range(0, len(values), tenth)]
        medians = " ".join(f"{statistics.median(c):.1f}" for c in chunks)
        print(f"{name}, median of each tenth of the run: {medians}")
    print(f"CPU seconds per item, each tenth of the run: {cpu_per_item(items, samples)}")
    tenth = max(1, len(samples) // 10)
    own = " ".join(f"{samples[i].own_mb:.0f}" for i in range(0, len(samples), tenth))
    everything = " ".join(f"{samples[i].all_mb:.0f}" for i in range(0, len(samples), tenth))
    print(f"MB resident in the main process over the run: {own}")
    print(f"MB (proportional) with all workers over the run: {everything}")
    print(f"journal: {size / 1024:.0f} KB, {size / max(1, len(items)) / 1024:.1f} KB per item")
    print(json.dumps({"items": len(items), "seconds": round(seconds, 1)}))


def cpu_per_item(items: list[ItemFinished], samples: list[Sample]) -> str:
    """Unlike seconds, CPU seconds do not depend on what else the machine does."""
    ends = [datetime.fromisoformat(e.at).timestamp() for e in items]
    tenth = max(1, len(ends) // 10)
    shown, since = [], samples[0].cpu
    for first in range(0, len(ends) - tenth + 1, tenth):
        until = max((s.cpu for s in samples if s.at <= ends[first + tenth - 1]), default=since)
        shown.append(f"{(until - since) / tenth:.2f}")
        since = until
    return " ".join(shown)


if __name__ == "__main__":
    main()
