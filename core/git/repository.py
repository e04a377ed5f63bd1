"""The git repository around a migration project, and whether a run may use it.

The project may be the whole working tree, a folder in it, a linked worktree or a submodule.
Nothing here writes. Every refusal is ``GIT_NOT_READY`` with one sentence: what, where, what to do.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path, PurePosixPath

from core.git.command import git, line, lines, said
from core.project.codes import Code, ProjectError

INPUTS = ("manifest.json", "catalog", "ddl", "test-specs")
"""What a run reads from the project it was started in, as it is on disk."""

DBT = "dbt"


class Mode(StrEnum):
    """What a run will do with git."""

    WORKTREE = "worktree"
    """A branch and a worktree of its own; commits there."""
    IN_PLACE = "in-place"
    """Files in the project only; works without a repository."""
    IN_PLACE_COMMIT = "in-place-commit"
    """Files in the project, commits on the current branch."""


@dataclass(frozen=True)
class Repository:
    """One working tree of a repository, seen from the migration project in it."""

    project: Path
    """The project's root."""
    top: Path
    """The root of the working tree that holds it."""
    git_dir: Path
    """The working tree's own git folder (index, HEAD)."""
    common_dir: Path
    """The git folder that all worktrees of the repository share."""
    prefix: PurePosixPath
    """The project's folder below ``top``; ``.`` when it is ``top`` itself."""
    branch: str | None
    """The current branch; ``None`` when HEAD is detached."""
    head: str
    """The commit HEAD is at; empty before the first commit."""

    def from_top(self, path: str | PurePosixPath) -> str:
        """A path below the project as git names it: below ``top``, with forward slashes."""
        return (self.prefix / path).as_posix()


@dataclass(frozen=True)
class Uncommitted:
    """Changes in the project that are on disk and not in HEAD, relative to the project."""

    inputs: tuple[str, ...] = ()
    """Inputs of the run: it reads them as they are on disk, a reader of the branch does not."""
    dbt: tuple[str, ...] = ()
    """Files below ``dbt/``: a worktree does not have these changes."""


def find_repository(project: Path) -> Repository | None:
    """The repository of the project, or ``None`` when there is none.

    Raises:
        ProjectError: ``GIT_NOT_READY``; the repository is bare, or git refuses to read it.
    """
    root = project.resolve()
    asked = git(root, "rev-parse", "--is-bare-repository", "--is-inside-work-tree", check=False)
    if not asked.ok:
        if "not a git repository" in asked.stderr:
            return None
        if "dubious ownership" in asked.stderr:
            raise not_ready(
                f"git does not trust the repository of {root}, which belongs to another account; "
                f"if you do, run 'git config --global --add safe.directory {root}'."
            )
        raise not_ready(f"git cannot read the repository of {root}: {said(asked)}.")
    bare, inside = asked.stdout.split()[:2]
    if inside != "true":
        kind = "a bare repository" if bare == "true" else "the inside of a .git folder"
        raise not_ready(
            f"{root} is {kind}, which has no working tree; clone it and run in the clone."
        )
    top, git_dir, common = (
        line(root, "rev-parse", what)
        for what in ("--show-toplevel", "--absolute-git-dir", "--git-common-dir")
    )
    prefix = line(root, "rev-parse", "--show-prefix")
    head = git(root, "rev-parse", "--verify", "--quiet", "HEAD^{commit}", check=False)
    branch = git(root, "symbolic-ref", "--quiet", "--short", "HEAD", check=False)
    return Repository(
        project=root,
        top=Path(top),
        git_dir=Path(git_dir),
        common_dir=(root / common).resolve(),
        prefix=PurePosixPath(prefix or "."),
        branch=branch.stdout.strip() or None,
        head=head.stdout.strip(),
    )


def open_repository(project: Path) -> Repository:
    """The repository of the project.

    Raises:
        ProjectError: ``GIT_NOT_READY``; there is none, it is bare, or git refuses to read it.
    """
    found = find_repository(project)
    if found is None:
        raise not_ready(
            f"{project.resolve()} is not in a git repository; run 'git init' and commit the "
            "project, or run with --in-place."
        )
    return found


def require_ready(project: Path, mode: Mode, base: str = "HEAD") -> Repository | None:
    """The repository of the project when a run of this mode may use it.

    ``None`` only for ``Mode.IN_PLACE`` in a folder without a repository.

    Raises:
        ProjectError: ``GIT_NOT_READY`` with the first thing that is in the way.
    """
    if mode is Mode.IN_PLACE:
        try:
            repository = find_repository(project)
        except ProjectError as error:
            if "git is not installed" in str(error):
                return None
            raise
        if repository is not None:
            _require_no_operation(repository)
        return repository
    repository = open_repository(project)
    _require_commits(repository)
    _require_no_operation(repository)
    _require_identity(repository)
    _require_writable(repository)
    if mode is Mode.IN_PLACE_COMMIT:
        if repository.branch is None:
            raise not_ready(
                f"{repository.top} is on no branch (detached HEAD at {repository.head[:10]}), "
                "where a commit is easily lost; switch to a branch with 'git switch NAME'."
            )
    else:
        _require_base(repository, base)
    return repository


def require_no_operation(repository: Repository) -> None:
    """Raise ``GIT_NOT_READY`` while a merge, rebase, cherry-pick or revert is unfinished."""
    _require_no_operation(repository)


