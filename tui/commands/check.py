"""``proc2dbt check TABLE…``."""

from __future__ import annotations

import json
import os
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from tui.commands.options import json_option, project_option


@click.command("check")
@click.argument("tables", nargs=-1, metavar="[TABLE]...")
@click.option("--seconds", type=float, metavar="N", help="Processor time for each table.")
@click.option("--seed", type=click.IntRange(min=0), metavar="N", help="Seed of the data.")
@click.option(
    "--replay",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Run the rows of a counterexample file again.",
)
@project_option
@json_option
def command(
    tables: tuple[str, ...],
    seconds: float | None,
    seed: int | None,
    replay: Path | None,
    project: Path,
    as_json: bool,
) -> None:
    """Run procedure and model side by side on generated data and compare what they leave.

    The model is the one in the dbt project; where there is none, what the compiler would write.
    Exit code 0: no gap; 1: a gap; 2: nothing could run.
    """
    from core.equivalence.report import as_document, as_text
    from core.pipeline.plan import plan_run
    from core.project.codes import ProjectError
    from core.project.project import MigrationProject
    from core.project.selection import select_tables
    from core.project.settings_file import load_settings
    from tui.problems import say_problem

    settings = load_settings(project, os.environ)
    opened = MigrationProject.open(project)
    replayed = _document(replay) if replay is not None else None
    wanted = list(tables)
    if replayed is not None and not wanted:
        wanted = [str(replayed["item_id"])]
    if not wanted:
        raise click.UsageError("Name at least one table.")
    selection = select_tables(opened, wanted)
    if not selection.items:
        raise ProjectError(selection.unknown[0])
    for problem in selection.unknown:
        say_problem(problem)
    compare = settings.equivalence
    if seconds is not None:
        compare = replace(compare, seconds=seconds)
    if seed is not None:
        compare = replace(compare, seed=seed)
    plan = plan_run(opened, selection.items, settings)
    found = _run(plan, selection.items, compare, settings.workers, replayed)
    if as_json:
        click.echo(json.dumps([as_document(i, r) for i, r in found.items()], indent=2))
    else:
        click.echo(
            "\n".join(as_text(plan.item(i).table_ref, r) for i, r in found.items()), nl=False
        )
    sys.exit(1 if any(result.is_gap for result in found.values()) else 0)


def _run(plan: Any, items: Any, compare: Any, jobs: int, replayed: Any) -> Any:
    import asyncio

    from core.dbt.pool import WorkerPool
    from core.pipeline.checking import check_tables

    async def run() -> Any:
        pool = WorkerPool(jobs)
        try:
            return await check_tables(plan, items, compare, pool, replayed)
        finally:
            await pool.aclose()

    return asyncio.run(run())


def _document(file: Path) -> dict[str, Any]:
    from core.equivalence.case import from_document
    from core.project.codes import Code, ProjectError
    from core.project.files import read_text

    try:
        document = json.loads(read_text(file))
        from_document(document)
        if not isinstance(document.get("item_id"), str):
            raise ValueError("it names no table")
    except (ValueError, AttributeError) as error:
        raise ProjectError.of(
            Code.COUNTEREXAMPLE_CORRUPT, f"{file} is not a counterexample file: {error}."
        ) from error
    return dict(document)
