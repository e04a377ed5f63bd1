"""The files a run writes outside ``.migration-runs/``: what they were, and what ours wrote last.

Every model, YAML and shared file goes through :class:`RunSnapshot`, which keeps three promises:
a file a person changed and did not commit is never overwritten; a rejected item's files get back
what they held before the run, byte for byte; and a run killed between any two steps can be taken
up again without losing either.

``before.json`` and ``before/`` hold what the files were when this run first claimed them;
``written.json`` holds the hashes of what ours last wrote and outlives the run, so that the
leftovers of an earlier run are not mistaken for a person's work.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from core.git.repository import dirty_paths, not_ready, writing
from core.git.worktree import Workplace
from core.project.files import read_text, write_bytes, write_text


@dataclass(frozen=True)
class Restored:
    """What happened to the files of an item that is not committed; paths below the project."""

    restored: tuple[str, ...] = ()
    """Hold again what they held before the run."""
    removed: tuple[str, ...] = ()
    """Were new in this run, and are gone."""
    kept: tuple[str, ...] = ()
    """Were changed by a person since ours wrote them, and are left as they are."""


class RunSnapshot:
    """Guards the files of one run in one place. Paths are relative to the project."""

    def __init__(self, place: Workplace) -> None:
        """Open the snapshot of the run in ``place``, also one that was killed."""
        self._place = place
        saved = _read_object(place.runs / "before.json")
        self._before: dict[str, str | None] = _hashes(saved.get("files"))
        start = saved.get("start")
        self.start = start if isinstance(start, str) else _head(place)
        """The commit the place was at when the run first claimed a file; empty without one."""
        self._leftovers = set(_texts(saved.get("leftovers")))
        self._written: dict[str, list[str]] = _read_written(place.runs / "written.json")

    def would_overwrite(self, paths: Iterable[str]) -> tuple[str, ...]:
        """Files that hold a person's uncommitted work: writing them would lose it.

        Without a repository only a file that ours wrote and somebody changed since can be told.
        """
        unclaimed = tuple(path for path in paths if path not in self._before)
        if self._place.repository is None:
            suspects = tuple(path for path in unclaimed if path in self._written)
        else:
            suspects = dirty_paths(self._place.repository, unclaimed) if unclaimed else ()
        return tuple(path for path in suspects if not self._is_as_written(path))

    @property
    def claimed(self) -> tuple[str, ...]:
        """Every file the run has claimed, also before it was killed."""
        return tuple(self._before)

    def claim(self, paths: Iterable[str]) -> None:
        """Record what the files hold before the run changes them; once per file and run.

        Raises:
            ProjectError: ``GIT_NOT_READY``; a file holds a person's uncommitted work, or lies
                behind a link that leads out of the project.
        """
        new = tuple(path for path in dict.fromkeys(paths) if path not in self._before)
        if not new:
            return
        for path in new:
            self._file(path)
        endangered = self.would_overwrite(new)
        if endangered:
            raise not_ready(
                f"{endangered[0]} in {self._place.root} has uncommitted changes that the run "
                "would overwrite; commit them, move them away, or restore the file "
                f"('git restore {endangered[0]}')."
            )
        for path in new:
            content = _content(self._file(path))
            if content is not None:
                with writing(self._place.runs):
                    write_bytes(self._place.runs / "before" / _hash(content), content)
            self._before[path] = None if content is None else _hash(content)
            if self._is_as_written(path):
                self._leftovers.add(path)
        self._save_before()

    def write(self, path: str, text: str) -> None:
        """Write a file of the run atomically, as UTF-8 with the line ends of ``text``.

        Raises:
            ProjectError: ``GIT_NOT_READY``; a person changed the file since ours wrote it (or
                since the run claimed it), or it leads out of the project.
        """
        self.claim([path])
        file = self._file(path)
        now = _hash_of(file)
        ours = self._is_as_written(path)
        if now != self._before[path] and not ours:
            raise not_ready(
                f"{path} in {self._place.root} was changed by someone else while the run was "
                "going on; move the change away and run again with --resume."
            )
        data = text.encode("utf-8")
        # The intent first: killed before or after the write, the file is recognised as ours.
        self._note_written(path, [*([now] if now and ours else []), _hash(data)])
        with writing(file):
            write_bytes(file, data)
        self._note_written(path, [_hash(data)])

    def is_as_written(self, path: str) -> bool:
        """Whether the file holds exactly what ours wrote last."""
        return self._is_as_written(path)

    def adopt(self, path: str) -> None:
        """Take what a git hook made of a file that was ours as ours."""
        content = _content(self._file(path))
        if content is not None:
            self._note_written(path, [_hash(content)])

    def restore(self, paths: Iterable[str]) -> Restored:
        """Give the files back what they held before the run; remove those that were new.

        A file the run never claimed is not touched, nor one that a person changed since.
        """
        restored: list[str] = []
        removed: list[str] = []
        kept: list[str] = []
        for path in dict.fromkeys(paths):
            if path not in self._before:
                continue
            file = self._file(path)
            now = _hash_of(file)
            before = self._before[path]
            if now == before:
                continue
            if now is not None and not self._is_as_written(path):
                kept.append(path)
            elif before is None:
                with writing(file):
                    file.unlink()
                removed.append(path)
            else:
                leftover = [before] if path in self._leftovers else []
                self._note_written(path, [*([now] if now else []), *leftover])
                with writing(file):
                    write_bytes(file, self._kept(before))
                self._note_written(path, leftover)
                restored.append(path)
        return Restored(tuple(restored), tuple(removed), tuple(kept))

    def _is_as_written(self, path: str) -> bool:
        content = _content(self._file(path))
        return content is not None and _hash(content) in self._written.get(path, ())

    def _file(self, path: str) -> Path:
        parts = PurePosixPath(path).parts
        root = self._place.root.resolve()
        file = root.joinpath(*parts)
        inside = file.parent.resolve().is_relative_to(root) and ".." not in parts
        if not parts or PurePosixPath(path).is_absolute() or not inside or file.is_symlink():
            raise not_ready(
                f"{path} leads out of {self._place.root} (a link?); the run writes only to real "
                "files in the project, so remove the link."
            )
        return file

    def _note_written(self, path: str, hashes: list[str]) -> None:
        self._written[path] = hashes
        text = json.dumps(self._written, indent=1, sort_keys=True)
        with writing(self._place.runs):
            write_text(self._place.runs / "written.json", text + "\n")

    def _save_before(self) -> None:
        saved = {
            "start": self.start,
            "files": self._before,
            "leftovers": sorted(self._leftovers),
        }
        text = json.dumps(saved, indent=1, sort_keys=True)
        with writing(self._place.runs):
            write_text(self._place.runs / "before.json", text + "\n")

    def _kept(self, digest: str) -> bytes:
        return (self._place.runs / "before" / digest).read_bytes()


def _hash(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _hash_of(file: Path) -> str | None:
    content = _content(file)
    return None if content is None else _hash(content)


def _content(file: Path) -> bytes | None:
    try:
        return file.read_bytes()
    except FileNotFoundError:
        return None
    except (IsADirectoryError, NotADirectoryError) as error:
        raise not_ready(f"{file} is not a file; move it away and run again.") from error


def _texts(value: object) -> list[str]:
    return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []


def _head(place: Workplace) -> str:
    return place.repository.head if place.repository is not None else ""


def _hashes(files: object) -> dict[str, str | None]:
    if not isinstance(files, dict):
        return {}
    return {path: value for path, value in files.items() if value is None or isinstance(value, str)}


def _read_written(file: Path) -> dict[str, list[str]]:
    loaded = _read_object(file)
    return {path: _texts(value) for path, value in loaded.items() if isinstance(value, list)}


def _read_object(file: Path) -> dict[str, object]:
    """The JSON object in one of our files; an unreadable one counts as empty, which is safe:
    what is not known to be ours is taken for a person's."""
    try:
        loaded = json.loads(read_text(file))
    except (OSError, ValueError):
        return {}
    return loaded if isinstance(loaded, dict) else {}
