"""Files of a run: a person's work is never overwritten, rejected items leave no trace."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.git.snapshot import Restored, RunSnapshot
from core.git.worktree import Workplace, begin_run, open_in_place
from core.project.codes import Code, ProjectError

from .conftest import NOW, PROJECT, sh, write

MODEL = "dbt/models/staging/stg_dimcustomer.sql"
SOURCES = "dbt/models/staging/_sources.yml"


@pytest.fixture
def place(shop: Path) -> Workplace:
    opened = open_in_place(shop)
    begin_run(opened, "run-1", ["silver.dimcustomer"], NOW)
    return opened


def test_new_files_of_a_rejected_item_are_removed(place: Workplace) -> None:
    snapshot = RunSnapshot(place)
    snapshot.write(MODEL, "select 1\n")
    assert (place.root / MODEL).read_text() == "select 1\n"
    assert snapshot.restore([MODEL]) == Restored(removed=(MODEL,))
    assert not (place.root / MODEL).exists()


def test_files_that_were_there_get_back_their_bytes(place: Workplace) -> None:
    file = place.root / SOURCES
    file.write_bytes(b"version: 2\r\n# caf\xe9 \xff\r\n")
    sh(place.root, "git", "add", "-A")
    sh(place.root, "git", "commit", "-q", "-m", "odd bytes")
    snapshot = RunSnapshot(place)
    snapshot.write(SOURCES, "version: 2\nsources: [x]\n")
    snapshot.write(SOURCES, "version: 2\nsources: [x, y]\n")
    assert snapshot.restore([SOURCES, SOURCES]) == Restored(restored=(SOURCES,))
    assert file.read_bytes() == b"version: 2\r\n# caf\xe9 \xff\r\n"
    assert RunSnapshot(place).restore([SOURCES]) == Restored()


@pytest.mark.parametrize("stage", [False, True])
def test_uncommitted_work_is_not_overwritten(place: Workplace, stage: bool) -> None:
    write(place.root, {SOURCES: "version: 2\n# mine\n", MODEL: "select 'mine'\n"})
    if stage:
        sh(place.root, "git", "add", "-A")
    snapshot = RunSnapshot(place)
    assert snapshot.would_overwrite([MODEL, SOURCES, "dbt/other.sql"]) == (SOURCES, MODEL)
    for path in (MODEL, SOURCES):
        with pytest.raises(ProjectError, match="uncommitted changes") as caught:
            snapshot.write(path, "select 'ours'\n")
        assert caught.value.diagnostic.code is Code.GIT_NOT_READY
    assert (place.root / MODEL).read_text() == "select 'mine'\n"
    assert (place.root / SOURCES).read_text() == "version: 2\n# mine\n"


def test_an_edit_during_the_run_is_not_overwritten(place: Workplace) -> None:
    snapshot = RunSnapshot(place)
    snapshot.claim([MODEL, SOURCES])
    write(place.root, {SOURCES: "edited before the first write\n"})
    with pytest.raises(ProjectError, match="changed by someone else"):
        snapshot.write(SOURCES, "ours\n")
    snapshot.write(MODEL, "select 1\n")
    write(place.root, {MODEL: "select 1 -- edited\n"})
    with pytest.raises(ProjectError, match="changed by someone else"):
        snapshot.write(MODEL, "select 2\n")
    assert snapshot.restore([MODEL, SOURCES]) == Restored(kept=(MODEL, SOURCES))
    assert (place.root / MODEL).read_text() == "select 1 -- edited\n"


def test_leftovers_of_an_earlier_run_are_ours_to_overwrite(place: Workplace) -> None:
    RunSnapshot(place).write(MODEL, "select 'partial, nobody accepted it'\n")
    begin_run(place, "run-2", ["silver.dimcustomer"], NOW)
    snapshot = RunSnapshot(place)
    assert snapshot.would_overwrite([MODEL]) == ()
    snapshot.write(MODEL, "select 2\n")
    assert snapshot.restore([MODEL]) == Restored(restored=(MODEL,))
    assert (place.root / MODEL).read_text() == "select 'partial, nobody accepted it'\n"


def test_leftovers_that_a_person_edited_are_theirs(place: Workplace) -> None:
    RunSnapshot(place).write(MODEL, "select 'partial'\n")
    write(place.root, {MODEL: "select 'repaired by hand'\n"})
    begin_run(place, "run-2", ["silver.dimcustomer"], NOW)
    assert RunSnapshot(place).would_overwrite([MODEL]) == (MODEL,)


def test_a_killed_run_knows_what_was_there_before_it(place: Workplace) -> None:
    RunSnapshot(place).write(SOURCES, "version: 2\nsources: [x]\n")
    resumed = RunSnapshot(place)
    resumed.write(SOURCES, "version: 2\nsources: [x, y]\n")
    assert resumed.restore([SOURCES]).restored == (SOURCES,)
    assert (place.root / SOURCES).read_text() == PROJECT[SOURCES]


@pytest.mark.parametrize("written", [False, True])
def test_a_kill_between_the_intent_and_the_write(
    place: Workplace, monkeypatch: pytest.MonkeyPatch, written: bool
) -> None:
    RunSnapshot(place).write(MODEL, "select 1\n")
    from core.git import snapshot as module

    real = module.write_bytes

    def killed(path: Path, data: bytes) -> None:
        if path.suffix == ".sql":
            if written:
                real(path, data)
            raise KeyboardInterrupt
        real(path, data)

    monkeypatch.setattr(module, "write_bytes", killed)
    with pytest.raises(KeyboardInterrupt):
        RunSnapshot(place).write(MODEL, "select 2\n")
    monkeypatch.undo()
    resumed = RunSnapshot(place)
    assert resumed.is_as_written(MODEL)
    resumed.write(MODEL, "select 3\n")
    assert resumed.restore([MODEL]).removed == (MODEL,)


def test_a_file_deleted_by_a_person_can_be_written_again(place: Workplace) -> None:
    snapshot = RunSnapshot(place)
    snapshot.write(MODEL, "select 1\n")
    (place.root / MODEL).unlink()
    assert snapshot.restore([MODEL]) == Restored()


def test_files_no_run_claimed_are_not_touched(place: Workplace) -> None:
    write(place.root, {MODEL: "mine\n"})
    assert RunSnapshot(place).restore([MODEL]) == Restored()
    assert (place.root / MODEL).read_text() == "mine\n"


@pytest.mark.parametrize("path", ["../outside.sql", "/etc/passwd", "dbt/../../x.sql", "dbt", ""])
def test_paths_that_lead_out_of_the_project(place: Workplace, path: str) -> None:
    with pytest.raises(ProjectError):
        RunSnapshot(place).write(path, "x")


def test_links_that_lead_out_of_the_project(place: Workplace, tmp_path: Path) -> None:
    write(tmp_path / "outside", {"stg_x.sql": "theirs"})
    (place.root / "dbt/models/linked").symlink_to(tmp_path / "outside", target_is_directory=True)
    (place.root / MODEL).symlink_to(tmp_path / "outside/stg_x.sql")
    for path in ("dbt/models/linked/stg_x.sql", MODEL):
        with pytest.raises(ProjectError, match="leads out of"):
            RunSnapshot(place).write(path, "ours")
    assert (tmp_path / "outside/stg_x.sql").read_text() == "theirs"


def test_unreadable_records_count_as_a_persons_work(place: Workplace) -> None:
    RunSnapshot(place).write(MODEL, "select 1\n")
    for broken in ("{", "[]", '{"files": 3}', ""):
        write(place.runs, {"written.json": broken, "before.json": broken})
        assert RunSnapshot(place).would_overwrite([MODEL]) == (MODEL,)


def test_without_a_repository(tmp_path: Path) -> None:
    write(tmp_path / "loose", PROJECT)
    loose = open_in_place(tmp_path / "loose")
    begin_run(loose, "run-1", ["silver.dimcustomer"], NOW)
    snapshot = RunSnapshot(loose)
    snapshot.write(SOURCES, "ours\n")
    snapshot.write(MODEL, "ours\n")
    assert snapshot.restore([SOURCES]).restored == (SOURCES,)
    begin_run(loose, "run-2", ["silver.dimcustomer"], NOW)
    write(loose.root, {MODEL: "edited\n"})
    with pytest.raises(ProjectError, match="uncommitted changes"):
        RunSnapshot(loose).write(MODEL, "again\n")


def test_going_back_to_an_older_version_by_hand_is_a_persons_work(place: Workplace) -> None:
    original = (place.root / SOURCES).read_bytes()
    RunSnapshot(place).write(SOURCES, "version: 2\nsources: [x]\n")
    sh(place.root, "git", "commit", "-q", "-am", "accepted")
    (place.root / SOURCES).write_bytes(original)
    begin_run(place, "run-2", ["silver.dimcustomer"], NOW)
    assert RunSnapshot(place).would_overwrite([SOURCES]) == (SOURCES,)
