"""What earlier runs said about each table, for ``status`` and the table list."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from core.git.command import git
from core.git.history import RUNS, RunFolder, history_folder, kept_runs, read_run
from core.git.repository import find_repository
from core.pipeline.attempts import file_stem
from core.pipeline.events import CommitFinished
from core.project.codes import ProjectError
from core.project.files import read_text
from core.project.status import LastRun


def last_runs(project: Path, limit: int = 50) -> dict[str, LastRun]:
    """The newest result of each item over the kept runs and the one in place, newest first."""
    found: dict[str, LastRun] = {}
    branches = _branches(project)
    for run in _runs(project)[:limit]:
        wanted = [item_id for item_id in run.meta.tables if item_id not in found]
        branch, commits = _committed(run) if wanted and branches else ("", {})
        for item_id in wanted:
            result = _result(run, item_id)
            if result is not None:
                there = branch if commits.get(item_id) and branch in branches else ""
                found[item_id] = replace(result, branch=there)
    return found


def _branches(project: Path) -> frozenset[str]:
    try:
        if find_repository(project) is None:
            return frozenset()
        listed = git(project, "for-each-ref", "--format=%(refname:short)", "refs/heads")
        return frozenset(listed.stdout.split())
    except ProjectError:
        return frozenset()


def _committed(run: RunFolder) -> tuple[str, Mapping[str, str]]:
    """The branch a run committed to, and the commit of each item, as its journal says."""
    branch, commits = "", dict[str, str]()
    try:
        text = read_text(run.path / "events.ndjson")
    except (OSError, ValueError):
        return "", {}
    for line in text.splitlines():
        if '"type":"commit_finished"' not in line:
            continue
        try:
            event = CommitFinished.model_validate_json(line)
        except ValueError:
            continue
        branch = event.branch
        commits |= event.commits
    return branch, commits


def _runs(project: Path) -> list[RunFolder]:
    runs = project.resolve() / RUNS
    try:
        kept = kept_runs(history_folder(find_repository(project), runs))
    except ProjectError:
        kept = ()
    here = read_run(runs)
    known = {run.meta.run_id: run for run in (*((here,) if here else ()), *kept)}
    return sorted(known.values(), key=lambda run: run.meta.started_at, reverse=True)


def _result(run: RunFolder, item_id: str) -> LastRun | None:
    try:
        document = json.loads(read_text(run.path / f"{file_stem(item_id)}.json"))
        output: dict[str, Any] = document["output"]
        return LastRun(
            status=str(document["status"]),
            run_id=run.meta.run_id,
            finished_at=run.meta.started_at,
            codes=tuple(dict.fromkeys(_codes(output["errors"]) + _codes(output["warnings"]))),
            notes=tuple(str(note) for note in output.get("notes", ())),
        )
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _codes(diagnostics: Iterable[dict[str, Any]]) -> list[str]:
    return [str(d["code"]) for d in diagnostics]
