"""The end of step 6 against a real bare remote and a stub service: nothing is ever lost."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from core.git.commits import commit_all, table_commit
from core.git.hosting.gh import Gh
from core.git.pull_request import Published, PullRequestSettings, file_address, publish
from core.git.repository import open_repository
from core.git.snapshot import RunSnapshot
from core.git.worktree import Workplace, begin_run, open_worktree, plan_worktree
from core.project.codes import Code

from .conftest import NOW, fsck, hook, identify, make_remote, sh
from .stub_service import Reply, serving
from .test_hosting import FakeGitHub

TABLES = ("silver.dimcustomer",)
BRANCH = "feature/generate-model-silver-dimcustomer"
MODEL = "dbt/models/staging/stg_dimcustomer.sql"
NO_GH = PullRequestSettings(use_gh=False)


@pytest.fixture
def bare(shop: Path, tmp_path: Path) -> Path:
    return make_remote(shop, tmp_path / "remote.git")


def committed(project: Path, content: str = "select 1\n", run_id: str = "run-1") -> Workplace:
    place = open_worktree(plan_worktree(open_repository(project), TABLES))
    begin_run(place, run_id, TABLES, NOW)
    snapshot = RunSnapshot(place)
    snapshot.write(MODEL, content)
    plan = table_commit("silver.DimCustomer", "stg_dimcustomer", "table", [MODEL], TABLES[0])
    assert commit_all(place, [plan], snapshot).error is None
    return place


def send(
    place: Workplace, settings: PullRequestSettings = NO_GH, body: str = "The body\n", **env: str
) -> Published:
    return publish(place, "The title", body, started_on="main", settings=settings, environment=env)


def failed(done: Published) -> str:
    assert done.error is not None
    assert done.error.code is Code.PR_FAILED
    assert "\n" not in done.error.message
    assert done.body_file.read_text().startswith("The body\n")
    return done.error.message


def test_without_a_remote_nothing_is_sent(shop: Path) -> None:
    place = committed(shop)
    done = send(place)
    assert (done.pushed, done.error, done.pull_request) == (False, None, None)
    assert f"push --set-upstream REMOTE {BRANCH}" in done.command
    assert done.command in done.body_file.read_text()


def test_a_remote_that_is_no_service_gets_the_branch(shop: Path, bare: Path) -> None:
    place = committed(shop)
    done = send(place)
    assert (done.pushed, done.remote, done.error) == (True, "origin", None)
    assert sh(bare, "git", "rev-parse", BRANCH) == sh(place.root, "git", "rev-parse", "HEAD")
    assert done.body_file == place.runs / "pr-body.md"
    assert "--head feature/generate-model-silver-dimcustomer --base main" in done.command
    assert sh(place.root, "git", "status", "--porcelain", "--untracked-files=all") == ""
    fsck(bare)


def test_only_our_branch_is_pushed(shop: Path, bare: Path) -> None:
    sh(shop, "git", "branch", "secret-work")
    sh(shop, "git", "tag", "-a", "v1", "-m", "v1")
    sh(shop, "git", "config", "push.followTags", "true")
    sh(shop, "git", "config", "push.default", "matching")
    send(committed(shop))
    refs = sh(bare, "git", "for-each-ref", "--format=%(refname)").splitlines()
    assert refs == [f"refs/heads/{BRANCH}", "refs/heads/main"]


def test_a_second_run_pushes_on_top(shop: Path, bare: Path) -> None:
    send(committed(shop))
    place = committed(shop, "select 2\n", "run-2")
    assert send(place).pushed
    assert sh(bare, "git", "rev-parse", BRANCH) == sh(place.root, "git", "rev-parse", "HEAD")
    assert sh(bare, "git", "rev-list", "--count", f"main..{BRANCH}") == "2"


def test_conflicting_pushes_of_two_clones(shop: Path, bare: Path, tmp_path: Path) -> None:
    other = tmp_path / "elsewhere" / "shop"
    sh(tmp_path, "git", "clone", "-q", str(bare), str(other))
    identify(other)
    assert send(committed(other, "select 'theirs'\n")).pushed
    theirs = sh(bare, "git", "rev-parse", BRANCH)
    place = committed(shop, "select 'ours'\n")
    ours = sh(place.root, "git", "rev-parse", "HEAD")
    message = failed(send(place))
    assert f"origin already has a branch {BRANCH} with commits" in message
    assert sh(bare, "git", "rev-parse", BRANCH) == theirs
    assert sh(place.root, "git", "rev-parse", "HEAD") == ours
    fsck(bare)
    fsck(shop)
    sh(place.root, "git", "fetch", "-q", "origin", BRANCH)
    sh(place.root, "git", "rebase", "-q", "-X", "theirs", "FETCH_HEAD")
    assert send(place).pushed


def test_the_next_clone_sees_the_name_as_taken(shop: Path, bare: Path) -> None:
    send(committed(shop))
    other = shop.parent.parent / "third" / "shop"
    sh(shop, "git", "clone", "-q", str(bare), str(other))
    identify(other)
    assert plan_worktree(open_repository(other), TABLES).branch == f"{BRANCH}-2"


def test_a_server_that_refuses(shop: Path, bare: Path) -> None:
    hook(bare, "pre-receive", "echo 'GL-HOOK: branch names need a ticket' >&2; exit 1")
    message = failed(send(committed(shop)))
    assert "origin refused the branch" in message
    assert "branch names need a ticket" in message


def test_a_pre_push_hook_that_fails(shop: Path, bare: Path) -> None:
    hook(shop, "pre-push", "echo 'unit tests are red' >&2; exit 1")
    message = failed(send(committed(shop)))
    assert "unit tests are red" in message
    assert "pre-push hook" in message
    assert sh(bare, "git", "branch", "--list", BRANCH) == ""


def test_a_remote_that_is_gone(shop: Path, bare: Path) -> None:
    sh(shop, "git", "remote", "set-url", "origin", "/nowhere/shop.git")
    assert "check its URL" in failed(send(committed(shop)))


def test_a_password_in_the_url_is_never_shown(shop: Path) -> None:
    sh(shop, "git", "remote", "add", "origin", "http://dana:pa55word@127.0.0.1:9/acme/shop.git")
    done = send(committed(shop))
    assert "pa55word" not in failed(done) + done.command + done.body_file.read_text()


def on_service(shop: Path, bare: Path, host: str) -> None:
    """The remote's page is on the stub, its pushes go to the bare repository."""
    sh(shop, "git", "config", "remote.origin.url", f"http://{host}/acme/shop.git")
    sh(shop, "git", "config", "remote.origin.pushurl", str(bare))
    sh(shop, "git", "config", f"url.{bare}.insteadOf", f"http://{host}/acme/shop.git")


