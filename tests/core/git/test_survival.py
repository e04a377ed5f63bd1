"""A person's uncommitted edits survive every command, byte for byte, over any sequence of them.

The person edits, stages and adds files in the main tree and in the worktrees while runs begin,
write, commit, restore, publish, end and are cleaned up. After every command each edited file
holds what the person wrote, and each entry they staged is still staged as they staged it. No
commit of ours ever holds their text.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.git.cleanup import CleanupRequest, cleanup_worktrees
from core.git.commits import commit_all, shared_commit, table_commit
from core.git.pull_request import PullRequestSettings, publish
from core.git.repository import open_repository
from core.git.snapshot import RunSnapshot
from core.git.worktree import (
    Workplace,
    begin_run,
    end_run,
    open_in_place,
    open_worktree,
    plan_worktree,
)
from core.project.codes import ProjectError

from .conftest import NOW, fsck, make_remote, make_repository, sh

STAGING = "dbt/models/staging"
SHARED = f"{STAGING}/_sources.yml"
MODELS = [f"{STAGING}/stg_{name}.sql" for name in ("a", "b")]
FILES = [*MODELS, SHARED, "ddl/procedures.sql", "notes/größe one.txt", "dbt/dbt_project.yml"]
PR = PullRequestSettings(use_gh=False)


@dataclass
class World:
    """One repository with a remote, its runs, and what the person wrote where."""

    shop: Path
    places: dict[str, Workplace] = field(default_factory=dict)
    edits: dict[Path, bytes] = field(default_factory=dict)
    staged: dict[tuple[Path, str], str] = field(default_factory=dict)
    numbers: itertools.count[int] = field(default_factory=itertools.count)

    def trees(self) -> list[Path]:
        folders = [self.shop, *(place.root for place in self.places.values())]
        return [folder for folder in dict.fromkeys(folders) if folder.is_dir()]

    def check(self, command: str) -> None:
        for file, content in self.edits.items():
            assert file.is_file(), f"{command} removed {file}"
            assert file.read_bytes() == content, f"{command} changed {file}"
        for (tree, path), entry in self.staged.items():
            now = sh(tree, "git", "ls-files", "--stage", "--", f":(literal){path}")
            assert now == entry, f"{command} changed the index entry of {path} in {tree}"

    # What a person does.

    def edit(self, tree: int, file: int, stage: bool, crlf: bool) -> None:
        folders = self.trees()
        folder = folders[tree % len(folders)]
        path = FILES[file % len(FILES)]
        content = f"PERSON {next(self.numbers)}{chr(13) if crlf else ''}\n".encode()
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(content)
        self.edits[folder / path] = content
        if stage:
            sh(folder, "git", "add", "--", f":(literal){path}")
            entry = sh(folder, "git", "ls-files", "--stage", "--", f":(literal){path}")
            self.staged[folder, path] = entry

    # What the product does.

    def begin(self, where: int, *_: object) -> None:
        tables = ("silver.a", "silver.b")[: 1 + where % 2]
        name = f"worktree {where % 2}"
        place = open_worktree(plan_worktree(open_repository(self.shop), tables))
        begin_run(place, f"run-{next(self.numbers)}", tables, NOW, keep=3)
        self.places[name] = place

    def begin_in_place(self, *_: object) -> None:
        place = open_in_place(self.shop)
        begin_run(place, f"run-{next(self.numbers)}", ("silver.a",), NOW, keep=3)
        self.places["in place"] = place

    def chosen(self, where: int) -> Workplace | None:
        places = [place for place in self.places.values() if place.root.is_dir()]
        return places[where % len(places)] if places else None

    def write(self, where: int, file: int, *_: object) -> None:
        place = self.chosen(where)
        if place is not None:
            path = [*MODELS, SHARED][file % 3]
            RunSnapshot(place).write(path, f"select {next(self.numbers)}\n")

    def commit(self, where: int, file: int, *_: object) -> None:
        place = self.chosen(where)
        if place is not None:
            model = MODELS[file % 2]
            table = table_commit("silver.T", "stg_t", "table", [model], "silver.t")
            commit_all(place, [shared_commit([SHARED]), table], RunSnapshot(place))

    def restore(self, where: int, *_: object) -> None:
        place = self.chosen(where)
        if place is not None:
            RunSnapshot(place).restore([*FILES])

    def send(self, where: int, *_: object) -> None:
        place = self.chosen(where)
        if place is not None and not place.in_place:
            publish(place, "t", "b", started_on="main", settings=PR, environment={})

    def end(self, where: int, *_: object) -> None:
        place = self.chosen(where)
        if place is not None:
            (place.runs / "summary.json").write_text("{}")
            end_run(place, keep=3)

    def clean(self, where: int, _file: int, dry_run: bool, all_merged: bool) -> None:
        """Also when a service says that everything is merged."""

        def heads(branch: str) -> frozenset[str]:
            return frozenset({sh(self.shop, "git", "rev-parse", branch)} if all_merged else ())

        request = CleanupRequest(dry_run=dry_run)
        cleanup_worktrees(open_repository(self.shop), request, PR, merged_heads=heads)


COMMANDS: list[Callable[..., None]] = [
    World.edit,
    World.edit,
    World.edit,
    World.begin,
    World.begin_in_place,
    World.write,
    World.write,
    World.commit,
    World.restore,
    World.send,
    World.end,
    World.clean,
]
steps = st.lists(
    st.tuples(
        st.sampled_from(COMMANDS),
        st.integers(0, 5),
        st.integers(0, 11),
        st.booleans(),
        st.booleans(),
    ),
    min_size=8,
    max_size=16,
)

Sequence = list[tuple[Callable[..., None], int, int, bool, bool]]
# Trees in the order of World.trees(): 0 the main tree, 1 the worktree; files as in FILES.
WRITE_ALL: Sequence = [(World.write, 0, file, False, False) for file in range(3)]
DANGERS: list[Sequence] = [
    [*WRITE_ALL, (World.edit, 1, 0, False, False), (World.restore, 0, 0, False, False)],
    [*WRITE_ALL, (World.edit, 1, 1, True, False), *WRITE_ALL],
    [(World.edit, 1, 0, False, True), (World.edit, 1, 2, True, True), *WRITE_ALL],
    [*WRITE_ALL, (World.edit, 1, 2, False, False), (World.commit, 0, 0, False, False)],
    [*WRITE_ALL, (World.edit, 1, 4, True, False), (World.commit, 0, 0, False, False)],
    [(World.end, 0, 0, False, False), (World.edit, 1, 4, False, False)],
    [(World.end, 0, 0, False, False), (World.edit, 1, 3, False, False)],
]


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository with a remote beside it, to copy for every sequence."""
    folder = tmp_path_factory.mktemp("template")
    isolated = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}
    before = {name: os.environ.get(name) for name in isolated}
    os.environ.update(isolated)
    try:
        shop = make_repository(folder / "shop")
        make_remote(shop, folder / "remote.git")
        sh(shop, "git", "remote", "set-url", "origin", "../remote.git")
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name)
            else:
                os.environ[name] = value
    return folder


