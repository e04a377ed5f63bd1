"""The real command with a scripted Claude on loopback: dbt, tests, review and ledger are real."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from core.claude.ledger import spent
from tests.core.claude.answers import authored, item_of, prefix_of, purpose, reviewed
from tests.core.claude.migration import model, write_dynamic
from tests.core.claude.stub import Body, Call, Reaction, Stub, flaky, good

ROOT = Path(__file__).parents[3]


def run(
    project: Path, stub: Stub | None, *arguments: str, **environment: str
) -> tuple[int, dict[str, Any], str]:
    """Run the command; the exit code, its JSON document, and what it said."""
    address = {} if stub is None else {"PROC2DBT_CLAUDE_BASE_URL": stub.url}
    # Comparing is bounded by time; what is compared here is the same every time.
    address |= {"PROC2DBT_EQUIVALENCE_SECONDS": "0", "PROC2DBT_JOBS": "2"}
    done = subprocess.run(
        [sys.executable, "-m", "tui", "--headless", "--in-place", "--json", *arguments],
        cwd=project,
        env=os.environ | {"PYTHONPATH": str(ROOT)} | address | environment,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert "Traceback" not in done.stderr + done.stdout, done.stderr
    assert done.stdout, done.stderr
    return done.returncode, json.loads(done.stdout), done.stderr


def events(project: Path, kind: str) -> list[dict[str, Any]]:
    lines = (project / ".migration-runs/events.ndjson").read_text().splitlines()
    return [event for event in map(json.loads, lines) if event["type"] == kind]


def steady(call: Call) -> Reaction:
    """Always the right model, and no objection."""
    if purpose(call.body) == "review":
        return good(reviewed())
    return good(authored(model(table_of(call.body))))


def table_of(body: Body) -> str:
    return item_of(body).partition(".")[2].title()


@pytest.mark.slow
def test_refused_by_the_compiler_drafted_corrected_reviewed_approved(tmp_path: Path) -> None:
    project = write_dynamic(tmp_path / "project", ["Customer"], pii=True)

    def script(call: Call) -> Reaction:
        match purpose(call.body):
            case "draft":
                wrong = model("Customer", where="source.Id > -100")
                return good(authored(wrong), thinking=True)
            case "correct":
                edits = [("source.Id > -100", "source.Id > 0")]
                return good(authored(edits=edits, changes=["the filter of the procedure"]))
            case _:
                return good(reviewed())

    with Stub(script) as stub:
        code, document, said = run(
            project, stub, "--author", "both", "--yes", "silver.Customer", "--max-cost", "20"
        )
    [item] = document["items"]
    assert (code, item["status"]) in ((0, "ok"), (1, "partial")), said
    output = item["output"]
    assert output["execution"]["dbt_test_passed"], output
    assert output["execution"]["self_correction_iterations"] == 1
    assert output["review"]["verdict"] in ("approved", "approved_with_warnings")
    assert [purpose(body) for body in stub.calls] == ["draft", "correct", "review"]
    # The prefix of author calls is the same bytes, and is read from the cache.
    draft, correct, review = stub.calls
    assert prefix_of(draft) == prefix_of(correct)
    assert draft["model"] == correct["model"] != review["model"]
    calls = events(project, "claude_call")
    assert [call["purpose"] for call in calls] == ["draft", "correct", "review"]
    ledger = [
        json.loads(line)
        for line in (project / ".migration-runs/ledger.ndjson").read_text().splitlines()
    ]
    assert ledger[1]["tokens"]["read"] > 2_000
    assert ledger[1]["tokens"]["written_1h"] == 0
    total = sum(Decimal(line["cost_usd"]) for line in ledger)
    assert abs(Decimal(str(output["usage"]["cost_usd"])) - total) < Decimal("0.000001")
    # Rows of the spec are personal: they were not sent, although the tests failed on them.
    everything = json.dumps(stub.calls)
    assert "Lovelace" not in everything
    assert "LOVELACE" not in everything
    assert "test_load_customer" in everything
    text = (project / "dbt/models/staging/stg_customer.sql").read_text()
    assert "source.Id > 0" in text
    reviews = events(project, "review_finished")
    assert "claude-sonnet-5-5" in reviews[-1]["review"]["reviewer"]


@pytest.mark.slow
def test_without_consent_nothing_is_sent_and_resume_takes_it_up(tmp_path: Path) -> None:
    project = write_dynamic(tmp_path / "project", ["Customer"])
    with Stub(steady) as stub:
        code, document, said = run(project, stub, "--author", "claude", "silver.Customer")
        assert code == 1
        assert document["items"][0]["output"]["errors"][0]["code"] == "CONSENT_MISSING"
        assert stub.host in said
        assert (stub.calls, stub.counted) == ([], [])
        [asked] = events(project, "consent_asked")
        assert asked["host"] == stub.host
        assert "claude-opus-5-5" in asked["text"]
        _, document, said = run(project, stub, "--author", "claude", "--yes", "--resume")
        assert document["items"][0]["output"]["execution"]["dbt_test_passed"], said
        # The agreement is kept for the project.
        before = len(stub.calls)
        _, document, _ = run(project, stub, "--author", "claude", "silver.Customer")
        assert len(stub.calls) > before


def test_a_dry_run_says_what_it_would_cost_and_sends_nothing(tmp_path: Path) -> None:
    project = write_dynamic(tmp_path / "project", ["Customer"])
    with Stub(steady) as stub:
        code, document, said = run(
            project, stub, "--author", "both", "--dry-run", "silver.Customer"
        )
        assert (stub.calls, stub.counted) == ([], [])
        assert code == 0
        assert document["claude"]["high_usd"] > document["claude"]["low_usd"] > 0
        assert not document["claude"]["counted"]
        assert stub.host in said
        _, document, _ = run(
            project, stub, "--author", "both", "--dry-run", "--yes", "silver.Customer"
        )
        assert stub.calls == []
        assert document["claude"]["counted"]


def dear(call: Call) -> Reaction:
    """The right model after a lot of thinking."""
    if purpose(call.body) == "review":
        return good(reviewed())
    return good(authored(model(table_of(call.body))), output_tokens=12_000)


def test_the_budget_stops_the_run_cleanly_and_a_higher_one_goes_on(tmp_path: Path) -> None:
    tables = ["Customer", "Store", "Region"]
    project = write_dynamic(tmp_path / "project", tables)
    with Stub(dear) as stub:
        code, document, said = run(
            project, stub, "--author", "claude", "--yes", "--max-cost", "1.05", "--all"
        )
        ledger = project / ".migration-runs/ledger.ndjson"
        assert code == 1
        codes = [e["code"] for item in document["items"] for e in item["output"]["errors"]]
        assert codes
        assert set(codes) == {"BUDGET_REACHED"}, said
        assert 0 < spent(ledger) <= Decimal("1.05")
        _, document, said = run(
            project, stub, "--author", "claude", "--yes", "--max-cost", "30", "--resume"
        )
    assert all(item["output"]["execution"]["dbt_test_passed"] for item in document["items"]), said
    assert spent(ledger) <= Decimal(30)


def files_of(project: Path) -> dict[str, str]:
    """What a run wrote into the dbt project, by name."""
    folder = project / "dbt/models/staging"
    return {file.name: file.read_text() for file in sorted(folder.glob("*stg_*"))}


@pytest.mark.slow
def test_a_third_of_the_calls_failing_gives_the_same_models(tmp_path: Path) -> None:
    texts, asked = {}, {}
    for name, script in (("well", steady), ("ill", flaky(steady, 0.3, seed=4))):
        project = write_dynamic(tmp_path / name, ["Customer", "Store"])
        with Stub(script) as stub:
            _, document, said = run(project, stub, "--author", "claude", "--yes", "--all")
        assert [item["output"]["execution"]["dbt_test_passed"] for item in document["items"]] == [
            True,
            True,
        ], said
        texts[name], asked[name] = files_of(project), len(stub.calls)
    assert len(texts["well"]) == 4
    assert texts["well"] == texts["ill"]
    assert asked["ill"] > asked["well"]


SECRET = "Server=prod;User ID=etl;Password=Gehe1m-Wort!;"


@pytest.mark.slow
def test_a_recorded_run_is_replayed_without_a_server(tmp_path: Path) -> None:
    comment = f"opens {SECRET} with AKIAIOSFODNN7EXAMPLE"
    project = write_dynamic(tmp_path / "project", ["Customer"], comment=comment)
    elsewhere = Path(shutil.copytree(project, tmp_path / "elsewhere"))
    arguments = ("--author", "claude", "silver.Customer")

    def script(call: Call) -> Reaction:
        if purpose(call.body) == "draft":
            return good(authored(model("Customer", where="source.Id > -100")))
        if purpose(call.body) == "correct":
            return good(authored(edits=[("source.Id > -100", "source.Id > 0")]))
        return good(reviewed())

    with Stub(flaky(script, 0.3, seed=4)) as stub:
        _, first, said = run(project, stub, *arguments, "--yes", "--record", str(tmp_path / "tape"))
    assert first["items"][0]["output"]["execution"]["self_correction_iterations"] == 1, said
    texts = files_of(project)
    tape = (tmp_path / "tape/exchanges.jsonl").read_text()
    for secret in ("sk-ant", "Gehe1m", "AKIA", "Lovelace", "LOVELACE", str(tmp_path)):
        assert secret not in tape, secret
    assert not [name for name in ("authorization", "x-api-key") if name in tape.lower()]
    assert "usp_LoadCustomer" in tape
    _, second, said = run(
        elsewhere, None, *arguments, "--replay", str(tmp_path / "tape"), ANTHROPIC_API_KEY=""
    )
    assert files_of(elsewhere) == texts, said
    assert comparable(second["items"][0]) == comparable(first["items"][0])
    # A prompt that drifted is named.
    ddl = elsewhere / "ddl/procedures.sql"
    ddl.write_text(ddl.read_text().replace("opens", "closes"))
    _, third, said = run(elsewhere, None, *arguments, "--replay", str(tmp_path / "tape"))
    message = third["items"][0]["output"]["errors"][0]["message"]
    assert "prompt block 2 differs" in message


def comparable(item: dict[str, Any]) -> dict[str, Any]:
    """An item's result without when it was decided, and without calls that broke off.

    What broke off could not be recorded; a replay has only whole exchanges.
    """
    output = {k: v for k, v in item["output"].items() if k not in ("decision", "usage")}
    return {**item, "output": output}


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--max-cost", "5"), "price of claude-next-9"),
        ((), "both claude-next-9"),
    ],
)
def test_settings_that_cannot_be_kept_are_refused_before_any_work(
    tmp_path: Path, arguments: tuple[str, ...], words: str
) -> None:
    project = write_dynamic(tmp_path / "project", ["Customer"])
    reviewer = "claude-sonnet-5-5" if arguments else "claude-next-9"
    (project / "proc2dbt.toml").write_text(
        f'[claude.author]\nmodel = "claude-next-9"\n[claude.reviewer]\nmodel = "{reviewer}"\n'
    )
    done = subprocess.run(
        [
            *(sys.executable, "-m", "tui", "--headless", "--in-place"),
            *("--author", "claude", "--all", *arguments),
        ],
        cwd=project,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 2
    assert done.stderr.startswith("SETTINGS_INVALID: ")
    assert words in done.stderr
