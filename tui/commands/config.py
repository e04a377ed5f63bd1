"""``proc2dbt config``."""

from __future__ import annotations

import json
import os
from pathlib import Path

import click

from tui.commands.options import json_option, project_option


@click.command("config")
@project_option
@json_option
def command(project: Path, as_json: bool) -> None:
    """The effective settings and where each comes from."""
    from core.project.settings_file import describe_settings, load_settings, render_settings

    settings = load_settings(project, os.environ)
    if as_json:
        click.echo(json.dumps(describe_settings(settings), indent=2, default=str))
    else:
        click.echo(render_settings(settings).rstrip("\n"))
