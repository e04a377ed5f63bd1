"""The run without a screen: the same pipeline, narrated on standard error.

Standard output gets the summary, or with ``--json`` one JSON document, and nothing else.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import click

from core.dbt.pool import WorkerPool
from core.git.worktree import reopen
from core.pipeline.claude_desk import require_claude
from core.pipeline.claude_use import ClaudeUse
from core.pipeline.closing import close_run
from core.pipeline.decisions import current_person
from core.pipeline.launch import (
    Launch,
    closing_for,
    open_place,
    prepare_launch,
    project_at,
    select,
)
from core.pipeline.ontarget import Target, reach_target, verify_on_target
from core.pipeline.open import (
    Invocation,
    OpenRun,
    Resumable,
    find_resumable,
    settings_of,
    start_run,
    take_up,
)
from core.pipeline.plan import plan_run
from core.pipeline.result import ItemResult, Summary
from core.pipeline.run import RunController
from core.pipeline.state import RunState
from core.pipeline.summary import exit_code, printed, summary_of
from core.pipeline.wiring import real_parts
from core.pipeline.wish import Wish, headless_command, settings_for
from core.project.clock import system_clock
from core.project.codes import Diagnostic, ProjectError
from core.project.project import MigrationProject
from core.project.settings import Settings
from tui.narration import Narrator
from tui.problems import INTERRUPTED, NOTHING_RAN, print_json, say, say_problem

AfterItems = Callable[[RunController], Awaitable[None]]
"""What is done when all items are, before anything is decided."""

Results = Mapping[str, tuple[str, list[str]]]
"""Item id to status and codes, for whoever wants to compare."""


def run_headless(
    *,
    project: Path,
    tables: Sequence[str] = (),
    all_ready: bool = False,
    in_place: bool = False,
    commit: bool = False,
    no_pr: bool = False,
    resume: str | None = None,
    discard: bool = False,
    dry_run: bool = False,
    as_json: bool = False,
    author: str | None = None,
    jobs: int | None = None,
    target: str | None = None,
    approve: str | None = None,
    max_cost: float | None = None,
    yes: bool = False,
    record: Path | None = None,
    replay: Path | None = None,
    on_results: Callable[[Results], None] | None = None,
) -> int:
    """Do a headless run and return its exit code."""
    wish = Wish(
        project=project.resolve(),
        tables=tuple(tables),
        all_ready=all_ready,
        in_place=in_place,
        commit=commit,
        no_pr=no_pr,
        resume=resume,
        discard=discard,
        dry_run=dry_run,
        flags={
            "author": author,
            "jobs": jobs,
            "target": target,
            "approve": approve,
            "max_cost": max_cost,
        },
        environment=dict(os.environ),
        claude=ClaudeUse(yes, record, replay),
    )
    if record is not None and replay is not None:
        raise click.UsageError("--record and --replay exclude each other.")
    if not tables and not all_ready and resume is None:
        raise click.UsageError("Name the tables, or use --all.")
    settings = settings_for(wish)
    if settings.author != "compiler":
        require_claude(settings, wish.project)
    out = _Output(as_json)
    if resume is not None:
        code, state = asyncio.run(_resumed(wish, settings, out))
    else:
        launch = prepare_launch(wish, settings)
        if launch.blocked is not None:
            return out.blocked(launch, launch.blocked)
        if not launch.plan.items:
            raise click.UsageError("No table is ready; `proc2dbt status` says why.")
        if dry_run:
            from tui.dryrun import dry_run_report

            return dry_run_report(launch, as_json)
        code, state = asyncio.run(_new(launch, out))
    if on_results is not None:
        on_results(_results(state))
    return code


def _results(state: RunState) -> dict[str, tuple[str, list[str]]]:
    return {
        item_id: (item.status.value, list(item.codes))
        for item_id, item in state.items.items()
        if item.status is not None
    }


# --- starting and resuming ----------------------------------------------------------------


async def _new(launch: Launch, out: _Output) -> tuple[int, RunState]:
    wish, settings = launch.wish, launch.settings
    pool = WorkerPool(settings.workers)
    target = await _target(launch.project, settings, pool)
    if isinstance(target, Diagnostic):
        await pool.aclose()
        return out.blocked(launch, target), RunState()
    place, plan = open_place(launch)
    parts = real_parts(settings, plan.project.dbt.root, pool, wish.claude)
    command = headless_command(
        wish.tables or tuple(item.item_id for item in plan.items),
        settings,
        in_place=wish.in_place,
        commit=wish.commit,
        no_pr=wish.no_pr,
    )
    invocation = Invocation(
        command=command,
        person=current_person(wish.project),
        commit=wish.commits and settings.approve != "none",
        pull_request=wish.sends,
    )
    if not place.in_place:
        say(f"Working in {place.root} on {place.branch}.")
    opened = start_run(plan, parts, place, system_clock, invocation)
    return await _carry_out(opened, wish, settings, out, partial(_on_target, target, pool))


async def _target(
    project: MigrationProject, settings: Settings, pool: WorkerPool
) -> Target | Diagnostic | None:
    """The target of a run against the project's own warehouse, once it has answered."""
    if settings.target is None:
        return None
    return await reach_target(project, settings.target, pool)


async def _on_target(target: Target | None, pool: WorkerPool, run: RunController) -> None:
    if target is not None:
        await verify_on_target(run, target, pool)


