"""``proc2dbt status [TABLE]``."""

from __future__ import annotations

import json
import os
from pathlib import Path

import click

from tui.commands.options import json_option, project_option


@click.command("status")
@click.argument("tables", nargs=-1, metavar="[TABLE]...")
@project_option
@json_option
def command(tables: tuple[str, ...], project: Path, as_json: bool) -> None:
    """How far every table is, what blocks it, and the one thing to do next."""
    from core.pipeline.lastruns import last_runs
    from core.project.codes import ProjectError
    from core.project.project import MigrationProject
    from core.project.selection import select_tables
    from core.project.settings_file import load_settings
    from core.project.status import project_status
    from core.project.status_text import render_status, render_table, status_document
    from tui.problems import say_problem

    settings = load_settings(project, os.environ)
    opened = MigrationProject.open(project)
    selection = select_tables(opened, list(tables))
    if tables and not selection.items:
        for problem in selection.unknown[1:]:
            say_problem(problem)
        raise ProjectError(selection.unknown[0])
    for problem in selection.unknown:
        say_problem(problem)
    status = project_status(
        opened,
        model_names=settings.model_names,
        last_runs=last_runs(project),
        only=selection.items,
    )
    if as_json:
        unknown = [problem.model_dump(mode="json") for problem in selection.unknown]
        click.echo(json.dumps(status_document(status) | {"errors": unknown}, indent=2))
    elif len(selection.items) == 1 and len(tables) == 1:
        click.echo(render_table(status.tables[0]).rstrip("\n"))
    else:
        click.echo(render_status(status).rstrip("\n"))
