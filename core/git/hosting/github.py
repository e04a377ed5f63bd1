"""Pull requests by GitHub's REST API, also GitHub Enterprise.

Pages: https://docs.github.com/en/rest/pulls/pulls,
https://docs.github.com/en/rest/issues/labels (add labels to an issue),
https://docs.github.com/en/rest/pulls/review-requests. Contract-tested, not live-tested.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import quote, urlencode

from core.git.hosting.contract import HostingError, PullRequest, PullRequestDraft
from core.git.hosting.http import TIMEOUT, Answer, Client
from core.git.hosting.remote import HostedRepository


class GitHub:
    """One repository on GitHub or a GitHub Enterprise server."""

    def __init__(self, repository: HostedRepository, token: str, timeout: float = TIMEOUT) -> None:
        """``token``: a personal, fine-grained or workflow token that may write pull requests."""
        self._repository = repository
        self._client = Client(
            "GitHub",
            repository.api,
            {"Authorization": f"Bearer {token}", "X-GitHub-Api-Version": "2022-11-28"},
            timeout,
        )
        self._path = f"/repos/{quote(repository.owner)}/{quote(repository.name)}"

    def open_or_update(self, draft: PullRequestDraft) -> PullRequest:
        """See :class:`core.git.hosting.contract.Hosting`."""
        found = self._open_one(draft.branch)
        updated = found is not None
        if found is None:
            answer = self._client.send("POST", f"{self._path}/pulls", _opened_with(draft))
            if answer.status == 422 and _exists_already(answer):
                # Opened by someone between the look and the request.
                found, updated = self._open_one(draft.branch), True
            if found is None:
                found = self._client.expect(answer, f"open a pull request for {draft.branch}")
        number, url = _number_and_url(found)
        if updated:
            answer = self._client.send(
                "PATCH", f"{self._path}/pulls/{number}", {"title": draft.title, "body": draft.body}
            )
            self._client.expect(answer, f"update pull request #{number}")
        notes = (*self._label(number, draft), *self._ask_reviewers(number, draft))
        return PullRequest(number, url, updated, notes)

    def merged_heads(self, branch: str) -> frozenset[str]:
        """See :class:`core.git.hosting.contract.Hosting`."""
        pulls = self._list(branch, "closed")
        return frozenset(
            str(pull["head"]["sha"])
            for pull in pulls
            if pull.get("merged_at") and isinstance(pull.get("head"), dict)
        )

    def _open_one(self, branch: str) -> Any | None:
        pulls = self._list(branch, "open")
        return pulls[0] if pulls else None

    def _list(self, branch: str, state: str) -> list[Any]:
        query = urlencode(
            {"head": f"{self._repository.owner}:{branch}", "state": state, "per_page": 100}
        )
        listed = self._client.get(f"{self._path}/pulls?{query}", "list pull requests")
        # GitHub ignores a head filter it cannot read and lists everything.
        return [
            pull
            for pull in (listed if isinstance(listed, list) else [])
            if isinstance(pull, dict) and (pull.get("head") or {}).get("ref") == branch
        ]

    def _label(self, number: int, draft: PullRequestDraft) -> tuple[str, ...]:
        if not draft.labels:
            return ()
        answer = self._client.send(
            "POST", f"{self._path}/issues/{number}/labels", {"labels": list(draft.labels)}
        )
        doing = f"label the pull request {', '.join(draft.labels)}"
        return () if answer.ok else (self._client.sentence(answer, doing),)

    def _ask_reviewers(self, number: int, draft: PullRequestDraft) -> tuple[str, ...]:
        if not draft.reviewers:
            return ()
        people = [name for name in draft.reviewers if "/" not in name]
        teams = [name.rpartition("/")[2] for name in draft.reviewers if "/" in name]
        answer = self._client.send(
            "POST",
            f"{self._path}/pulls/{number}/requested_reviewers",
            {"reviewers": people, "team_reviewers": teams},
        )
        doing = f"ask {', '.join(draft.reviewers)} for a review"
        return () if answer.ok else (self._client.sentence(answer, doing),)


def _opened_with(draft: PullRequestDraft) -> dict[str, object]:
    return {
        "title": draft.title,
        "head": draft.branch,
        "base": draft.base,
        "body": draft.body,
        "draft": draft.as_draft,
    }


def _exists_already(answer: Answer) -> bool:
    errors = answer.data.get("errors") if isinstance(answer.data, dict) else None
    return "already exists" in str(errors)


def _number_and_url(pull: Any) -> tuple[int, str]:
    try:
        return int(pull["number"]), str(pull["html_url"])
    except (KeyError, TypeError, ValueError) as error:
        raise HostingError("GitHub answered without the pull request's number") from error
