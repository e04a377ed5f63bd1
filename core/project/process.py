"""The one place that runs other programs: no shell, no inherited standard input, bounded time."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Completed:
    """What a finished program left: its exit code and its decoded output."""

    args: tuple[str, ...]
    code: int
    stdout: str
    stderr: str

    @property
    def ok(self) -> bool:
        """Whether the program exited with 0."""
        return self.code == 0


class ProgramMissingError(Exception):
    """The program is not on this machine's PATH."""


class ProgramTimeoutError(Exception):
    """The program did not finish in its time and was killed."""


def run(
    args: Sequence[str],
    *,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    timeout: float = 120.0,
    input_text: str | None = None,
) -> Completed:
    """Run a program to its end and return its output; a non-zero exit is not an exception.

    Raises:
        ProgramMissingError: the program was not found.
        ProgramTimeoutError: it ran longer than ``timeout`` seconds.
    """
    try:
        done = subprocess.run(
            list(args),
            cwd=cwd,
            env=dict(env) if env is not None else None,
            timeout=timeout,
            capture_output=True,
            check=False,
            encoding="utf-8",
            errors="replace",
            input=input_text if input_text is not None else "",
        )
    except FileNotFoundError as error:
        raise ProgramMissingError(f"{args[0]} is not installed") from error
    except subprocess.TimeoutExpired as error:
        raise ProgramTimeoutError(f"{args[0]} did not finish within {timeout:g} seconds") from error
    return Completed(tuple(args), done.returncode, done.stdout or "", done.stderr or "")
