"""Compilations that go wrong in a worker process; the worker imports them by their name."""

from __future__ import annotations

import os
import signal
from dataclasses import dataclass
from pathlib import Path

from core.compiler.options import Correction
from core.compiler.result import Compiled, Unsupported
from core.dbt.outcome import Progress
from core.generation.author import Job
from core.generation.compiling import CompileTask, compile_task


@dataclass(frozen=True)
class Endless(CompileTask):
    """Never comes back."""

    def run(self, folder: Path, progress: Progress) -> Compiled | Unsupported:
        while True:
            pass


@dataclass(frozen=True)
class Deadly(CompileTask):
    """Takes its process down, as a segmentation fault does."""

    def run(self, folder: Path, progress: Progress) -> Compiled | Unsupported:
        os.kill(os.getpid(), signal.SIGSEGV)
        raise AssertionError


@dataclass(frozen=True)
class Defective(CompileTask):
    """Raises what a compiler must not raise."""

    def run(self, folder: Path, progress: Progress) -> Compiled | Unsupported:
        raise RecursionError("too deep")


def as_task(kind: type[CompileTask], job: Job, corrections: frozenset[Correction]) -> CompileTask:
    """The compilation of a job, gone wrong."""
    return kind(**compile_task(job, corrections).__dict__)