async def _resumed(wish: Wish, settings: Settings, out: _Output) -> tuple[int, RunState]:
    found = _resumable(wish, settings)
    settings = settings_of(found, settings)
    place = reopen(found.folder, wish.project)
    project = project_at(wish.project, place)
    started = found.state.started
    plan = plan_run(
        project,
        found.item_ids,
        settings,
        existing_models=started.existing_models if started is not None else None,
    )
    kept = started.settings if started is not None else {}
    invocation = Invocation(
        command=started.command if started is not None else "",
        person=current_person(wish.project),
        commit=kept.get("commit", str(wish.commits).lower()) == "true",
        pull_request=kept.get("pull_request", "false") == "true" and not wish.no_pr,
    )
    say(f"Taking up {found.folder.meta.run_id}: {len(found.open_items)} tables to do.")
    pool = WorkerPool(settings.workers)
    target = await _target(plan.project, settings, pool)
    if isinstance(target, Diagnostic):
        await pool.aclose()
        raise ProjectError(target)
    parts = real_parts(settings, plan.project.dbt.root, pool, wish.claude)
    opened = take_up(found, plan, parts, wish.project, system_clock, invocation)
    return await _carry_out(opened, wish, settings, out, partial(_on_target, target, pool))


def _resumable(wish: Wish, settings: Settings) -> Resumable:
    item_ids = None
    if wish.tables or wish.all_ready:
        selection = select(wish, MigrationProject.open(wish.project), settings)
        if selection.unknown:
            raise ProjectError(selection.unknown[0])
        item_ids = selection.items
    return find_resumable(wish.project, wish.resume or None, item_ids)


async def _carry_out(
    opened: OpenRun, wish: Wish, settings: Settings, out: _Output, before_decisions: AfterItems
) -> tuple[int, RunState]:
    run, invocation = opened.controller, opened.invocation
    narrator = Narrator(say)
    narrator.catch_up(run.state)
    run.stream.subscribe(narrator.hear)
    interrupted = asyncio.Event()
    try:
        with _on_interrupt(interrupted.set):
            stopping = asyncio.create_task(interrupted.wait())
            working = asyncio.create_task(run.idle())
            await asyncio.wait({stopping, working}, return_when=asyncio.FIRST_COMPLETED)
            if interrupted.is_set():
                await run.interrupt("Ctrl-C")
                working.cancel()
                say(f"Interrupted; go on with --resume {run.stream.run_id}.")
                out.interrupted(run.state, opened)
                return INTERRUPTED, run.state
            stopping.cancel()
        await before_decisions(run)
        run.decide_headless()
        closing = closing_for(
            invocation.commit, invocation.pull_request, settings, wish.project, opened.place
        )
        summary = await close_run(run, closing)
        out.finished(summary, run.state, opened)
        return _code_of(summary), run.state
    finally:
        opened.release()
        await run.parts.aclose()


def _code_of(summary: Summary) -> int:
    code = exit_code(summary)
    return 1 if code == 0 and summary.errors else code


@contextlib.contextmanager
def _on_interrupt(stop: Callable[[], None]) -> Iterator[None]:
    """Call ``stop`` for Ctrl-C and a polite kill."""
    loop = asyncio.get_running_loop()
    heard: list[signal.Signals] = []
    # Not on Windows, and only on the main thread.
    with contextlib.suppress(NotImplementedError, RuntimeError, ValueError):
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, stop)
            heard.append(number)
    try:
        yield
    finally:
        for number in heard:
            loop.remove_signal_handler(number)


# --- output -------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Output:
    """What goes to standard output."""

    as_json: bool

    def blocked(self, launch: Launch, problem: Diagnostic) -> int:
        """A project-level guard: nothing ran."""
        say_problem(problem)
        if self.as_json:
            items = [
                {"item_id": item.item_id, "status": "error", "errors": [_dumped(problem)]}
                for item in launch.plan.items
            ]
            document = {"total": len(items), "ok": 0, "partial": 0, "error": len(items)}
            print_json(document | {"items": items, "errors": [_dumped(problem)]})
        return NOTHING_RAN

    def interrupted(self, state: RunState, opened: OpenRun) -> None:
        """What was done until Ctrl-C, for whoever reads JSON."""
        if self.as_json:
            done = [item.result for item in state.items.values() if item.result is not None]
            print_json(_document(summary_of(done), state, opened) | {"interrupted": True})

    def finished(self, summary: Summary, state: RunState, opened: OpenRun) -> None:
        """The summary of a finished run; notes and reasons go to standard error."""
        for item in summary.items:
            if item.reason:
                say(f"{item.table_ref}: {item.reason}")
        for note in summary.notes:
            say(f"note: {note}")
        for error in summary.errors:
            say_problem(error)
        if self.as_json:
            print_json(_document(summary, state, opened))
        else:
            click.echo(printed(summary), nl=False)


def _document(summary: Summary, state: RunState, opened: OpenRun) -> dict[str, Any]:
    results = [item.result for item in state.items.values() if item.result is not None]
    commit, pull_request = state.commit, state.pull_request
    return {
        "run_id": state.run_id,
        "worktree": str(opened.place.top),
        "branch": opened.place.branch,
        **summary.model_dump(mode="json", include={"total", "ok", "partial", "error"}),
        "items": [_item(result) for result in results],
        "notes": list(summary.notes),
        "errors": [_dumped(error) for error in summary.errors],
        "commits": dict(commit.commits) if commit is not None else {},
        "pull_request": pull_request.url if pull_request is not None else "",
        "extra": summary.extra,
    }


def _item(result: ItemResult) -> dict[str, Any]:
    return result.model_dump(mode="json")


def _dumped(problem: Diagnostic) -> dict[str, Any]:
    return problem.model_dump(mode="json")
