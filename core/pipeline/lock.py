"""The lock of a working place: one run at a time writes to ``.migration-runs/``.

``lock`` names the owner (process id, host, when the process started). An owner that is gone from
this machine is a dead one and its lock is taken over; an owner on another machine cannot be asked,
so it counts as living. Where the system has ``flock``, the owner also holds one on the folder: it
settles the race of two that find the same dead lock at once, and it survives clearing the folder.
"""

from __future__ import annotations

import contextlib
import json
import os
import socket
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.project.codes import Code, ProjectError
from core.project.files import read_text, write_text

FILE = "lock"


@dataclass(frozen=True)
class LockOwner:
    """Who holds a lock. ``started`` tells a process from a later one with the same id."""

    pid: int
    host: str
    started: str = ""

    @property
    def alive(self) -> bool:
        """Whether the owner may still be running."""
        if self.host != socket.gethostname():
            return True
        if not _exists(self.pid):
            return False
        now = _started(self.pid)
        return not (self.started and now) or self.started == now


class RunLock:
    """The lock in one ``.migration-runs/`` folder."""

    def __init__(self, runs: Path) -> None:
        self._runs = runs
        self._folder: int | None = None
        self._held = False

    def acquire(self) -> LockOwner | None:
        """Take the lock; returns the dead owner it was taken over from, if any.

        Raises:
            ProjectError: ``RUN_LOCKED``; a living owner holds it.
        """
        self._runs.mkdir(parents=True, exist_ok=True)
        previous = read_owner(self._runs)
        mine = previous == _me()
        if previous is not None and not mine and previous.alive:
            raise _locked(self._runs, previous)
        if not self._lock_folder():
            raise _locked(self._runs, read_owner(self._runs))
        self.renew()
        return previous if previous is not None and not mine else None

    def renew(self) -> None:
        """Write the lock file (again): clearing the folder for a new run removes it."""
        me = _me()
        document = {"pid": me.pid, "host": me.host, "started": me.started}
        write_text(self._runs / FILE, json.dumps(document) + "\n")
        self._held = True

    def release(self) -> None:
        """Give the lock up; a lock that is not ours any more is left alone."""
        if self._held and read_owner(self._runs) == _me():
            with contextlib.suppress(OSError):
                (self._runs / FILE).unlink()
        self._held = False
        if self._folder is not None:
            os.close(self._folder)
            self._folder = None

    def _lock_folder(self) -> bool:
        """Lock the folder itself where that is possible; ``False`` when somebody else has it."""
        if self._folder is not None or sys.platform == "win32":
            return True
        import fcntl

        try:
            folder = os.open(self._runs, os.O_RDONLY)
        except OSError:
            return True
        try:
            fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(folder)
            return False
        except OSError:  # a file system without locks: the lock file has to do
            os.close(folder)
            return True
        self._folder = folder
        return True


def read_owner(runs: Path) -> LockOwner | None:
    """The owner the lock file names; ``None`` when there is none or it is unreadable."""
    try:
        found: Any = json.loads(read_text(runs / FILE))
        return LockOwner(int(found["pid"]), str(found["host"]), str(found.get("started", "")))
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def require_unlocked(runs: Path) -> None:
    """Raise ``RUN_LOCKED`` when a living run holds the folder. Reads only."""
    owner = read_owner(runs)
    if owner is not None and owner != _me() and owner.alive:
        raise _locked(runs, owner)


def _locked(runs: Path, owner: LockOwner | None) -> ProjectError:
    who = f"process {owner.pid} on {owner.host}" if owner is not None else "another process"
    return ProjectError.of(
        Code.RUN_LOCKED,
        f"A run is going on in {runs.parent} ({who}); wait for it, or stop it, or delete "
        f"{runs / FILE} if that process is no longer there.",
        file=str(runs / FILE),
    )


def _me() -> LockOwner:
    pid = os.getpid()
    return LockOwner(pid, socket.gethostname(), _started(pid))


def _exists(pid: int) -> bool:
    if pid <= 0:
        return False
    if sys.platform == "win32":
        return True
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return _state(pid) != "Z"


def _stat_fields(pid: int) -> list[str]:
    """The fields of ``/proc/<pid>/stat`` after the command name; empty where there is no /proc.

    https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html: state is the first of them, the
    start time (in clock ticks since boot) the twentieth.
    """
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return []
    return text.rpartition(")")[2].split()


def _state(pid: int) -> str:
    fields = _stat_fields(pid)
    return fields[0] if fields else ""


def _started(pid: int) -> str:
    fields = _stat_fields(pid)
    return fields[19] if len(fields) > 19 else ""
