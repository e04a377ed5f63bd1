"""Starting worker processes: quietly, without our secrets, and from inside a terminal app too.

A worker is forked from a forkserver that has dbt warm in memory; where there is none (Windows)
it is spawned and warms up itself: same behaviour, slower start. The forkserver has to be
started before a Textual app takes the terminal (``start_early``): Textual's replacement of
``sys.stderr`` has no file descriptor, and multiprocessing then cannot start anything. For a
start from inside an app the original streams are put back for that moment.
"""

from __future__ import annotations

import atexit
import contextlib
import multiprocessing
import os
import shutil
import sys
import tempfile
import threading
import types
from collections.abc import Iterator
from functools import cache
from multiprocessing.context import ForkServerContext, SpawnContext
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import TYPE_CHECKING

from core.dbt.worker_preload import WORK_ENV, clean_environment

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

_start = threading.Lock()


@cache
def work_folder() -> Path:
    """The folder in which this process's workers keep their mini-projects; removed at exit."""
    folder = Path(tempfile.mkdtemp(prefix="proc2dbt-"))
    owner = os.getpid()

    def remove() -> None:
        if os.getpid() == owner:
            shutil.rmtree(folder, ignore_errors=True)

    atexit.register(remove)
    return folder


def default_start_method() -> str:
    """``forkserver`` where the platform has one, else ``spawn``."""
    return "forkserver" if "forkserver" in multiprocessing.get_all_start_methods() else "spawn"


def start_forkserver() -> None:
    """Start the process that workers are forked from; it warms up while we go on."""
    from multiprocessing import forkserver

    with _quiet_start():
        multiprocessing.get_context("forkserver").set_forkserver_preload(
            ["core.dbt.worker_preload"]
        )
        forkserver.ensure_running()


def start_worker(method: str, folder: Path) -> tuple[BaseProcess, Connection]:
    """Start one worker; blocks until the forkserver is warm, so call it off the event loop."""
    from core.dbt.worker import main

    context = multiprocessing.get_context(method)
    assert isinstance(context, ForkServerContext | SpawnContext)
    if method == "forkserver":
        start_forkserver()
    ours, theirs = context.Pipe(duplex=True)
    process = context.Process(
        target=main, args=(theirs, str(folder), os.getpid()), daemon=True, name="proc2dbt worker"
    )
    try:
        with _quiet_start():
            process.start()
    finally:
        theirs.close()
    return process, ours


@contextlib.contextmanager
def _quiet_start() -> Iterator[None]:
    """Start processes with real streams, a clean environment and no ``__main__`` to import.

    multiprocessing hands the parent's ``__main__`` to its children, who would import the whole
    command line again; the variables that are taken out may hold keys.
    """
    with _start:
        kept_env = dict(os.environ)
        streams = (sys.stdout, sys.stderr)
        main = sys.modules["__main__"]
        environment = {**clean_environment(), WORK_ENV: str(work_folder())}
        environment["PYTHONPATH"] = os.pathsep.join(p for p in _import_path() if p)
        try:
            sys.stdout, sys.stderr = sys.__stdout__, sys.__stderr__
            sys.modules["__main__"] = types.ModuleType("__main__")
            os.environ.clear()
            os.environ.update(environment)
            yield
        finally:
            os.environ.clear()
            os.environ.update(kept_env)
            sys.modules["__main__"] = main
            sys.stdout, sys.stderr = streams


def _import_path() -> list[str]:
    """Where a fresh interpreter finds this package."""
    return [str(Path(__file__).resolve().parents[2])]
