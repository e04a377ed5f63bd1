"""Step 1: the worktree a run gets, and what happens to the runs before it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from core.git.history import RUNS, keep_run, kept_runs, read_run
from core.git.listing import list_worktrees
from core.git.repository import open_repository
from core.git.worktree import (
    Workplace,
    WorktreePlan,
    WorktreeSettings,
    begin_run,
    end_run,
    find_runs,
    open_in_place,
    open_worktree,
    plan_worktree,
    reopen,
    unfinished_run,
)
from core.project.codes import Code, ProjectError
from core.version import VERSION

from .conftest import NOW, fsck, hook, identify, make_repository, sh, write

TABLES = ["silver.dimcustomer", "silver.factsales"]
BRANCH = "feature/generate-model-silver-dimcustomer-silver-factsales"


def plan(project: Path, tables: list[str] = TABLES, **settings: str) -> WorktreePlan:
    return plan_worktree(open_repository(project), tables, WorktreeSettings(**settings))


def start(project: Path, run_id: str = "run-1", tables: list[str] = TABLES) -> Workplace:
    place = open_worktree(plan(project, tables))
    begin_run(place, run_id, tables, NOW)
    return place


def finish(place: Workplace) -> None:
    write(place.runs, {"summary.json": "{}"})
    end_run(place)


def test_a_new_run_gets_a_branch_from_head_beside_the_repository(shop: Path) -> None:
    place = start(shop)
    assert place.root == shop.parent / "worktrees" / BRANCH
    assert place.branch == BRANCH
    assert sh(place.root, "git", "rev-parse", "HEAD") == sh(shop, "git", "rev-parse", "main")
    assert sh(shop, "git", "status", "--porcelain") == ""
    assert sh(place.root, "git", "status", "--porcelain", "--untracked-files=all") == ""
    fsck(shop)


def test_meta_names_the_run(shop: Path) -> None:
    place = start(shop)
    assert json.loads((place.runs / "meta.json").read_text()) == {
        "command": "generate-model",
        "run_id": "run-1",
        "tables": TABLES,
        "worktree": str(place.root),
        "started_at": "2026-03-02T09:30:00+00:00",
        "version": VERSION,
    }
    assert (place.runs / ".gitignore").read_text() == "*\n"


def test_planning_writes_nothing(shop: Path) -> None:
    before = sh(shop, "git", "for-each-ref")
    planned = plan(shop)
    assert not planned.path.exists()
    assert sh(shop, "git", "for-each-ref") == before


def test_the_base_setting(shop: Path) -> None:
    first = sh(shop, "git", "rev-parse", "HEAD")
    sh(shop, "git", "branch", "release")
    write(shop, {"ddl/more.sql": "x"})
    sh(shop, "git", "add", "-A")
    sh(shop, "git", "commit", "-q", "-m", "more")
    place = open_worktree(plan(shop, base="release"))
    assert sh(place.root, "git", "rev-parse", "HEAD") == first


def test_the_folder_setting(shop: Path, tmp_path: Path) -> None:
    place = open_worktree(plan(shop, folder=str(tmp_path / "a folder é")))
    assert place.root == tmp_path / "a folder é" / BRANCH


def test_the_same_tables_reuse_the_worktree_and_are_not_rebased(shop: Path) -> None:
    finish(start(shop))
    write(shop, {"ddl/more.sql": "x"})
    sh(shop, "git", "add", "-A")
    sh(shop, "git", "commit", "-q", "-m", "main moves on")
    again = plan(shop, ["Silver.FactSales", "silver.dimcustomer"])
    assert again.reused is False, "another order is another branch name"
    again = plan(shop)
    assert (again.branch, again.reused, again.unfinished) == (BRANCH, True, None)
    place = open_worktree(again)
    assert not (place.root / "ddl/more.sql").exists()
    assert "1 commit(s) behind" in place.notes[0]


def test_other_tables_with_the_same_truncated_name_get_a_number(shop: Path) -> None:
    forty = [f"silver.dim{n:02}" for n in range(40)]
    others = [*forty[:-1], "silver.dim99"]
    first, second = start(shop, "a", forty), start(shop, "b", others)
    assert first.branch is not None
    assert second.branch == first.branch[: len(first.branch) - 2] + "-2"
    third = start(shop, "c", [*forty[:-1], "silver.dim77"])
    assert third.branch is not None
    assert third.branch.endswith("-3")
    assert plan(shop, others).reused
    assert plan(shop, others).branch == second.branch


def test_a_branch_of_that_name_that_is_someone_elses_is_not_taken(shop: Path) -> None:
    sh(shop, "git", "branch", BRANCH)
    assert plan(shop).branch == f"{BRANCH}-2"


def test_a_folder_of_that_name_that_is_no_worktree_is_not_taken(shop: Path) -> None:
    write(shop.parent / "worktrees" / BRANCH, {"mine.txt": "mine"})
    place = start(shop)
    assert place.branch == f"{BRANCH}-2"
    assert (shop.parent / "worktrees" / BRANCH / "mine.txt").read_text() == "mine"


def test_a_worktree_of_another_repository_is_not_taken(shop: Path) -> None:
    other = make_repository(shop.parent / "other")
    start(other)
    assert start(shop).branch == f"{BRANCH}-2"


def test_a_worktree_somebody_made_by_hand_is_not_taken(shop: Path) -> None:
    path = shop.parent / "worktrees" / BRANCH
    sh(shop, "git", "worktree", "add", "-q", "-b", BRANCH, str(path))
    assert plan(shop).branch == f"{BRANCH}-2"


def test_a_branch_only_the_remote_has_is_not_taken(shop: Path) -> None:
    sh(shop, "git", "update-ref", f"refs/remotes/origin/{BRANCH}", "HEAD")
    assert plan(shop).branch == f"{BRANCH}-2"


def test_a_deleted_worktree_is_made_again_on_its_branch(shop: Path) -> None:
    place = start(shop)
    finish(place)
    sh(place.root, "git", "commit", "-q", "--allow-empty", "-m", "kept work")
    tip = sh(place.root, "git", "rev-parse", "HEAD")
    sh(shop, "rm", "-rf", str(place.root))
    again = plan(shop)
    assert (again.branch, again.reused, again.branch_exists) == (BRANCH, False, True)
    assert sh(open_worktree(again).root, "git", "rev-parse", "HEAD") == tip


def test_the_branch_checked_out_in_the_main_tree(shop: Path) -> None:
    place = start(shop)
    finish(place)
    sh(shop, "git", "worktree", "remove", "--force", str(place.root))
    sh(shop, "git", "checkout", "-q", BRANCH)
    with pytest.raises(ProjectError, match="is checked out in") as caught:
        plan(shop)
    assert caught.value.diagnostic.code is Code.GIT_NOT_READY


def test_a_branch_named_feature_is_in_the_way(shop: Path) -> None:
    sh(shop, "git", "branch", "feature")
    with pytest.raises(ProjectError, match="A branch named 'feature' exists"):
        plan(shop)


def test_a_reused_worktree_in_the_middle_of_a_merge(shop: Path) -> None:
    place = start(shop)
    finish(place)
    git_dir = Path(sh(place.root, "git", "rev-parse", "--absolute-git-dir"))
    (git_dir / "MERGE_HEAD").write_text(sh(shop, "git", "rev-parse", "HEAD") + "\n")
    with pytest.raises(ProjectError, match="in the middle of a merge"):
        open_worktree(plan(shop))


def test_worktrees_folder_that_cannot_be_made(shop: Path) -> None:
    (shop.parent / "worktrees").write_text("a file")
    with pytest.raises(ProjectError, match="cannot be made"):
        open_worktree(plan(shop))
    assert sh(shop, "git", "branch", "--list", "feature/*") == ""


def test_a_failing_post_checkout_hook_does_not_stop_the_run(shop: Path) -> None:
    hook(shop, "post-checkout", "echo no >&2; exit 1")
    place = start(shop)
    assert place.branch == BRANCH
    assert "post-checkout hook failed" in place.notes[0]


def test_a_project_in_a_subfolder_with_spaces(tmp_path: Path) -> None:
    top = make_repository(tmp_path / "mono repo", "etl/größe shop")
    place = start(top / "etl/größe shop")
    assert place.top == tmp_path / "worktrees" / BRANCH
    assert place.root == place.top / "etl/größe shop"
    assert (place.root / "dbt/dbt_project.yml").is_file()
    assert read_run(place.root / RUNS) is not None
    assert plan(top / "etl/größe shop").reused


def test_a_project_in_a_linked_worktree_shares_the_main_trees_folder(shop: Path) -> None:
    linked = shop.parent / "elsewhere" / "linked"
    sh(shop, "git", "worktree", "add", "-q", "-b", "side", str(linked))
    assert start(linked).root == shop.parent / "worktrees" / BRANCH


def test_a_project_that_is_a_submodule(tmp_path: Path, shop: Path) -> None:
    outer = tmp_path / "super" / "outer"
    outer.mkdir(parents=True)
    sh(outer, "git", "init", "-q")
    sh(
        outer,
        *("git", "-c", "protocol.file.allow=always", "submodule", "--quiet", "add"),
        *(str(shop), "shop"),
    )
    identify(outer / "shop")
    place = start(outer / "shop")
    assert place.root == tmp_path / "super" / "worktrees" / BRANCH
    assert (place.root / "manifest.json").is_file()
    assert "worktrees" not in sh(outer, "git", "status", "--porcelain")


def test_submodules_below_dbt_that_cannot_be_had_are_named(tmp_path: Path, shop: Path) -> None:
    package = make_repository(tmp_path / "package")
    sh(
        shop,
        *("git", "-c", "protocol.file.allow=always", "submodule", "--quiet", "add"),
        *(str(package), "dbt/packages/shared"),
    )
    sh(shop, "git", "commit", "-q", "-m", "A shared package")
    place = start(shop)
    assert "The submodule dbt/packages/shared could not be checked out" in place.notes[0]


def test_an_unfinished_run_is_a_value_to_ask_about(shop: Path) -> None:
    place = start(shop)
    planned = plan(shop)
    assert planned.unfinished is not None
    assert planned.unfinished.meta.run_id == "run-1"
    assert unfinished_run(open_worktree(planned)) is not None
    finish(place)
    assert plan(shop).unfinished is None


def test_a_new_run_clears_and_keeps_the_one_before(shop: Path) -> None:
    place = start(shop, "run-1")
    write(place.runs, {"events.ndjson": "{}\n", "attempts/silver.x/1.sql": "select 1"})
    begin_run(place, "run-2", TABLES, NOW)
    assert sorted(p.name for p in place.runs.iterdir()) == [".gitignore", "meta.json"]
    kept = shop / ".git/proc2dbt/runs/run-1"
    assert (kept / "events.ndjson").read_text() == "{}\n"
    assert (kept / "attempts/silver.x/1.sql").read_text() == "select 1"


def test_resuming_clears_nothing(shop: Path) -> None:
    place = start(shop)
    write(place.runs, {"events.ndjson": "{}\n"})
    (found,) = find_runs(shop)
    again = reopen(found, shop)
    assert again.root == place.root
    assert again.branch == BRANCH
    assert (again.runs / "events.ndjson").read_text() == "{}\n"


def test_a_run_is_found_by_its_id_from_any_worktree(shop: Path) -> None:
    place = start(shop, "one")
    other = start(shop, "two", ["silver.other"])
    finish(other)
    assert [run.meta.run_id for run in find_runs(other.root)] == ["one"]
    assert find_runs(place.root, "two")[0].finished
    assert find_runs(shop, "three") == ()


def test_history_keeps_the_last_ones(shop: Path) -> None:
    place = start(shop, "run-00")
    for number in range(1, 7):
        begin_run(place, f"run-{number:02}", TABLES, NOW, keep=3)
    history = place.history
    assert [run.meta.run_id for run in kept_runs(history)] == ["run-05", "run-04", "run-03"]
    assert sorted(p.name for p in history.iterdir()) == ["run-03", "run-04", "run-05"]


def test_the_copy_of_a_run_is_replaced_whole(shop: Path) -> None:
    place = start(shop)
    write(place.runs, {"old.json": "1", "lock": "pid"})
    end_run(place)
    (place.runs / "old.json").unlink()
    write(place.runs, {"new.json": "2"})
    kept = end_run(place)
    assert kept is not None
    assert sorted(p.name for p in kept.iterdir()) == [".gitignore", "meta.json", "new.json"]


@pytest.mark.parametrize("run_id", ["../../../escape", "", "a/b", ".hidden"])
def test_a_run_id_that_is_a_path_is_no_run(shop: Path, run_id: str) -> None:
    place = start(shop)
    meta = json.loads((place.runs / "meta.json").read_text())
    write(place.runs, {"meta.json": json.dumps({**meta, "run_id": run_id})})
    assert read_run(place.runs) is None
    assert keep_run(place.runs, place.history) is None


@pytest.mark.parametrize("content", ["", "[]", "{", '{"run_id": 1}', '{"command": "other"}'])
def test_a_broken_meta_is_no_run(shop: Path, content: str) -> None:
    place = start(shop)
    write(place.runs, {"meta.json": content})
    assert read_run(place.runs) is None
    assert plan(shop).branch == f"{BRANCH}-2"


def test_a_link_in_place_of_the_run_folder_is_refused(shop: Path, tmp_path: Path) -> None:
    write(tmp_path / "precious", {"file.txt": "mine"})
    (shop / RUNS).symlink_to(tmp_path / "precious", target_is_directory=True)
    with pytest.raises(ProjectError, match="is a link or a file"):
        begin_run(open_in_place(shop), "run-1", TABLES, NOW)
    assert (tmp_path / "precious/file.txt").read_text() == "mine"


def test_links_inside_the_run_folder_are_removed_not_followed(shop: Path, tmp_path: Path) -> None:
    write(tmp_path / "precious", {"file.txt": "mine"})
    place = start(shop)
    (place.runs / "attempts").symlink_to(tmp_path / "precious", target_is_directory=True)
    begin_run(place, "run-2", TABLES, NOW)
    assert not (place.runs / "attempts").exists()
    assert (tmp_path / "precious/file.txt").read_text() == "mine"


def test_in_place_the_folder_ignores_itself_too(shop: Path) -> None:
    place = open_in_place(shop)
    begin_run(place, "run-1", TABLES, NOW)
    assert place.in_place
    assert sh(shop, "git", "status", "--porcelain", "--untracked-files=all") == ""


def test_in_place_without_a_repository(tmp_path: Path) -> None:
    write(tmp_path / "loose", {"manifest.json": "{}"})
    place = open_in_place(tmp_path / "loose")
    begin_run(place, "run-1", TABLES, NOW)
    begin_run(place, "run-2", TABLES, NOW)
    assert [run.meta.run_id for run in kept_runs(place.history)] == ["run-1"]
    assert [run.meta.run_id for run in find_runs(tmp_path / "loose")] == ["run-2"]


def test_the_list_of_worktrees(shop: Path) -> None:
    place = start(shop)
    sh(shop, "git", "worktree", "lock", str(place.root))
    main, ours = list_worktrees(open_repository(shop))
    assert (main.path, main.branch, main.locked) == (shop, "main", False)
    assert (ours.branch, ours.locked, ours.missing) == (BRANCH, True, False)


def test_a_disk_that_takes_no_writes_is_a_sentence(shop: Path) -> None:
    place = start(shop)
    (shop / ".git/proc2dbt").write_text("a file where the history belongs")
    with pytest.raises(ProjectError, match="cannot be written") as caught:
        begin_run(place, "run-2", TABLES, NOW)
    assert caught.value.diagnostic.code is Code.GIT_NOT_READY
    assert (place.runs / "meta.json").is_file(), "nothing was cleared before it was kept"
