"""Opening a text in the person's editor, while the run goes on behind it."""

from __future__ import annotations

import asyncio
import os
import shlex
import shutil
import tempfile
from pathlib import Path
from typing import Protocol


class Editor(Protocol):
    """Lets a person change a text; ``None`` when there is no editor or it failed."""

    async def __call__(self, text: str, name: str, line: int) -> str | None: ...


def editor_command(environment: dict[str, str] | None = None) -> list[str] | None:
    """The words of ``$VISUAL`` or ``$EDITOR``, else an editor that is there."""
    env = os.environ if environment is None else environment
    for variable in ("VISUAL", "EDITOR"):
        words = shlex.split(env.get(variable, ""))
        if words:
            return words
    for name in ("nano", "vim", "vi"):
        if shutil.which(name):
            return [name]
    return None


_TAKES_PLUS = ("vi", "vim", "nvim", "nano", "emacs", "micro", "joe", "kak")


async def edit_text(text: str, name: str, line: int = 0) -> str | None:
    """Open ``text`` as a file called ``name`` and return what was saved.

    The event loop goes on meanwhile: the caller must have given up the terminal.
    """
    command = editor_command()
    if command is None:
        return None
    folder = Path(tempfile.mkdtemp(prefix="proc2dbt-"))
    try:
        file = folder / f"{_harmless(name)}.sql"
        file.write_text(text, encoding="utf-8")
        if line and Path(command[0]).name in _TAKES_PLUS:
            command = [*command, f"+{line}"]
        try:
            process = await asyncio.create_subprocess_exec(*command, str(file))
        except OSError:
            return None
        if await process.wait() != 0:
            return None
        return file.read_text(encoding="utf-8")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _harmless(name: str) -> str:
    return "".join(c if c.isalnum() or c in "_-" else "_" for c in name)[:80] or "model"
