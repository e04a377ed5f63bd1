"""``cleanup-worktrees``: removes worktrees and branches of ours whose work has arrived.

Never a branch that is not a run's, never one with uncommitted, unfinished or unmerged work,
unless ``--force`` names that branch. Every branch looked at gets one line: what was done, or why
it was left.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from core.git.branch import FOLDER, is_ours
from core.git.command import NETWORK_TIMEOUT, GitError, git, lines, network_environment
from core.git.history import KEPT_RUNS, RUNS, history_folder, keep_run, kept_runs, read_run
from core.git.hosting.contract import HostingError
from core.git.listing import WorktreeEntry, list_worktrees
from core.git.merged import merged_into
from core.git.pull_request import PullRequestSettings, destination
from core.git.push import choose_remote, look_at_remote
from core.git.repository import Repository, not_ready
from core.project.codes import ProjectError

MergedHeads = Callable[[str], frozenset[str]]
"""The commits at which pull requests of a branch were merged, as a hosting service says."""

IsRunning = Callable[[Path], bool]
"""Whether a run is going on in a ``.migration-runs/``."""

_BUILD_OUTPUT = frozenset({RUNS, "target", "dbt_packages", "dbt_modules", "logs", "__pycache__"})
"""Ignored folders that dbt and proc2dbt make again; any other ignored file may be a person's."""


class CleanupAction(StrEnum):
    """What was done with a branch."""

    REMOVED = "removed"
    WOULD_REMOVE = "would-remove"
    """In a dry run."""
    SKIPPED = "skipped"
    FAILED = "failed"
    """git would not remove it."""


@dataclass(frozen=True)
class CleanupResult:
    """One branch of ours, what was done with it, and why."""

    branch: str
    worktree: Path | None
    action: CleanupAction
    reason: str
    tip: str = ""
    """The commit the branch was at; with it ``git branch NAME TIP`` brings it back."""

    @property
    def line(self) -> str:
        """The result as one line for the user."""
        where = f" ({self.worktree})" if self.worktree is not None else ""
        was = f"; it was at {self.tip[:10]}" if self.action is CleanupAction.REMOVED else ""
        return f"{self.action.value.replace('-', ' ')} {self.branch}{where}: {self.reason}{was}"


@dataclass(frozen=True)
class CleanupRequest:
    """The command line of ``cleanup-worktrees``."""

    branch: str | None = None
    """Only this branch; ``None``: every branch of ours."""
    dry_run: bool = False
    force: str | None = None
    """This branch goes even with uncommitted or unmerged work."""


@dataclass(frozen=True)
class _Candidate:
    branch: str
    tip: str
    entry: WorktreeEntry | None


def cleanup_worktrees(
    repository: Repository,
    request: CleanupRequest,
    settings: PullRequestSettings | None = None,
    *,
    merged_heads: MergedHeads | None = None,
    is_running: IsRunning | None = None,
    keep: int = KEPT_RUNS,
) -> tuple[CleanupResult, ...]:
    """Look at every branch of ours (or the one asked for) and remove what may go.

    ``merged_heads`` replaces the question to the hosting service, which is asked only about
    branches whose commits are not found in the base. A service that cannot be reached just
    leaves more branches alone. ``is_running`` tells whether a process holds the lock of a
    ``.migration-runs/`` whose run is unfinished; by default, whether the lock is there.

    Raises:
        ProjectError: ``GIT_NOT_READY``; the branch asked for is not there or not a run's.
    """
    settings = settings or PullRequestSettings()
    is_running = is_running or (lambda runs: (runs / "lock").exists())
    candidates = _candidates(repository)
    wanted = request.branch or request.force
    if wanted is not None:
        name = wanted if wanted.startswith(FOLDER) else f"{FOLDER}{wanted}"
        candidates = tuple(one for one in candidates if one.branch in (wanted, name))
        if not candidates:
            raise not_ready(
                f"'{wanted}' is not the branch of a run of proc2dbt in {repository.top}; "
                "'git branch --list \"feature/generate-model-*\"' shows those there are."
            )
    bases = _bases(repository, settings)
    ask = merged_heads or _ask_service(repository, settings)
    forced = {request.force, f"{FOLDER}{request.force}"} if request.force else set()
    results = []
    for one in candidates:
        reason, may_go = _judge(
            repository, one, bases, ask, is_running, forced=one.branch in forced
        )
        results.append(_carry_out(repository, one, reason, may_go, request.dry_run, keep))
    return tuple(results)


