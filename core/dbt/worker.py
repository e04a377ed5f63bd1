"""A worker process: takes requests from a pipe, answers with progress lines and one result."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.dbt.worker_preload import WORK_ENV, clean_environment, silence, warm_up

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

MEMORY_LIMIT = 6 * 1024**3
"""Bytes of address space beyond what the process has mapped when it starts."""

_FILE_SIZE_LIMIT = 256 * 1024**2
_OPEN_FILES_LIMIT = 512


def main(pipe: Connection, work: str, parent: int) -> None:
    """Serve until the pipe closes. Messages: ``(operation, request)`` in; out ``("ready",)``,
    ``("progress", line)``, then ``("done", value)`` or ``("failed", message)``."""
    silence()
    environment = {**clean_environment(), WORK_ENV: work}
    os.environ.clear()
    os.environ.update(environment)
    if "fork" in multiprocessing.get_all_start_methods():
        # dbt's locks then have no name that a killed worker would leave behind.
        multiprocessing.set_start_method("fork", force=True)
    _die_with(parent)
    base = warm_up()
    limit_resources()
    folder = Path(work) / f"worker-{os.getpid()}"
    from core.dbt.miniproject import copy_base

    copy_base(base, folder)
    os.chdir(folder)
    with contextlib.suppress(EOFError, OSError):
        pipe.send(("ready",))
        while True:
            operation, request = pipe.recv()
            _answer(pipe, folder, operation, request)
    shutil.rmtree(folder, ignore_errors=True)


def _answer(pipe: Connection, folder: Path, operation: str, request: Any) -> None:
    def progress(line: str) -> None:
        pipe.send(("progress", line))

    try:
        value = _operations()[operation](folder, request, progress)
    except OSError:
        raise
    except Exception as error:  # any defect of ours: the item is lost, the pool is not
        pipe.send(("failed", f"{type(error).__name__}: {error}"))
    else:
        pipe.send(("done", value))


def _operations() -> dict[str, Callable[..., Any]]:
    from core.dbt.precheck import precheck
    from core.dbt.project_build import build_in
    from core.dbt.target_run import check_target_in, verify_on_target
    from core.dbt.verification import verify_in

    return {
        "verify": verify_in,
        "precheck": lambda folder, request, progress: precheck(request),
        "build": build_in,
        "target": verify_on_target,
        "target-check": check_target_in,
        "task": lambda folder, task, progress: task.run(folder, progress),
    }


def limit_resources() -> None:
    """Cap memory, file size and open files where the platform can; no core dumps."""
    try:
        import resource
    except ImportError:  # Windows
        return
    _lower(resource.RLIMIT_CORE, 0)
    _lower(resource.RLIMIT_FSIZE, _FILE_SIZE_LIMIT)
    _lower(resource.RLIMIT_NOFILE, _OPEN_FILES_LIMIT)
    mapped = _mapped_bytes()
    if mapped:
        _lower(resource.RLIMIT_AS, mapped + MEMORY_LIMIT)


def _lower(which: int, limit: int) -> None:
    import resource

    _, hard = resource.getrlimit(which)
    if hard == resource.RLIM_INFINITY or limit < hard:
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(which, (limit, limit))


def _mapped_bytes() -> int:
    try:
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
    except (OSError, ValueError):
        return 0
    return pages * os.sysconf("SC_PAGE_SIZE")


def _die_with(parent: int) -> None:
    """On Linux: end with the process that started us, even in the middle of an endless query."""
    if not sys.platform.startswith("linux"):
        return
    import ctypes
    import signal

    death_signal = 1  # PR_SET_PDEATHSIG
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(death_signal, signal.SIGKILL, 0, 0, 0)
