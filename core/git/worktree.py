"""The worktree of a run: which branch and folder it gets, and its ``.migration-runs/``.

Planning reads only, so a dry run can show it and a person can be asked about an unfinished run;
opening and beginning write. Nothing here touches a file of the project itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from core.git.branch import FOLDER, branch_names
from core.git.command import git, line, lines, said
from core.git.history import (
    KEPT_RUNS,
    RUNS,
    RunFolder,
    RunMeta,
    clear_runs,
    history_folder,
    ignore_itself,
    keep_run,
    kept_runs,
    read_run,
    write_meta,
)
from core.git.listing import WorktreeEntry, list_worktrees
from core.git.repository import (
    Repository,
    find_repository,
    not_ready,
    open_repository,
    require_no_operation,
    resolve_commit,
)
from core.project.clock import Clock
from core.version import VERSION


@dataclass(frozen=True)
class WorktreeSettings:
    """The settings of step 1."""

    folder: str = "../worktrees"
    """Where worktrees go: absolute, or relative to the repository's main working tree."""
    base: str = "HEAD"
    """What a new branch starts from: a branch, tag or commit."""
    remote: str = "origin"
    """A branch of ours that exists only there is another clone's; its name is not taken."""


@dataclass(frozen=True)
class WorktreePlan:
    """What opening the worktree will do."""

    repository: Repository
    tables: tuple[str, ...]
    branch: str
    path: Path
    """The root of the worktree."""
    base: str
    """The commit a new branch starts from."""
    reused: bool
    """The worktree is there already, for the same tables."""
    branch_exists: bool
    """The branch is there (its worktree may have been deleted)."""
    unfinished: RunFolder | None = None
    """A run in the reused worktree that did not end: resume it or discard it, ask which."""


@dataclass(frozen=True)
class Workplace:
    """Where a run writes: a worktree's project, or the project itself with ``--in-place``."""

    root: Path
    """The project's root there; ``dbt/`` and ``.migration-runs/`` are in it."""
    repository: Repository | None
    """The repository seen from ``root``; ``None`` in place without one."""
    in_place: bool
    notes: tuple[str, ...] = ()
    """For the summary: what the person should know about the worktree."""

    @property
    def runs(self) -> Path:
        """The ``.migration-runs/`` of the run."""
        return self.root / RUNS

    @property
    def history(self) -> Path:
        """Where copies of its runs are kept."""
        return history_folder(self.repository, self.runs)

    @property
    def top(self) -> Path:
        """The root of the working tree, or of the project without one."""
        return self.repository.top if self.repository is not None else self.root

    @property
    def branch(self) -> str | None:
        """The branch commits go to."""
        return self.repository.branch if self.repository is not None else None


def plan_worktree(
    repository: Repository, tables: Sequence[str], settings: WorktreeSettings | None = None
) -> WorktreePlan:
    """Choose the branch and worktree for a run over these item ids. Reads only.

    An existing worktree and branch of the run's name are reused when the ``meta.json`` there
    names the same tables; so is a branch whose worktree was deleted, when the history says so.
    Otherwise the next free name is taken.

    Raises:
        ProjectError: ``GIT_NOT_READY``; the base names no commit, the branch is checked out in
            another working tree, or git cannot hold a branch of that name.
    """
    settings = settings or WorktreeSettings()
    base = resolve_commit(repository, settings.base)
    folder = worktrees_folder(repository, settings)
    taken = _Taken.read(repository, settings)
    if FOLDER.rstrip("/") in taken.local:
        raise not_ready(
            f"A branch named '{FOLDER.rstrip('/')}' exists in {repository.top}, so git cannot hold "
            f"branches below '{FOLDER}'; rename it (git branch -m NEW-NAME)."
        )
    for branch in branch_names(tables):
        plan = WorktreePlan(repository, tuple(tables), branch, folder / branch, base, False, False)
        chosen = _fitting(plan, taken)
        if chosen is not None:
            return chosen
    raise AssertionError("branch_names() does not end")  # pragma: no cover


