"""``cleanup-worktrees``: only ours, only merged, and it says why it left the rest."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.git.cleanup import CleanupAction, CleanupRequest, CleanupResult, cleanup_worktrees
from core.git.commits import commit_all, table_commit
from core.git.pull_request import PullRequestSettings
from core.git.repository import open_repository
from core.git.snapshot import RunSnapshot
from core.git.worktree import (
    Workplace,
    begin_run,
    end_run,
    open_worktree,
    plan_worktree,
)
from core.project.codes import Code, ProjectError

from .conftest import NOW, fsck, make_remote, make_repository, sh, write

STAGING = "dbt/models/staging"
SETTINGS = PullRequestSettings(use_gh=False)


def run_for(project: Path, name: str, finished: bool = True) -> Workplace:
    """A run over one table that committed its model."""
    tables = (f"silver.{name}",)
    place = open_worktree(plan_worktree(open_repository(project), tables))
    begin_run(place, f"run-{name}", tables, NOW)
    snapshot = RunSnapshot(place)
    plans = []
    for path, content in (
        (f"{STAGING}/stg_{name}.sql", f"select '{name}'\n"),
        (f"{STAGING}/_stg_{name}.yml", f"models: [{name}]\n"),
    ):
        snapshot.write(path, content)
        plans.append(table_commit(tables[0], f"stg_{name}", "table", [path], tables[0]))
    assert commit_all(place, plans, snapshot).error is None
    if finished:
        write(place.runs, {"summary.json": "{}"})
        end_run(place)
    return place


def clean(
    project: Path,
    branch: str | None = None,
    *,
    dry_run: bool = False,
    force: str | None = None,
    merged: dict[str, str] | None = None,
) -> tuple[CleanupResult, ...]:
    heads = {name: frozenset({tip}) for name, tip in (merged or {}).items()}
    return cleanup_worktrees(
        open_repository(project),
        CleanupRequest(branch, dry_run, force),
        SETTINGS,
        merged_heads=lambda name: heads.get(name, frozenset()),
    )


def only(results: tuple[CleanupResult, ...]) -> CleanupResult:
    (result,) = results
    return result


def branches(project: Path) -> str:
    return sh(project, "git", "branch", "--list", "feature/*")


def gone(project: Path, place: Workplace, result: CleanupResult) -> None:
    assert result.action is CleanupAction.REMOVED, result.line
    assert not place.top.exists()
    assert branches(project) == ""
    assert str(place.top) not in sh(project, "git", "worktree", "list")
    fsck(project)


def left(place: Workplace, result: CleanupResult, why: str) -> None:
    assert result.action is CleanupAction.SKIPPED, result.line
    assert why in result.line
    assert place.top.is_dir()


def merge(project: Path, place: Workplace, how: str) -> None:
    branch = place.branch or ""
    if how == "fast-forward":
        sh(project, "git", "merge", "-q", "--ff-only", branch)
    elif how == "merge":
        sh(project, "git", "merge", "-q", "--no-ff", "-m", "Merge", branch)
    elif how == "squash":
        sh(project, "git", "merge", "-q", "--squash", branch)
        sh(project, "git", "commit", "-q", "-m", "The models (#1)")
    elif how == "squash, then changed again":
        merge(project, place, "squash")
        for file in (project / STAGING).glob("stg_*.sql"):
            file.write_text("select 'later'\n")
        sh(project, "git", "commit", "-q", "-am", "Later work")
    elif how == "squash with more":
        sh(project, "git", "merge", "-q", "--squash", branch)
        write(project, {"docs/note.md": "x\n"})
        sh(project, "git", "add", "-A")
        sh(project, "git", "commit", "-q", "-m", "The models and a note")
    elif how == "rebase":
        write(project, {"other.txt": "x\n"})
        sh(project, "git", "add", "-A")
        sh(project, "git", "commit", "-q", "-m", "other")
        sh(project, "git", "cherry-pick", f"main..{branch}")


@pytest.mark.parametrize(
    "how",
    [
        "fast-forward",
        "merge",
        "squash",
        "squash, then changed again",
        "squash with more",
        "rebase",
    ],
)
def test_merged_work_goes(shop: Path, how: str) -> None:
    place = run_for(shop, "dimcustomer")
    merge(shop, place, how)
    result = only(clean(shop))
    gone(shop, place, result)
    assert "main" in result.reason
    assert result.tip[:10] in result.line
    assert not (shop.parent / "worktrees").exists(), "empty folders go too"
    assert (shop / ".git/proc2dbt/runs/run-dimcustomer/summary.json").is_file()


def test_unmerged_work_stays(shop: Path) -> None:
    place = run_for(shop, "dimcustomer")
    left(place, only(clean(shop)), "its commits are not merged into main")


def test_half_merged_work_stays(shop: Path) -> None:
    place = run_for(shop, "dimcustomer")
    sh(shop, "git", "cherry-pick", f"{place.branch}~1")
    left(place, only(clean(shop)), "not merged")


def test_merged_on_the_remote_only(shop: Path, tmp_path: Path) -> None:
    bare = make_remote(shop, tmp_path / "remote.git")
    place = run_for(shop, "dimcustomer")
    sh(place.root, "git", "push", "-q", "origin", f"{place.branch}")
    other = tmp_path / "other"
    sh(tmp_path, "git", "clone", "-q", str(bare), str(other))
    sh(other, "git", "config", "user.name", "R")
    sh(other, "git", "config", "user.email", "r@example.com")
    sh(other, "git", "merge", "-q", "--squash", f"origin/{place.branch}")
    sh(other, "git", "commit", "-q", "-m", "Squashed by a colleague")
    sh(other, "git", "push", "-q", "origin", "main")
    before = sh(shop, "git", "for-each-ref", "refs/remotes", "refs/heads/main")
    (shop / ".git/FETCH_HEAD").unlink()
    result = only(clean(shop))
    gone(shop, place, result)
    assert result.reason == "squash-merged into origin/main"
    assert sh(shop, "git", "for-each-ref", "refs/remotes", "refs/heads/main") == before
    assert not (shop / ".git/FETCH_HEAD").exists()


def test_a_remote_that_cannot_be_reached(shop: Path) -> None:
    place = run_for(shop, "dimcustomer")
    sh(shop, "git", "remote", "add", "origin", "/nowhere/shop.git")
    left(place, only(clean(shop)), "not merged into main")
    merge(shop, place, "merge")
    gone(shop, place, only(clean(shop)))


def test_a_pull_request_merged_on_the_service(shop: Path) -> None:
    place = run_for(shop, "dimcustomer")
    assert place.branch is not None
    tip = sh(place.root, "git", "rev-parse", "HEAD")
    sh(place.root, "git", "commit", "-q", "--allow-empty", "-m", "not pushed")
    later = clean(shop, merged={place.branch: tip})
    left(place, only(later), "commits that its merged pull request does not have")
    tip = sh(place.root, "git", "rev-parse", "HEAD")
    result = only(clean(shop, merged={place.branch: tip}))
    gone(shop, place, result)
    assert result.reason == "its pull request is merged"


@pytest.mark.parametrize(
    ("files", "why"),
    [
        ({f"{STAGING}/stg_dimcustomer.sql": "edited\n"}, "uncommitted changes"),
        ({"notes.txt": "mine\n"}, "uncommitted changes (notes.txt)"),
        ({".gitignore": "target/\nsecret.env\n", "secret.env": "x"}, "uncommitted changes"),
    ],
)
def test_uncommitted_work_stays(shop: Path, files: dict[str, str], why: str) -> None:
    place = run_for(shop, "dimcustomer")
    merge(shop, place, "merge")
    write(place.root, files)
    left(place, only(clean(shop)), why)
    for path, content in files.items():
        assert (place.root / path).read_text() == content


def test_ignored_files_that_may_be_a_persons_stay(shop: Path) -> None:
    (shop / ".gitignore").write_text("target/\n.env\ndbt/profiles.yml\n")
    sh(shop, "git", "commit", "-q", "-am", "ignore more")
    place = run_for(shop, "dimcustomer")
    merge(shop, place, "merge")
    write(place.root, {"dbt/target/manifest.json": "{}", "dbt/profiles.yml": "mine"})
    left(place, only(clean(shop)), "ignored files that removal would delete (dbt/profiles.yml)")
    (place.root / "dbt/profiles.yml").unlink()
    gone(shop, place, only(clean(shop)))


def test_an_unfinished_run_stays(shop: Path) -> None:
    place = run_for(shop, "dimcustomer", finished=False)
    merge(shop, place, "merge")
    left(place, only(clean(shop)), "its run run-dimcustomer is unfinished")


def test_a_running_run_stays_even_with_force(shop: Path) -> None:
    place = run_for(shop, "dimcustomer", finished=False)
    write(place.runs, {"lock": "4711"})
    left(place, only(clean(shop, force=place.branch)), "run-dimcustomer is going on")


def test_a_locked_worktree_stays(shop: Path) -> None:
    place = run_for(shop, "dimcustomer")
    merge(shop, place, "merge")
    sh(shop, "git", "worktree", "lock", str(place.top))
    left(place, only(clean(shop)), "its worktree is locked")


def test_where_you_are_stays(shop: Path) -> None:
    place = run_for(shop, "dimcustomer")
    merge(shop, place, "merge")
    left(place, only(clean(place.root)), "the working tree you are in")


def test_checked_out_in_the_main_tree(shop: Path) -> None:
    place = run_for(shop, "dimcustomer")
    sh(shop, "git", "worktree", "remove", "--force", str(place.top))
    sh(shop, "git", "checkout", "-q", place.branch or "")
    result = only(clean(shop))
    assert result.action is CleanupAction.SKIPPED


def test_a_dry_run_changes_nothing(shop: Path) -> None:
    place = run_for(shop, "dimcustomer")
    merge(shop, place, "squash")
    result = only(clean(shop, dry_run=True))
    assert result.action is CleanupAction.WOULD_REMOVE
    assert result.line.startswith(f"would remove {place.branch} ({place.top}): squash-merged")
    assert place.top.is_dir()


def test_force_names_one_branch_and_takes_only_that(shop: Path) -> None:
    first, second = run_for(shop, "dimcustomer"), run_for(shop, "factsales")
    for place in (first, second):
        write(place.root, {"notes.txt": "mine\n"})
    result = only(clean(shop, force=first.branch))
    assert result.action is CleanupAction.REMOVED
    assert "--force names it" in result.reason
    assert not first.top.exists()
    assert (second.root / "notes.txt").read_text() == "mine\n"
    sh(shop, "git", "branch", "back", result.tip)


def test_force_is_only_for_the_branch_it_names(shop: Path) -> None:
    place = run_for(shop, "dimcustomer")
    run_for(shop, "factsales")
    results = clean(shop, branch=place.branch, force="feature/generate-model-silver-factsales")
    left(place, only(results), "not merged")


def test_one_branch_by_its_short_name(shop: Path) -> None:
    run_for(shop, "dimcustomer")
    place = run_for(shop, "factsales")
    sh(shop, "git", "merge", "-q", "--no-ff", "-m", "Merge", place.branch or "")
    result = only(clean(shop, "generate-model-silver-factsales"))
    assert (result.branch, result.action) == (place.branch, CleanupAction.REMOVED)


@pytest.mark.parametrize("name", ["main", "mine", "feature/mine", "no-such", "--all"])
def test_branches_that_are_not_ours(shop: Path, name: str) -> None:
    for branch in ("mine", "feature/mine"):
        sh(shop, "git", "branch", branch)
    for request in ({"branch": name}, {"force": name}):
        with pytest.raises(ProjectError, match="is not the branch of a run") as caught:
            clean(shop, **request)
        assert caught.value.diagnostic.code is Code.GIT_NOT_READY
    assert clean(shop) == ()


def test_a_branch_without_worktree(shop: Path) -> None:
    place = run_for(shop, "dimcustomer")
    merge(shop, place, "merge")
    sh(shop, "git", "worktree", "remove", "--force", str(place.top))
    gone(shop, place, only(clean(shop)))


def test_a_worktree_folder_deleted_by_hand(shop: Path) -> None:
    place = run_for(shop, "dimcustomer")
    merge(shop, place, "merge")
    sh(shop, "rm", "-rf", str(place.top))
    gone(shop, place, only(clean(shop)))


def test_a_project_in_a_subfolder(tmp_path: Path) -> None:
    top = make_repository(tmp_path / "mono repo", "etl/shop é")
    place = run_for(top / "etl/shop é", "dimcustomer")
    merge(top, place, "merge")
    gone(top, place, only(clean(top / "etl/shop é")))


def test_the_upstream_configuration_goes_with_the_branch(shop: Path, tmp_path: Path) -> None:
    make_remote(shop, tmp_path / "remote.git")
    place = run_for(shop, "dimcustomer")
    sh(place.root, "git", "push", "-q", "--set-upstream", "origin", place.branch or "")
    merge(shop, place, "merge")
    gone(shop, place, only(clean(shop)))
    assert "generate-model" not in (shop / ".git/config").read_text()
