"""Whether a branch's work has arrived in another branch: merged, rebased or squashed.

Read-only. Everything is decided from commits and trees; what a hosting service says about pull
requests comes in as plain commit ids.
"""

from __future__ import annotations

from collections.abc import Iterable

from core.git.command import GitError, git, line, lines
from core.git.repository import Repository


def merged_into(repository: Repository, tip: str, bases: Iterable[tuple[str, str]]) -> str | None:
    """How the commits up to ``tip`` arrived in one of the bases, in words; else ``None``.

    ``bases`` are ``(name, commit)``. In this order: the tip is in the base's history; every
    commit is there as another one (rebased); all of it is there as one (squashed); every file it
    changed reads the same there.
    """
    for name, base in bases:
        if git(repository.top, "merge-base", "--is-ancestor", tip, base, check=False).ok:
            return f"all its commits are in {name}"
    for name, base in bases:
        asked = git(repository.top, "merge-base", tip, base, check=False)
        fork = asked.stdout.strip()
        if not asked.ok or not fork:
            continue
        try:
            if _rebased(repository, tip, base):
                return f"rebased onto {name}"
            if _squashed(repository, fork, tip, base) or _same_files(repository, fork, tip, base):
                return f"squash-merged into {name}"
        except GitError:
            continue
    return None


def _rebased(repository: Repository, tip: str, base: str) -> bool:
    """Every commit has one with the same change in the base (``git cherry``)."""
    rows = line(repository.top, "cherry", base, tip).splitlines()
    return bool(rows) and all(row.startswith("- ") for row in rows)


def _squashed(repository: Repository, fork: str, tip: str, base: str) -> bool:
    """One commit of the base makes the branch's whole change, seen on the branch's files."""
    paths = lines(repository.top, "diff", "--name-only", "--no-renames", "-z", fork, tip)
    if not paths:
        return False
    options = ("--no-ext-diff", "--no-textconv", "--no-renames", "--full-index", "--binary")
    wanted = git(repository.top, "diff", *options, fork, tip).stdout
    logged = git(
        repository.top,
        *("--literal-pathspecs", "log", "-p", "--first-parent", "-m", *options),
        *("--format=commit %H", f"{fork}..{base}", "--", *paths),
    ).stdout
    ids = _patch_ids(repository, wanted)
    return bool(ids) and bool(ids & _patch_ids(repository, logged))


def _patch_ids(repository: Repository, diff: str) -> set[str]:
    if not diff:
        return set()
    done = git(repository.top, "patch-id", "--stable", input_text=diff)
    return {row.split()[0] for row in done.stdout.splitlines() if row}


def _same_files(repository: Repository, fork: str, tip: str, base: str) -> bool:
    """Every file the branch changed is in the base as the branch left it."""
    paths = lines(repository.top, "diff", "--name-only", "--no-renames", "-z", fork, tip)
    compared = git(
        repository.top,
        "--literal-pathspecs",
        "diff",
        "--quiet",
        tip,
        base,
        "--",
        *paths,
        check=False,
    )
    return bool(paths) and compared.code == 0
