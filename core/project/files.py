"""The one place that writes files, and the one that decodes what people saved.

Writes are atomic: a reader, or a run killed in the middle, sees the old file or the new one.
"""

from __future__ import annotations

import contextlib
import os
import tempfile
from pathlib import Path


def write_text(path: Path, text: str) -> None:
    """Write ``text`` as UTF-8 with ``\\n`` line ends, atomically, creating parent folders."""
    write_bytes(path, text.encode("utf-8"))


def write_bytes(path: Path, data: bytes) -> None:
    """Write ``data`` atomically (temporary file in the same folder, fsync, rename)."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{path.name[:80]}.", suffix=".tmp", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        _keep_mode(path, Path(name))
        os.replace(name, path)  # noqa: PTH105 - the rename is the point
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(name)  # noqa: PTH108
        raise


def _keep_mode(old: Path, new: Path) -> None:
    try:
        new.chmod(old.stat().st_mode & 0o7777)
    except FileNotFoundError:
        umask = os.umask(0)
        os.umask(umask)
        new.chmod(0o666 & ~umask)


def read_text(path: Path) -> str:
    """Read text as people save it: UTF-8 with or without BOM, UTF-16 with BOM, else Windows-1252.

    SQL Server Management Studio scripts objects as UTF-16 by default. Line ends are kept.
    """
    return decode(path.read_bytes())


def decode(data: bytes) -> str:
    """Decode the bytes of a text file; see :func:`read_text`."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return data.decode("utf-16", errors="replace")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("cp1252", errors="replace")