def _candidates(repository: Repository) -> tuple[_Candidate, ...]:
    """Branches with the name of a run's, and those a ``meta.json`` of ours is on."""
    entries = list_worktrees(repository)
    by_branch = {entry.branch: entry for entry in entries[1:] if entry.branch}
    known = {run.meta.worktree for run in kept_runs(history_folder(repository, Path()))}
    listed = git(
        repository.top, "for-each-ref", "--format=%(objectname) %(refname)", "refs/heads/"
    ).stdout
    found = []
    for row in listed.splitlines():
        tip, _, ref = row.partition(" ")
        branch = ref.removeprefix("refs/heads/")
        entry = by_branch.get(branch)
        runs = entry.path / repository.prefix / RUNS if entry is not None else None
        marked = runs is not None and read_run(runs) is not None
        remembered = entry is not None and str(entry.path) in known
        if is_ours(branch) or marked or remembered:
            found.append(_Candidate(branch, tip, entry))
    return tuple(found)


def _bases(repository: Repository, settings: PullRequestSettings) -> tuple[tuple[str, str], ...]:
    """Where work may have arrived: the remote's default branch as it is now, and local ones."""
    found: dict[str, str] = {}
    remote = choose_remote(repository, settings.remote)
    names = {settings.base} if settings.base else set()
    if remote is not None:
        names |= _remote_bases(repository, remote, settings, found)
    main = list_worktrees(repository)[0]
    names |= {name for name in (main.branch, repository.branch) if name}
    for name in sorted(name for name in names if not is_ours(name)):
        for ref in (f"refs/heads/{name}", *((f"refs/remotes/{remote}/{name}",) if remote else ())):
            asked = git(repository.top, "rev-parse", "--verify", "--quiet", ref, check=False)
            if asked.ok:
                found.setdefault(ref.split("/", 2)[2], asked.stdout.strip())
    return tuple(found.items())


def _remote_bases(
    repository: Repository, remote: str, settings: PullRequestSettings, found: dict[str, str]
) -> set[str]:
    """Ask the remote, and fetch the commits of its base without moving any ref of the user's."""
    try:
        state = look_at_remote(repository, remote, (settings.base,) if settings.base else ())
        name = settings.base or state.default_branch or ""
        if not state.branches:
            state = look_at_remote(repository, remote, (name,)) if name else state
    except ProjectError:
        head = f"refs/remotes/{remote}/HEAD"
        asked = git(repository.top, "symbolic-ref", "--quiet", head, check=False)
        name = asked.stdout.strip().removeprefix(f"refs/remotes/{remote}/")
        return {name} - {""}
    tip = state.branches.get(name, "")
    if not tip:
        return set()
    there = git(repository.top, "cat-file", "-e", f"{tip}^{{commit}}", check=False)
    if not there.ok:
        git(
            repository.top,
            *("fetch", "--quiet", "--no-tags", "--no-write-fetch-head", "--refmap="),
            *("--recurse-submodules=no", "--", remote, f"refs/heads/{name}"),
            check=False,
            env=network_environment(repository.top),
            timeout=NETWORK_TIMEOUT * 5,
        )
        there = git(repository.top, "cat-file", "-e", f"{tip}^{{commit}}", check=False)
    if there.ok:
        found[f"{remote}/{name}"] = tip
    return {name}


def _ask_service(repository: Repository, settings: PullRequestSettings) -> MergedHeads:
    target = destination(repository, settings)
    services = target.services if target is not None else ()

    def ask(branch: str) -> frozenset[str]:
        for service in services:
            try:
                return service.merged_heads(branch)
            except HostingError:
                continue
        return frozenset()

    return ask


def _judge(
    repository: Repository,
    one: _Candidate,
    bases: tuple[tuple[str, str], ...],
    ask: MergedHeads,
    is_running: IsRunning,
    *,
    forced: bool,
) -> tuple[str, bool]:
    """The reason, and whether the branch may go."""
    hindrance = _never(repository, one, is_running)
    if hindrance:
        return hindrance, False
    if forced:
        return "removed because --force names it", True
    kept = _work_in_progress(repository, one)
    if kept:
        return kept, False
    how = merged_into(repository, one.tip, bases)
    if how is None:
        heads = ask(one.branch)
        if one.tip in heads:
            how = "its pull request is merged"
        elif heads:
            return "it has commits that its merged pull request does not have", False
    if how is None:
        where = ", ".join(name for name, _ in bases) or "any base branch"
        return f"its commits are not merged into {where}", False
    return how, True


