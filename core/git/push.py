"""Sends the run's branch, and only that branch, to a remote; never by force."""

from __future__ import annotations

from dataclasses import dataclass

from core.git.command import (
    NETWORK_TIMEOUT,
    git,
    network_environment,
    said,
    without_secrets,
)
from core.git.repository import Repository
from core.project.codes import Code, ProjectError
from core.project.process import Completed


@dataclass(frozen=True)
class RemoteState:
    """What a remote holds, asked in one look."""

    default_branch: str | None
    branches: dict[str, str]
    """Of the branches asked for, those that are there, with their commits."""


def choose_remote(repository: Repository, wanted: str) -> str | None:
    """The remote of that name, else the only one there is, else ``None``."""
    names = git(repository.top, "remote").stdout.split()
    if wanted in names:
        return wanted
    return names[0] if len(names) == 1 else None


def remote_urls(repository: Repository, remote: str) -> tuple[str, ...]:
    """The remote's URLs: as rewritten by ``insteadOf``, as configured, and for pushing."""
    asked = (
        ("remote", "get-url", remote),
        ("config", "--get", f"remote.{remote}.url"),
        ("remote", "get-url", "--push", remote),
    )
    found = (git(repository.top, *args, check=False).stdout.strip() for args in asked)
    return tuple(dict.fromkeys(url for url in found if url))


def look_at_remote(repository: Repository, remote: str, branches: tuple[str, ...]) -> RemoteState:
    """Ask a remote for its default branch and for some branches. Changes nothing here.

    Raises:
        ProjectError: ``PR_FAILED``; the remote cannot be reached.
    """
    refs = [f"refs/heads/{branch}" for branch in branches]
    done = git(
        repository.top,
        *("ls-remote", "--symref", "--", remote, "HEAD", *refs),
        check=False,
        env=network_environment(repository.top),
        timeout=NETWORK_TIMEOUT,
    )
    if not done.ok:
        raise _failed(_refusal(done, remote, "be read"))
    default: str | None = None
    found: dict[str, str] = {}
    for row in done.stdout.splitlines():
        value, _, name = row.partition("\t")
        if value.startswith("ref: refs/heads/") and name == "HEAD":
            default = value.removeprefix("ref: refs/heads/")
        elif name in refs:
            found[name.removeprefix("refs/heads/")] = value
    return RemoteState(default, found)


def push_branch(repository: Repository, branch: str, remote: str) -> None:
    """Push the branch to the branch of the same name, and remember it as its upstream.

    Raises:
        ProjectError: ``PR_FAILED`` with one sentence; the local branch is as it was.
    """
    done = git(
        repository.top,
        *("-c", "push.followTags=false", "push", "--porcelain", "--set-upstream"),
        *("--recurse-submodules=no", "--", remote, f"refs/heads/{branch}:refs/heads/{branch}"),
        check=False,
        env=network_environment(repository.top),
        timeout=NETWORK_TIMEOUT * 5,
    )
    if done.ok:
        return
    rejected = next((row for row in done.stdout.splitlines() if row.startswith("!\t")), "")
    if "non-fast-forward" in rejected or "fetch first" in rejected or "stale" in rejected:
        raise _failed(
            f"{remote} already has a branch {branch} with commits that this clone does not have "
            f"(another clone's run?); look at them with 'git fetch {remote} {branch}', then "
            f"rebase onto them or rename your branch, and run again with --resume."
        )
    if "[remote rejected]" in rejected:
        reason = without_secrets(rejected.rpartition("(")[2].rstrip(")"))
        raise _failed(
            f"{remote} refused the branch {branch} ({reason}{_remote_lines(done)}); ask those who "
            "run it what its rules are, then run again with --resume."
        )
    raise _failed(_refusal(done, remote, f"take the branch {branch}"))


def _refusal(done: Completed, remote: str, doing: str) -> str:
    """One sentence for a remote that could not be reached or would not talk."""
    lowered = done.stderr.lower()
    reason = said(done)
    if any(
        sign in lowered
        for sign in (
            "authentication failed",
            "could not read username",
            "could not read password",
            "terminal prompts disabled",
            "permission denied",
            "403",
            "401",
        )
    ):
        hint = "sign in (a credential helper or an ssh agent) or ask for the right to push"
    elif any(
        sign in lowered
        for sign in ("could not resolve", "timed out", "connection refused", "network is")
    ):
        hint = "check the network"
    elif "not found" in lowered or "does not appear to be a git repository" in lowered:
        hint = f"check its URL (git remote get-url {remote})"
    elif "host key verification failed" in lowered:
        hint = "connect once by hand with ssh to accept the host's key"
    elif "failed to push some refs" in lowered and "fatal" not in lowered:
        tail = [part.strip() for part in (done.stdout + "\n" + done.stderr).splitlines()]
        shown = [
            part
            for part in tail
            if part and not part.startswith(("error: failed to push", "To ", "!\t", "Done"))
        ]
        reason = without_secrets("; ".join(shown[-3:])[:300]) or reason
        hint = "the pre-push hook refused; put right what it names"
    else:
        hint = "put right what git names"
    return f"{remote} would not {doing} ({reason}); {hint}, then run again with --resume."


def _remote_lines(done: Completed) -> str:
    told = [
        part.removeprefix("remote:").strip()
        for part in done.stderr.splitlines()
        if part.startswith("remote:") and part.removeprefix("remote:").strip()
    ]
    return without_secrets(f": {'; '.join(told[:3])[:300]}") if told else ""


def _failed(message: str) -> ProjectError:
    return ProjectError.of(Code.PR_FAILED, message)
