"""Pull requests by the REST API of Azure DevOps (services and server).

Pages: https://learn.microsoft.com/en-us/rest/api/azure/devops/git/pull-requests (Create, Update,
Get Pull Requests) and .../git/pull-request-labels, api-version 7.1. Contract-tested, not
live-tested.
"""

from __future__ import annotations

import base64
import re
from typing import Any
from urllib.parse import quote, urlencode

from core.git.hosting.contract import HostingError, PullRequest, PullRequestDraft
from core.git.hosting.http import TIMEOUT, Client
from core.git.hosting.remote import HostedRepository

BODY_LIMIT = 4000
"""Characters a description may have; the service refuses a longer one."""

_VERSION = "api-version=7.1"
_IDENTITY = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


class AzureDevOps:
    """One repository in an Azure DevOps project."""

    def __init__(
        self, repository: HostedRepository, variable: str, token: str, timeout: float = TIMEOUT
    ) -> None:
        """``variable`` is where the token came from: a pipeline's token is a bearer token."""
        self._repository = repository
        if variable == "SYSTEM_ACCESSTOKEN":
            authorization = f"Bearer {token}"
        else:
            pair = base64.b64encode(f":{token}".encode()).decode()
            authorization = f"Basic {pair}"
        self._client = Client(
            "Azure DevOps", repository.api, {"Authorization": authorization}, timeout
        )
        self._path = (
            f"/{quote(repository.owner)}/_apis/git/repositories/{quote(repository.name)}"
            "/pullrequests"
        )

    def open_or_update(self, draft: PullRequestDraft) -> PullRequest:
        """See :class:`core.git.hosting.contract.Hosting`."""
        body = _within_limit(draft.body)
        found = self._active_one(draft.branch)
        updated = found is not None
        notes: list[str] = []
        if found is None:
            ids = [name for name in draft.reviewers if _IDENTITY.fullmatch(name)]
            answer = self._client.send(
                "POST",
                f"{self._path}?{_VERSION}",
                {
                    "sourceRefName": f"refs/heads/{draft.branch}",
                    "targetRefName": f"refs/heads/{draft.base}",
                    "title": draft.title,
                    "description": body,
                    "isDraft": draft.as_draft,
                    "reviewers": [{"id": identity} for identity in ids],
                    "labels": [{"name": label} for label in draft.labels],
                },
            )
            if answer.status == 409:
                # TF401179: an active pull request for these branches exists already.
                found, updated = self._active_one(draft.branch), True
            if found is None:
                found = self._client.expect(answer, f"open a pull request for {draft.branch}")
            unknown = [name for name in draft.reviewers if name not in ids]
            if unknown:
                notes.append(
                    f"Azure DevOps takes reviewers by identity id, not by name: {unknown[0]}"
                )
        number = _number(found)
        if updated:
            answer = self._client.send(
                "PATCH",
                f"{self._path}/{number}?{_VERSION}",
                {"title": draft.title, "description": body},
            )
            self._client.expect(answer, f"update pull request {number}")
            notes += self._label(number, draft.labels)
        if body != draft.body:
            notes.append(
                f"The pull request's text was cut to the {BODY_LIMIT} characters that Azure "
                "DevOps allows; all of it is in .migration-runs/pr-body.md"
            )
        url = f"{self._repository.web}/pullrequest/{number}"
        return PullRequest(number, url, updated, tuple(notes))

    def merged_heads(self, branch: str) -> frozenset[str]:
        """See :class:`core.git.hosting.contract.Hosting`."""
        return frozenset(
            str(found["lastMergeSourceCommit"]["commitId"])
            for found in self._list(branch, "completed")
            if isinstance(found.get("lastMergeSourceCommit"), dict)
            and "commitId" in found["lastMergeSourceCommit"]
        )

    def _active_one(self, branch: str) -> Any | None:
        listed = self._list(branch, "active")
        return listed[0] if listed else None

    def _list(self, branch: str, status: str) -> list[Any]:
        ref = f"refs/heads/{branch}"
        query = urlencode(
            {"searchCriteria.sourceRefName": ref, "searchCriteria.status": status, "$top": 100}
        )
        listed = self._client.get(f"{self._path}?{query}&{_VERSION}", "list pull requests")
        values = listed.get("value") if isinstance(listed, dict) else None
        return [
            found
            for found in (values if isinstance(values, list) else [])
            if isinstance(found, dict) and found.get("sourceRefName") == ref
        ]

    def _label(self, number: int, labels: tuple[str, ...]) -> list[str]:
        notes = []
        for label in labels:
            answer = self._client.send(
                "POST", f"{self._path}/{number}/labels?{_VERSION}", {"name": label}
            )
            if not answer.ok:
                notes.append(self._client.sentence(answer, f"label the pull request {label}"))
        return notes


def _within_limit(body: str) -> str:
    """The body, or its beginning up to a line's end with a word that more follows elsewhere."""
    if len(body) <= BODY_LIMIT:
        return body
    more = "\n\n(shortened: Azure DevOps allows no more; the rest is in the run's pr-body.md)\n"
    kept = body[: BODY_LIMIT - len(more)]
    kept = kept.rpartition("\n")[0] or kept
    open_folds = kept.count("<details>") - kept.count("</details>")
    closing = "\n</details>" * open_folds
    while len(kept) + len(closing) + len(more) > BODY_LIMIT:
        kept = kept.rpartition("\n")[0]
    return kept + closing + more


def _number(found: Any) -> int:
    try:
        return int(found["pullRequestId"])
    except (KeyError, TypeError, ValueError) as error:
        raise HostingError("Azure DevOps answered without the pull request's number") from error
