"""Copying the demo out: a repository of its own, and nothing of the user's overwritten."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from core.demo import copy_demo, demo_project, deviations, expected_outcomes
from core.project.codes import Code, ProjectError


def git(folder: Path, *args: str) -> str:
    done = subprocess.run(["git", *args], cwd=folder, capture_output=True, text=True, check=True)
    return done.stdout.strip()


def as_expected() -> dict[str, tuple[str, tuple[str, ...]]]:
    return {item: (o.status, o.codes) for item, o in expected_outcomes().items()}


def test_the_copy_is_a_repository_with_one_commit_of_its_own_identity(tmp_path: Path) -> None:
    target = tmp_path / "new" / "demo"
    copy_demo(target)

    assert git(target, "rev-parse", "--show-toplevel") == str(target.resolve())
    assert git(target, "log", "--format=%an <%ae>") == "proc2dbt demo <demo@proc2dbt.invalid>"
    assert git(target, "branch", "--show-current") == "main"
    assert git(target, "config", "--local", "user.email") == "demo@proc2dbt.invalid"
    assert git(target, "status", "--porcelain") == ""


def test_everything_in_the_package_is_copied_and_committed(tmp_path: Path) -> None:
    copy_demo(tmp_path)

    source = Path(str(demo_project()))
    packaged = {p.relative_to(source).as_posix() for p in source.rglob("*") if p.is_file()}
    packaged = (packaged - {"gitignore"}) | {".gitignore"}
    assert set(git(tmp_path, "ls-files").splitlines()) == packaged
    name = "ddl/procedures.sql"
    assert (tmp_path / name).read_bytes() == (source / name).read_bytes()


def test_what_runs_leave_behind_is_ignored(tmp_path: Path) -> None:
    copy_demo(tmp_path)
    for name in (".migration-runs/meta.json", "dbt/target/manifest.json", "dbt/retail_dw.duckdb"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("{}")

    assert git(tmp_path, "status", "--porcelain") == ""


@pytest.mark.parametrize("name", ["notes.txt", ".hidden"])
def test_a_folder_that_is_not_empty_is_refused_and_left_alone(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("mine")

    with pytest.raises(ProjectError, match="not empty") as refused:
        copy_demo(tmp_path)

    assert str(tmp_path) in str(refused.value)
    assert [entry.name for entry in tmp_path.iterdir()] == [name]


def test_a_file_in_the_way_is_refused(tmp_path: Path) -> None:
    target = tmp_path / "demo"
    target.write_text("mine")

    with pytest.raises(ProjectError, match="is not a folder"):
        copy_demo(target)

    assert target.read_text() == "mine"


def test_a_folder_that_cannot_be_made_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")

    with pytest.raises(ProjectError, match="could not be written"):
        copy_demo(tmp_path / "file" / "demo")


def test_without_git_nothing_is_copied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path / "empty"))

    with pytest.raises(ProjectError, match="needs git") as refused:
        copy_demo(tmp_path / "demo")

    assert refused.value.diagnostic.code is Code.GIT_NOT_READY
    assert not (tmp_path / "demo").exists()


def test_the_users_own_git_settings_stay_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Signed commits, ignored *.csv, a failing hook, GIT_DIR: none of them reaches the demo."""
    hooks = tmp_path / "hooks"
    hooks.mkdir()
    hook = hooks / "pre-commit"
    hook.write_text("#!/bin/sh\nexit 1\n")
    hook.chmod(0o755)
    ignored = tmp_path / "ignored"
    ignored.write_text("*.csv\n")
    config = tmp_path / "gitconfig"
    config.write_text(
        f"[commit]\ngpgsign = true\n[core]\nhooksPath = {hooks}\nexcludesFile = {ignored}\n"
    )
    monkeypatch.setenv("HOME", str(tmp_path))
    config.rename(tmp_path / ".gitconfig")
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "elsewhere"))

    copy_demo(tmp_path / "demo")

    monkeypatch.delenv("GIT_DIR")
    assert "dbt/seeds/country.csv" in git(tmp_path / "demo", "ls-files")
    assert not (tmp_path / "elsewhere").exists()


def test_outcomes_come_from_the_demos_own_file() -> None:
    text = (demo_project() / "expected.json").read_text(encoding="utf-8")

    outcomes = expected_outcomes()

    assert {item: o.status for item, o in outcomes.items()} == {
        item: entry["status"] for item, entry in json.loads(text)["items"].items()
    }
    assert any(o.status != "ok" for o in outcomes.values())


def test_a_run_that_ends_as_it_must_has_no_deviations() -> None:
    assert deviations(as_expected()) == []


def test_codes_beside_the_expected_ones_do_not_matter() -> None:
    outcomes = as_expected() | {
        "silver.dimstore": ("ok", ("REVIEW_APPROVED_WITH_WARNINGS",)),
    }

    assert deviations(outcomes) == []


@pytest.mark.parametrize(
    ("item", "outcome", "sentence"),
    [
        (
            "silver.dimstore",
            ("partial", ("EQUIVALENCE_GAP",)),
            "silver.dimstore should end ok, but ended partial (EQUIVALENCE_GAP).",
        ),
        (
            "gold.partnerfeed",
            ("ok", ()),
            "gold.partnerfeed should end error, but ended ok.",
        ),
        (
            "silver.dimpromotion",
            ("error", ("GENERATION_FAILED",)),
            "silver.dimpromotion ended error as it should, but without PROFILE_NOT_COMPLETED.",
        ),
        ("dbo.other", ("ok", ()), "dbo.other is not a table of the demo."),
    ],
)
def test_a_deviation_is_named(
    item: str, outcome: tuple[str, tuple[str, ...]], sentence: str
) -> None:
    assert deviations(as_expected() | {item: outcome}) == [sentence]


def test_a_table_that_was_not_run_is_named() -> None:
    outcomes = as_expected()
    del outcomes["silver.factsales"]

    assert deviations(outcomes) == ["silver.factsales was not run; it should end ok."]
