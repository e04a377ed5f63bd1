"""The runs that are kept: what History and ``status`` read, and what a new run clears.

A run's files live in ``.migration-runs/`` below the project it writes to. Before they are
cleared, and when the run ends, they are copied to ``<git common dir>/proc2dbt/runs/<run_id>/``,
which all worktrees share and which outlives them. Without a repository the copies are in
``.migration-runs/history/``.
"""

from __future__ import annotations

import json
import re
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from core.git.repository import Repository, not_ready, writing
from core.project.files import read_text, write_text

RUNS = ".migration-runs"
COMMAND = "generate-model"
KEPT_RUNS = 50
"""How many finished or cleared runs are kept, unless the setting says otherwise."""

_SURVIVES_CLEARING = frozenset({"written.json", "history"})
_RUN_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")


class RunMeta(BaseModel):
    """``meta.json``: which run the folder belongs to."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    command: str = COMMAND
    run_id: str
    tables: tuple[str, ...]
    worktree: str
    """Absolute path of the working tree the run writes to."""
    started_at: str
    """ISO 8601, UTC."""
    version: str

    def is_for(self, tables: Sequence[str]) -> bool:
        """Whether the run was for exactly these tables, in any order and case."""
        return {t.lower() for t in self.tables} == {t.lower() for t in tables}


@dataclass(frozen=True)
class RunFolder:
    """A ``.migration-runs/`` (or a kept copy of one) with a readable ``meta.json``."""

    path: Path
    meta: RunMeta
    finished: bool
    """Whether the run wrote its ``summary.json``, which is the last thing a run does."""


def read_run(folder: Path) -> RunFolder | None:
    """The run in a folder; ``None`` when there is none, or its ``meta.json`` is not ours."""
    try:
        meta = RunMeta.model_validate(json.loads(read_text(folder / "meta.json")))
    except (OSError, ValueError, ValidationError):
        return None
    if meta.command != COMMAND or not _RUN_ID.fullmatch(meta.run_id):
        return None
    return RunFolder(folder, meta, finished=(folder / "summary.json").is_file())


def history_folder(repository: Repository | None, runs: Path) -> Path:
    """Where the copies of runs are kept; ``runs`` is the ``.migration-runs/`` of the project."""
    if repository is None:
        return runs / "history"
    return repository.common_dir / "proc2dbt" / "runs"


def kept_runs(history: Path) -> tuple[RunFolder, ...]:
    """Every kept run, the latest first."""
    if not history.is_dir():
        return ()
    found = (read_run(folder) for folder in history.iterdir() if folder.is_dir())
    return tuple(
        sorted(
            (run for run in found if run is not None),
            key=lambda run: (run.meta.started_at, run.meta.run_id),
            reverse=True,
        )
    )


def keep_run(runs: Path, history: Path, keep: int = KEPT_RUNS) -> Path | None:
    """Copy the run in ``runs`` to the history, replacing an earlier copy of the same run.

    The copy appears whole or not at all; the oldest beyond ``keep`` are removed. Returns the
    copy, or ``None`` when ``runs`` holds no run.
    """
    run = read_run(runs)
    if run is None:
        return None
    with writing(history):
        target = _copied(runs, history, run.meta.run_id)
    _forget_oldest(history, keep, spare=target)
    return target


def _copied(runs: Path, history: Path, run_id: str) -> Path:
    history.mkdir(parents=True, exist_ok=True)
    target = history / run_id
    staging = Path(tempfile.mkdtemp(prefix=".copying-", dir=history))
    try:
        copied = staging / "run"
        shutil.copytree(runs, copied, symlinks=True, ignore=_not_copied)
        if target.exists():
            target.rename(staging / "replaced")
        copied.rename(target)
    finally:
        shutil.rmtree(staging, ignore_errors=True)
    return target


def clear_runs(runs: Path) -> None:
    """Empty ``.migration-runs/`` for a new run; what ours last wrote to models is remembered."""
    require_real_folder(runs)
    if not runs.is_dir():
        return
    with writing(runs):
        for child in runs.iterdir():
            if child.name in _SURVIVES_CLEARING:
                continue
            if child.is_dir() and not child.is_symlink():
                shutil.rmtree(child)
            else:
                child.unlink()


def write_meta(runs: Path, meta: RunMeta) -> None:
    """Write ``meta.json``, and the ``.gitignore`` by which the folder ignores itself."""
    require_real_folder(runs)
    ignore_itself(runs)
    with writing(runs):
        write_text(runs / "meta.json", json.dumps(meta.model_dump(), indent=2) + "\n")


def ignore_itself(runs: Path) -> None:
    """Make git ignore the folder and all in it, this file included."""
    require_real_folder(runs)
    marker = runs / ".gitignore"
    with writing(marker):
        if not marker.is_file() or read_text(marker) != "*\n":
            write_text(marker, "*\n")


def require_real_folder(runs: Path) -> None:
    """Refuse a link in place of the folder: clearing it would empty something else.

    Raises:
        ProjectError: ``GIT_NOT_READY``.
    """
    if runs.is_symlink() or (runs.exists() and not runs.is_dir()):
        raise not_ready(f"{runs} is a link or a file, not a folder; remove it and run again.")


def _not_copied(folder: str, names: list[str]) -> set[str]:
    """The lock belongs to the running process; ``history`` would hold itself."""
    return {name for name in names if name in ("lock", "history") or name.endswith(".tmp")}


def _forget_oldest(history: Path, keep: int, spare: Path) -> None:
    for run in kept_runs(history)[max(keep, 1) :]:
        if run.path != spare:
            shutil.rmtree(run.path, ignore_errors=True)
