"""The demo and runs over it through the real command, with the real compiler and real dbt."""

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

from core.demo import copy_demo, expected_outcomes
from tests.e2e.test_guards import proc2dbt

ROOT = Path(__file__).parents[2]


def git(*arguments: str, cwd: Path) -> str:
    done = subprocess.run(["git", *arguments], cwd=cwd, capture_output=True, text=True, check=True)
    return done.stdout.strip()


@pytest.mark.slow
def test_the_demo_ends_as_its_readme_says(tmp_path: Path) -> None:
    done = proc2dbt("demo", "--json", cwd=tmp_path, timeout=900)
    document = json.loads(done.stdout)
    ended = {item["item_id"]: item["status"] for item in document["items"]}
    assert ended == {i: e.status for i, e in expected_outcomes().items()}, done.stderr
    assert done.returncode == 0, done.stderr
    staging = tmp_path / "proc2dbt-demo/dbt/models/staging"
    for item in document["items"]:
        there = (staging / f"{item['output']['model_name']}.sql").exists()
        assert there == (item["status"] != "error")
    again = proc2dbt("demo", cwd=tmp_path)
    assert again.returncode == 2
    assert "not empty" in again.stderr


def test_a_run_in_a_worktree_commits_one_commit_per_table(tmp_path: Path) -> None:
    project = tmp_path / "retail"
    copy_demo(project)
    (project / "catalog/notes.txt").write_text("seen by nobody\n")
    done = proc2dbt(
        *("--headless", "--json", "silver.DimStore", "silver.DimCategory"),
        cwd=project,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    branch = document["branch"]
    assert branch == "feature/generate-model-silver-dimstore-silver-dimcategory"
    subjects = git("log", "--format=%s", f"main..{branch}", cwd=project).splitlines()
    assert subjects == [
        "generate-model(silver.DimCategory): generate stg_dimcategory with table materialization",
        "generate-model(Silver.DIMSTORE): generate stg_dimstore with table materialization",
        "generate-model: declare sources and tests shared by the models",
    ]
    assert git("status", "--porcelain", cwd=project) == "?? catalog/notes.txt"
    assert any("catalog/notes.txt" in note for note in document["notes"])
    assert git("status", "--porcelain", cwd=Path(document["worktree"])) == ""
    kept = project / ".git/proc2dbt/runs" / document["run_id"]
    assert json.loads((kept / "summary.json").read_text())["ok"] == 2
    status = json.loads(proc2dbt("status", "--json", cwd=project).stdout)
    rows = {row["item_id"]: row for row in status["tables"]}
    assert rows["silver.dimstore"]["last_run"]["status"] == "ok"


def test_dry_run_writes_nothing(tmp_path: Path) -> None:
    project = tmp_path / "retail"
    copy_demo(project)
    done = proc2dbt(
        *("--headless", "--dry-run", "--json", "silver.DimStore", "gold.PartnerFeed"),
        cwd=project,
        timeout=300,
    )
    assert done.returncode == 1
    marks = {item["table_ref"]: item["mark"] for item in json.loads(done.stdout)["items"]}
    assert marks == {"Silver.DIMSTORE": "ok", "gold.PartnerFeed": "x"}
    assert git("status", "--porcelain", "--ignored", cwd=project) == ""
    assert not (tmp_path / "worktrees").exists()


def without_times(document: dict[str, Any]) -> dict[str, Any]:
    decision = document["output"]["decision"]
    if decision is not None:
        decision["at"] = ""
    return document


@pytest.mark.slow
def test_a_real_run_killed_and_resumed(tmp_path: Path) -> None:
    tables = ["silver.DimStore", "silver.DimCategory", "silver.DimOrderProfile"]
    results = []
    for name, killed in (("undisturbed", False), ("killed", True)):
        project = tmp_path / name
        copy_demo(project)
        command = ["--headless", "--in-place", "--jobs", "1"]
        if killed:
            kill_when_one_is_done(project, [*command, *tables])
            done = proc2dbt("--headless", "--in-place", tables[0], cwd=project)
            assert done.stderr.startswith("RUN_UNFINISHED: ")
            done = proc2dbt(*command, "--resume", cwd=project, timeout=600)
        else:
            done = proc2dbt(*command, *tables, cwd=project, timeout=600)
        assert done.returncode == 0, done.stderr
        runs = project / ".migration-runs"
        found = {
            str(file.relative_to(project)): file.read_text()
            for file in sorted((project / "dbt/models").rglob("*"))
            if file.is_file()
        }
        items = [
            without_times(json.loads(p.read_text())) for p in sorted(runs.glob("silver.*.json"))
        ]
        results.append((found, items, json.loads((runs / "summary.json").read_text())))
    assert results[0] == results[1]


def kill_when_one_is_done(project: Path, arguments: list[str]) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "tui", *arguments],
        cwd=project,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stderr=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
    )
    journal = project / ".migration-runs/events.ndjson"
    while process.poll() is None:
        if journal.exists() and '"item_finished"' in journal.read_text():
            process.send_signal(signal.SIGKILL)
            break
        time.sleep(0.01)
    assert process.wait() == -signal.SIGKILL


@pytest.mark.slow
def test_ctrl_c_leaves_a_resumable_run(tmp_path: Path) -> None:
    project = tmp_path / "retail"
    copy_demo(project)
    process = subprocess.Popen(
        [sys.executable, "-m", "tui", "--headless", "--in-place", "silver.DimStore"],
        cwd=project,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stderr=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    journal = project / ".migration-runs/events.ndjson"
    while not (journal.exists() and '"draft_ready"' in journal.read_text()):
        assert process.poll() is None
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=120)
    assert process.returncode == 130
    assert "--resume" in errors
    assert "Traceback" not in errors
    assert '"run_interrupted"' in journal.read_text()
    done = proc2dbt("--headless", "--resume", cwd=project, timeout=300)
    assert done.returncode == 0, done.stderr
