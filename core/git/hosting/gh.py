"""Pull requests by the ``gh`` command, when it is installed and signed in to the host.

Manual: https://cli.github.com/manual/gh_pr (create, edit, list), .../gh_auth_status.
"""

from __future__ import annotations

import json
from pathlib import Path
from tempfile import TemporaryDirectory

from core.git.command import environment, said, without_secrets
from core.git.hosting.contract import HostingError, PullRequest, PullRequestDraft
from core.git.hosting.remote import HostedRepository, RemoteUrl
from core.project.process import Completed, ProgramMissingError, ProgramTimeoutError, run

_TIMEOUT = 60.0


class Gh:
    """One repository, reached by ``gh``. ``repository`` is ``HOST/OWNER/NAME``."""

    def __init__(self, repository: str, folder: Path) -> None:
        """``folder`` is where gh runs; any working tree of the repository."""
        self._repository = repository
        self._folder = folder

    def open_or_update(self, draft: PullRequestDraft) -> PullRequest:
        """See :class:`core.git.hosting.contract.Hosting`."""
        found = self._open_one(draft.branch)
        updated = found is not None
        with TemporaryDirectory(prefix="proc2dbt-") as folder:
            body = Path(folder) / "body.md"
            body.write_text(draft.body, encoding="utf-8")
            if found is None:
                self._create(draft, body)
                found = self._open_one(draft.branch)
                if found is None:
                    raise HostingError(
                        "gh says it opened the pull request but does not list it; look at the "
                        "repository's page"
                    )
            else:
                number = str(found[0])
                self._run(
                    *("pr", "edit", number, "--title", draft.title, "--body-file", str(body)),
                    doing=f"update pull request #{number}",
                )
        number_, url = found
        return PullRequest(number_, url, updated, self._decorate(number_, draft))

    def merged_heads(self, branch: str) -> frozenset[str]:
        """See :class:`core.git.hosting.contract.Hosting`."""
        listed = self._list(branch, "merged", "headRefOid")
        return frozenset(str(pull.get("headRefOid", "")) for pull in listed) - {""}

    def _create(self, draft: PullRequestDraft, body: Path) -> None:
        self._run(
            *("pr", "create", "--head", draft.branch, "--base", draft.base),
            *("--title", draft.title, "--body-file", str(body)),
            *(("--draft",) if draft.as_draft else ()),
            doing=f"open a pull request for {draft.branch}",
        )

    def _decorate(self, number: int, draft: PullRequestDraft) -> tuple[str, ...]:
        """Labels and reviewers one by one: an unknown one must not cost the others."""
        notes: list[str] = []
        wanted = [("--add-label", label) for label in draft.labels]
        wanted += [("--add-reviewer", name) for name in draft.reviewers]
        for flag, value in wanted:
            try:
                self._run("pr", "edit", str(number), flag, value, doing=f"add '{value}'")
            except HostingError as error:
                notes.append(str(error))
        return tuple(notes)

    def _open_one(self, branch: str) -> tuple[int, str] | None:
        for pull in self._list(branch, "open", "number,url"):
            try:
                return int(str(pull["number"])), str(pull["url"])
            except (KeyError, ValueError):
                continue
        return None

    def _list(self, branch: str, state: str, fields: str) -> list[dict[str, object]]:
        done = self._run(
            *("pr", "list", "--head", branch, "--state", state),
            *("--json", f"{fields},isCrossRepository"),
            doing="list pull requests",
        )
        try:
            listed = json.loads(done.stdout)
        except ValueError as error:
            raise HostingError("gh listed pull requests in a form proc2dbt cannot read") from error
        return [
            pull
            for pull in (listed if isinstance(listed, list) else [])
            # A fork may have a branch of the same name.
            if isinstance(pull, dict) and not pull.get("isCrossRepository")
        ]

    def _run(self, *args: str, doing: str) -> Completed:
        try:
            done = _gh(self._folder, *args, "--repo", self._repository)
        except (ProgramMissingError, ProgramTimeoutError) as error:
            raise HostingError(f"gh would not {doing} ({error})") from error
        if not done.ok:
            raise HostingError(f"gh would not {doing} ({without_secrets(said(done))})")
        return done


def signed_in(folder: Path, host: str) -> bool:
    """Whether gh is installed and signed in to the host."""
    try:
        return _gh(folder, "auth", "status", "--hostname", host).ok
    except (ProgramMissingError, ProgramTimeoutError, OSError):
        return False


def gh_repository(hosted: HostedRepository | None, remote: RemoteUrl | None) -> str | None:
    """``HOST/OWNER/NAME`` as gh wants it. A company's own server needs no setting here: gh
    itself knows which hosts it is signed in to."""
    if hosted is not None:
        return f"{hosted.host}/{hosted.owner}/{hosted.name}"
    if remote is None or remote.path.count("/") != 1:
        return None
    return f"{remote.authority}/{remote.path}"


def _gh(folder: Path, *args: str) -> Completed:
    quiet = {"GH_PROMPT_DISABLED": "1", "NO_COLOR": "1", "GH_NO_UPDATE_NOTIFIER": "1"}
    return run(("gh", *args), cwd=folder, env=environment(quiet), timeout=_TIMEOUT)
