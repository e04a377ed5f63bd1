"""``proc2dbt schema manifest|catalog|test-spec``."""

from __future__ import annotations

import sys

import click


@click.command("schema")
@click.argument("kind", metavar="manifest|catalog|test-spec")
def command(kind: str) -> None:
    """The JSON Schema of a project file, for writing one by hand."""
    from core.project.schemas import render_schema, unknown_schema
    from tui.problems import NOTHING_RAN, say

    try:
        text = render_schema(kind)
    except KeyError:
        say(unknown_schema(kind))
        sys.exit(NOTHING_RAN)
    click.echo(text)