def play(template: Path, sequence: list[tuple[Callable[..., None], int, int, bool, bool]]) -> None:
    with TemporaryDirectory(prefix="survival-") as name:
        folder = Path(name).resolve() / "world"
        shutil.copytree(template, folder, symlinks=True)
        world = World(folder / "shop")
        world.begin(0)
        for command, *arguments in sequence:
            # A refusal is as good as success here: it must leave the edits alone too.
            with contextlib.suppress(ProjectError):
                command(world, *arguments)
            world.check(command.__name__)
        commits = sh(world.shop, "git", "rev-list", "--all").split()
        found = sh(world.shop, "git", "grep", "-l", "PERSON", *commits, check=False)
        assert found == "", "a commit holds the person's text"
        fsck(world.shop)


@pytest.mark.parametrize("danger", DANGERS)
@pytest.mark.parametrize("in_place", [False, True])
def test_edits_survive_the_obvious_dangers(
    template: Path, danger: Sequence, in_place: bool
) -> None:
    """Each danger alone, then with everything that could still go wrong after it."""
    if in_place:
        # The run is the only one, and its tree is the main one.
        begin = (World.begin_in_place, 0, 0, False, False)
        steps = [(c, 1 if c is not World.edit else 0, *rest) for c, _, *rest in danger]
        danger = [begin, *steps]  # type: ignore[list-item]
    after: Sequence = [
        (World.clean, 0, 0, False, True),
        (World.begin, 0, 0, False, False),
        *WRITE_ALL,
        (World.commit, 0, 0, False, False),
        (World.restore, 0, 0, False, False),
        (World.end, 0, 0, False, False),
        (World.clean, 0, 0, False, True),
    ]
    play(template, [*danger, *after])


@settings(max_examples=12, deadline=None)
@given(steps)
def test_edits_survive_any_sequence(template: Path, sequence: Sequence) -> None:
    play(template, sequence)


@pytest.mark.slow
@settings(max_examples=300, deadline=None)
@given(steps)
def test_edits_survive_any_sequence_at_length(template: Path, sequence: Sequence) -> None:
    play(template, sequence)