def uncommitted(repository: Repository) -> Uncommitted:
    """Changes to inputs and to ``dbt/`` that HEAD does not have, untracked files included."""
    changed = dirty_paths(repository, (*INPUTS, DBT))
    return Uncommitted(
        inputs=tuple(path for path in changed if PurePosixPath(path).parts[0] != DBT),
        dbt=tuple(path for path in changed if PurePosixPath(path).parts[0] == DBT),
    )


def dirty_paths(repository: Repository, below: tuple[str, ...]) -> tuple[str, ...]:
    """Paths (relative to the project) that differ from HEAD: staged, changed or untracked.

    ``below`` names files and folders of the project; ignored files do not count.
    """
    status = lines(
        repository.top,
        "--no-optional-locks",
        "--literal-pathspecs",
        "status",
        "--porcelain=v1",
        "-z",
        "--no-renames",
        "--untracked-files=all",
        "--ignore-submodules=none",
        "--",
        *(repository.from_top(path) for path in below),
    )
    prefix = "" if repository.prefix == PurePosixPath(".") else f"{repository.prefix}/"
    return tuple(sorted(entry[3:].removeprefix(prefix).rstrip("/") for entry in status))


def not_ready(message: str) -> ProjectError:
    """The error of everything in this package that keeps a run from starting."""
    return ProjectError.of(Code.GIT_NOT_READY, message)


def _require_commits(repository: Repository) -> None:
    if not repository.head:
        raise not_ready(
            f"The repository {repository.top} has no commit yet; commit the project first "
            "(git add . && git commit)."
        )


@contextlib.contextmanager
def writing(path: Path) -> Iterator[None]:
    """Turn a disk that will not take a write into ``GIT_NOT_READY`` with the path."""
    try:
        yield
    except OSError as error:
        raise not_ready(
            f"{error.filename or path} cannot be written ({error.strerror or error}); free space "
            "or give your account write permission, then run again with --resume."
        ) from error


_OPERATIONS = {
    "MERGE_HEAD": "merge",
    "rebase-merge": "rebase",
    "rebase-apply": "rebase",
    "CHERRY_PICK_HEAD": "cherry-pick",
    "REVERT_HEAD": "revert",
}


def _require_no_operation(repository: Repository) -> None:
    for name, operation in _OPERATIONS.items():
        if (repository.git_dir / name).exists():
            raise not_ready(
                f"{repository.top} is in the middle of a {operation}; finish it "
                f"(git {operation} --continue) or give it up (git {operation} --abort) first."
            )
    unmerged = lines(repository.top, "diff", "--name-only", "--diff-filter=U", "-z")
    if unmerged:
        raise not_ready(
            f"{repository.top} has unresolved conflicts ({_some(unmerged)}); resolve them first."
        )


def _require_identity(repository: Repository) -> None:
    for role in ("author", "committer"):
        for field in ("name", "email"):
            if not _identity(repository, role, field):
                raise not_ready(
                    f"git does not know who commits (user.{field} is not set); run "
                    f"'git config user.{field} \"…\"' in {repository.top}."
                )


def _identity(repository: Repository, role: str, field: str) -> str:
    """What git would use, configured: git's own guess from the host name is nobody's choice."""
    from_environment = os.environ.get(f"GIT_{role.upper()}_{field.upper()}", "")
    if not from_environment and field == "email":
        from_environment = os.environ.get("EMAIL", "")
    if from_environment:
        return from_environment
    for key in (f"{role}.{field}", f"user.{field}"):
        value = git(repository.top, "config", "--get", key, check=False).stdout.strip()
        if value:
            return value
    return ""


def _require_writable(repository: Repository) -> None:
    for folder in (repository.common_dir, repository.common_dir / "objects", repository.git_dir):
        if not os.access(folder, os.W_OK):
            raise not_ready(
                f"proc2dbt may not write to {folder}; give your account write permission there, "
                "or work in a clone of your own."
            )


def _require_base(repository: Repository, base: str) -> None:
    commit = resolve_commit(repository, base)
    project_file = repository.from_top(f"{DBT}/dbt_project.yml")
    shown = git(repository.top, "cat-file", "-e", f"{commit}:{project_file}", check=False)
    if not shown.ok and (repository.top / project_file).is_file():
        where = "HEAD" if base == "HEAD" else f"'{base}'"
        raise not_ready(
            f"{project_file} is not committed in {where}, so a worktree would not have the dbt "
            "project; commit it, or run with --in-place."
        )


def resolve_commit(repository: Repository, base: str) -> str:
    """The commit a base setting (branch, tag, commit, ``HEAD``) names.

    Raises:
        ProjectError: ``GIT_NOT_READY``; there is no such commit.
    """
    found = git(
        repository.top,
        "rev-parse",
        "--verify",
        "--quiet",
        "--end-of-options",
        f"{base}^{{commit}}",
        check=False,
    )
    if not found.ok:
        raise not_ready(
            f"The setting 'base' names '{base}', which is no branch, tag or commit of "
            f"{repository.top}; correct it, or fetch it first."
        )
    return found.stdout.strip()


def _some(paths: tuple[str, ...], limit: int = 3) -> str:
    shown = ", ".join(paths[:limit])
    return shown if len(paths) <= limit else f"{shown} and {len(paths) - limit} more"
