"""The doctor says what works, what does not, and what to do; and sends nothing of a project."""

from __future__ import annotations

import json

import pytest

from core.claude.budget import Budget
from core.claude.client import Claude
from core.claude.connection import Route
from core.claude.doctor import Finding, LastCall, examine
from core.claude.prices import load_prices
from core.project.settings import ClaudeSettings, Settings
from tests.core.claude.answers import authored, reviewed
from tests.core.claude.conftest import TestClock
from tests.core.claude.stub import Call, Reaction, Stub, good, status


def healthy(call: Call) -> Reaction:
    shape = call.body["output_config"]["format"]["schema"]["properties"]
    return good(reviewed() if "checks" in shape else authored())


async def findings(stub: Stub, clock: TestClock) -> list[Finding]:
    settings = Settings(claude=ClaudeSettings(base_url=stub.url))
    last = LastCall()
    claude = Claude(Route(base_url=stub.url), load_prices("api"), Budget(), last, waits=clock.waits)
    try:
        return [finding async for finding in examine(claude, settings, last)]
    finally:
        await claude.aclose()


async def test_everything_is_well(clock: TestClock) -> None:
    with Stub(healthy) as stub:
        found = await findings(stub, clock)
    assert {finding.state for finding in found} == {"ok"}
    assert stub.host in found[0].sentence
    assert [f.step for f in found if f.step == "cache"] == ["cache", "cache"]
    assert len(stub.calls) == 4
    assert json.dumps(stub.calls).count("CREATE PROC") == 0


async def test_an_answer_of_another_shape_is_not_well(clock: TestClock) -> None:
    with Stub([good({"hello": "world"})]) as stub:
        found = await findings(stub, clock)
    calls = [finding for finding in found if finding.step == "call"]
    assert [finding.state for finding in calls] == ["bad", "bad"]
    assert "shape that was asked for" in calls[0].sentence


async def test_without_credentials_nothing_is_called(
    clock: TestClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("ANTHROPIC_API_KEY")
    with Stub(healthy) as stub:
        found = await findings(stub, clock)
    assert found[-1].state == "bad"
    assert "ANTHROPIC_API_KEY" in found[-1].sentence
    assert stub.calls == []


async def test_an_unknown_model_and_a_refused_key_are_named(clock: TestClock) -> None:
    with Stub([status(401, "authentication_error")]) as stub:
        stub.models = ["claude-sonnet-5-5"]
        found = await findings(stub, clock)
    bad = [finding for finding in found if finding.state == "bad"]
    assert "claude-opus-5-5 is not among" in bad[0].sentence
    assert "does not accept the credentials" in bad[1].sentence
