"""``proc2dbt init-dbt``."""

from __future__ import annotations

import os
from pathlib import Path

import click

from tui.commands.options import project_option


@click.command("init-dbt")
@project_option
def command(project: Path) -> None:
    """Scaffold dbt/ from the catalog; never overwrites a profile or a model."""
    from core.project.project import MigrationProject
    from core.project.scaffold import init_dbt, render_scaffolded

    done = init_dbt(MigrationProject.open(project), os.environ)
    click.echo(render_scaffolded(done))
