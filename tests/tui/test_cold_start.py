"""What the command line imports before it knows what is asked: start-up is a feature."""

from __future__ import annotations

import subprocess
import sys

import pytest

HEAVY = ("dbt", "textual", "rich", "anthropic", "sqlglot", "duckdb", "pydantic", "ruamel", "git")


def loaded_after(code: str) -> set[str]:
    """Top-level modules in ``sys.modules`` of a fresh process after ``code``."""
    script = (
        "import sys\n"
        f"{code}\n"
        "print('\\n'.join(sorted({name.partition('.')[0] for name in sys.modules})))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    return set(done.stdout.split())


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], ["status", "--help"]])
def test_help_imports_nothing_heavy(arguments: list[str]) -> None:
    code = (
        "from tui.cli import main\n"
        "import contextlib, io\n"
        "with contextlib.suppress(SystemExit), contextlib.redirect_stdout(io.StringIO()):\n"
        f"    main({arguments!r})\n"
    )
    loaded = loaded_after(code)
    assert not loaded & set(HEAVY)


@pytest.mark.parametrize(
    "module", ["tui.headless", "core.pipeline.run", "core.pipeline.launch", "core.pipeline.state"]
)
def test_headless_modules_know_no_screen(module: str) -> None:
    loaded = loaded_after(f"import {module}")
    assert not loaded & {"textual", "rich", "anthropic", "dbt"}
