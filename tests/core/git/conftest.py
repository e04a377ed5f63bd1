"""Real git in a folder of its own: no configuration of this machine or this user reaches it."""

from __future__ import annotations

import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest

from core.project.clock import frozen_clock

NOW = frozen_clock(datetime(2026, 3, 2, 9, 30, tzinfo=UTC))

ISOLATED = {
    "GIT_CONFIG_GLOBAL": "/dev/null",
    "GIT_CONFIG_SYSTEM": "/dev/null",
    "GIT_CONFIG_NOSYSTEM": "1",
}
LEFT_OUT = [
    "GIT_AUTHOR_NAME",
    "GIT_AUTHOR_EMAIL",
    "GIT_COMMITTER_NAME",
    "GIT_COMMITTER_EMAIL",
    "EMAIL",
    "GH_HOST",
    "GH_TOKEN",
    "GITHUB_TOKEN",
    "GH_ENTERPRISE_TOKEN",
    "GITHUB_ENTERPRISE_TOKEN",
    "GITHUB_SERVER_URL",
    "GITLAB_TOKEN",
    "GITLAB_HOST",
    "CI_SERVER_URL",
    "AZURE_DEVOPS_TOKEN",
    "AZURE_DEVOPS_EXT_PAT",
    "SYSTEM_ACCESSTOKEN",
    "SYSTEM_COLLECTIONURI",
    "SYSTEM_TEAMFOUNDATIONCOLLECTIONURI",
]


@pytest.fixture(autouse=True)
def _isolated_git(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name, value in ISOLATED.items():
        monkeypatch.setenv(name, value)
    for name in LEFT_OUT:
        monkeypatch.delenv(name, raising=False)
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))


def sh(folder: Path, *args: str, check: bool = True, stdin: str = "") -> str:
    """Run a command in a folder and return what it printed."""
    done = subprocess.run(
        args, cwd=folder, capture_output=True, text=True, check=False, input=stdin
    )
    if check and done.returncode != 0:
        raise AssertionError(f"{args} failed: {done.stdout}{done.stderr}")
    return done.stdout.rstrip("\n")


def write(folder: Path, files: dict[str, str]) -> None:
    for path, content in files.items():
        file = folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content.encode())


PROJECT = {
    "manifest.json": '{"technology": "sql_server"}\n',
    "catalog/tables/silver.dimcustomer.json": "{}\n",
    "ddl/procedures.sql": "create procedure silver.usp_load as select 1\nGO\n",
    "test-specs/silver.dimcustomer.json": "{}\n",
    "dbt/dbt_project.yml": "name: shop\n",
    "dbt/models/staging/_sources.yml": "version: 2\nsources: []\n",
    ".gitignore": "target/\n",
}


def identify(repository: Path) -> None:
    sh(repository, "git", "config", "user.name", "Dana Engineer")
    sh(repository, "git", "config", "user.email", "dana@example.com")


def make_repository(folder: Path, below: str = ".") -> Path:
    """A repository with one commit that holds a migration project in ``below``."""
    folder.mkdir(parents=True, exist_ok=True)
    sh(folder, "git", "init", "-q", "-b", "main")
    identify(folder)
    write(folder / below, PROJECT)
    sh(folder, "git", "add", "-A")
    sh(folder, "git", "commit", "-q", "-m", "The project as the extraction left it")
    return folder


def make_remote(repository: Path, bare: Path) -> Path:
    """A local bare repository as the repository's ``origin``, up to date."""
    sh(repository, "git", "clone", "-q", "--bare", str(repository), str(bare))
    sh(repository, "git", "remote", "add", "origin", str(bare))
    sh(repository, "git", "fetch", "-q", "origin")
    return bare


def hook(repository: Path, name: str, script: str) -> Path:
    folder = Path(sh(repository, "git", "rev-parse", "--git-common-dir"))
    file = (repository / folder).resolve() / "hooks" / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(f"#!/bin/sh\n{script}\n")
    file.chmod(0o755)
    return file


def fsck(repository: Path) -> None:
    """The repository is sound."""
    sh(repository, "git", "fsck", "--strict", "--no-dangling")


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """A migration project that is its own repository."""
    return make_repository(tmp_path / "work" / "shop")