def test_opened_and_updated_by_the_api(shop: Path, bare: Path) -> None:
    fake = FakeGitHub()
    with serving(fake) as stub:
        on_service(shop, bare, stub.host)
        env = {"GH_HOST": stub.host, "GH_ENTERPRISE_TOKEN": "own"}
        first = send(committed(shop), **env)
        second = send(committed(shop, "select 2\n", "run-2"), body="Later body\n", **env)
    assert first.error is None
    assert first.pull_request is not None
    assert second.pull_request is not None
    assert (first.pull_request.updated, second.pull_request.updated) == (False, True)
    assert first.pull_request.url == second.pull_request.url
    (pull,) = fake.pulls
    assert (pull["base"], pull["head"]["ref"], pull["body"]) == ("main", BRANCH, "Later body\n")
    assert first.command == ""
    assert second.body_file.read_text() == "Later body\n"


def test_the_base_is_the_branch_the_run_was_started_on(shop: Path, bare: Path) -> None:
    sh(shop, "git", "push", "-q", "origin", "main:refs/heads/develop")
    fake = FakeGitHub()
    with serving(fake) as stub:
        on_service(shop, bare, stub.host)
        env = {"GH_HOST": stub.host, "GH_ENTERPRISE_TOKEN": "own"}
        place = committed(shop)
        publish(place, "t", "b", started_on="develop", settings=NO_GH, environment=env)
        assert fake.pulls[0]["base"] == "develop"
        fake.pulls.clear()
        publish(place, "t", "b", started_on="never-pushed", settings=NO_GH, environment=env)
        assert fake.pulls[0]["base"] == "main"


