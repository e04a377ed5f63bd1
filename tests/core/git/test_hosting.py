"""The hosting APIs against stub servers with the shapes of their published documentation.

GitHub: https://docs.github.com/en/rest/pulls/pulls, .../rest/issues/labels,
.../rest/pulls/review-requests, .../rest/using-the-rest-api/rate-limits-for-the-rest-api.
GitLab: https://docs.gitlab.com/api/merge_requests/, https://docs.gitlab.com/api/users/.
Azure DevOps: https://learn.microsoft.com/en-us/rest/api/azure/devops/git/pull-requests.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from core.git.hosting.azure import BODY_LIMIT, AzureDevOps
from core.git.hosting.contract import Hosting, HostingError, PullRequestDraft
from core.git.hosting.github import GitHub
from core.git.hosting.gitlab import GitLab
from core.git.hosting.remote import hosted_repository

from .stub_service import Asked, Reply, StubService, serving

BRANCH = "feature/generate-model-silver-dimcustomer"
SECRET = "s3cr3t-t0ken"
DRAFT = PullRequestDraft(
    "generate-model: silver.DimCustomer",
    "| Table |\n",
    BRANCH,
    "main",
    ("dbt", "migration"),
    ("dana", "acme/data-team"),
)


@dataclass
class FakeGitHub:
    """Holds pull requests; refuses a second open one for the same branch."""

    pulls: list[dict[str, Any]] = field(default_factory=list)
    labels: list[str] = field(default_factory=list)
    asked_to_review: dict[str, Any] = field(default_factory=dict)

    def __call__(self, asked: Asked) -> Reply:
        path = asked.path.removeprefix("/api/v3/repos/acme/shop")
        match asked.method, path:
            case "GET", "/pulls":
                wanted = asked.query["head"].partition(":")[2]
                state = asked.query["state"]
                return Reply(
                    data=[
                        p for p in self.pulls if p["head"]["ref"] == wanted and p["state"] == state
                    ]
                )
            case "POST", "/pulls":
                ref = asked.body["head"]
                if any(p["head"]["ref"] == ref and p["state"] == "open" for p in self.pulls):
                    return Reply(422, exists_already(ref))
                return Reply(201, self.add(ref, **asked.body))
            case "PATCH", _:
                number = int(path.rpartition("/")[2])
                (pull,) = (p for p in self.pulls if p["number"] == number)
                pull.update(asked.body)
                return Reply(data=pull)
            case "POST", _ if path.endswith("/labels"):
                self.labels += asked.body["labels"]
                return Reply(data=[{"name": name} for name in self.labels])
            case "POST", _ if path.endswith("/requested_reviewers"):
                self.asked_to_review = asked.body
                return Reply(201, self.pulls[0])
        return Reply(404, {"message": "Not Found"})

    def add(self, ref: str, **more: Any) -> dict[str, Any]:
        number = len(self.pulls) + 7
        pull = {
            "number": number,
            "html_url": f"https://github.example/acme/shop/pull/{number}",
            "state": "open",
            "merged_at": None,
            **more,
            "head": {"ref": ref, "sha": "a" * 40},
        }
        self.pulls.append(pull)
        return pull


def exists_already(ref: str) -> dict[str, Any]:
    return {
        "message": "Validation Failed",
        "errors": [
            {
                "resource": "PullRequest",
                "code": "custom",
                "message": f"A pull request already exists for acme:{ref}.",
            }
        ],
        "documentation_url": "https://docs.github.com/rest/pulls/pulls#create-a-pull-request",
        "status": "422",
    }


@dataclass
class FakeGitLab:
    merges: list[dict[str, Any]] = field(default_factory=list)

    def __call__(self, asked: Asked) -> Reply:
        base = "/api/v4/projects/acme%2Fdata%2Fshop/merge_requests"
        match asked.method:
            case "GET" if asked.path == "/api/v4/users":
                known = asked.query["username"] == "dana"
                return Reply(data=[{"id": 31, "username": "dana"}] if known else [])
            case "GET" if asked.path == base:
                return Reply(
                    data=[
                        m
                        for m in self.merges
                        if m["source_branch"] == asked.query["source_branch"]
                        and m["state"] == asked.query["state"]
                    ]
                )
            case "POST" if asked.path == base:
                if any(m["state"] == "opened" for m in self.merges):
                    text = "Another open merge request already exists for this source branch: !5"
                    return Reply(409, {"message": [text]})
                return Reply(201, self.add(asked.body))
            case "PUT":
                self.merges[0].update(asked.body)
                return Reply(data=self.merges[0])
        return Reply(404, {"message": "404 Project Not Found"})

    def add(self, body: dict[str, Any]) -> dict[str, Any]:
        merge = {
            "id": 1000,
            "iid": 5,
            "state": "opened",
            "web_url": "https://gitlab.example/acme/data/shop/-/merge_requests/5",
            "sha": "b" * 40,
            **body,
        }
        self.merges.append(merge)
        return merge


@dataclass
class FakeAzure:
    pulls: list[dict[str, Any]] = field(default_factory=list)
    labels: list[str] = field(default_factory=list)

    def __call__(self, asked: Asked) -> Reply:
        base = "/tfs/Main/My%20Data/_apis/git/repositories/shop/pullrequests"
        if asked.query.get("api-version") != "7.1" or not asked.path.startswith(base):
            return Reply(404, {"message": "TF400813", "typeKey": "NotFound"})
        match asked.method:
            case "GET":
                ref = asked.query["searchCriteria.sourceRefName"]
                status = asked.query["searchCriteria.status"]
                found = [
                    p for p in self.pulls if p["sourceRefName"] == ref and p["status"] == status
                ]
                return Reply(data={"value": found, "count": len(found)})
            case "POST" if asked.path == base:
                if len(asked.body["description"]) > 4000:
                    return Reply(400, {"message": "Invalid argument value. description"})
                if any(p["status"] == "active" for p in self.pulls):
                    text = "TF401179: An active pull request for the source and target exists."
                    return Reply(409, {"message": text})
                return Reply(201, self.add(asked.body))
            case "POST" if asked.path.endswith("/labels"):
                self.labels.append(asked.body["name"])
                return Reply(data={"name": asked.body["name"], "active": True})
            case "PATCH":
                self.pulls[0].update(asked.body)
                return Reply(data=self.pulls[0])
        return Reply(404, {"message": "no"})

    def add(self, body: dict[str, Any]) -> dict[str, Any]:
        pull = {
            "pullRequestId": 22,
            "status": "active",
            "lastMergeSourceCommit": {"commitId": "c" * 40},
            **body,
        }
        self.pulls.append(pull)
        return pull


@dataclass
class Kind:
    """One service: its remote, its client, its fake."""

    name: str
    path: str
    variable: str
    fake: Callable[[], Any]

    def client(self, stub: StubService, timeout: float = 5.0) -> Hosting:
        env = {self.variable: stub.host}
        found = hosted_repository(f"http://{stub.host}/{self.path}", env)
        assert found is not None
        match self.name:
            case "GitHub":
                return GitHub(found, SECRET, timeout)
            case "GitLab":
                return GitLab(found, SECRET, timeout)
            case _:
                return AzureDevOps(found, "AZURE_DEVOPS_TOKEN", SECRET, timeout)


KINDS = [
    Kind("GitHub", "acme/shop.git", "GH_HOST", FakeGitHub),
    Kind("GitLab", "acme/data/shop.git", "GITLAB_HOST", FakeGitLab),
    Kind("Azure DevOps", "tfs/Main/My%20Data/_git/shop", "SYSTEM_COLLECTIONURI", FakeAzure),
]


@pytest.fixture(params=KINDS, ids=lambda kind: kind.name)
def kind(request: pytest.FixtureRequest) -> Kind:
    found: Kind = request.param
    return found


@pytest.fixture
def stub(kind: Kind) -> Iterator[StubService]:
    with serving(kind.fake()) as service:
        yield service


def test_opening_and_updating_the_same_pull_request(kind: Kind, stub: StubService) -> None:
    first = kind.client(stub).open_or_update(DRAFT)
    again = PullRequestDraft("Another title", "Another body", BRANCH, "main")
    second = kind.client(stub).open_or_update(again)
    assert (first.updated, second.updated) == (False, True)
    assert (first.number, first.url) == (second.number, second.url)
    assert first.url.startswith("http")
    held = getattr(stub.answer, "pulls", None) or stub.answer.merges
    assert len(held) == 1
    assert held[0]["title"] == "Another title"
    assert held[0].get("body", held[0].get("description")) == "Another body"


def test_one_opened_meanwhile_is_updated(kind: Kind, stub: StubService) -> None:
    """The look finds none, the request is refused because there is one now."""
    fake = stub.answer
    looked = False

    def answer(asked: Asked) -> Reply:
        nonlocal looked
        if asked.method == "GET" and "users" not in asked.path and not looked:
            looked = True
            reply = fake(asked)
            kind_body = {
                "head": BRANCH,
                "source_branch": BRANCH,
                "sourceRefName": f"refs/heads/{BRANCH}",
            }
            if isinstance(fake, FakeGitHub):
                fake.add(BRANCH)
            else:
                fake.add(kind_body)
            return reply
        return fake(asked)

    stub.answer = answer
    opened = kind.client(stub).open_or_update(DRAFT)
    assert opened.updated
    assert [asked.method for asked in stub.asked].count("POST") >= 1


def test_merged_pull_requests_name_their_commits(kind: Kind, stub: StubService) -> None:
    client = kind.client(stub)
    client.open_or_update(DRAFT)
    assert client.merged_heads(BRANCH) == frozenset()
    held = getattr(stub.answer, "pulls", None) or stub.answer.merges
    held[0].update(
        {"GitHub": {"state": "closed", "merged_at": "2026-03-02T10:00:00Z"}}.get(kind.name)
        or {"GitLab": {"state": "merged"}}.get(kind.name)
        or {"status": "completed"}
    )
    (head,) = client.merged_heads(BRANCH)
    assert len(head) == 40


HTML = b"<!DOCTYPE html><title>Sign in</title>"
REFUSALS = [
    ("401", Reply(401, {"message": "Bad credentials"}), "does not accept the token"),
    ("403", Reply(403, {"message": "Resource not accessible"}), "the token may not do that"),
    ("404", Reply(404, {"message": "Not Found"}), "does not show this repository"),
    ("500", Reply(500, {"message": "oops"}), "a fault of its own (HTTP 500"),
    ("502 HTML", Reply(502, raw=b"<html>Bad Gateway</html>"), "a fault of its own (HTTP 502"),
    ("503", Reply(503, None), "try again later"),
    ("429", Reply(429, {}, {"Retry-After": "60"}), "rate limit is used up; try again in 60 sec"),
    (
        "primary rate limit",
        Reply(
            403,
            {"message": "API rate limit exceeded for user ID 1."},
            {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "1772445600"},
        ),
        "rate limit is used up; try again after 2026-03-02 10:00 UTC",
    ),
    (
        "secondary rate limit",
        Reply(403, {"message": "You have exceeded a secondary rate limit"}, {"Retry-After": "30"}),
        "try again in 30 seconds",
    ),
    ("200 HTML", Reply(200, raw=HTML), "something that is not JSON"),
    ("203 sign-in", Reply(203, raw=HTML), "does not accept the token"),
    ("302", Reply(302, None, {"Location": "https://evil.example/x"}), "not followed with a token"),
    ("301", Reply(301, {"message": "Moved"}, {"Location": "/moved"}), "present address"),
    ("empty", Reply(400, raw=b""), "(HTTP 400)"),
]


@pytest.mark.parametrize(
    ("reply", "words"), [r[1:] for r in REFUSALS], ids=[r[0] for r in REFUSALS]
)
@pytest.mark.parametrize("when", ["looking", "opening"])
def test_every_refusal_is_a_sentence(
    kind: Kind, stub: StubService, reply: Reply, words: str, when: str
) -> None:
    fake = stub.answer
    stub.answer = lambda asked: (
        reply
        if when == "looking" or (asked.method == "POST" and "labels" not in asked.path)
        else fake(asked)
    )
    with pytest.raises(HostingError) as caught:
        kind.client(stub).open_or_update(DRAFT)
    message = str(caught.value)
    assert words in message
    assert kind.name in message
    assert "\n" not in message
    assert SECRET not in message
    assert SECRET not in repr(caught.value.__cause__)


def test_a_service_that_does_not_answer(kind: Kind, stub: StubService) -> None:
    stub.answer = lambda _asked: Reply(hang=True)
    with pytest.raises(HostingError, match=r"did not answer within 0\.2 seconds"):
        kind.client(stub, timeout=0.2).open_or_update(DRAFT)


def test_a_service_that_is_not_there(kind: Kind, stub: StubService) -> None:
    client = kind.client(stub)
    stub.server.server_close()
    stub.server.shutdown()
    with pytest.raises(HostingError, match="could not be reached"):
        client.open_or_update(DRAFT)


@pytest.mark.parametrize(
    "odd", [[], {}, None, "text", 3, [3], [{}], {"value": 3}, {"value": [None]}, [{"head": None}]]
)
def test_odd_json_is_no_traceback(kind: Kind, stub: StubService, odd: object) -> None:
    stub.answer = lambda _asked: Reply(data=odd)
    with pytest.raises(HostingError, match="without the"):
        kind.client(stub).open_or_update(DRAFT)
    assert kind.client(stub).merged_heads(BRANCH) == frozenset()


def test_a_redirect_never_carries_the_token_elsewhere(kind: Kind, stub: StubService) -> None:
    with serving(lambda _asked: Reply(data=[])) as elsewhere:
        stub.answer = lambda asked: Reply(
            307, None, {"Location": f"http://{elsewhere.host}{asked.path}"}
        )
        with pytest.raises(HostingError, match="redirects"):
            kind.client(stub).open_or_update(DRAFT)
        assert elsewhere.asked == []


def test_labels_and_reviewers_on_github() -> None:
    fake = FakeGitHub()
    with serving(fake) as stub:
        opened = KINDS[0].client(stub).open_or_update(DRAFT)
    assert opened.notes == ()
    assert fake.labels == ["dbt", "migration"]
    assert fake.asked_to_review == {"reviewers": ["dana"], "team_reviewers": ["data-team"]}
    (post,) = [asked for asked in stub.requests("POST") if asked.path.endswith("/pulls")]
    assert post.headers["authorization"] == f"Bearer {SECRET}"
    assert post.headers["x-github-api-version"] == "2022-11-28"
    assert post.body["base"] == "main"
    assert post.body["draft"] is False


def test_a_label_or_reviewer_that_is_refused_costs_only_itself() -> None:
    fake = FakeGitHub()

    def answer(asked: Asked) -> Reply:
        if asked.path.endswith("requested_reviewers"):
            return Reply(422, {"message": "Reviews may only be requested from collaborators."})
        return fake(asked)

    with serving(answer) as stub:
        opened = KINDS[0].client(stub).open_or_update(DRAFT)
    (note,) = opened.notes
    assert "Reviews may only be requested from collaborators" in note
    assert fake.labels == ["dbt", "migration"]


def test_github_without_commits_between() -> None:
    text = f"No commits between main and {BRANCH}"
    fake = FakeGitHub()

    def answer(asked: Asked) -> Reply:
        if asked.method == "POST":
            errors = [{"resource": "PullRequest", "code": "custom", "message": text}]
            return Reply(422, {"message": "Validation Failed", "errors": errors})
        return fake(asked)

    with serving(answer) as stub, pytest.raises(HostingError, match=text):
        KINDS[0].client(stub).open_or_update(DRAFT)


def test_another_forks_pull_request_is_not_ours() -> None:
    """GitHub ignores a ``head`` filter it cannot read and lists every pull request."""
    stranger = {"number": 1, "html_url": "x", "head": {"ref": "stranger", "sha": "d" * 40}}
    fake = FakeGitHub()

    def answer(asked: Asked) -> Reply:
        reply = fake(asked)
        return Reply(data=[stranger, *reply.data]) if asked.method == "GET" else reply

    with serving(answer) as stub:
        assert not KINDS[0].client(stub).open_or_update(DRAFT).updated


def test_gitlab_reviewers_by_id_and_labels() -> None:
    fake = FakeGitLab()
    with serving(fake) as stub:
        opened = KINDS[1].client(stub).open_or_update(DRAFT)
        headers = stub.requests("POST")[0].headers
    assert headers["private-token"] == SECRET
    assert fake.merges[0]["reviewer_ids"] == [31]
    assert fake.merges[0]["labels"] == "dbt,migration"
    assert opened.notes == ("GitLab knows no user 'acme/data-team' to ask for a review",)


def test_azure_tokens() -> None:
    with serving(FakeAzure()) as stub:
        KINDS[2].client(stub).open_or_update(DRAFT)
        basic = stub.asked[0].headers["authorization"]
    assert base64.b64decode(basic.removeprefix("Basic ")).decode() == f":{SECRET}"
    with serving(FakeAzure()) as stub:
        found = hosted_repository(
            f"http://{stub.host}/{KINDS[2].path}", {"SYSTEM_COLLECTIONURI": stub.host}
        )
        assert found is not None
        AzureDevOps(found, "SYSTEM_ACCESSTOKEN", SECRET).open_or_update(DRAFT)
        assert stub.asked[0].headers["authorization"] == f"Bearer {SECRET}"


def test_azure_takes_labels_ids_and_four_thousand_characters() -> None:
    identity = "8c8c7d32-6b1b-47f4-b2e9-30b477b5ab3d"
    body = (
        "| Table |\n" * 100 + "<details>\n<summary>x</summary>\n\n" + "row\n" * 3000 + "</details>"
    )
    draft = PullRequestDraft("t", body, BRANCH, "main", ("dbt",), (identity, "dana"))
    fake = FakeAzure()
    with serving(fake) as stub:
        opened = KINDS[2].client(stub).open_or_update(draft)
        kept = fake.pulls[0]["description"]
        assert fake.pulls[0]["labels"] == [{"name": "dbt"}]
        assert fake.pulls[0]["reviewers"] == [{"id": identity}]
        KINDS[2].client(stub).open_or_update(draft)
    assert fake.labels == ["dbt"]
    assert len(kept) <= BODY_LIMIT
    assert kept.count("<details>") == kept.count("</details>")
    assert "shortened" in kept
    assert any("dana" in note for note in opened.notes)
    assert any("cut to the 4000 characters" in note for note in opened.notes)
