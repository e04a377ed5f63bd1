"""Step 6: one commit per accepted table, and nothing of the user's touched."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from core.git.commits import (
    SHARED_SUBJECT,
    CommitReport,
    CommitState,
    PlannedCommit,
    commit_all,
    shared_commit,
    table_commit,
)
from core.git.repository import open_repository
from core.git.snapshot import RunSnapshot
from core.git.worktree import Workplace, begin_run, open_in_place, open_worktree, plan_worktree
from core.project.codes import Code

from .conftest import NOW, fsck, hook, make_repository, sh, write

STAGING = "dbt/models/staging"
SOURCES = f"{STAGING}/_sources.yml"


def workplace(project: Path, tables: tuple[str, ...] = ("silver.dimcustomer",)) -> Workplace:
    place = open_worktree(plan_worktree(open_repository(project), tables))
    begin_run(place, "run-1", tables, NOW)
    return place


def files_of(name: str) -> tuple[str, str]:
    return f"{STAGING}/stg_{name}.sql", f"{STAGING}/_stg_{name}.yml"


def generate(snapshot: RunSnapshot, name: str, content: str = "") -> PlannedCommit:
    sql, yml = files_of(name)
    snapshot.write(sql, f"select * from {name} -- {content}\n")
    snapshot.write(yml, f"models: [stg_{name}]\n")
    return table_commit(
        f"silver.{name.title()}", f"stg_{name}", "table", (sql, yml), f"silver.{name}"
    )


def log(folder: Path, since: str = "main") -> list[str]:
    return sh(folder, "git", "log", "--reverse", "--format=%s", f"{since}..HEAD").splitlines()


def changed(folder: Path, commit: str = "HEAD") -> list[str]:
    return sh(
        folder, "git", "show", "--format=", "--name-status", "--no-renames", commit
    ).splitlines()


def status(folder: Path) -> str:
    return sh(folder, "git", "status", "--porcelain", "--untracked-files=all")


def test_shared_files_first_then_one_commit_per_table(shop: Path) -> None:
    place = workplace(shop)
    snapshot = RunSnapshot(place)
    first, second = generate(snapshot, "dimcustomer"), generate(snapshot, "factsales")
    snapshot.write(SOURCES, "version: 2\nsources: [bronze]\n")
    generate(snapshot, "rejected")
    report = commit_all(place, [shared_commit([SOURCES]), first, second], snapshot)
    assert report.error is None
    assert log(place.root) == [
        SHARED_SUBJECT,
        "generate-model(silver.Dimcustomer): generate stg_dimcustomer with table materialization",
        "generate-model(silver.Factsales): generate stg_factsales with table materialization",
    ]
    assert changed(place.root, "HEAD~2") == [f"M\t{SOURCES}"]
    assert changed(place.root, "HEAD") == [
        f"A\t{STAGING}/_stg_factsales.yml",
        f"A\t{STAGING}/stg_factsales.sql",
    ]
    snapshot.restore(files_of("rejected"))
    assert status(place.root) == ""
    assert sh(place.root, "git", "log", "-1", "--format=%an <%ae>|%B") == (
        "Dana Engineer <dana@example.com>|generate-model(silver.Factsales): generate "
        "stg_factsales with table materialization"
    )
    fsck(shop)


def test_the_exact_subject() -> None:
    plan = table_commit("silver.DimCustomer", "stg_dimcustomer", "incremental", ["a.sql"], "x")
    assert plan.subject == (
        "generate-model(silver.DimCustomer): generate stg_dimcustomer with incremental "
        "materialization"
    )
    hostile = table_commit("silver.Dim\nCustomer\n\nx", "stg_x", "table", ["a"], "x")
    assert "\n" not in hostile.subject


def test_the_users_staged_and_unstaged_work_stays_as_it_was(shop: Path) -> None:
    write(
        shop,
        {
            "ddl/procedures.sql": "staged\n",
            "staged_new.txt": "staged new\n",
            "catalog/tables/silver.dimcustomer.json": "staged then\n",
        },
    )
    sh(shop, "git", "add", "-A")
    write(shop, {"catalog/tables/silver.dimcustomer.json": "edited again\n", "loose.txt": "x\n"})
    sh(shop, "git", "rm", "-q", "--cached", "manifest.json")
    before = (status(shop), sh(shop, "git", "diff", "--cached"), sh(shop, "git", "diff"))
    place = open_in_place(shop)
    begin_run(place, "run-1", ("silver.dimcustomer",), NOW)
    snapshot = RunSnapshot(place)
    report = commit_all(place, [generate(snapshot, "dimcustomer")], snapshot)
    assert report.error is None
    assert changed(shop) == [
        f"A\t{STAGING}/_stg_dimcustomer.yml",
        f"A\t{STAGING}/stg_dimcustomer.sql",
    ]
    after = (status(shop), sh(shop, "git", "diff", "--cached"), sh(shop, "git", "diff"))
    assert after == before
    fsck(shop)


def test_an_entry_the_user_staged_for_the_same_file_stays(shop: Path) -> None:
    place = open_in_place(shop)
    begin_run(place, "run-1", ("silver.dimcustomer",), NOW)
    snapshot = RunSnapshot(place)
    plan = generate(snapshot, "dimcustomer", "ours")
    sql = files_of("dimcustomer")[0]
    blob = sh(shop, "git", "hash-object", "-w", "--stdin", stdin="select 'staged by hand'\n")
    sh(shop, "git", "update-index", "--add", "--cacheinfo", f"100644,{blob},{sql}")
    assert commit_all(place, [plan], snapshot).error is None
    assert sh(shop, "git", "show", f":{sql}") == "select 'staged by hand'"
    assert sh(shop, "git", "show", f"HEAD:{sql}") == "select * from dimcustomer -- ours"


def test_a_project_in_a_subfolder_with_odd_names(tmp_path: Path) -> None:
    top = make_repository(tmp_path / "mono repo", "etl/größe [x] *")
    place = workplace(top / "etl/größe [x] *")
    snapshot = RunSnapshot(place)
    assert commit_all(place, [generate(snapshot, "dimcustomer")], snapshot).error is None
    assert sh(place.root, "git", "-c", "core.quotePath=false", "show", "--format=", "--name-only")
    assert status(place.root) == ""


def test_a_second_run_commits_what_changed_and_nothing_else(shop: Path) -> None:
    place = workplace(shop)
    snapshot = RunSnapshot(place)
    plans = [generate(snapshot, "dimcustomer"), generate(snapshot, "factsales")]
    commit_all(place, plans, snapshot)
    place = open_worktree(plan_worktree(open_repository(shop), ("silver.dimcustomer",)))
    begin_run(place, "run-2", ("silver.dimcustomer",), NOW)
    snapshot = RunSnapshot(place)
    plans = [generate(snapshot, "dimcustomer"), generate(snapshot, "factsales", "better")]
    report = commit_all(place, plans, snapshot)
    assert [one.state for one in report.outcomes] == [CommitState.UNCHANGED, CommitState.CREATED]
    assert len(log(place.root)) == 3
    assert changed(place.root) == [f"M\t{STAGING}/stg_factsales.sql"]


def test_a_file_that_is_gone_is_committed_as_gone(shop: Path) -> None:
    place = workplace(shop)
    snapshot = RunSnapshot(place)
    snapshot.claim([SOURCES])
    (place.root / SOURCES).unlink()
    assert commit_all(place, [shared_commit([SOURCES])], snapshot).error is None
    assert changed(place.root) == [f"D\t{SOURCES}"]
    assert status(place.root) == ""


def test_nothing_to_commit(shop: Path) -> None:
    place = workplace(shop)
    report = commit_all(place, [shared_commit([])], RunSnapshot(place))
    assert report == CommitReport()
    assert log(place.root) == []


class TestRefusals:
    """Every refusal is one sentence; what was committed before stands; a repeat finishes."""

    def refused(self, place: Workplace, count: int = 2) -> tuple[CommitReport, list[PlannedCommit]]:
        snapshot = RunSnapshot(place)
        plans = [generate(snapshot, f"dim{n}") for n in range(count)]
        report = commit_all(place, plans, snapshot)
        assert report.error is not None
        assert report.error.code is Code.COMMIT_FAILED
        assert "\n" not in report.error.message
        return report, plans

    def test_a_failing_pre_commit_hook(self, shop: Path) -> None:
        place = workplace(shop)
        file = hook(shop, "pre-commit", "echo 'sqlfluff: L010 capitalise' ; exit 1")
        report, plans = self.refused(place)
        assert report.error is not None
        assert "sqlfluff: L010 capitalise" in report.error.message
        assert report.error.item_id == "silver.dim0"
        states = [one.state for one in report.outcomes]
        assert states == [CommitState.FAILED, CommitState.NOT_TRIED]
        assert sh(place.root, "git", "diff", "--cached") == ""
        file.unlink()
        assert commit_all(place, plans, RunSnapshot(place)).error is None
        assert len(log(place.root)) == 2

    def test_a_failing_commit_msg_hook(self, shop: Path) -> None:
        hook(shop, "commit-msg", "echo 'no ticket number' >&2; exit 1")
        report, _ = self.refused(workplace(shop))
        assert report.error is not None
        assert "no ticket number" in report.error.message

    def test_a_hook_that_fails_for_one_table_only(self, shop: Path) -> None:
        place = workplace(shop)
        hook(shop, "pre-commit", "git diff --cached --name-only | grep -q dim1 && exit 1; exit 0")
        report, _ = self.refused(place, 3)
        states = [one.state for one in report.outcomes]
        assert states == [CommitState.CREATED, CommitState.FAILED, CommitState.NOT_TRIED]
        assert len(log(place.root)) == 1

    def test_signing_that_cannot_work(self, shop: Path) -> None:
        sh(shop, "git", "config", "commit.gpgsign", "true")
        sh(shop, "git", "config", "user.signingkey", "nobody@example.invalid")
        report, _ = self.refused(workplace(shop))
        assert report.error is not None
        assert "could not sign" in report.error.message

    def test_a_held_lock(self, shop: Path) -> None:
        place = workplace(shop)
        git_dir = Path(sh(place.root, "git", "rev-parse", "--absolute-git-dir"))
        (git_dir / "HEAD.lock").write_text("")
        report, plans = self.refused(place)
        assert report.error is not None
        assert "another git process holds a lock" in report.error.message
        (git_dir / "HEAD.lock").unlink()
        assert commit_all(place, plans, RunSnapshot(place)).error is None

    def test_an_identity_that_went_missing(self, shop: Path) -> None:
        place = workplace(shop)
        sh(shop, "git", "config", "user.useConfigOnly", "true")
        sh(shop, "git", "config", "--unset", "user.name")
        sh(shop, "git", "config", "--unset", "user.email")
        report, _ = self.refused(place)
        assert report.error is not None
        assert "git does not know who commits" in report.error.message

    def test_an_ignored_model(self, shop: Path) -> None:
        place = workplace(shop)
        write(place.root, {".gitignore": "target/\nstg_*.sql\n"})
        report, _ = self.refused(place)
        assert report.error is not None
        assert ".gitignore:2:stg_*.sql" in report.error.message

    def test_a_model_edited_after_it_was_checked(self, shop: Path) -> None:
        place = workplace(shop)
        snapshot = RunSnapshot(place)
        plan = generate(snapshot, "dim0")
        write(place.root, {files_of("dim0")[0]: "select 'by hand'\n"})
        report = commit_all(place, [plan], snapshot)
        assert report.error is not None
        assert "was changed after it was checked" in report.error.message
        assert (place.root / files_of("dim0")[0]).read_text() == "select 'by hand'\n"

    def test_no_repository(self, tmp_path: Path) -> None:
        write(tmp_path / "loose", {"manifest.json": "{}"})
        place = open_in_place(tmp_path / "loose")
        begin_run(place, "run-1", ("silver.dim0",), NOW)
        report, _ = self.refused(place)
        assert report.error is not None
        assert "not in a git repository" in report.error.message


def test_a_hook_that_reformats_is_reported(shop: Path) -> None:
    place = workplace(shop)
    sql = files_of("dimcustomer")[0]
    hook(shop, "pre-commit", f"echo '-- formatted' >> {sql}; git add {sql}")
    snapshot = RunSnapshot(place)
    report = commit_all(place, [generate(snapshot, "dimcustomer")], snapshot)
    assert report.error is None
    assert "A git hook changed what was committed for silver.dimcustomer" in report.notes[0]
    assert sh(place.root, "git", "show", f"HEAD:{sql}").endswith("-- formatted")
    assert status(place.root) == ""


def test_a_hook_that_reformats_and_refuses_is_accepted_the_second_time(shop: Path) -> None:
    """As the pre-commit framework does: it changes the files and asks for another commit."""
    place = workplace(shop)
    sql = files_of("dimcustomer")[0]
    script = f"grep -q formatted {sql} && exit 0; echo '-- formatted' >> {sql}; exit 1"
    hook(shop, "pre-commit", script)
    snapshot = RunSnapshot(place)
    plan = generate(snapshot, "dimcustomer")
    report = commit_all(place, [plan], snapshot)
    assert report.error is not None
    assert f"The hook changed {sql}" in report.error.message
    assert commit_all(place, [plan], RunSnapshot(place)).error is None
    assert status(place.root) == ""


def test_a_commit_msg_hook_may_add_to_the_message(shop: Path) -> None:
    place = workplace(shop)
    hook(shop, "commit-msg", "echo >> $1; echo 'Change-Id: I1' >> $1")
    snapshot = RunSnapshot(place)
    plan = generate(snapshot, "dimcustomer")
    assert commit_all(place, [plan], snapshot).notes == ()
    (outcome,) = commit_all(place, [plan], RunSnapshot(place)).outcomes
    assert outcome.state is CommitState.ALREADY


def test_a_commit_made_at_the_same_moment_is_not_undone(
    shop: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from core.git import commits as module

    place = open_in_place(shop)
    begin_run(place, "run-1", ("silver.dimcustomer",), NOW)
    snapshot = RunSnapshot(place)
    plan = generate(snapshot, "dimcustomer")
    real = module.git

    def racing(folder: Path, *args: str, **options: object) -> object:
        if args[0] == "write-tree":
            write(shop, {"ddl/procedures.sql": "theirs\n"})
            sh(shop, "git", "commit", "-q", "-am", "their work")
        return real(folder, *args, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(module, "git", racing)
    report = commit_all(place, [plan], snapshot)
    monkeypatch.undo()
    assert report.error is not None
    assert "Somebody committed to main at the same moment" in report.error.message
    assert sh(shop, "git", "log", "-1", "--format=%s") == "their work"
    assert commit_all(place, [plan], RunSnapshot(place)).error is None
    assert sh(shop, "git", "show", "HEAD:ddl/procedures.sql") == "theirs"
    assert status(shop) == ""
    fsck(shop)


def test_signed_commits(shop: Path, tmp_path: Path) -> None:
    key = tmp_path / "key"
    sh(tmp_path, "ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key))
    for name, value in {
        "gpg.format": "ssh",
        "user.signingkey": str(key),
        "commit.gpgsign": "true",
    }.items():
        sh(shop, "git", "config", name, value)
    place = workplace(shop)
    snapshot = RunSnapshot(place)
    assert commit_all(place, [generate(snapshot, "dimcustomer")], snapshot).error is None
    assert "gpgsig -----BEGIN SSH SIGNATURE-----" in sh(place.root, "git", "cat-file", "-p", "HEAD")


KILLED = """
import os, sys
from pathlib import Path
from core.git import commits as module
from core.git.snapshot import RunSnapshot
from core.git.worktree import find_runs, reopen

