"""The command line: which command, which flags. What they do is imported only when it is done.

``proc2dbt --help`` answers in a moment because nothing heavier than click is imported here; a
command's module is loaded when the command runs. Whatever goes wrong ends as one sentence.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NoReturn

import click

from core.version import VERSION

COMMANDS: Mapping[str, tuple[str, str]] = {
    "demo": ("tui.commands.demo", "Copy out a small warehouse and migrate it."),
    "status": ("tui.commands.status", "How far every table is, and what to do next."),
    "init-dbt": ("tui.commands.init_dbt", "Scaffold dbt/ from the catalog."),
    "explain": ("tui.commands.explain", "What a code means, why it appears, what to do."),
    "schema": ("tui.commands.schema", "JSON Schema of manifest, catalog or test-spec files."),
    "config": ("tui.commands.config", "The effective settings and where each comes from."),
    "check": ("tui.commands.check", "Run procedure and model side by side and compare."),
    "tsql": ("tui.commands.tsql", "Run T-SQL on the in-memory reference."),
    "compile-report": (
        "tui.commands.compile_report",
        "How much of a folder of procedures compiles, and what stops the rest.",
    ),
    "claude": ("tui.commands.claude", "Check the way to Claude: `proc2dbt claude doctor`."),
    "cleanup-worktrees": (
        "tui.commands.cleanup",
        "Remove worktrees and branches whose pull request is merged.",
    ),
}
"""Command name to the module whose ``command`` it is, and its line in the help."""


class ProcCommand(click.Command):
    """The main command: everything that is not the name of another one is a table."""

    def format_help(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The options of a run, and the other commands below them."""
        super().format_help(ctx, formatter)
        with formatter.section("Other commands (proc2dbt COMMAND --help)"):
            formatter.write_dl([(name, line) for name, (_, line) in COMMANDS.items()])


@click.command(
    cls=ProcCommand,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.argument("tables", nargs=-1, metavar="[TABLE]...")
@click.option("--headless", is_flag=True, help="Run without a screen.")
@click.option("--all", "all_ready", is_flag=True, help="Every table that passes its guards.")
@click.option(
    "--author",
    type=click.Choice(["compiler", "claude", "both"]),
    help="What writes the models (default: compiler).",
)
@click.option("--jobs", type=int, metavar="N", help="Tables worked on at once (default: cores).")
@click.option("--dry-run", is_flag=True, help="Guards and what would be done; writes nothing.")
@click.option("--in-place", is_flag=True, help="Write files here; no worktree, branch or commit.")
@click.option("--target", metavar="NAME", help="A target of the project's dbt profile.")
@click.option(
    "--approve",
    type=click.Choice(["auto", "all", "none"]),
    help="What a headless run accepts: ok tables, partial ones too, or none (default: auto).",
)
@click.option("--commit", is_flag=True, help="With --in-place: commit on the current branch.")
@click.option("--no-pr", is_flag=True, help="Commit, but neither push nor open a pull request.")
@click.option(
    "--resume",
    is_flag=False,
    flag_value="",
    default=None,
    metavar="[RUN]",
    help="Take up an unfinished run: the newest one, or this one.",
)
@click.option("--discard", is_flag=True, help="Give up an unfinished run that is in the way.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document on standard output.")
@click.option("--serve", is_flag=True, help="Offer the app in a browser, on this machine only.")
@click.option("--max-cost", type=float, metavar="USD", help="What Claude may cost at most.")
@click.option("--yes", is_flag=True, help="Agree to what is sent to Claude (--dry-run says it).")
@click.option(
    "--record",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    help="Keep the exchanges with Claude in DIR, without secrets.",
)
@click.option(
    "--replay",
    type=click.Path(file_okay=False, exists=True, path_type=Path),
    metavar="DIR",
    help="Answer from exchanges in DIR instead of asking Claude.",
)
@click.option(
    "--project",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path(),
    metavar="DIR",
    help="The migration project (default: the current folder).",
)
@click.version_option(VERSION, prog_name="proc2dbt")
def run(**options: Any) -> None:
    """Turn stored procedures into tested dbt models.

    A TABLE is schema.table in any case or quoting; 'silver.*' is a pattern, @FILE a list of
    names. Models are written in DuckDB's SQL.
    """
    if not options.pop("headless") and not options["dry_run"]:
        _app(options)
    if options.pop("serve"):
        raise click.UsageError("--serve offers the app; it cannot be combined with --headless.")
    from tui.headless import run_headless

    sys.exit(run_headless(**options))


def _app(options: dict[str, Any]) -> NoReturn:
    """Start the terminal app where it is installed and there is a terminal."""
    if importlib.util.find_spec("tui.opening") is None:
        raise click.UsageError("Name the tables and add --headless: there is no app here.")
    if not (options["serve"] or (sys.stdin.isatty() and sys.stdout.isatty())):
        raise click.UsageError("There is no terminal here; name the tables and add --headless.")
    sys.exit(importlib.import_module("tui.opening").run_app(**options))


def command_for(arguments: list[str]) -> tuple[click.Command, list[str]]:
    """The command that these arguments call, and what is left for it."""
    if arguments and arguments[0] in COMMANDS:
        module, _ = COMMANDS[arguments[0]]
        command: click.Command = importlib.import_module(module).command
        return command, arguments[1:]
    return run, arguments


def with_resume_values(arguments: list[str]) -> list[str]:
    """``--resume`` takes a run id only when one follows it; a table name is not one.

    Run ids begin with their date (``20261124T154500Z-3f9a``), table names do not.
    """
    done: list[str] = []
    rest = list(arguments)
    while rest:
        word = rest.pop(0)
        if word == "--resume":
            follows = bool(rest) and rest[0][:8].isdigit()
            word = f"--resume={rest.pop(0)}" if follows else "--resume="
        done.append(word)
    return done


def main(arguments: list[str] | None = None) -> NoReturn:
    """Entry point of ``proc2dbt``; never shows a traceback."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    from tui.problems import reported

    runs = not words or words[0] not in COMMANDS or words[0] == "demo"
    with reported(as_json="--json" in words, runs=runs):
        command, rest = command_for(words)
        name = "proc2dbt" if command is run else f"proc2dbt {words[0]}"
        if command is run:
            rest = with_resume_values(rest)
        command.main(rest, prog_name=name, standalone_mode=False)
    sys.exit(0)
