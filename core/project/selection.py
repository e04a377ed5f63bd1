"""Which tables an invocation means: names, patterns, files of names, or everything ready.

Names are case-insensitive and may be quoted; ``'silver.*'`` is a pattern over the
tables that are not sources or seeds; ``@file`` reads one
name a line, with ``#`` comments. What is named twice is taken once, in the order of naming.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

from core.project.codes import Code, Diagnostic, ProjectError
from core.project.files import read_text
from core.project.names import NameSyntaxError, QualifiedName
from core.project.project import MigrationProject
from core.project.suggest import close_to, did_you_mean

_COMMENT = re.compile(r"(?:^|\s)(?:#|--).*$")


class SelectionError(ValueError):
    """The invocation itself is wrong: a list that cannot be read, a name that is empty."""


@dataclass(frozen=True)
class Selection:
    """The selected item ids in order, and a ``TABLE_UNKNOWN`` for each name that found none."""

    items: tuple[str, ...]
    unknown: tuple[Diagnostic, ...] = ()


def select_tables(
    project: MigrationProject,
    names: Sequence[str],
    *,
    all_ready: bool = False,
    is_ready: Callable[[str], bool] | None = None,
    folder: Path | None = None,
) -> Selection:
    """Resolve the ``TABLE...`` arguments of an invocation.

    Args:
        project: where the tables are looked up.
        names: the arguments as typed.
        all_ready: ``--all`` was given: every table for which ``is_ready`` holds.
        is_ready: whether a table passes the guards; needed with ``all_ready``.
        folder: what ``@file`` is relative to; the current folder when absent.

    Raises:
        SelectionError: an ``@file`` cannot be read or names nothing; a name is empty.
    """
    found: dict[str, None] = {}
    unknown: dict[str, Diagnostic] = {}
    for name, origin in _expanded(names, folder or Path.cwd()):
        matched = _matching(project, name)
        if not matched:
            unknown.setdefault(name, _unknown(project, name, origin))
        found.update(dict.fromkeys(matched))
    if all_ready and is_ready is not None:
        found.update(dict.fromkeys(item for item in project.tables() if is_ready(item)))
    return Selection(tuple(found), tuple(unknown.values()))


def _expanded(names: Sequence[str], folder: Path) -> Iterable[tuple[str, str]]:
    """Each name with where it was written, empty for the command line."""
    for name in names:
        if name.startswith("@"):
            yield from _listed(name[1:], folder)
        elif name.strip():
            yield name.strip(), ""
        else:
            raise SelectionError("A table's name is empty: write schema.table.")


def _listed(file: str, folder: Path) -> list[tuple[str, str]]:
    try:
        lines = read_text(folder / Path(file).expanduser()).splitlines()
    except OSError as error:
        reason = error.strerror or "it cannot be read"
        raise SelectionError(f"The list of tables {file} cannot be read: {reason}.") from error
    wanted = (_COMMENT.sub("", line).strip().rstrip(",").strip() for line in lines)
    found = [(name, f" ({file} line {number})") for number, name in enumerate(wanted, 1) if name]
    if not found:
        raise SelectionError(f"The list of tables {file} names no table.")
    return found


def _matching(project: MigrationProject, name: str) -> list[str]:
    if _is_pattern(name):
        pattern = _folded_pattern(name)
        items = [item for item in project.tables() if fnmatchcase(item, pattern)]
        return [item for item in items if not _is_loaded_elsewhere(project, item)]
    return [project.item_id(name)] if name and project.knows_table(name) else []


def _is_loaded_elsewhere(project: MigrationProject, item_id: str) -> bool:
    """Sources and seeds: a pattern means targets; one that is meant is named in full."""
    try:
        table = project.table(item_id)
    except ProjectError:
        return False
    return table.is_source or table.is_seed


def _is_pattern(name: str) -> bool:
    """``*`` and ``?`` cannot stand in a bare name; ``[`` quotes, it never begins a class."""
    return "*" in name or "?" in name


def _folded_pattern(name: str) -> str:
    """The pattern over item ids: quotes dropped, lower case; ``*`` alone means every table."""
    bare = re.sub(r'[\[\]"]', "", name).lower()
    return bare if "." in bare or bare == "*" else f"dbo.{bare}"


def _unknown(project: MigrationProject, name: str, origin: str) -> Diagnostic:
    if _is_pattern(name):
        message = f"No table of this project matches '{name}'{origin}."
        return Diagnostic.of(Code.TABLE_UNKNOWN, message, _spelled_id(name))
    item_id = _spelled_id(name)
    message = (
        f"No table {name} is known to this project{origin}: neither catalog/tables nor "
        f"ddl/tables.sql names it{did_you_mean(item_id, project.tables())}."
    )
    suggestions = close_to(item_id, project.tables())
    return Diagnostic.of(Code.TABLE_UNKNOWN, message, item_id, suggestions=suggestions)


def _spelled_id(name: str) -> str:
    try:
        return QualifiedName.parse(name).item_id
    except NameSyntaxError:
        return name.lower()