@pytest.mark.parametrize("status", [401, 403, 404, 422, 429, 500])
def test_a_refusing_service_loses_nothing(shop: Path, bare: Path, status: int) -> None:
    fake = FakeGitHub()
    with serving(lambda _asked: Reply(status, {"message": "No."})) as stub:
        on_service(shop, bare, stub.host)
        env = {"GH_HOST": stub.host, "GH_ENTERPRISE_TOKEN": "s3cr3t-t0ken"}
        place = committed(shop)
        done = send(place, **env)
        message = failed(done)
        assert done.pushed
        assert sh(bare, "git", "rev-parse", BRANCH) == sh(place.root, "git", "rev-parse", "HEAD")
        assert "is pushed and the text is kept in" in message
        assert "gh pr create --repo" in done.command
        assert "s3cr3t-t0ken" not in message + done.body_file.read_text()
        stub.answer = fake
        assert send(place, **env).pull_request is not None
    assert len(fake.pulls) == 1


def test_no_token_is_no_failure(shop: Path, bare: Path) -> None:
    with serving(FakeGitHub()) as stub:
        on_service(shop, bare, stub.host)
        done = send(committed(shop), GH_HOST=stub.host)
        assert stub.asked == []
    assert done.pushed
    assert done.error is None
    assert "set GH_ENTERPRISE_TOKEN or GITHUB_ENTERPRISE_TOKEN" in done.notes[0]
    assert done.command in done.body_file.read_text()


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("https://gitlab.com/acme/shop.git", "glab mr create --repo https://gitlab.com/acme/shop"),
        (
            "https://dev.azure.com/acme/My%20Data/_git/shop",
            "az repos pr create --organization https://dev.azure.com/acme --project 'My Data'",
        ),
        ("git@github.com:acme/shop.git", "gh pr create --repo github.com/acme/shop --head"),
    ],
)
def test_the_command_fits_the_service(shop: Path, bare: Path, url: str, words: str) -> None:
    sh(shop, "git", "config", "remote.origin.url", url)
    sh(shop, "git", "config", f"url.{bare}.insteadOf", url)
    done = send(committed(shop))
    assert done.pushed
    assert words in done.command


GH = """#!{python}
import json, os, sys
from pathlib import Path
state = Path(os.environ["GH_STATE"])
log = state / "log"
args = sys.argv[1:]
with log.open("a") as stream:
    stream.write(json.dumps(args) + "\\n")
pulls = json.loads((state / "pulls.json").read_text()) if (state / "pulls.json").exists() else []
option = lambda name: args[args.index(name) + 1]
if args[:2] == ["auth", "status"]:
    sys.exit(0 if (state / "signed-in").exists() else 1)
if args[:2] == ["pr", "list"]:
    print(json.dumps([p for p in pulls if p["head"] == option("--head")]))
elif (state / "broken").exists():
    print("GraphQL: Something went wrong", file=sys.stderr)
    sys.exit(1)
elif args[:2] == ["pr", "create"]:
    pulls.append({{
        "number": 3, "url": "https://github.com/acme/shop/pull/3", "head": option("--head"),
        "isCrossRepository": False, "title": option("--title"),
        "body": Path(option("--body-file")).read_text(), "headRefOid": "e" * 40,
    }})
elif args[:2] == ["pr", "edit"]:
    if "--add-label" in args and option("--add-label") == "unknown":
        print("'unknown' not found", file=sys.stderr)
        sys.exit(1)
    if "--title" in args:
        pulls[0]["title"] = option("--title")
        pulls[0]["body"] = Path(option("--body-file")).read_text()
(state / "pulls.json").write_text(json.dumps(pulls))
"""


