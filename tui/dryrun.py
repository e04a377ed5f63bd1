"""``--dry-run``: the guards, and what the author would do with each table. Writes nothing.

The compiler really compiles. For what Claude would write there is an estimate; a prompt is only
sent, to be counted, where sending was agreed to.
"""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass, field
from typing import Any

import click

from core.claude.failure import ClaudeError
from core.generation.author import Draft, Job, Refusal
from core.generation.compiler_author import CompilerAuthor
from core.pipeline.bench import prepare
from core.pipeline.claude_desk import ClaudeDesk
from core.pipeline.launch import Launch
from tui.problems import say


@dataclass
class _Report:
    """What is found out about the tables, and the items that Claude would write."""

    entries: list[dict[str, Any]] = field(default_factory=list)
    for_claude: list[Job] = field(default_factory=list)
    sentences: list[str] = field(default_factory=list)
    estimate: dict[str, Any] | None = None


def dry_run_report(launch: Launch, as_json: bool) -> int:
    """Print one line per table; 0 when each would get a model, 1 otherwise."""
    report = asyncio.run(_report(launch))
    entries = report.entries
    if as_json:
        document: dict[str, Any] = {"dry_run": True, "items": entries}
        if report.estimate is not None:
            document["claude"] = report.estimate
        click.echo(json.dumps(document, indent=2))
    else:
        width = max(len(entry["table_ref"]) for entry in entries)
        for entry in entries:
            click.echo(f"  {entry['mark']:<2} {entry['table_ref']:<{width}}  {entry['sentence']}")
    for sentence in report.sentences:
        say(sentence)
    if not report.for_claude:
        say("Nothing was written. The compiler costs nothing and sends nothing anywhere.")
    else:
        say("Nothing was written, and no model was asked for.")
    return 0 if all(entry["mark"] == "ok" for entry in entries) else 1


async def _report(launch: Launch) -> _Report:
    report = _Report()
    plan = launch.plan
    expected = {**plan.existing_models, **{i.item_id: i.model_name for i in plan.ready}}
    for item in plan.items:
        refused = plan.refused.get(item.item_id)
        if refused is not None:
            sentence = f"{refused.code.value}: {refused.message}"
            report.entries.append(_entry(item.table_ref, "x", sentence))
            continue
        models = {k: v for k, v in expected.items() if k != item.item_id}
        await _one(launch, plan.job(item.item_id, models), item.table_ref, item.writer, report)
    if report.for_claude:
        await _describe_claude(launch, report)
    return report


async def _one(launch: Launch, job: Job, table_ref: str, writer: str, report: _Report) -> None:
    author = launch.settings.author
    model = launch.settings.claude.author.model
    if author == "claude":
        report.for_claude.append(job)
        report.entries.append(_entry(table_ref, "ok", f"{job.model_name}, written by {model}"))
        return
    answer = await CompilerAuthor().draft(job, lambda line: None)
    if isinstance(answer, Draft):
        report.entries.append(_drafted(table_ref, job, answer))
        return
    reason = _reason(answer, writer)
    if author == "both":
        report.for_claude.append(job)
        sentence = f"{job.model_name}, written by {model}: the compiler refuses ({reason})"
        report.entries.append(_entry(table_ref, "ok", sentence))
    else:
        report.entries.append(_entry(table_ref, "x", reason))


def _reason(refusal: Refusal, writer: str) -> str:
    place = f"{writer} line {refusal.line}: " if refusal.line else ""
    return f"{place}{refusal.reason}"


async def _describe_claude(launch: Launch, report: _Report) -> None:
    desk = ClaudeDesk(launch.settings, launch.wish.project, launch.wish.claude)
    try:
        text, estimate = await desk.describe(report.for_claude)
    except ClaudeError as error:
        report.sentences.append(error.failure.sentence)
        return
    finally:
        await desk.aclose()
    report.sentences.append(text)
    report.estimate = {
        "items": estimate.items,
        "prompt_tokens": estimate.prompt_tokens,
        "counted": estimate.counted,
        "low_usd": None if estimate.low is None else float(estimate.low),
        "high_usd": None if estimate.high is None else float(estimate.high),
        "prices_as_of": estimate.as_of,
        "text": text,
    }


def _drafted(table_ref: str, job: Job, draft: Draft) -> dict[str, Any]:
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
