"""Remote URLs in every form people have them, and which host gets which token."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.git.command import without_secrets
from core.git.hosting.remote import (
    HostedRepository,
    Service,
    hosted_repository,
    parse_remote,
    token_for,
)


def hosted(url: str, env: dict[str, str] | None = None, **setting: str) -> HostedRepository:
    found = hosted_repository(url, env or {}, **setting)
    assert found is not None, url
    return found


@pytest.mark.parametrize(
    "url",
    [
        "https://github.com/acme/shop.git",
        "https://github.com/acme/shop",
        "https://github.com/acme/shop/",
        "https://dana:secret@github.com/acme/shop.git",
        "https://GitHub.com/acme/shop.git",
        "git@github.com:acme/shop.git",
        "github.com:acme/shop.git",
        "ssh://git@github.com/acme/shop.git",
        "ssh://git@github.com:22/acme/shop.git",
        "ssh://git@ssh.github.com:443/acme/shop.git",
        "git+ssh://git@github.com/acme/shop",
        "git://github.com/acme/shop.git",
        "http://github.com/acme/shop.git",
    ],
)
def test_github(url: str) -> None:
    assert hosted(url) == HostedRepository(
        Service.GITHUB,
        "github.com",
        "https://api.github.com",
        "https://github.com/acme/shop",
        "acme",
        "shop",
    )


def test_github_enterprise() -> None:
    env = {"GH_HOST": "git.corp.example"}
    for url in ("git@git.corp.example:acme/shop.git", "ssh://git@git.corp.example:2222/acme/shop"):
        found = hosted(url, env)
        assert found.api == "https://git.corp.example/api/v3"
        assert found.web == "https://git.corp.example/acme/shop"
    found = hosted("https://git.corp.example:8443/acme/shop", {"GH_HOST": "git.corp.example:8443"})
    assert found.api == "https://git.corp.example:8443/api/v3"
    assert hosted("https://acme.ghe.com/a/b").api == "https://api.acme.ghe.com"
    assert hosted(
        "git@git.corp.example:a/b", service="github", host="git.corp.example"
    ).service is (Service.GITHUB)


@pytest.mark.parametrize(
    ("url", "owner", "name"),
    [
        ("https://gitlab.com/acme/shop.git", "acme", "shop"),
        ("git@gitlab.com:acme/data/etl/shop.git", "acme/data/etl", "shop"),
        ("ssh://git@altssh.gitlab.com:443/acme/shop.git", "acme", "shop"),
    ],
)
def test_gitlab(url: str, owner: str, name: str) -> None:
    found = hosted(url)
    assert (found.service, found.owner, found.name) == (Service.GITLAB, owner, name)
    assert found.api == "https://gitlab.com/api/v4"
    assert found.web == f"https://gitlab.com/{owner}/{name}"


def test_gitlab_of_a_company() -> None:
    url = "ssh://git@code.corp.example:7999/data/shop.git"
    assert hosted(url, {"GITLAB_HOST": "https://code.corp.example"}).api == (
        "https://code.corp.example/api/v4"
    )
    assert hosted(url, {"CI_SERVER_URL": "https://code.corp.example"}).service is Service.GITLAB


@pytest.mark.parametrize(
    ("url", "api", "project", "name"),
    [
        ("https://dev.azure.com/acme/Data/_git/shop", "https://dev.azure.com/acme", "Data", "shop"),
        (
            "https://acme@dev.azure.com/acme/My%20Data/_git/my%20shop",
            "https://dev.azure.com/acme",
            "My Data",
            "my shop",
        ),
        ("https://dev.azure.com/acme/_git/shop", "https://dev.azure.com/acme", "shop", "shop"),
        ("git@ssh.dev.azure.com:v3/acme/Data/shop", "https://dev.azure.com/acme", "Data", "shop"),
        (
            "acme@vs-ssh.visualstudio.com:v3/acme/Data/shop",
            "https://dev.azure.com/acme",
            "Data",
            "shop",
        ),
        (
            "https://acme.visualstudio.com/Data/_git/shop",
            "https://acme.visualstudio.com",
            "Data",
            "shop",
        ),
        (
            "https://acme.visualstudio.com/DefaultCollection/Data/_git/shop",
            "https://acme.visualstudio.com/DefaultCollection",
            "Data",
            "shop",
        ),
        (
            "https://acme.visualstudio.com/_git/shop",
            "https://acme.visualstudio.com",
            "shop",
            "shop",
        ),
    ],
)
def test_azure(url: str, api: str, project: str, name: str) -> None:
    found = hosted(url)
    assert (found.service, found.api, found.owner, found.name) == (
        Service.AZURE,
        api,
        project,
        name,
    )


def test_azure_devops_server() -> None:
    env = {"SYSTEM_COLLECTIONURI": "https://tfs.corp.example/tfs/Main/"}
    found = hosted("https://tfs.corp.example/tfs/Main/Data/_git/shop", env)
    assert (found.api, found.owner) == ("https://tfs.corp.example/tfs/Main", "Data")
    ssh = hosted("ssh://tfs.corp.example:22/tfs/Main/Data/_git/shop", env)
    assert ssh.web == "https://tfs.corp.example/tfs/Main/Data/_git/shop"


@pytest.mark.parametrize(
    "url",
    [
        "/srv/git/shop.git",
        "../shop.git",
        "C:\\repos\\shop",
        "c:/repos/shop",
        "file:///srv/git/shop.git",
        "https://git.unknown.example/acme/shop.git",
        "https://github.com/",
        "https://github.com/acme",
        "https://github.com.evil.example/acme/shop.git",
        "https://evil.example/github.com/shop",
        "https://evil.example:github.com/a/b",
        "https://dev.azure.com/acme/Data/shop",
        "https://gitlab.com.evil.example/a/b",
        "https://evilvisualstudio.com/_git/shop",
        "",
    ],
)
def test_no_service(url: str) -> None:
    assert hosted_repository(url, {}) is None


def test_a_token_goes_only_to_hosts_that_are_known_or_named_by_the_user() -> None:
    env = {"GH_TOKEN": "public", "GH_ENTERPRISE_TOKEN": "own", "GITLAB_TOKEN": "lab"}
    assert token_for(hosted("git@github.com:a/b"), env) == ("GH_TOKEN", "public")
    named = {**env, "GH_HOST": "git.corp.example"}
    found = hosted("git@git.corp.example:a/b", named)
    assert token_for(found, named) == ("GH_ENTERPRISE_TOKEN", "own")
    assert token_for(found, {"GH_TOKEN": "public", "GH_HOST": "git.corp.example"}) == ("", "")
    assert hosted_repository("git@git.elsewhere.example:a/b", named) is None
    assert hosted_repository("git@x:a/b", named, service="github", host="") is None


def test_a_workflow_on_an_enterprise_server() -> None:
    env = {"GITHUB_SERVER_URL": "https://git.corp.example", "GITHUB_TOKEN": "workflow"}
    found = hosted("https://git.corp.example/a/b", env)
    assert token_for(found, env) == ("GITHUB_TOKEN", "workflow")


def test_plain_http_only_on_this_machine() -> None:
    assert hosted("http://localhost:9/a/b", {"GH_HOST": "localhost:9"}).api == (
        "http://localhost:9/api/v3"
    )
    assert hosted("http://git.corp.example/a/b", {"GH_HOST": "git.corp.example"}).api.startswith(
        "https://"
    )


def test_links_to_a_file() -> None:
    branch, path = "feature/generate-model-a", "etl/my shop/stg_x.sql"
    assert hosted("git@github.com:a/b").file_link(branch, path) == (
        "https://github.com/a/b/blob/feature/generate-model-a/etl/my%20shop/stg_x.sql"
    )
    assert hosted("git@gitlab.com:a/b").file_link(branch, path) == (
        "https://gitlab.com/a/b/-/blob/feature/generate-model-a/etl/my%20shop/stg_x.sql"
    )
    assert hosted("git@ssh.dev.azure.com:v3/o/p/r").file_link(branch, path) == (
        "https://dev.azure.com/o/p/_git/r?path=/etl/my%20shop/stg_x.sql"
        "&version=GBfeature%2Fgenerate-model-a"
    )


@given(st.text(max_size=60))
def test_any_text_is_a_remote_or_not(url: str) -> None:
    parse_remote(url)
    hosted_repository(url, {})


def test_secrets_are_taken_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GH_TOKEN", "ghp_abcdef")
    text = "fatal: https://dana:pa55@github.com/a/b.git refused; header ghp_abcdef"
    assert without_secrets(text) == "fatal: https://***@github.com/a/b.git refused; header ***"
