"""Step 6's end: push the branch and open or update its pull request.

``gh`` when it is installed and signed in; else the service's API with a token from the
environment; else the branch is pushed, and the body and the exact command are left in
``.migration-runs/pr-body.md``. The body is on disk before anything is sent, so nothing is lost
whatever a service answers.
"""

from __future__ import annotations

import os
import shlex
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from core.git.hosting.azure import AzureDevOps
from core.git.hosting.contract import Hosting, HostingError, PullRequest, PullRequestDraft
from core.git.hosting.gh import Gh, gh_repository, signed_in
from core.git.hosting.github import GitHub
from core.git.hosting.gitlab import GitLab
from core.git.hosting.http import TIMEOUT
from core.git.hosting.remote import (
    HostedRepository,
    RemoteUrl,
    Service,
    hosted_repository,
    parse_remote,
    token_for,
    token_variables,
)
from core.git.push import choose_remote, look_at_remote, push_branch, remote_urls
from core.git.repository import Repository
from core.git.worktree import Workplace
from core.project.codes import Code, Diagnostic, ProjectError
from core.project.files import write_text

BODY_FILE = "pr-body.md"


@dataclass(frozen=True)
class PullRequestSettings:
    """The settings of the pull request."""

    remote: str = "origin"
    base: str = ""
    """The branch to merge into; empty: the one the run was started on, else the default one."""
    labels: tuple[str, ...] = ()
    reviewers: tuple[str, ...] = ()
    as_draft: bool = False
    service: str = ""
    """``github``, ``gitlab`` or ``azure``, with ``host``: a company's own server."""
    host: str = ""
    use_gh: bool = True
    timeout: float = TIMEOUT
    """Seconds until a service that does not answer is given up."""


@dataclass(frozen=True)
class Published:
    """What became of the branch and its pull request."""

    body_file: Path
    """The body; with the command to run when no pull request was opened."""
    pushed: bool = False
    remote: str | None = None
    pull_request: PullRequest | None = None
    command: str = ""
    """What to run to open it by hand; empty when it is open."""
    error: Diagnostic | None = None
    """``PR_FAILED``. ``None`` also when there was nothing to send to."""
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Destination:
    """A remote, and the services by which a pull request can be opened there, best first."""

    remote: str
    hosted: HostedRepository | None
    services: tuple[Hosting, ...]
    missing: str = ""
    """Why there is no service, as a sentence."""


def destination(
    repository: Repository,
    settings: PullRequestSettings,
    environment: Mapping[str, str] | None = None,
) -> Destination | None:
    """Where a pull request would go; ``None`` without a remote. Asks only gh, if signed in."""
    env = os.environ if environment is None else environment
    remote = choose_remote(repository, settings.remote)
    if remote is None:
        return None
    urls = remote_urls(repository, remote)
    found = (hosted_repository(url, env, settings.service, settings.host) for url in urls)
    hosted = next((one for one in found if one is not None), None)
    parsed = next((one for one in map(parse_remote, urls) if one is not None), None)
    services: list[Hosting] = []
    if settings.use_gh:
        services += _by_gh(repository, hosted, parsed)
    missing = ""
    if hosted is not None:
        variable, token = token_for(hosted, env)
        if token:
            services.append(_by_api(hosted, variable, token, settings.timeout))
        else:
            variables = " or ".join(token_variables(hosted, env))
            missing = f"No token for {hosted.host} (set {variables})"
            if hosted.service is Service.GITHUB:
                missing += ", and gh is not installed or not signed in"
    elif parsed is not None:
        missing = (
            f"proc2dbt does not know which service {parsed.authority} is (set GH_HOST or "
            "GITLAB_HOST to it)"
        )
    else:
        missing = f"The remote {remote} is a folder and no hosting service"
    return Destination(remote, hosted, tuple(services), missing)


def publish(
    place: Workplace,
    title: str,
    body: str,
    *,
    started_on: str | None = None,
    settings: PullRequestSettings | None = None,
    environment: Mapping[str, str] | None = None,
) -> Published:
    """Push the place's branch and open or update its pull request. Never raises for a refusal.

    ``started_on`` is the branch of the working tree the command was started in. Repeating it
    after a failure, or after a later run on the same branch, updates the same pull request.
    """
    settings = settings or PullRequestSettings()
    body_file = place.runs / BODY_FILE
    write_text(body_file, body)
    done = Published(body_file)
    repository, branch = place.repository, place.branch
    if repository is None or branch is None:
        return replace(done, notes=("There is no branch to push.",))
    try:
        target = destination(repository, settings, environment)
    except ProjectError as error:
        return replace(done, error=Diagnostic.of(Code.PR_FAILED, error.diagnostic.message))
    if target is None:
        command = f"git -C {shlex.quote(str(place.top))} push --set-upstream REMOTE {branch}"
        note = f"There is no remote, so {branch} stays here; add one and push it ({command})."
        return _left_for_the_user(replace(done, notes=(note,)), body, command)
    try:
        push_branch(repository, branch, target.remote)
        done = replace(done, pushed=True, remote=target.remote)
        base = _base_branch(repository, target.remote, branch, settings.base, started_on)
    except ProjectError as error:
        failed = Diagnostic.of(Code.PR_FAILED, error.diagnostic.message)
        push = f"git -C {shlex.quote(str(place.top))} push --set-upstream {target.remote} {branch}"
        opening = _command(target, branch, settings.base or "BASE", title, body_file)
        command = opening if done.pushed else f"{push} && {opening}"
        return _left_for_the_user(replace(done, error=failed), body, command)
    draft = PullRequestDraft(
        title, body, branch, base, settings.labels, settings.reviewers, settings.as_draft
    )
    command = _command(target, branch, base, title, body_file)
    if not target.services:
        note = (
            f"{target.missing}, so no pull request was opened; {branch} is pushed; to open it: "
            f"{command}"
        )
        return _left_for_the_user(replace(done, notes=(note,)), body, command)
    failures: list[str] = []
    for service in target.services:
        try:
            opened = service.open_or_update(draft)
        except HostingError as error:
            failures.append(str(error))
        else:
            return replace(done, pull_request=opened, notes=opened.notes)
    message = (
        f"{'; '.join(failures)}. The branch {branch} is pushed and the text is kept in "
        f"{body_file}; then run again with --resume, or run: {command}"
    )
    error_ = Diagnostic.of(Code.PR_FAILED, message)
    return _left_for_the_user(replace(done, error=error_), body, command)