project, step = Path(sys.argv[1]), int(sys.argv[2])
place = reopen(find_runs(project)[0], project)
snapshot = RunSnapshot(place)
calls = 0
real = module.git


def git(*args, **options):
    global calls
    calls += 1
    if calls == step:
        os._exit(9)
    return real(*args, **options)


module.git = git
module.line = lambda folder, *args: git(folder, *args).stdout.rstrip("\\r\\n")
plans = [
    module.table_commit(
        f"silver.Dim{n}",
        f"stg_dim{n}",
        "table",
        (f"dbt/models/staging/stg_dim{n}.sql", f"dbt/models/staging/_stg_dim{n}.yml"),
        f"silver.dim{n}",
    )
    for n in range(3)
]
report = module.commit_all(place, plans, snapshot)
assert report.error is None, report.error
print(calls)
"""


def killed_at(shop: Path, step: int) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", KILLED, str(shop), str(step)],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])},
    )


QUICK_STEPS = (3, 9, 12, 14, 33, 47)
ALL_STEPS = [
    step if step in QUICK_STEPS else pytest.param(step, marks=pytest.mark.slow)
    for step in range(1, 48)
]


@pytest.mark.parametrize("step", ALL_STEPS)
def test_killed_in_the_middle_of_committing_and_resumed(shop: Path, step: int) -> None:
    """The process dies before its n-th git command; a new process finishes the job."""
    place = workplace(shop)
    snapshot = RunSnapshot(place)
    for number in range(3):
        generate(snapshot, f"dim{number}")
    write(place.root, {"ddl/procedures.sql": "edited\n", "mine.txt": "mine\n"})
    sh(place.root, "git", "add", "mine.txt")
    first = killed_at(shop, step)
    assert first.returncode == 9, first.stderr
    second = killed_at(shop, 0)
    assert second.returncode == 0, second.stderr
    assert log(place.root) == [
        f"generate-model(silver.Dim{n}): generate stg_dim{n} with table materialization"
        for n in range(3)
    ]
    for number, commit in enumerate(("HEAD~2", "HEAD~1", "HEAD")):
        assert changed(place.root, commit) == [
            f"A\t{STAGING}/_stg_dim{number}.yml",
            f"A\t{STAGING}/stg_dim{number}.sql",
        ]
    assert status(place.root) == " M ddl/procedures.sql\nA  mine.txt"
    git_dir = Path(sh(place.root, "git", "rev-parse", "--absolute-git-dir"))
    assert not list(git_dir.glob("proc2dbt-index-*"))
    fsck(shop)
