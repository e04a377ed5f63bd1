"""``--dry-run``: the guards, and what the author would do with each table. Writes nothing."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import click

from core.generation.author import Draft, Refusal
from core.generation.authors import available_authors
from core.pipeline.bench import prepare
from core.pipeline.launch import Launch
from tui.problems import say


def dry_run_report(launch: Launch, as_json: bool) -> int:
    """Print one line per table; 0 when each would get a model, 1 otherwise."""
    entries = asyncio.run(_entries(launch))
    if as_json:
        click.echo(json.dumps({"dry_run": True, "items": entries}, indent=2))
    else:
        width = max(len(entry["table_ref"]) for entry in entries)
        for entry in entries:
            click.echo(f"  {entry['mark']:<2} {entry['table_ref']:<{width}}  {entry['sentence']}")
        say("Nothing was written. The compiler costs nothing and sends nothing anywhere.")
    return 0 if all(entry["mark"] == "ok" for entry in entries) else 1


async def _entries(launch: Launch) -> list[dict[str, Any]]:
    author = available_authors(launch.settings)[launch.settings.author]
    plan = launch.plan
    expected = {**plan.existing_models, **{i.item_id: i.model_name for i in plan.ready}}
    entries = []
    for item in plan.items:
        refused = plan.refused.get(item.item_id)
        if refused is not None:
            entries.append(_entry(item.table_ref, "x", f"{refused.code.value}: {refused.message}"))
            continue
        models = {k: v for k, v in expected.items() if k != item.item_id}
        job = plan.job(item.item_id, models)
        answer = await author.draft(job, lambda line: None)
        if isinstance(answer, Refusal):
            place = f"{item.writer} line {answer.line}: " if answer.line else ""
            entries.append(_entry(item.table_ref, "x", f"{place}{answer.reason}"))
        else:
            entries.append(_drafted(item.table_ref, job, answer))
    return entries


def _drafted(table_ref: str, job: Any, draft: Draft) -> dict[str, Any]:
    prepared = prepare(job, draft)
    if prepared.refused:
        return _entry(table_ref, "x", prepared.refused[0])
    tests = len(prepared.schema_tests) + len(job.spec.unit_tests)
    return _entry(
        table_ref,
        "ok",
        f"{job.model_name}, {prepared.materialized}, {tests} tests, "
        f"{len(draft.sql.splitlines())} lines",
    )


def _entry(table_ref: str, mark: str, sentence: str) -> dict[str, Any]:
    return {"table_ref": table_ref, "mark": mark, "sentence": sentence}
