"""``proc2dbt tsql FILE|-``."""

from __future__ import annotations

import sys
from pathlib import Path

import click


@click.command("tsql")
@click.argument("script", metavar="FILE|-", type=click.Path(path_type=Path, allow_dash=True))
@click.option(
    "--setup",
    metavar="FILE",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A script that is run first; its results are not printed.",
)
@click.option(
    "--project",
    metavar="DIR",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Run on a migration project's tables and procedures.",
)
@click.option("--json", "as_json", is_flag=True, help="One JSON array, an object per batch.")
def command(script: Path, setup: Path | None, project: Path | None, as_json: bool) -> None:
    """Run a T-SQL script on the in-memory reference and print every result set.

    The reference is DuckDB made to answer as SQL Server does; nothing outside of it is read or
    written. Exit code 0: it ran; 1: an error; 2: it could not be started.
    """
    from core.interpreter.script import run_tsql_command
    from core.project.files import decode, read_text

    try:
        text = decode(sys.stdin.buffer.read()) if str(script) == "-" else read_text(script)
        prepared = read_text(setup) if setup is not None else None
    except OSError as error:
        raise click.UsageError(f"{script} cannot be read: {error.strerror}.") from error
    output, code = run_tsql_command(text, prepared, project, as_json)
    click.echo(output, nl=not output.endswith("\n"))
    sys.exit(code)
