"""Nothing is sent before somebody agreed, and an agreement holds for what it was about."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from core.claude.consent import Agreements, ConsentDesk, Terms, consent_text, terms_of
from core.claude.failure import Kind
from core.project.clock import frozen_clock
from core.project.settings import Settings

CLOCK = frozen_clock(datetime(2026, 1, 5, tzinfo=UTC))
TERMS = terms_of(Settings(), "api.example")


async def host() -> str:
    return "api.example"


def desk(folder: Path, **parts: object) -> ConsentDesk:
    settings = parts.pop("settings", Settings())
    assert isinstance(settings, Settings)
    return ConsentDesk(settings, Agreements(folder / "c.json"), host, CLOCK, **parts)  # type: ignore[arg-type]


async def test_without_anybody_to_ask_nothing_is_sent(tmp_path: Path) -> None:
    refused = await desk(tmp_path)()
    assert refused is not None
    assert refused.kind is Kind.CONSENT_MISSING
    assert "api.example" in refused.sentence
    assert "--yes" in refused.sentence


async def test_an_agreement_is_kept_and_a_refusal_is_not(tmp_path: Path) -> None:
    answers: list[str | None] = [None, "Ada"]

    async def ask(terms: Terms, text: str) -> str | None:
        return answers.pop(0)

    first = desk(tmp_path, ask=ask)
    assert await first() is not None
    assert await first() is not None
    first.reopen()
    assert await first() is None
    assert answers == []
    assert await desk(tmp_path)() is None


async def test_what_was_not_agreed_to_is_asked_about_anew(tmp_path: Path) -> None:
    assert await desk(tmp_path, agreed_by="--yes")() is None
    assert await desk(tmp_path, settings=Settings(send_rows=True))() is not None
    elsewhere = TERMS.model_copy(update={"host": "proxy.example"})
    other_model = TERMS.model_copy(update={"models": ("claude-fable-5-2",)})
    assert not TERMS.covers(elsewhere)
    assert not TERMS.covers(other_model)
    masked = TERMS.model_copy(update={"mask_literals": True})
    assert TERMS.covers(masked)
    assert not masked.covers(TERMS)


async def test_an_agreement_is_for_one_project_of_a_repository(tmp_path: Path) -> None:
    assert await desk(tmp_path, agreed_by="--yes", project="sales")() is None
    assert await desk(tmp_path, project="sales")() is None
    assert await desk(tmp_path, project="payroll")() is not None


async def test_who_agrees_beforehand_is_told_to_what(tmp_path: Path) -> None:
    told: list[str] = []

    async def tell(terms: Terms, text: str) -> None:
        told.append(text)

    async def estimate() -> str:
        return "For 1 table: $1."

    for _ in range(2):
        assert await desk(tmp_path, agreed_by="--yes", told=tell, estimate=estimate)() is None
    # Once per project, not once per run.
    [text] = told
    for part in ("api.example", "claude-opus-5-5", "claude-sonnet-5-5", "For 1 table: $1."):
        assert part in text


async def test_a_damaged_file_is_no_agreement(tmp_path: Path) -> None:
    for text in ("", "[1]", '{"host": "api.example"}', '[{"host": 1}]'):
        (tmp_path / "c.json").write_text(text)
        assert await desk(tmp_path)() is not None


def test_rows_are_asked_for_by_name() -> None:
    assert "no rows" in consent_text(TERMS)
    with_rows = consent_text(TERMS.model_copy(update={"send_rows": True}))
    assert "rows of the test specs (given, expected, failing)" in with_rows
