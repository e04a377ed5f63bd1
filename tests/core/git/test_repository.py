"""Which repositories a run may use, and the sentence for those it may not."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path, PurePosixPath

import pytest

from core.git.repository import (
    Mode,
    find_repository,
    open_repository,
    require_ready,
    uncommitted,
)
from core.project.codes import Code, ProjectError

from .conftest import PROJECT, make_repository, sh, write


def refusal(call: Callable[[], object]) -> str:
    with pytest.raises(ProjectError) as caught:
        call()
    assert caught.value.diagnostic.code is Code.GIT_NOT_READY
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_a_ready_project(shop: Path) -> None:
    repository = require_ready(shop, Mode.WORKTREE)
    assert repository is not None
    assert repository.top == shop.resolve()
    assert repository.prefix == PurePosixPath(".")
    assert repository.branch == "main"
    assert len(repository.head) == 40


@pytest.mark.parametrize("place", ["with space/größe ünï", "deep/er/migration"])
def test_a_project_in_a_subfolder(tmp_path: Path, place: str) -> None:
    top = make_repository(tmp_path / "mono repo é", place)
    repository = require_ready(top / place, Mode.WORKTREE)
    assert repository is not None
    assert repository.top == top.resolve()
    assert repository.prefix == PurePosixPath(place)
    assert repository.from_top("dbt/x.sql") == f"{place}/dbt/x.sql"


def test_no_repository(tmp_path: Path) -> None:
    write(tmp_path / "loose", PROJECT)
    assert "not in a git repository" in refusal(
        lambda: require_ready(tmp_path / "loose", Mode.WORKTREE)
    )
    assert "git init" in refusal(lambda: require_ready(tmp_path / "loose", Mode.IN_PLACE_COMMIT))
    assert require_ready(tmp_path / "loose", Mode.IN_PLACE) is None


def test_bare_repository(tmp_path: Path, shop: Path) -> None:
    sh(shop, "git", "clone", "-q", "--bare", str(shop), str(tmp_path / "bare.git"))
    for mode in Mode:
        assert "bare repository" in refusal(lambda m=mode: require_ready(tmp_path / "bare.git", m))


def test_the_inside_of_the_git_folder(shop: Path) -> None:
    assert "the inside of a .git folder" in refusal(lambda: find_repository(shop / ".git"))


def test_no_commit_yet(tmp_path: Path) -> None:
    write(tmp_path / "new", PROJECT)
    sh(tmp_path / "new", "git", "init", "-q")
    assert "no commit yet" in refusal(lambda: require_ready(tmp_path / "new", Mode.WORKTREE))


def test_detached_head_matters_only_where_commits_would_be_lost(shop: Path) -> None:
    sh(shop, "git", "checkout", "-q", "--detach")
    assert "detached HEAD" in refusal(lambda: require_ready(shop, Mode.IN_PLACE_COMMIT))
    repository = require_ready(shop, Mode.WORKTREE)
    assert repository is not None
    assert repository.branch is None


def conflict(shop: Path) -> None:
    sh(shop, "git", "checkout", "-q", "-b", "side")
    write(shop, {"ddl/procedures.sql": "side\n"})
    sh(shop, "git", "commit", "-q", "-am", "side")
    sh(shop, "git", "checkout", "-q", "main")
    write(shop, {"ddl/procedures.sql": "main\n"})
    sh(shop, "git", "commit", "-q", "-am", "main")


@pytest.mark.parametrize(
    ("command", "operation"),
    [
        (("git", "merge", "side"), "merge"),
        (("git", "rebase", "side"), "rebase"),
        (("git", "cherry-pick", "side"), "cherry-pick"),
        (("git", "revert", "--no-commit", "HEAD~1"), "revert"),
    ],
)
def test_an_unfinished_operation(shop: Path, command: tuple[str, ...], operation: str) -> None:
    conflict(shop)
    sh(shop, *command, check=False)
    for mode in Mode:
        message = refusal(lambda m=mode: require_ready(shop, m))
        assert f"in the middle of a {operation}" in message
        assert f"git {operation} --abort" in message


def test_conflicts_left_by_a_stash(shop: Path) -> None:
    write(shop, {"ddl/procedures.sql": "stashed\n"})
    sh(shop, "git", "stash", "-q")
    write(shop, {"ddl/procedures.sql": "other\n"})
    sh(shop, "git", "commit", "-q", "-am", "other")
    sh(shop, "git", "stash", "pop", check=False)
    assert "unresolved conflicts (ddl/procedures.sql)" in refusal(
        lambda: require_ready(shop, Mode.WORKTREE)
    )


def test_missing_identity(shop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sh(shop, "git", "config", "--unset", "user.name")
    message = refusal(lambda: require_ready(shop, Mode.WORKTREE))
    assert "user.name is not set" in message
    assert require_ready(shop, Mode.IN_PLACE) is not None
    for role in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{role}_NAME", "CI")
    assert require_ready(shop, Mode.WORKTREE) is not None


def test_the_dbt_project_must_be_in_the_base(shop: Path) -> None:
    sh(shop, "git", "rm", "-q", "--cached", "dbt/dbt_project.yml")
    sh(shop, "git", "commit", "-q", "-m", "The dbt project is not ours to keep")
    assert "dbt/dbt_project.yml is not committed in HEAD" in refusal(
        lambda: require_ready(shop, Mode.WORKTREE)
    )
    assert require_ready(shop, Mode.WORKTREE, base="HEAD~1") is not None


@pytest.mark.parametrize("base", ["no-such-branch", "--all", "HEAD^{tree}"])
def test_a_base_that_is_no_commit(shop: Path, base: str) -> None:
    assert "is no branch, tag or commit" in refusal(
        lambda: require_ready(shop, Mode.WORKTREE, base=base)
    )


@pytest.mark.skipif(os.name == "nt", reason="permissions are POSIX ones")
def test_no_write_permission(shop: Path, tmp_path: Path) -> None:
    """In a process of another account: permissions do not bind root."""
    script = (
        "import os, sys\n"
        "from pathlib import Path\n"
        "from core.git.repository import Mode, require_ready\n"
        "from core.project.codes import ProjectError\n"
        "if os.getuid() == 0:\n"
        "    os.setgid(65534); os.setuid(65534)\n"
        "try:\n"
        "    require_ready(Path(sys.argv[1]), Mode.WORKTREE)\n"
        "except ProjectError as error:\n"
        "    print(error.diagnostic.code.value, error)\n"
    )
    objects = shop / ".git" / "objects"
    for folder in (tmp_path, *tmp_path.parents):
        if folder.stat().st_uid == os.getuid() and folder != Path("/"):
            folder.chmod(folder.stat().st_mode | 0o055)
    objects.chmod(0o555)
    environment = {**os.environ, "GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": "safe.directory"}
    environment |= {"GIT_CONFIG_VALUE_0": "*", "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(
        [sys.executable, "-c", script, str(shop)],
        capture_output=True,
        text=True,
        check=False,
        env=environment,
    )
    objects.chmod(0o755)
    assert done.stdout.startswith("GIT_NOT_READY proc2dbt may not write to"), done.stderr


def test_a_worktree_of_a_bare_repository_is_fine(shop: Path, tmp_path: Path) -> None:
    sh(shop, "git", "clone", "-q", "--bare", str(shop), str(tmp_path / "bare.git"))
    linked = tmp_path / "linked"
    sh(tmp_path / "bare.git", "git", "worktree", "add", "-q", str(linked), "main")
    sh(linked, "git", "config", "user.name", "Dana")
    sh(linked, "git", "config", "user.email", "dana@example.com")
    assert require_ready(linked, Mode.WORKTREE) is not None


def test_uncommitted_work_is_named(tmp_path: Path) -> None:
    top = make_repository(tmp_path / "mono", "etl/shop é")
    project = top / "etl/shop é"
    assert uncommitted(open_repository(project)).inputs == ()
    write(
        project,
        {
            "manifest.json": "{}\n",
            "test-specs/new spec.json": "{}\n",
            "dbt/macros/mine.sql": "x\n",
            "notes.txt": "not an input\n",
            "dbt/target/ignored.json": "{}\n",
        },
    )
    (project / "ddl/procedures.sql").unlink()
    sh(project, "git", "add", "manifest.json")
    found = uncommitted(open_repository(project))
    assert found.inputs == ("ddl/procedures.sql", "manifest.json", "test-specs/new spec.json")
    assert found.dbt == ("dbt/macros/mine.sql",)


def test_a_hooks_environment_does_not_mislead(
    shop: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = make_repository(tmp_path / "other")
    monkeypatch.setenv("GIT_DIR", str(other / ".git"))
    monkeypatch.setenv("GIT_INDEX_FILE", str(other / ".git/index"))
    assert open_repository(shop).top == shop.resolve()


def test_a_repository_of_another_account(shop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1")  # git's own test switch
    assert "git config --global --add safe.directory" in refusal(lambda: find_repository(shop))


def test_git_missing(shop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    assert "git is not installed" in refusal(lambda: require_ready(shop, Mode.WORKTREE))
    assert require_ready(shop, Mode.IN_PLACE) is None