def open_worktree(plan: WorktreePlan) -> Workplace:
    """Make the worktree of the plan, or take the one that is there. A reused one is not rebased.

    Raises:
        ProjectError: ``GIT_NOT_READY``; git could not make it, or a reused one is in the middle
            of a merge or rebase.
    """
    notes: list[str] = []
    if not plan.reused:
        notes += _add_worktree(plan)
    root = plan.path / plan.repository.prefix
    if not root.is_dir():
        raise not_ready(
            f"The branch {plan.branch} has no folder {plan.repository.prefix}, where the project "
            "is in your working tree; commit the project, or set 'base' to a branch that has it."
        )
    opened = open_repository(root)
    require_no_operation(opened)
    if plan.reused:
        behind = line(plan.path, "rev-list", "--count", f"HEAD..{plan.base}")
        if behind != "0":
            notes.append(
                f"The worktree of {plan.branch} was reused and is {behind} commit(s) behind its "
                "base; it was not rebased."
            )
    return Workplace(root, opened, in_place=False, notes=tuple(notes))


def open_in_place(project: Path) -> Workplace:
    """The project itself as the place to write to."""
    return Workplace(project.resolve(), find_repository(project), in_place=True)


def begin_run(
    place: Workplace, run_id: str, tables: Sequence[str], clock: Clock, keep: int = KEPT_RUNS
) -> RunMeta:
    """Keep and clear what an earlier run left in ``.migration-runs/``, and write ``meta.json``.

    Raises:
        ProjectError: ``GIT_NOT_READY``; ``.migration-runs`` is a link or a file.
    """
    keep_run(place.runs, place.history, keep)
    clear_runs(place.runs)
    meta = RunMeta(
        run_id=run_id,
        tables=tuple(tables),
        worktree=str(place.top),
        started_at=clock().isoformat(),
        version=VERSION,
    )
    write_meta(place.runs, meta)
    return meta


def end_run(place: Workplace, keep: int = KEPT_RUNS) -> Path | None:
    """Copy the finished (or cancelled) run to the history; its files stay where they are."""
    ignore_itself(place.runs)
    return keep_run(place.runs, place.history, keep)


def unfinished_run(place: Workplace) -> RunFolder | None:
    """The run in the place's ``.migration-runs/`` when it did not end."""
    run = read_run(place.runs)
    return run if run is not None and not run.finished else None


def find_runs(project: Path, run_id: str | None = None) -> tuple[RunFolder, ...]:
    """Runs that ``--resume`` can take up, the latest first: in place and in every worktree.

    With ``run_id`` that run whether it ended or not; without, all that did not end.
    """
    repository = find_repository(project)
    folders = [project.resolve() / RUNS]
    if repository is not None:
        folders += [
            entry.path / repository.prefix / RUNS
            for entry in list_worktrees(repository)
            if not entry.missing and not entry.bare
        ]
    found = {folder.resolve(): read_run(folder) for folder in folders}
    wanted = [
        run
        for run in found.values()
        if run is not None and (run.meta.run_id == run_id if run_id else not run.finished)
    ]
    return tuple(sorted(wanted, key=lambda run: run.meta.started_at, reverse=True))


def reopen(run: RunFolder, project: Path) -> Workplace:
    """The place of a run found by :func:`find_runs`.

    Raises:
        ProjectError: ``GIT_NOT_READY``; the worktree is in the middle of a merge or rebase.
    """
    root = run.path.parent.resolve()
    repository = find_repository(root)
    if repository is not None:
        require_no_operation(repository)
    return Workplace(root, repository, in_place=root == project.resolve())


def worktrees_folder(repository: Repository, settings: WorktreeSettings) -> Path:
    """The folder of all worktrees: beside the repository's main working tree by default.

    For a submodule, beside the outermost repository: inside it, they would be untracked files.
    """
    main = list_worktrees(repository)[0].path
    outer = main
    while True:
        above = git(
            outer, "rev-parse", "--show-superproject-working-tree", check=False
        ).stdout.strip()
        if not above:
            break
        outer = Path(above)
    return (outer / Path(settings.folder).expanduser()).resolve()


