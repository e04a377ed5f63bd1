"""``proc2dbt explain CODE``."""

from __future__ import annotations

import sys

import click


@click.command("explain")
@click.argument("codes", nargs=-1, metavar="[CODE]...")
def command(codes: tuple[str, ...]) -> None:
    """What a code means, why it appears, and what to do. Without CODE: all of them."""
    from core.project.codes import Code
    from core.project.explain import explain, unknown_code
    from tui.problems import NOTHING_RAN, say

    if not codes:
        for code in Code:
            click.echo(code.value)
        return
    for number, name in enumerate(codes):
        text = explain(name)
        if text is None:
            say(unknown_code(name))
            sys.exit(NOTHING_RAN)
        click.echo(("\n" if number else "") + text.rstrip("\n"))
