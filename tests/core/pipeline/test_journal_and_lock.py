"""The journal survives torn lines and strangers; the lock knows the living from the dead."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.pipeline.attempts import file_stem
from core.pipeline.events import EVENTS, ItemQueued, RunNote
from core.pipeline.journal import Journal, read_journal
from core.pipeline.lock import RunLock, read_owner
from core.pipeline.reports import cell
from core.project.codes import Code, ProjectError


def note(number: int) -> RunNote:
    return RunNote(seq=number, at="2026-01-05T06:00:00+00:00", run_id="r", text=f"note {number}")


def test_what_is_appended_is_read_back(tmp_path: Path) -> None:
    file = tmp_path / "events.ndjson"
    with Journal(file) as journal:
        for number in range(3):
            journal.append(note(number))
    assert read_journal(file).events == tuple(note(n) for n in range(3))


@pytest.mark.parametrize("torn", [b"{", b'{"type":"run_note","text":"h', b"\xff\xfe"])
def test_a_torn_last_line_is_passed_over_and_cut_off(tmp_path: Path, torn: bytes) -> None:
    file = tmp_path / "events.ndjson"
    with Journal(file) as journal:
        journal.append(note(1))
    with file.open("ab") as stream:
        stream.write(torn)
    read = read_journal(file)
    assert read.torn
    assert read.events == (note(1),)
    with Journal(file) as journal:
        journal.append(note(2))
    assert read_journal(file).events == (note(1), note(2))
    assert not read_journal(file).torn


def test_lines_of_a_newer_version_are_counted_not_guessed_at(tmp_path: Path) -> None:
    file = tmp_path / "events.ndjson"
    file.write_bytes(
        b'{"type":"teleported","seq":1}\n' + EVENTS.dump_json(note(2)) + b"\nnot json\n\n"
    )
    read = read_journal(file)
    assert (read.events, read.passed_over) == ((note(2),), 2)


def test_a_missing_journal_is_empty(tmp_path: Path) -> None:
    assert read_journal(tmp_path / "events.ndjson").events == ()


@given(st.text(max_size=40), st.text(max_size=40))
def test_any_text_survives_the_journal(words: str, item_id: str) -> None:
    event = ItemQueued(item_id=item_id, table_ref=item_id, words=words)
    line = EVENTS.dump_json(event)
    assert b"\n" not in line
    assert EVENTS.validate_json(line) == event


@given(st.text(min_size=1, max_size=300))
def test_the_files_of_an_item_never_leave_their_folder(item_id: str) -> None:
    stem = file_stem(item_id)
    assert Path(stem).name == stem
    assert stem not in (".", "..")
    assert len(stem) <= 160


@pytest.mark.parametrize("item_id", ["con.x", "aux.customer", "nul", "com1.orders", "lpt9.a.b"])
def test_no_file_is_called_like_a_device_of_windows(item_id: str) -> None:
    assert "." not in file_stem(item_id)


@pytest.mark.parametrize("item_id", ["contoso.x", "silver.con", "com10.orders", "auxiliary.y"])
def test_names_that_only_begin_like_a_device_stay(item_id: str) -> None:
    assert file_stem(item_id) == item_id


@given(st.text(min_size=1, max_size=20), st.text(min_size=1, max_size=20))
def test_items_do_not_share_files(one: str, two: str) -> None:
    assert (file_stem(one) == file_stem(two)) == (one == two)


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (2**60, str(2**60)),
        (float("nan"), "nan"),
        (b"\x01\xff", "0x01FF"),
        (True, True),
        (None, None),
    ],
)
def test_cells_survive_json(value: object, shown: object) -> None:
    assert cell(value) == shown
    assert json.loads(json.dumps(cell(value))) == shown


def owner_file(runs: Path, pid: int, host: str, started: str = "") -> None:
    runs.mkdir(parents=True)
    (runs / "lock").write_text(json.dumps({"pid": pid, "host": host, "started": started}))


def test_a_lock_is_held_and_given_back(tmp_path: Path) -> None:
    runs = tmp_path / ".migration-runs"
    lock = RunLock(runs)
    assert lock.acquire() is None
    owner = read_owner(runs)
    assert owner is not None
    assert (owner.pid, owner.host) == (os.getpid(), socket.gethostname())
    lock.release()
    assert read_owner(runs) is None


def test_a_dead_owners_lock_is_taken_over(tmp_path: Path) -> None:
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    runs = tmp_path / ".migration-runs"
    owner_file(runs, gone.pid, socket.gethostname())
    lock = RunLock(runs)
    previous = lock.acquire()
    assert previous is not None
    assert previous.pid == gone.pid
    lock.release()


def test_a_process_that_only_has_the_same_id_is_not_the_owner(tmp_path: Path) -> None:
    if not Path("/proc/self/stat").exists():
        pytest.skip("needs /proc")
    runs = tmp_path / ".migration-runs"
    owner_file(runs, os.getppid(), socket.gethostname(), started="1")
    lock = RunLock(runs)
    assert lock.acquire() is not None
    lock.release()


@pytest.mark.parametrize("who", ["a living process", "another host"])
def test_a_living_owner_is_run_locked(tmp_path: Path, who: str) -> None:
    runs = tmp_path / ".migration-runs"
    if who == "another host":
        owner_file(runs, 1, "somewhere-else")
    else:
        owner_file(runs, os.getppid(), socket.gethostname())
    with pytest.raises(ProjectError, match="A run is going on") as caught:
        RunLock(runs).acquire()
    assert caught.value.diagnostic.code is Code.RUN_LOCKED


def test_two_that_find_the_same_dead_lock(tmp_path: Path) -> None:
    if sys.platform == "win32":
        pytest.skip("needs flock")
    runs = tmp_path / ".migration-runs"
    first = RunLock(runs)
    first.acquire()
    (runs / "lock").unlink()  # clearing the folder for a new run removes it
    script = (
        "import sys; from pathlib import Path; from core.pipeline.lock import RunLock\n"
        "from core.project.codes import ProjectError\n"
        "try: RunLock(Path(sys.argv[1])).acquire()\n"
        "except ProjectError as error: print(error.diagnostic.code)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, str(runs)],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(__file__).parents[3],
    )
    assert done.stdout.strip() == "RUN_LOCKED"
    first.release()
