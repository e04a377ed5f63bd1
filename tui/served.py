"""The app as a browser's child process: no terminal here, the server of ``--serve`` is the screen.

``python -m tui.served`` takes the arguments of ``proc2dbt``.
"""

from __future__ import annotations

import sys

from tui.cli import run, with_resume_values
from tui.opening import run_app
from tui.problems import reported


def main(words: list[str]) -> int:
    """Open the app for these arguments and return its exit code."""
    with reported(), run.make_context("proc2dbt", with_resume_values(words)) as context:
        return run_app(**context.params)
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
