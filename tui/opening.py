"""From the command line to the open app: what must happen before the terminal is taken."""

from __future__ import annotations

import importlib.util
import os
import shlex
import socket
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from core.dbt.launch import default_start_method, start_forkserver, work_folder
from core.pipeline.claude_use import ClaudeUse
from core.pipeline.wish import Wish, settings_for
from core.project.codes import ProjectError
from core.project.settings import Settings

GIL_SLICE = 0.001
"""Seconds a thread keeps the interpreter: the compiler works in threads beside the screen, and
with the usual 5 ms a key waits several times that."""


def run_app(
    *,
    project: Path,
    tables: Sequence[str] = (),
    all_ready: bool = False,
    in_place: bool = False,
    commit: bool = False,
    no_pr: bool = False,
    resume: str | None = None,
    discard: bool = False,
    author: str | None = None,
    jobs: int | None = None,
    target: str | None = None,
    approve: str | None = None,
    max_cost: float | None = None,
    yes: bool = False,
    record: Path | None = None,
    replay: Path | None = None,
    serve: bool = False,
    **_others: Any,
) -> int:
    """Open the app on a project and return its exit code.

    The options are those of the command line. ``serve`` offers the app in a browser instead.

    Raises:
        ProjectError: ``SETTINGS_INVALID``; a name that is no table.
    """
    if serve:
        return serve_app(sys.argv[1:], os.environ)
    wish = Wish(
        project=project.resolve(),
        tables=tuple(tables),
        all_ready=all_ready,
        in_place=in_place,
        commit=commit,
        no_pr=no_pr,
        resume=resume,
        discard=discard,
        flags={
            "author": author,
            "jobs": jobs,
            "target": target,
            "approve": approve,
            "max_cost": max_cost,
        },
        environment=dict(os.environ),
        claude=ClaudeUse(yes, record, replay),
    )
    if record is not None and replay is not None:
        raise click.UsageError("--record and --replay exclude each other.")
    settings = settings_for(wish)
    preselected = _selected(wish, settings) if tables or all_ready else ()
    start_early()
    sys.setswitchinterval(GIL_SLICE)
    from tui.app import Proc2dbtApp
    from tui.prefs import prefs_file

    app = Proc2dbtApp(
        wish,
        settings,
        preselected=preselected,
        resume=resume,
        prefs_file=prefs_file(os.environ),
    )
    return app.run() or app.return_code or 0


def start_early() -> None:
    """Start what cannot be started while Textual has the terminal; it warms up behind the app."""
    work_folder()
    if default_start_method() == "forkserver":
        start_forkserver()


def _selected(wish: Wish, settings: Settings) -> tuple[str, ...]:
    from core.pipeline.launch import select
    from core.project.project import MigrationProject

    selection = select(wish, MigrationProject.open(wish.project), settings)
    if selection.unknown:
        raise ProjectError(selection.unknown[0])
    return selection.items


PORT = 8177
"""Where a browser finds the app; ``PROC2DBT_SERVE_PORT`` sets another port."""


def serve_app(arguments: Sequence[str], environment: Mapping[str, str]) -> int:
    """Offer the app in a browser, on this machine only.

    Raises:
        click.UsageError: textual-serve is missing, or the port is taken or none.
    """
    if importlib.util.find_spec("textual_serve") is None:
        raise click.UsageError("--serve needs the package textual-serve; install it first.")
    from textual_serve.server import Server

    port = _free_port(environment.get("PROC2DBT_SERVE_PORT", str(PORT)))
    words = [word for word in arguments if word != "--serve"]
    command = shlex.join([sys.executable, "-m", "tui.served", *words])
    click.echo(f"The app is at http://127.0.0.1:{port} (Ctrl+C ends it).")
    sys.stdout.flush()
    Server(command, host="127.0.0.1", port=port, title="proc2dbt").serve()
    return 0


def _free_port(text: str) -> int:
    try:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(("127.0.0.1", int(text)))
    except (ValueError, OverflowError, OSError):
        raise click.UsageError(
            f"Port {text} cannot be used here; set PROC2DBT_SERVE_PORT to a free one."
        ) from None
    return int(text)
