"""Exchanges written by hand, in the form in which they are recorded, replayed to typed results.

``cassettes/calls`` holds whole exchanges: the request as well, so that a request that drifts from
what the API takes is noticed. ``cassettes/answers`` holds what is answered to the author's own
requests: it is served on loopback, recorded, and replayed without a server.
Nothing here was ever said by the service: these are contracts, not measurements.
"""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from core.claude.author import ClaudeAuthor
from core.claude.budget import Budget
from core.claude.call import Ask, Reply
from core.claude.cassette import FILE, KEPT_HEADERS, Exchange
from core.claude.client import Claude
from core.claude.connection import Route
from core.claude.failure import ClaudeFailure, Kind
from core.claude.prices import load_prices
from core.generation.author import Draft, Failure, FailureKind, Job, Refusal
from core.pipeline.plan import plan_run
from core.project.project import MigrationProject
from core.project.settings import Settings
from tests.core.claude.conftest import Notes, TestClock
from tests.core.claude.migration import model, write_dynamic
from tests.core.claude.stub import Call, Reaction, Stub

CASSETTES = Path(__file__).parent / "cassettes"
CALLS = sorted((CASSETTES / "calls").glob("*.json"))
ANSWERS = sorted((CASSETTES / "answers").glob("*.json"))

ASK = Ask(
    purpose="draft",
    item_id="silver.customer",
    model="claude-opus-5-5",
    max_tokens=4_000,
    system=(
        {
            "type": "text",
            "text": "Answer as asked.",
            "cache_control": {"type": "ephemeral", "ttl": "1h"},
        },
    ),
    content=({"type": "text", "text": "Is it the same?"},),
    schema={
        "type": "object",
        "properties": {"answer": {"type": "string"}},
        "required": ["answer"],
        "additionalProperties": False,
    },
    effort="medium",
)


def read(file: Path) -> dict[str, Any]:
    """A cassette; every line of its responses ended."""
    document: dict[str, Any] = json.loads(file.read_text("utf-8"))
    for exchange in document["exchanges"]:
        exchange["response"] = "".join(f"{line}\n" for line in exchange["response"])
    return document


def claude_at(route: Route, notes: Notes, clock: TestClock) -> Claude:
    return Claude(route, load_prices("api"), Budget(Decimal(50)), notes, waits=clock.waits)


@pytest.mark.parametrize("file", CALLS, ids=lambda file: file.stem)
async def test_a_recorded_call_ends_as_a_typed_result(
    file: Path, tmp_path: Path, notes: Notes, clock: TestClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("ANTHROPIC_API_KEY")
    document = read(file)
    lines = [Exchange(**exchange).line() for exchange in document["exchanges"]]
    (tmp_path / FILE).write_text("\n".join(lines) + "\n", "utf-8")
    claude = claude_at(Route(replay=tmp_path), notes, clock)
    try:
        answered = await claude.ask(ASK, lambda line: None)
    finally:
        await claude.aclose()
    expect = document["expect"]
    if "kind" in expect:
        assert isinstance(answered, ClaudeFailure), answered
        assert answered.kind is Kind(expect["kind"])
        assert expect["sentence"] in answered.sentence
        assert answered.sentence.endswith(".")
    else:
        assert isinstance(answered, Reply), answered
        assert (answered.text, answered.stop_reason) == (expect["text"], expect["stop_reason"])
    assert [record.outcome for record in notes.records] == expect["outcomes"]
    last = notes.records[-1]
    for name, count in expect.get("tokens", {}).items():
        assert getattr(last.tokens, name) == count, name
    if "cost" in expect:
        assert last.cost == Decimal(expect["cost"])
    if "waited" in expect:
        assert sum(clock.slept) == expect["waited"]


def test_the_hand_written_requests_are_what_is_sent() -> None:
    for file in CALLS:
        first = read(file)["exchanges"][0]
        assert first["body"] == {**ASK.body(), "stream": True}, file.name


def verbatim(exchange: dict[str, Any]) -> Reaction:
    """Answer with exactly that."""
    headers = {k: v for k, v in exchange["headers"].items() if k != "content-type"}
    headers.pop("request-id", None)
    kind = exchange["headers"]["content-type"]

    def react(call: Call) -> None:
        call.whole(exchange["status"], kind, exchange["response"], headers)

    return react


async def work(
    asks: str, job: Job, route: Route, notes: Notes, clock: TestClock, said: list[str]
) -> Draft | Refusal:
    claude = claude_at(route, notes, clock)
    author = ClaudeAuthor(claude, Settings(author="claude"))
    try:
        if asks == "draft":
            return await author.draft(job, said.append)
        draft = Draft(model("Customer", where="source.Id > -100"), "claude")
        failure = Failure(FailureKind.PERSON, "", feedback=("the filter is another one",))
        return await author.correct(job, draft, failure, said.append)
    finally:
        await claude.aclose()


@pytest.mark.parametrize("file", ANSWERS, ids=lambda file: file.stem)
async def test_an_answer_is_recorded_and_replayed_to_the_same_result(
    file: Path, tmp_path: Path, notes: Notes, clock: TestClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    document = read(file)
    expect, asks = document["expect"], document["asks"]
    project = MigrationProject.open(write_dynamic(tmp_path / "project", ["Customer"]))
    job = plan_run(project, ["silver.customer"], Settings()).job("silver.customer", {})
    tape = tmp_path / "tape"
    said: list[str] = []
    with Stub([verbatim(exchange) for exchange in document["exchanges"]]) as stub:
        recorded = await work(asks, job, Route(base_url=stub.url, record=tape), notes, clock, said)
    assert len(stub.calls) == expect["requests"]
    monkeypatch.delenv("ANTHROPIC_API_KEY")
    again: list[str] = []
    assert await work(asks, job, Route(replay=tape), notes, clock, again) == recorded
    assert again == said
    costs = [record.cost for record in notes.records]
    half = len(costs) // 2
    assert costs[:half] == costs[half:]
    for line in (tape / FILE).read_text("utf-8").splitlines():
        assert set(json.loads(line)["headers"]) <= set(KEPT_HEADERS)
    if "refusal" in expect:
        assert isinstance(recorded, Refusal), recorded
        assert expect["refusal"] in recorded.reason
        assert recorded.line == expect.get("line", 0)
    else:
        assert isinstance(recorded, Draft), recorded
        assert expect["sql"] in recorded.sql
        assert "```" not in recorded.sql
        assert list(recorded.changes) == expect.get("changes", [])
    if "said" in expect:
        assert any(expect["said"] in line for line in said)
