"""``proc2dbt compile-report DIR``."""

from __future__ import annotations

from pathlib import Path

import click


@click.command("compile-report")
@click.argument(
    "folder", metavar="DIR", type=click.Path(exists=True, file_okay=False, path_type=Path)
)
@click.option("--json", "as_json", is_flag=True, help="One JSON document on standard output.")
def command(folder: Path, as_json: bool) -> None:
    """How much of a folder of .sql files compiles, and what stops the rest, with its line.

    CREATE TABLE statements in the folder are used; no catalog is needed.
    """
    from core.compiler.report import compile_report

    report = compile_report(folder)
    click.echo(report.as_json() if as_json else report.as_text(), nl=False)
