"""Commits of a run: the shared files first, then one commit per accepted table.

Each commit is made by ``git commit`` itself, so hooks run and signing works, but on an index of
its own that holds HEAD and the item's files. The person's index is never staged to: afterwards
only the entries of the committed paths are brought up to HEAD, and only where they still show
what HEAD held before. Doing it again after a kill does only what is missing.
"""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from core.git.command import HOOK_TIMEOUT, GitError, git, line, lines, said
from core.git.repository import Repository
from core.git.snapshot import RunSnapshot
from core.git.worktree import Workplace
from core.project.codes import Code, Diagnostic, ProjectError
from core.project.process import Completed

SHARED_SUBJECT = "generate-model: declare sources and tests shared by the models"


@dataclass(frozen=True)
class PlannedCommit:
    """One commit to make. ``item_id`` is ``None`` for the shared files."""

    subject: str
    paths: tuple[str, ...]
    """Files of the commit, relative to the project; one that is gone from disk is removed."""
    item_id: str | None = None


class CommitState(StrEnum):
    """What became of a planned commit."""

    CREATED = "created"
    ALREADY = "already"
    """An earlier, interrupted attempt of this run made it."""
    UNCHANGED = "unchanged"
    """The files are in HEAD as they are: there was nothing to commit."""
    FAILED = "failed"
    NOT_TRIED = "not-tried"
    """A commit before it failed."""


@dataclass(frozen=True)
class CommitOutcome:
    """One planned commit and what became of it; ``sha`` only when it exists."""

    planned: PlannedCommit
    state: CommitState
    sha: str = ""
    note: str = ""


@dataclass(frozen=True)
class CommitReport:
    """All commits of a run."""

    outcomes: tuple[CommitOutcome, ...] = ()
    error: Diagnostic | None = None
    """``COMMIT_FAILED``; the commits before it stand, ``--resume`` makes the rest."""
    notes: tuple[str, ...] = field(default=())

    @property
    def committed(self) -> tuple[CommitOutcome, ...]:
        """The commits that are on the branch."""
        done = (CommitState.CREATED, CommitState.ALREADY)
        return tuple(outcome for outcome in self.outcomes if outcome.state in done)


def table_commit(
    table: str, model: str, materialization: str, paths: Iterable[str], item_id: str
) -> PlannedCommit:
    """The commit of one table; ``table`` is ``<schema>.<Table>`` as the catalog spells it."""
    subject = f"generate-model({table}): generate {model} with {materialization} materialization"
    return PlannedCommit(_one_line(subject), tuple(paths), item_id)


def shared_commit(paths: Iterable[str]) -> PlannedCommit:
    """The commit of the files that several models need; it comes before the tables'."""
    return PlannedCommit(SHARED_SUBJECT, tuple(paths))


def commit_all(
    place: Workplace,
    planned: Sequence[PlannedCommit],
    snapshot: RunSnapshot,
    on_commit: Callable[[CommitOutcome], None] | None = None,
) -> CommitReport:
    """Make the commits in order, stopping at the first that fails. Safe to repeat.

    ``on_commit`` hears each outcome as it happens, for the journal.
    """
    repository = place.repository
    if repository is None:
        error = Diagnostic.of(
            Code.COMMIT_FAILED,
            f"{place.root} is not in a git repository, so there is nothing to commit to; the "
            "files are in place.",
        )
        skipped = tuple(CommitOutcome(plan, CommitState.NOT_TRIED) for plan in planned)
        return CommitReport(skipped, error)
    outcomes: list[CommitOutcome] = []
    failure: Diagnostic | None = None
    for plan in (plan for plan in planned if plan.paths):
        if failure is not None:
            outcomes.append(CommitOutcome(plan, CommitState.NOT_TRIED))
            continue
        try:
            outcome = _commit(repository, plan, snapshot)
        except ProjectError as error:
            failure = Diagnostic.of(Code.COMMIT_FAILED, _sentence(error, plan), plan.item_id)
            outcome = CommitOutcome(plan, CommitState.FAILED, note=failure.message)
        outcomes.append(outcome)
        if on_commit is not None:
            on_commit(outcome)
    notes = tuple(outcome.note for outcome in outcomes if outcome.note and outcome.sha)
    return CommitReport(tuple(outcomes), failure, notes)


