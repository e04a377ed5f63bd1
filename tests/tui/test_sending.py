"""From the accepted tables to the pull request, by keys, against a real remote and a stub service;
and the app in a browser."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.core.git.stub_service import Reply, serving
from tests.core.git.test_hosting import FakeGitHub
from tests.tui.kit import Kit, git

ROOT = Path(__file__).resolve().parents[2]
BRANCH = "feature/generate-model-silver-customer"


@pytest.fixture
def sending(kit: Kit, tmp_path: Path) -> Kit:
    """A repository with a remote: a run works in a worktree and may send."""
    kit.with_git()
    kit.in_place = False
    bare = tmp_path / "remote.git"
    git(tmp_path, "clone", "-q", "--bare", str(kit.root), str(bare))
    git(kit.root, "remote", "add", "origin", str(bare))
    git(kit.root, "fetch", "-q", "origin")
    return kit


def on_service(kit: Kit, host: str, bare: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    address = f"http://{host}/acme/shop.git"
    git(kit.root, "config", "remote.origin.url", address)
    git(kit.root, "config", "remote.origin.pushurl", str(bare))
    git(kit.root, "config", f"url.{bare}.insteadOf", address)
    monkeypatch.setenv("GH_HOST", host)
    monkeypatch.setenv("GH_ENTERPRISE_TOKEN", "own")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")


async def test_commit_push_and_pull_request_by_keys(
    sending: Kit, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake, bare = FakeGitHub(), tmp_path / "remote.git"
    with serving(fake) as stub:
        on_service(sending, stub.host, bare, monkeypatch)
        async with sending.open() as app:
            await app.started("r")
            await app.done()
            await app.press("a", "C")
            await app.shows("push the branch and open the pull request below")
            assert "| Table" in app.text, "the body is shown before it is sent"
            assert not fake.pulls, "nothing before the key"
            await app.press("P")
            await app.until(lambda: app.name == "SummaryScreen")
            await app.shows("/acme/shop/pull/")
    (pull,) = fake.pulls
    assert (pull["base"], pull["head"]["ref"]) == ("main", BRANCH)
    assert "`silver.Customer`" in pull["body"]
    assert "generate-model(silver.Customer)" in git(bare, "log", "--format=%s", BRANCH)


async def test_commit_without_sending(sending: Kit, tmp_path: Path) -> None:
    async with sending.open() as app:
        await app.started("r")
        await app.done()
        await app.press("a", "C")
        await app.shows("commit, send nothing")
        await app.press("y")
        await app.until(lambda: app.state.finished)
        await app.until(lambda: app.name == "SummaryScreen")
    assert BRANCH in git(sending.root, "branch", "--list", BRANCH)
    assert BRANCH not in git(tmp_path / "remote.git", "branch", "--list")


async def test_a_service_that_refuses_is_said_and_nothing_is_lost(
    sending: Kit, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with serving(lambda _asked: Reply(503, {"message": "down"})) as stub:
        on_service(sending, stub.host, tmp_path / "remote.git", monkeypatch)
        async with sending.open() as app:
            await app.started("r")
            await app.done()
            await app.press("a", "C")
            await app.shows("push the branch")
            await app.press("P")
            await app.until(lambda: app.state.finished, most=6000)
            await app.until(lambda: app.name == "SummaryScreen")
            pull = app.state.pull_request
            assert pull is not None
            assert pull.error or not pull.url
    assert "generate-model(silver.Customer)" in git(sending.root, "log", "--format=%s", BRANCH)


def until_listening(port: int) -> None:
    for _ in range(600):
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        threading.Event().wait(0.05)
    raise AssertionError("nobody listens")


@contextlib.contextmanager
def served(project: Path) -> Iterator[str]:
    """``proc2dbt --serve``, running; its address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = subprocess.Popen(
        [sys.executable, "-m", "tui", "--serve", "--project", str(project)],
        env=os.environ | {"PYTHONPATH": str(ROOT), "PROC2DBT_SERVE_PORT": str(port)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        stdin=subprocess.DEVNULL,
        text=True,
    )
    try:
        assert process.stdout is not None
        for line in process.stdout:
            if f"127.0.0.1:{port}" in line:
                break
        else:
            raise AssertionError("it ended without serving")
        until_listening(port)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(30)
        process.stdout.close()


def test_the_app_is_offered_in_a_browser_on_loopback_only(kit: Kit) -> None:
    kit.write()
    with served(kit.root) as address:
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(address, timeout=30) as answer:
            page = answer.read().decode()
        assert answer.status == 200
        assert "textual.js" in page


async def test_the_served_app_shows_the_tables(kit: Kit) -> None:
    import aiohttp

    kit.write()
    with served(kit.root) as address:
        seen = b""
        async with aiohttp.ClientSession() as session, asyncio.timeout(60):
            where = f"{address}/ws?width=120&height=40"
            async with session.ws_connect(where) as socket_:
                async for message in socket_:
                    if isinstance(message.data, bytes):
                        seen += message.data
                    if b"silver.Customer" in seen:
                        break
    assert b"silver.Customer" in seen