@pytest.fixture
def gh(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A program named gh that keeps its pull requests in a folder; signed in."""
    state = tmp_path / "gh-state"
    programs = tmp_path / "programs"
    for folder in (state, programs):
        folder.mkdir()
    program = programs / "gh"
    program.write_text(GH.format(python=sys.executable))
    program.chmod(0o755)
    (state / "signed-in").write_text("")
    monkeypatch.setenv("PATH", f"{programs}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("GH_STATE", str(state))
    return state


def on_github(shop: Path, bare: Path) -> None:
    sh(shop, "git", "config", "remote.origin.url", "git@github.com:acme/shop.git")
    sh(shop, "git", "config", f"url.{bare}.insteadOf", "git@github.com:acme/shop.git")


def test_gh_opens_and_updates(shop: Path, bare: Path, gh: Path) -> None:
    on_github(shop, bare)
    settings = PullRequestSettings(labels=("dbt", "unknown"), reviewers=("dana",))
    first = send(committed(shop), settings)
    assert first.pull_request is not None
    assert first.pull_request.url == "https://github.com/acme/shop/pull/3"
    (note,) = first.notes
    assert "gh would not add 'unknown' ('unknown' not found)" in note
    second = send(committed(shop, "select 2\n", "run-2"), settings, body="Later\n")
    assert second.pull_request is not None
    assert second.pull_request.updated
    pulls = (gh / "pulls.json").read_text()
    assert pulls.count('"number"') == 1
    assert "Later" in pulls
    log = (gh / "log").read_text()
    assert '"--repo", "github.com/acme/shop"' in log
    assert '"--add-reviewer", "dana"' in log


def test_gh_knows_merged_pull_requests(shop: Path, gh: Path) -> None:
    (gh / "pulls.json").write_text(f'[{{"head": "{BRANCH}", "headRefOid": "{"e" * 40}"}}]')
    assert Gh("github.com/acme/shop", shop).merged_heads(BRANCH) == frozenset({"e" * 40})


def test_gh_not_signed_in_is_not_used(shop: Path, bare: Path, gh: Path) -> None:
    on_github(shop, bare)
    (gh / "signed-in").unlink()
    done = send(committed(shop), PullRequestSettings())
    assert done.pull_request is None
    assert done.error is None
    assert "gh is not installed or not signed in" in done.notes[0]


def test_gh_failing(shop: Path, bare: Path, gh: Path) -> None:
    on_github(shop, bare)
    (gh / "broken").write_text("")
    message = failed(send(committed(shop), PullRequestSettings()))
    assert "gh would not open a pull request" in message
    assert "Something went wrong" in message


def test_gh_failing_falls_back_to_the_token(shop: Path, bare: Path, gh: Path) -> None:
    (gh / "broken").write_text("")
    with serving(FakeGitHub()) as stub:
        on_service(shop, bare, stub.host)
        env = {"GH_HOST": stub.host, "GH_ENTERPRISE_TOKEN": "own"}
        done = send(committed(shop), PullRequestSettings(), **env)
    assert done.pull_request is not None
    assert done.pull_request.number == 7


def test_gh_serves_a_server_only_it_knows(shop: Path, bare: Path, gh: Path) -> None:
    url = "git@git.corp.example:acme/shop.git"
    sh(shop, "git", "config", "remote.origin.url", url)
    sh(shop, "git", "config", f"url.{bare}.insteadOf", url)
    done = send(committed(shop), PullRequestSettings())
    assert done.pull_request is not None
    assert '"--repo", "git.corp.example/acme/shop"' in (gh / "log").read_text()


def test_links_for_the_body(shop: Path, bare: Path) -> None:
    place = committed(shop)
    assert file_address(place, environment={}) is None
    sh(shop, "git", "config", "remote.origin.url", "git@github.com:acme/shop.git")
    address = file_address(place, environment={})
    assert address is not None
    assert address(MODEL) == f"https://github.com/acme/shop/blob/{BRANCH}/{MODEL}"


def test_a_broken_repository_is_a_sentence(shop: Path, bare: Path) -> None:
    place = committed(shop)
    (shop / ".git/config").write_text("[broken\n")
    message = failed(send(place))
    assert "'git remote' failed" in message