def _commit(repository: Repository, plan: PlannedCommit, snapshot: RunSnapshot) -> CommitOutcome:
    for path in plan.paths:
        if (repository.project / path).exists() and not snapshot.is_as_written(path):
            raise _failed(
                f"{path} was changed after it was checked; accept the change in a new run, or "
                "move it away, and run again with --resume."
            )
    _refuse_ignored(repository, plan)
    names = tuple(repository.from_top(path) for path in plan.paths)
    parent = line(repository.top, "rev-parse", "HEAD")
    with _private_index(repository, parent) as env:
        existing = [name for name in names if _in_tree_or_disk(repository, parent, name)]
        if existing:
            staged = git(
                repository.top,
                "--literal-pathspecs",
                "add",
                "--all",
                "--",
                *existing,
                env=env,
                check=False,
            )
            if not staged.ok:
                raise _failed(_why(staged, plan))
        tree = git(repository.top, "write-tree", env=env).stdout.strip()
        if tree == line(repository.top, "rev-parse", f"{parent}^{{tree}}"):
            made = _made_before(repository, plan, snapshot.start)
            _refresh_index(repository, names, made)
            state = CommitState.ALREADY if made else CommitState.UNCHANGED
            return CommitOutcome(plan, state, made)
        done = git(
            repository.top,
            "commit",
            "--quiet",
            "--cleanup=whitespace",
            "--file=-",
            env=env,
            check=False,
            input_text=plan.subject + "\n",
            timeout=HOOK_TIMEOUT,
        )
    changed = [
        path
        for path in plan.paths
        if (repository.project / path).is_file() and not snapshot.is_as_written(path)
    ]
    for path in changed:
        snapshot.adopt(path)
    sha = line(repository.top, "rev-parse", "HEAD")
    if not done.ok and sha == parent:
        what = f" The hook changed {', '.join(changed)}." if changed else ""
        raise _failed(_why(done, plan) + what)
    _require_parent(repository, sha, parent)
    _refresh_index(repository, names, sha)
    note = (
        ""
        if line(repository.top, "rev-parse", f"{sha}^{{tree}}") == tree
        else (
            f"A git hook changed what was committed for {plan.item_id or 'the shared files'}; "
            f"see 'git show {sha[:10]}'."
        )
    )
    return CommitOutcome(plan, CommitState.CREATED, sha, note)


def _require_parent(repository: Repository, sha: str, parent: str) -> None:
    """Take the commit back when somebody committed between our look at HEAD and our commit.

    Its tree was made from the HEAD before, so it would silently undo what they committed.
    """
    actual = line(repository.top, "rev-parse", f"{sha}~1")
    if actual == parent:
        return
    git(repository.top, "update-ref", "-m", "proc2dbt: HEAD had moved", "HEAD", actual, sha)
    raise _failed(
        f"Somebody committed to {repository.branch or 'HEAD'} at the same moment, so the commit "
        "was taken back; run again with --resume."
    )


@contextlib.contextmanager
def _private_index(repository: Repository, commit: str) -> Iterator[dict[str, str]]:
    """An index that holds ``commit``, as the environment of git commands that shall use it."""
    # In the git folder: hooks and git's own lock file beside it need the same file system.
    for left in repository.git_dir.glob("proc2dbt-index-*"):
        shutil.rmtree(left, ignore_errors=True)
    with tempfile.TemporaryDirectory(prefix="proc2dbt-index-", dir=repository.git_dir) as folder:
        env = {"GIT_INDEX_FILE": str(Path(folder) / "index")}
        git(repository.top, "read-tree", commit, env=env)
        yield env


def _refresh_index(repository: Repository, names: Sequence[str], sha: str) -> None:
    """Bring the person's index up to the commit for these paths, where it held its parent.

    An entry the person staged otherwise stays. Without this, the new files would show as staged
    deletions. Also repairs what a kill between commit and refresh left.
    """
    if not sha:
        return
    before = _tree_entries(repository, f"{sha}~1", names)
    after = _tree_entries(repository, sha, names)
    staged = _index_entries(repository, names)
    records = [
        after.get(name, f"0 {'0' * len(sha)}") + f"\t{name}"
        for name in names
        if staged.get(name) == before.get(name) and before.get(name) != after.get(name)
    ]
    if not records:
        return
    refreshed = git(
        repository.top,
        "update-index",
        "-z",
        "--index-info",
        input_text="".join(f"{record}\0" for record in records),
        check=False,
    )
    if refreshed.ok:
        git(repository.top, "update-index", "-q", "--refresh", check=False)