def _never(repository: Repository, one: _Candidate, is_running: IsRunning) -> str:
    """What forbids it even with ``--force``."""
    if one.branch == repository.branch:
        return "it is the branch of the working tree you are in"
    main = list_worktrees(repository)[0]
    if one.branch == main.branch:
        return f"it is checked out in {main.path}"
    if one.entry is None:
        return ""
    if one.entry.locked:
        return f"its worktree is locked (git worktree unlock {shlex.quote(str(one.entry.path))})"
    runs = one.entry.path / repository.prefix / RUNS
    run = read_run(runs)
    if run is not None and not run.finished and is_running(runs):
        return f"run {run.meta.run_id} is going on in its worktree"
    return ""


def _work_in_progress(repository: Repository, one: _Candidate) -> str:
    """Work in the worktree that no commit holds."""
    if one.entry is None or one.entry.missing:
        return ""
    run = read_run(one.entry.path / repository.prefix / RUNS)
    if run is not None and not run.finished:
        return f"its run {run.meta.run_id} is unfinished; resume or discard it first"
    operations = ("MERGE_HEAD", "rebase-merge", "rebase-apply", "CHERRY_PICK_HEAD", "REVERT_HEAD")
    try:
        folder = git(one.entry.path, "rev-parse", "--absolute-git-dir").stdout.strip()
        if any((Path(folder) / name).exists() for name in operations):
            return "its worktree is in the middle of a merge or rebase"
        changed, ignored = _status(one.entry.path)
    except (GitError, OSError) as error:
        return f"its worktree cannot be read ({error})"
    if changed:
        return f"its worktree has uncommitted changes ({_some(changed)})"
    if ignored:
        return f"its worktree has ignored files that removal would delete ({_some(ignored)})"
    return ""


def _status(worktree: Path) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Uncommitted paths, and ignored ones that are not build output."""
    listed = lines(
        worktree,
        *("--no-optional-locks", "status", "--porcelain=v1", "-z", "--no-renames"),
        *("--untracked-files=all", "--ignored=matching", "--ignore-submodules=none"),
    )
    changed = tuple(row[3:] for row in listed if not row.startswith("!!"))
    ignored = (row[3:] for row in listed if row.startswith("!!"))
    return changed, tuple(
        path for path in ignored if not _BUILD_OUTPUT & set(path.rstrip("/").split("/"))
    )


def _carry_out(
    repository: Repository,
    one: _Candidate,
    reason: str,
    may_go: bool,
    dry_run: bool,
    keep: int,
) -> CleanupResult:
    path = one.entry.path if one.entry is not None else None
    if not may_go:
        return CleanupResult(one.branch, path, CleanupAction.SKIPPED, reason, one.tip)
    if dry_run:
        return CleanupResult(one.branch, path, CleanupAction.WOULD_REMOVE, reason, one.tip)
    try:
        if one.entry is not None:
            _remove_worktree(repository, one.entry, "--force" in reason, keep)
        # Only when the branch is still where it was judged.
        git(repository.top, "update-ref", "-d", f"refs/heads/{one.branch}", one.tip)
        git(repository.top, "config", "--remove-section", f"branch.{one.branch}", check=False)
    except (GitError, OSError) as error:
        return CleanupResult(one.branch, path, CleanupAction.FAILED, f"{error}", one.tip)
    return CleanupResult(one.branch, path, CleanupAction.REMOVED, reason, one.tip)


def _remove_worktree(repository: Repository, entry: WorktreeEntry, forced: bool, keep: int) -> None:
    runs = entry.path / repository.prefix / RUNS
    if not entry.missing:
        keep_run(runs, history_folder(repository, runs), keep)
    # Without --force git looks for changes once more; with submodules it wants it all the same.
    force = ("--force",) if forced or (entry.path / ".gitmodules").exists() else ()
    git(repository.top, "worktree", "remove", *force, "--", str(entry.path), timeout=600)
    for parent in entry.path.parents[:2]:
        try:
            parent.rmdir()
        except OSError:
            break


def _some(paths: tuple[str, ...]) -> str:
    more = f" and {len(paths) - 3} more" if len(paths) > 3 else ""
    return ", ".join(paths[:3]) + more
