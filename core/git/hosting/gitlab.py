"""Merge requests by GitLab's REST API, also on a company's own server.

Pages: https://docs.gitlab.com/api/merge_requests/ and https://docs.gitlab.com/api/users/.
Contract-tested, not live-tested.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import quote, urlencode

from core.git.hosting.contract import HostingError, PullRequest, PullRequestDraft
from core.git.hosting.http import TIMEOUT, Client
from core.git.hosting.remote import HostedRepository


class GitLab:
    """One project on a GitLab server."""

    def __init__(self, repository: HostedRepository, token: str, timeout: float = TIMEOUT) -> None:
        """``token``: a personal, project or group access token with the scope ``api``."""
        self._client = Client("GitLab", repository.api, {"PRIVATE-TOKEN": token}, timeout)
        project = quote(f"{repository.owner}/{repository.name}", safe="")
        self._path = f"/projects/{project}/merge_requests"

    def open_or_update(self, draft: PullRequestDraft) -> PullRequest:
        """See :class:`core.git.hosting.contract.Hosting`."""
        reviewers, notes = self._reviewer_ids(draft.reviewers)
        found = self._open_one(draft.branch)
        updated = found is not None
        if found is None:
            title = f"Draft: {draft.title}" if draft.as_draft else draft.title
            body: dict[str, object] = {
                "source_branch": draft.branch,
                "target_branch": draft.base,
                "title": title,
                "description": draft.body,
                "labels": ",".join(draft.labels),
                "reviewer_ids": reviewers,
            }
            answer = self._client.send("POST", self._path, body)
            if answer.status == 409:
                # "Another open merge request already exists for this source branch"
                found, updated = self._open_one(draft.branch), True
            if found is None:
                found = self._client.expect(answer, f"open a merge request for {draft.branch}")
        number, url = _number_and_url(found)
        if updated:
            changes: dict[str, object] = {
                "title": draft.title,
                "description": draft.body,
                "add_labels": ",".join(draft.labels),
            }
            if reviewers:
                changes["reviewer_ids"] = reviewers
            answer = self._client.send("PUT", f"{self._path}/{number}", changes)
            self._client.expect(answer, f"update merge request !{number}")
        return PullRequest(number, url, updated, notes)

    def merged_heads(self, branch: str) -> frozenset[str]:
        """See :class:`core.git.hosting.contract.Hosting`."""
        return frozenset(str(found["sha"]) for found in self._list(branch, "merged"))

    def _open_one(self, branch: str) -> Any | None:
        listed = self._list(branch, "opened")
        return listed[0] if listed else None

    def _list(self, branch: str, state: str) -> list[Any]:
        query = urlencode({"source_branch": branch, "state": state, "per_page": 100})
        listed = self._client.get(f"{self._path}?{query}", "list merge requests")
        return [
            found
            for found in (listed if isinstance(listed, list) else [])
            if isinstance(found, dict) and found.get("source_branch") == branch
        ]

    def _reviewer_ids(self, names: tuple[str, ...]) -> tuple[list[int], tuple[str, ...]]:
        """GitLab wants ids; a name it does not know becomes a note."""
        ids: list[int] = []
        notes: list[str] = []
        for name in names:
            answer = self._client.send("GET", f"/users?{urlencode({'username': name})}")
            found = answer.data if answer.ok and isinstance(answer.data, list) else []
            if found and isinstance(found[0], dict) and isinstance(found[0].get("id"), int):
                ids.append(found[0]["id"])
            else:
                notes.append(f"GitLab knows no user '{name}' to ask for a review")
        return ids, tuple(notes)


def _number_and_url(found: Any) -> tuple[int, str]:
    try:
        return int(found["iid"]), str(found["web_url"])
    except (KeyError, TypeError, ValueError) as error:
        raise HostingError("GitLab answered without the merge request's number") from error