def _tree_entries(repository: Repository, commit: str, names: Sequence[str]) -> dict[str, str]:
    """``{path: "<mode> <blob>"}`` of these paths in a commit; empty when there is none."""
    listed = git(
        repository.top,
        "--literal-pathspecs",
        "ls-tree",
        "-r",
        "-z",
        "--full-tree",
        commit,
        "--",
        *names,
        check=False,
    )
    found: dict[str, str] = {}
    for entry in listed.stdout.split("\0") if listed.ok else ():
        meta, _, path = entry.partition("\t")
        if path:
            mode, _, blob = meta.split()
            found[path] = f"{mode} {blob}"
    return found


def _index_entries(repository: Repository, names: Sequence[str]) -> dict[str, str]:
    listed = lines(repository.top, "--literal-pathspecs", "ls-files", "--stage", "-z", "--", *names)
    found: dict[str, str] = {}
    for entry in listed:
        meta, _, path = entry.partition("\t")
        mode, blob, _ = meta.split()
        found[path] = f"{mode} {blob}"
    return found


def _made_before(repository: Repository, plan: PlannedCommit, start: str) -> str:
    """The commit of this plan that an interrupted attempt made since ``start``, or nothing."""
    if not start:
        return ""
    logged = git(repository.top, "log", "-z", "--format=%H %s", f"{start}..HEAD", check=False)
    for entry in logged.stdout.split("\0") if logged.ok else ():
        sha, _, subject = entry.strip().partition(" ")
        if subject == plan.subject:
            return sha
    return ""


def _in_tree_or_disk(repository: Repository, commit: str, name: str) -> bool:
    on_disk = (repository.top / name).exists()
    return on_disk or bool(_tree_entries(repository, commit, [name]))


def _refuse_ignored(repository: Repository, plan: PlannedCommit) -> None:
    for path in plan.paths:
        name = repository.from_top(path)
        asked = git(repository.top, "check-ignore", "--verbose", "--", name, check=False)
        tracked = git(
            repository.top,
            "--literal-pathspecs",
            "ls-files",
            "--error-unmatch",
            "--",
            name,
            check=False,
        )
        if asked.ok and not tracked.ok:
            rule = asked.stdout.partition("\t")[0]
            raise _failed(
                f"git ignores {name} (rule {rule}), so the model cannot be committed; remove the "
                "rule and run again with --resume."
            )


def _sentence(error: ProjectError, plan: PlannedCommit) -> str:
    return _why(error.completed, plan) if isinstance(error, GitError) else str(error)


def _why(done: Completed, plan: PlannedCommit) -> str:
    """One sentence for a commit that git refused."""
    what = f"The commit of {plan.item_id or 'the shared files'} failed"
    text = done.stderr + done.stdout
    lowered = text.lower()
    again = "then run again with --resume"
    if "failed to sign" in lowered or "gpg failed" in lowered or "signing" in lowered:
        return (
            f"{what}: git could not sign it ({_signing(text)}); unlock or configure your signing "
            f"key (git config user.signingKey), {again}."
        )
    if "index.lock" in lowered or ".lock'" in lowered:
        return (
            f"{what}: another git process holds a lock ({said(done)}); wait for it, or delete the "
            f"lock file when none is running, {again}."
        )
    if "tell me who you are" in lowered or "ident name" in lowered:
        return f"{what}: git does not know who commits; set user.name and user.email, {again}."
    if "no space left" in lowered or "permission denied" in lowered:
        return f"{what}: {said(done)}; make room or give write permission, {again}."
    return (
        f"{what}: git or one of its hooks (pre-commit, commit-msg) refused it ({_tail(done)}); "
        f"put right what it names, {again}."
    )


def _signing(text: str) -> str:
    shown = [part.strip() for part in text.splitlines() if "error:" in part or "gpg:" in part]
    return "; ".join(shown[:2]) or "no reason given"


def _tail(done: Completed) -> str:
    """The last lines a hook printed: that is where hooks say what is wrong."""
    shown = [part.strip() for part in (done.stdout + "\n" + done.stderr).splitlines()]
    shown = [part for part in shown if part]
    return "; ".join(shown[-3:])[:400] or f"it exited with code {done.code} and said nothing"


def _failed(message: str) -> ProjectError:
    return ProjectError.of(Code.COMMIT_FAILED, message)


def _one_line(text: str) -> str:
    return " ".join(text.split())
