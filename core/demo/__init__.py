"""The bundled demo: a small retail warehouse as a migration project, and how it must end.

The project lies in ``retail/`` as package data, so an installed wheel has it without git. This
module copies it out and reads its ``expected.json``; it runs nothing: that is the command line's
business.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict

from core.project.codes import Code, ProjectError
from core.project.files import write_bytes
from core.project.process import ProgramMissingError, ProgramTimeoutError, run

_RENAMED = {"gitignore": ".gitignore"}
"""Files that packaging tools would skip under their real name."""

_OWN_SETTINGS_ONLY = (
    *("-c", f"core.hooksPath={os.devnull}"),
    *("-c", f"core.excludesFile={os.devnull}"),
)
"""Keeps the hooks and ignore rules that users have set up for all their repositories out."""

_NOT_PART_OF_IT = frozenset({"__pycache__", "__init__.py"})


class ExpectedOutcome(BaseModel):
    """How one table of the demo must end, and why."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    status: Literal["ok", "partial", "error"]
    codes: tuple[Code, ...]
    """The codes among its warnings and errors that make up the status; none for ``ok``."""
    why: str


class _ExpectedFile(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    items: dict[str, ExpectedOutcome]


def demo_project() -> Traversable:
    """The demo project as it lies in the package."""
    return files(__name__) / "retail"


def expected_outcomes() -> dict[str, ExpectedOutcome]:
    """How every item of the demo must end, by ``item_id``, read from its ``expected.json``."""
    text = (demo_project() / "expected.json").read_text(encoding="utf-8")
    return _ExpectedFile.model_validate_json(text).items


def deviations(outcomes: Mapping[str, tuple[str, Collection[str]]]) -> list[str]:
    """One sentence for each item that did not end as the demo says it must; empty when all did.

    ``outcomes`` maps each ``item_id`` of the run to its status and the codes of its warnings and
    errors. Codes beside the expected ones do not matter as long as the status is right.
    """
    expected = expected_outcomes()
    sentences = []
    for item_id, wanted in expected.items():
        if item_id not in outcomes:
            sentences.append(f"{item_id} was not run; it should end {wanted.status}.")
            continue
        status, codes = outcomes[item_id]
        missing = [code for code in wanted.codes if code not in codes]
        if status != wanted.status:
            found = f" ({', '.join(sorted(codes))})" if codes else ""
            sentences.append(f"{item_id} should end {wanted.status}, but ended {status}{found}.")
        elif missing:
            sentences.append(
                f"{item_id} ended {status} as it should, but without {', '.join(missing)}."
            )
    unknown = sorted(set(outcomes) - set(expected))
    sentences.extend(f"{item_id} is not a table of the demo." for item_id in unknown)
    return sentences


def copy_demo(target: Path) -> None:
    """Copy the demo project into ``target`` and make it a git repository with one commit.

    The folder is created when it is missing; the identity of the commit is set in that
    repository only.

    Raises:
        ProjectError: ``target`` is not an empty folder, cannot be written, or git is missing
            or fails.
    """
    _refuse_unless_empty(target)
    _git("--version", cwd=None)
    try:
        target.mkdir(parents=True, exist_ok=True)
        _copy_folder(demo_project(), target)
    except OSError as error:
        raise ProjectError.of(
            Code.GIT_NOT_READY,
            f"The demo could not be written to {target}: {error.strerror or error}.",
        ) from error
    _make_repository(target)


def _refuse_unless_empty(target: Path) -> None:
    if target.is_dir():
        if any(target.iterdir()):
            raise ProjectError.of(
                Code.GIT_NOT_READY,
                f"The folder {target} is not empty; give the demo a new or an empty folder.",
            )
    elif target.exists() or target.is_symlink():
        raise ProjectError.of(
            Code.GIT_NOT_READY,
            f"{target} exists and is not a folder; give the demo a new or an empty folder.",
        )


def _copy_folder(source: Traversable, target: Path) -> None:
    for entry in source.iterdir():
        if entry.name in _NOT_PART_OF_IT:
            continue
        copy = target / _RENAMED.get(entry.name, entry.name)
        if entry.is_dir():
            _copy_folder(entry, copy)
        else:
            write_bytes(copy, entry.read_bytes())


def _make_repository(folder: Path) -> None:
    _git("init", "--quiet", "--template=", cwd=folder)
    _git("symbolic-ref", "HEAD", "refs/heads/main", cwd=folder)
    for key, value in (
        ("user.name", "proc2dbt demo"),
        ("user.email", "demo@proc2dbt.invalid"),
        ("commit.gpgsign", "false"),
        ("core.autocrlf", "false"),
    ):
        _git("config", "--local", key, value, cwd=folder)
    _git("add", "--all", cwd=folder)
    _git("commit", "--quiet", "--message=The retail warehouse, as extracted", cwd=folder)


def _git(*args: str, cwd: Path | None) -> None:
    # GIT_DIR and the like would point these commands at another repository.
    environment = {key: value for key, value in os.environ.items() if not key.startswith("GIT_")}
    try:
        done = run(["git", *_OWN_SETTINGS_ONLY, *args], cwd=cwd, env=environment)
    except ProgramMissingError as error:
        raise ProjectError.of(
            Code.GIT_NOT_READY, "The demo needs git, which is not installed."
        ) from error
    except ProgramTimeoutError as error:
        raise ProjectError.of(Code.GIT_NOT_READY, f"{error}.") from error
    if not done.ok:
        reason = done.stderr.strip().splitlines() or ["no message"]
        raise ProjectError.of(Code.GIT_NOT_READY, f"git {args[0]} failed in {cwd}: {reason[-1]}")
