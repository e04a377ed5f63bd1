"""Runs git: in English, without prompts, pagers or the caller's own git environment.

git itself is used rather than GitPython wherever hooks, filters, signing or worktrees take part:
these are git's own behaviour. What git says reaches a user only through :func:`said`, which
takes out credentials.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from core.project.codes import Code, Diagnostic, ProjectError
from core.project.process import (
    Completed,
    ProgramMissingError,
    ProgramTimeoutError,
    run,
)

NETWORK_TIMEOUT = 120.0
"""Seconds for a push, a fetch or a look at a remote."""

HOOK_TIMEOUT = 900.0
"""Seconds for a commit: hooks may install their own tools the first time."""

_CREDENTIALS = re.compile(r"(?<=://)[^/@\s'\"]+(?=@)")
_TOKEN_VARIABLES = (
    "GH_TOKEN",
    "GITHUB_TOKEN",
    "GH_ENTERPRISE_TOKEN",
    "GITHUB_ENTERPRISE_TOKEN",
    "GITLAB_TOKEN",
    "AZURE_DEVOPS_TOKEN",
    "AZURE_DEVOPS_EXT_PAT",
    "SYSTEM_ACCESSTOKEN",
)
_OWN_VARIABLES = (
    "GIT_DIR",
    "GIT_WORK_TREE",
    "GIT_INDEX_FILE",
    "GIT_PREFIX",
    "GIT_COMMON_DIR",
    "GIT_NAMESPACE",
    "GIT_OBJECT_DIRECTORY",
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_EXTERNAL_DIFF",
    "GIT_DIFF_OPTS",
)
"""Set by git for its hooks and aliases; they would point a nested git at the wrong place."""


class GitError(ProjectError):
    """git refused something that was expected to work; the message holds what it said.

    A ``ProjectError``, so that one which nobody foresaw still reaches the user as a sentence.
    """

    def __init__(self, completed: Completed, folder: Path) -> None:
        words = " ".join(_words(completed.args)[:2])
        message = f"'git {words}' failed in {folder} ({said(completed)}); put right what it names."
        super().__init__(Diagnostic.of(Code.GIT_NOT_READY, message))
        self.completed = completed


def git(
    folder: Path,
    *args: str,
    check: bool = True,
    env: Mapping[str, str] | None = None,
    input_text: str | None = None,
    timeout: float = 120.0,
) -> Completed:
    """Run ``git ARGS`` in ``folder`` and return what it left.

    Raises:
        GitError: git exited with another code than 0 and ``check`` is set.
        ProjectError: ``GIT_NOT_READY``; git is not installed, or did not finish in time.
    """
    command = ("git", "--no-pager", "-c", "core.quotePath=false", "-c", "color.ui=false", *args)
    try:
        completed = run(
            command,
            cwd=folder,
            env=environment(env),
            timeout=timeout,
            input_text=input_text,
        )
    except ProgramMissingError as error:
        raise ProjectError.of(
            Code.GIT_NOT_READY,
            "git is not installed or not on the PATH; install git, or run with --in-place.",
        ) from error
    except ProgramTimeoutError as error:
        words = " ".join(_words(command)[:1])
        raise ProjectError.of(
            Code.GIT_NOT_READY,
            f"'git {words}' did not finish within {timeout:g} seconds in {folder}; run it by hand "
            "to see what it waits for, then run again with --resume.",
        ) from error
    if check and not completed.ok:
        raise GitError(completed, folder)
    return completed


def lines(folder: Path, *args: str) -> tuple[str, ...]:
    """The NUL-separated output of a git command run with ``-z``, without the empty last one."""
    return tuple(part for part in git(folder, *args).stdout.split("\0") if part)


def line(folder: Path, *args: str) -> str:
    """The one line a git command prints."""
    return git(folder, *args).stdout.rstrip("\r\n")


def environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """The environment git runs in; ``extra`` has the last word."""
    env = {name: value for name, value in os.environ.items() if name not in _OWN_VARIABLES}
    # LANGUAGE alone decides the language of messages; LC_ALL would change what hooks can encode.
    env["LANGUAGE"] = "en"
    env["GIT_TERMINAL_PROMPT"] = "0"
    env["GIT_EDITOR"] = "true"
    env["GIT_PAGER"] = "cat"
    env.update(extra or {})
    return env


def network_environment(folder: Path) -> dict[str, str]:
    """What to add for commands that reach a remote: ssh must not ask on the app's terminal.

    Keys in an agent still work; an ssh command the user configured is left alone.
    """
    if "GIT_SSH" in os.environ or "GIT_SSH_COMMAND" in os.environ:
        return {}
    if git(folder, "config", "--get", "core.sshCommand", check=False).ok:
        return {}
    return {"GIT_SSH_COMMAND": "ssh -o BatchMode=yes"}


def _words(command: Sequence[str]) -> list[str]:
    """The words of a git command line without ``git`` itself and without options."""
    rest = iter(command[1:])
    found = []
    for word in rest:
        if word == "-c":
            next(rest, None)
        elif not word.startswith("-"):
            found.append(word)
    return found


def said(completed: Completed) -> str:
    """What git printed as the reason, in one line, without credentials."""
    text = completed.stderr.strip() or completed.stdout.strip()
    shown = [part.strip() for part in text.splitlines() if part.strip()]
    reasons = [part for part in shown if re.match(r"(fatal|error|remote: error)\b", part)]
    chosen = (reasons or shown or [f"it exited with code {completed.code}"])[:3]
    return without_secrets("; ".join(chosen))[:500]


def without_secrets(text: str) -> str:
    """The text without user names and passwords in URLs, and without tokens of the environment."""
    for name in _TOKEN_VARIABLES:
        token = os.environ.get(name, "")
        if len(token) >= 4:
            text = text.replace(token, "***")
    return _CREDENTIALS.sub("***", text)