@dataclass(frozen=True)
class _Taken:
    """What is there already: worktrees, branches, and the runs that say whose they are."""

    entries: tuple[WorktreeEntry, ...]
    local: frozenset[str]
    remote: frozenset[str]
    history: tuple[RunFolder, ...]

    @classmethod
    def read(cls, repository: Repository, settings: WorktreeSettings) -> _Taken:
        return cls(
            list_worktrees(repository),
            _refs(repository, "refs/heads/"),
            _refs(repository, f"refs/remotes/{settings.remote}/"),
            kept_runs(repository.common_dir / "proc2dbt" / "runs"),
        )

    def was_for(self, branch: str, path: Path, tables: Sequence[str]) -> bool:
        """Whether the history knows the worktree as one of a run over the same tables."""
        same = (run.meta for run in self.history if run.meta.is_for(tables))
        return any(Path(meta.worktree) == path for meta in same)


def _fitting(plan: WorktreePlan, taken: _Taken) -> WorktreePlan | None:
    """The plan for this branch name; ``None`` when the name belongs to something else."""
    entry = next((e for e in taken.entries if e.branch == plan.branch), None)
    if entry is not None and not entry.missing:
        run = read_run(entry.path / plan.repository.prefix / RUNS)
        is_main = entry.path == taken.entries[0].path
        if run is not None and run.meta.is_for(plan.tables) and not is_main:
            return replace(
                plan,
                path=entry.path,
                reused=True,
                branch_exists=True,
                unfinished=None if run.finished else run,
            )
        if taken.was_for(plan.branch, plan.path, plan.tables):
            raise not_ready(
                f"The branch {plan.branch} of these tables is checked out in {entry.path}; switch "
                "that working tree to another branch, or run there with --in-place --commit."
            )
        return None
    if plan.path.exists() and (not plan.path.is_dir() or any(plan.path.iterdir())):
        return None
    if plan.branch in taken.local:
        known = taken.was_for(plan.branch, plan.path, plan.tables)
        return replace(plan, branch_exists=True) if known else None
    return None if plan.branch in taken.remote else plan


def _refs(repository: Repository, below: str) -> frozenset[str]:
    names = line(repository.top, "for-each-ref", "--format=%(refname)", below).splitlines()
    return frozenset(name.removeprefix(below) for name in names)


def _add_worktree(plan: WorktreePlan) -> Iterator[str]:
    """Run ``git worktree add``; yields notes."""
    top = plan.repository.top
    try:
        plan.path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise not_ready(
            f"The folder for worktrees {plan.path.parent} cannot be made ({error.strerror}); "
            "set 'worktrees_dir' to a folder you may write to."
        ) from error
    # --force: a deleted worktree that git still remembers at this path is replaced.
    command = ["worktree", "add", "--force", "--quiet"]
    if plan.branch_exists:
        command += [str(plan.path), plan.branch]
    else:
        command += ["--no-track", "-b", plan.branch, str(plan.path), plan.base]
    added = git(top, *command, check=False, timeout=600)
    if not added.ok:
        made = (
            git(plan.path, "symbolic-ref", "--short", "HEAD", check=False)
            if ((plan.path / ".git").is_file())
            else None
        )
        # A post-checkout hook that fails makes the command fail after the work is done.
        if made is None or made.stdout.strip() != plan.branch:
            if not plan.branch_exists:
                git(top, "update-ref", "-d", f"refs/heads/{plan.branch}", plan.base, check=False)
            raise not_ready(
                f"git could not make the worktree {plan.path} ({said(added)}); remove what "
                "is in its way, or set 'worktrees_dir' to another folder."
            )
        yield f"The post-checkout hook failed in the new worktree: {said(added)}."
    yield from _init_submodules(plan)


def _init_submodules(plan: WorktreePlan) -> Iterator[str]:
    """Check out submodules below ``dbt/``: dbt would miss what is in them."""
    if not (plan.path / ".gitmodules").is_file():
        return
    below = plan.repository.from_top("dbt") + "/"
    staged = lines(plan.path, "ls-files", "--stage", "-z")
    modules = [e.partition("\t")[2] for e in staged if e.startswith("160000 ")]
    for module in (path for path in modules if f"{path}/".startswith(below)):
        done = git(
            plan.path,
            "--literal-pathspecs",
            "submodule",
            "--quiet",
            "update",
            "--init",
            "--recursive",
            "--",
            module,
            check=False,
            timeout=600,
        )
        if not done.ok:
            yield (
                f"The submodule {module} could not be checked out in the worktree "
                f"({said(done)}); run 'git submodule update --init' there."
            )
