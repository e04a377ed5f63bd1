"""Writing atomically, decoding what people saved, running programs."""

from __future__ import annotations

import os
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.project.clock import frozen_clock, system_clock
from core.project.files import decode, read_text, write_text
from core.project.process import ProgramMissingError, ProgramTimeoutError, run


def test_writing_leaves_the_text_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "a" / "b.txt"
    write_text(path, "one\n")
    write_text(path, "zwei ö\n")
    assert path.read_bytes() == "zwei ö\n".encode()
    assert os.listdir(path.parent) == ["b.txt"]  # noqa: PTH208 - hidden files count


def test_a_failed_write_leaves_the_old_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "b.txt"
    write_text(path, "old")

    def full(handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        write_text(path, "new")
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["b.txt"]  # noqa: PTH208


def test_the_mode_of_a_file_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "run.sh"
    write_text(path, "a")
    path.chmod(0o750)
    write_text(path, "b")
    assert path.stat().st_mode & 0o777 == 0o750


@given(st.text(st.characters(blacklist_categories=("Cs",)).filter(lambda c: c != "\ufeff")))
def test_unicode_files_come_back(text: str) -> None:
    assert decode(text.encode("utf-8")) == text
    assert decode(text.encode("utf-8-sig")) == text
    assert decode(text.encode("utf-16")) == text


@given(st.binary(max_size=40))
def test_any_bytes_are_decoded(data: bytes) -> None:
    assert isinstance(decode(data), str)


def test_windows_files(tmp_path: Path) -> None:
    (tmp_path / "x.sql").write_bytes("SELECT N'Größe'".encode("cp1252"))
    assert read_text(tmp_path / "x.sql") == "SELECT N'Größe'"


def test_programs() -> None:
    done = run([sys.executable, "-c", "import sys; print(sys.stdin.read()); sys.exit(3)"])
    assert (done.code, done.ok, done.stdout) == (3, False, "\n")
    with pytest.raises(ProgramMissingError, match="no-such-program"):
        run(["no-such-program"])
    with pytest.raises(ProgramTimeoutError):
        run([sys.executable, "-c", "import time; time.sleep(60)"], timeout=0.05)


def test_clocks() -> None:
    moment = datetime(2024, 1, 15, tzinfo=UTC)
    assert frozen_clock(moment)() == moment
    assert system_clock().tzinfo is UTC
