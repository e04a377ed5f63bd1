"""``proc2dbt demo [DIR]``."""

from __future__ import annotations

import sys
from pathlib import Path

import click


@click.command("demo")
@click.argument(
    "folder",
    type=click.Path(path_type=Path),
    default=Path("proc2dbt-demo"),
    metavar="[DIR]",
)
@click.option("--app", is_flag=True, help="Open the demo in the terminal app.")
@click.option("--no-run", is_flag=True, help="Only copy the project out.")
@click.option("--jobs", type=int, metavar="N", help="Tables worked on at once.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document on standard output.")
def command(folder: Path, app: bool, no_run: bool, jobs: int | None, as_json: bool) -> None:
    """Copy a small retail warehouse into DIR (default ./proc2dbt-demo) and migrate it.

    Two of its tables end in error, and that is right; its README.md says why. The command
    succeeds when every table ended as that file says.
    """
    from core.demo import copy_demo
    from tui.problems import say

    if app and _is_demo(folder):
        say(f"{folder} holds the demo already and is opened as it is; remove it for a fresh one.")
        _open_app(folder)
    copy_demo(folder)
    say(f"The demo project is in {folder}.")
    if no_run:
        return
    if app:
        _open_app(folder)
    from tui.headless import run_headless

    ended: dict[str, tuple[str, list[str]]] = {}
    code = run_headless(
        project=folder,
        tables=_targets(),
        in_place=True,
        as_json=as_json,
        jobs=jobs,
        on_results=ended.update,
    )
    sys.exit(code if code not in (0, 1) else _compare(ended))


def _is_demo(folder: Path) -> bool:
    """Whether the demo was copied here before: its manifest is there, unchanged."""
    from core.demo import demo_project

    try:
        return (folder / "manifest.json").read_bytes() == demo_project().joinpath(
            "manifest.json"
        ).read_bytes()
    except OSError:
        return False


def _targets() -> tuple[str, ...]:
    """The tables of the demo that have an expected outcome, ready or not."""
    from core.demo import expected_outcomes

    return tuple(expected_outcomes())


def _compare(ended: dict[str, tuple[str, list[str]]]) -> int:
    from core.demo import deviations
    from tui.problems import say

    different = deviations(ended)
    for sentence in different:
        say(sentence)
    if not different:
        say("Every table ended as the demo's README.md says.")
    return 1 if different else 0


def _open_app(folder: Path) -> None:
    """The app on the demo, where it is installed and there is a terminal."""
    import importlib
    import importlib.util

    from tui.problems import say

    if importlib.util.find_spec("tui.opening") is None:
        say("There is no app in this version yet; the demo runs headless.")
        return
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        say("There is no terminal here; the demo runs headless.")
        return
    opening = importlib.import_module("tui.opening")
    sys.exit(opening.run_app(project=folder, tables=_targets(), in_place=True, commit=True))
