"""``proc2dbt claude doctor``."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tui.commands.options import json_option, project_option

if TYPE_CHECKING:
    from core.claude.doctor import Finding
    from core.project.settings import Settings

_MARKS = {"ok": "ok", "warn": "~ ", "bad": "x ", "skipped": "- "}


@click.group("claude")
def command() -> None:
    """Claude as author and reviewer: contract-tested, not live-tested."""


@command.command("doctor")
@project_option
@json_option
def doctor(project: Path, as_json: bool) -> None:
    """Check credentials, models, a tiny call and the cache; says what is wrong and what to do.

    It makes four small calls that hold nothing of the project and cost a few cents at most.
    """
    from core.project.settings_file import load_settings

    settings = load_settings(project, os.environ)
    findings = asyncio.run(_examined(settings, project, quiet=as_json))
    if as_json:
        document = [{"step": f.step, "state": f.state, "sentence": f.sentence} for f in findings]
        click.echo(json.dumps({"findings": document}, indent=2))
    if any(finding.state == "bad" for finding in findings):
        sys.exit(1)


async def _examined(settings: Settings, project: Path, *, quiet: bool) -> list[Finding]:
    from core.claude.budget import Budget
    from core.claude.client import Claude
    from core.claude.connection import Route
    from core.claude.doctor import LastCall, examine
    from core.claude.prices import load_prices

    last = LastCall()
    route = Route(settings.claude.provider, settings.claude.base_url)
    prices = load_prices(settings.claude.provider, project)
    claude = Claude(route, prices, Budget(), last, longest_wait=60)
    findings = []
    try:
        async for finding in examine(claude, settings, last):
            findings.append(finding)
            if not quiet:
                click.echo(f"  {_MARKS[finding.state]} {finding.step:<12} {finding.sentence}")
    finally:
        await claude.aclose()
    return findings