def file_address(
    place: Workplace,
    settings: PullRequestSettings | None = None,
    environment: Mapping[str, str] | None = None,
) -> Callable[[str], str] | None:
    """Gives the page of a file (its path below the repository's root) on the place's branch.

    ``None`` when the remote is of no service that is known. For ``pr_body``.
    """
    settings = settings or PullRequestSettings()
    env = os.environ if environment is None else environment
    repository, branch = place.repository, place.branch
    remote = choose_remote(repository, settings.remote) if repository is not None else None
    if repository is None or branch is None or remote is None:
        return None
    found = (
        hosted_repository(url, env, settings.service, settings.host)
        for url in remote_urls(repository, remote)
    )
    hosted = next((one for one in found if one is not None), None)
    return partial(hosted.file_link, branch) if hosted is not None else None


def _by_gh(
    repository: Repository, hosted: HostedRepository | None, parsed: RemoteUrl | None
) -> list[Hosting]:
    if hosted is not None and hosted.service is not Service.GITHUB:
        return []
    name = gh_repository(hosted, parsed)
    if name is None or not signed_in(repository.top, name.partition("/")[0]):
        return []
    return [Gh(name, repository.top)]


def _by_api(hosted: HostedRepository, variable: str, token: str, timeout: float) -> Hosting:
    match hosted.service:
        case Service.GITHUB:
            return GitHub(hosted, token, timeout)
        case Service.GITLAB:
            return GitLab(hosted, token, timeout)
        case Service.AZURE:
            return AzureDevOps(hosted, variable, token, timeout)


def _base_branch(
    repository: Repository, remote: str, branch: str, setting: str, started_on: str | None
) -> str:
    """The branch to merge into, which must be on the remote.

    Raises:
        ProjectError: ``PR_FAILED``; there is none.
    """
    wanted = tuple(
        name.removeprefix(f"{remote}/")
        for name in (setting, started_on or "")
        if name and name != "HEAD"
    )
    state = look_at_remote(repository, remote, wanted)
    for name in wanted:
        if name in state.branches and name != branch:
            return name
    if state.default_branch and state.default_branch != branch:
        return state.default_branch
    raise ProjectError.of(
        Code.PR_FAILED,
        f"{remote} has no branch to merge {branch} into; push your main branch "
        f"(git push {remote} NAME), then run again with --resume.",
    )


def _command(target: Destination, branch: str, base: str, title: str, body_file: Path) -> str:
    """The exact command that opens the pull request by hand.

    https://cli.github.com/manual/gh_pr_create, https://docs.gitlab.com/cli/mr/create/,
    https://learn.microsoft.com/en-us/cli/azure/repos/pr
    """
    hosted = target.hosted
    file = str(body_file)
    if hosted is None:
        words = ["gh", "pr", "create", "--head", branch, "--base", base]
        words += ["--title", title, "--body-file", file]
        return shlex.join(words)
    match hosted.service:
        case Service.GITHUB:
            where = f"{hosted.host}/{hosted.owner}/{hosted.name}"
            words = ["gh", "pr", "create", "--repo", where, "--head", branch, "--base", base]
            return shlex.join([*words, "--title", title, "--body-file", file])
        case Service.GITLAB:
            words = ["glab", "mr", "create", "--repo", hosted.web, "--source-branch", branch]
            words += ["--target-branch", base, "--title", title, "--description"]
            return f'{shlex.join(words)} "$(cat {shlex.quote(file)})"'
        case Service.AZURE:
            words = ["az", "repos", "pr", "create", "--organization", hosted.api]
            words += ["--project", hosted.owner, "--repository", hosted.name]
            words += ["--source-branch", branch, "--target-branch", base]
            return shlex.join([*words, "--title", title, "--description", f"@{file}"])


def _left_for_the_user(done: Published, body: str, command: str) -> Published:
    """Add the command to the body's file, in a comment that no service shows."""
    comment = command.replace("-->", "-- >")
    write_text(
        done.body_file, f"{body.rstrip()}\n\n<!-- To open this pull request, run:\n{comment}\n-->\n"
    )
    return replace(done, command=command)
