"""The command killed with `kill -9` at many moments, then `--resume`: as if undisturbed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from core.demo import copy_demo

TABLES = ("silver.DimStore", "gold.PartnerFeed")
RUN = (sys.executable, "-m", "tui", "--headless", "--no-pr")


def environment() -> dict[str, str]:
    path = str(Path(__file__).parents[2])
    return os.environ | {"PYTHONPATH": path, "PROC2DBT_EQUIVALENCE_SECONDS": "1"}


def git(root: Path, *arguments: str) -> str:
    command = ["git", "-C", str(root), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def warehouse(folder: Path) -> Path:
    root = folder / "project"
    copy_demo(root)
    return root


def branch(root: Path) -> tuple[str, str]:
    """The files and the subjects of the run's branch."""
    (name,) = git(root, "for-each-ref", "--format=%(refname)", "refs/heads/feature").split()
    return git(root, "ls-tree", "-r", name), git(root, "log", "--format=%s", name)


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    root = warehouse(tmp_path_factory.mktemp("undisturbed"))
    done = subprocess.run([*RUN, *TABLES], cwd=root, env=environment(), capture_output=True)
    assert done.returncode == 1, done.stderr.decode()
    return branch(root)


def kill_when(root: Path, event: str) -> None:
    """Start the run and kill it as soon as its journal holds the event."""
    run = subprocess.Popen(
        [*RUN, *TABLES],
        cwd=root,
        env=environment(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    wanted = f'"type":"{event}"'
    while run.poll() is None:
        journals = root.parent.glob("worktrees/*/*/.migration-runs/events.ndjson")
        if any(wanted in journal.read_text() for journal in journals):
            run.send_signal(signal.SIGKILL)
            break
        time.sleep(0.005)
    run.wait()
    assert run.returncode == -signal.SIGKILL, f"{event} came too late to kill the run"


@pytest.mark.slow
@pytest.mark.parametrize(
    "event",
    [
        "run_started",
        "draft_ready",
        "verification_progress",
        "review_finished",
        "equivalence_progress",
        "project_build_finished",
    ],
)
def test_a_killed_run_ends_as_an_undisturbed_one(
    event: str, tmp_path: Path, undisturbed: tuple[str, str]
) -> None:
    root = warehouse(tmp_path)
    kill_when(root, event)
    again = subprocess.run([*RUN, *TABLES], cwd=root, env=environment(), capture_output=True)
    assert again.returncode == 2
    assert b"RUN_UNFINISHED" in again.stderr
    done = subprocess.run([*RUN, "--resume"], cwd=root, env=environment(), capture_output=True)
    assert done.returncode == 1, done.stderr.decode()
    assert branch(root) == undisturbed


@pytest.mark.slow
def test_status_says_to_merge_what_a_run_committed(tmp_path: Path) -> None:
    root = warehouse(tmp_path)
    subprocess.run([*RUN, TABLES[0]], cwd=root, env=environment(), check=True, capture_output=True)
    command = [sys.executable, "-m", "tui", "status", "--json", TABLES[0]]
    name = "feature/generate-model-silver-dimstore"

    def status() -> dict[str, Any]:
        said = subprocess.run(command, cwd=root, env=environment(), capture_output=True)
        found: dict[str, Any] = json.loads(said.stdout)
        return found

    assert status()["tables"][0]["last_run"]["branch"] == name
    assert status()["next"]["sentence"] == f"Merge {name}: the models of 1 table are there."
    git(root, "merge", "-q", name)
    assert status()["next"]["sentence"] == "Nothing: every target has its model."
