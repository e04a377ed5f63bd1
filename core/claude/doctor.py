"""Whether Claude can be used from here: one finding per step, each with what to do about it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel

from core.claude.call import Ask, Block
from core.claude.client import Claude
from core.claude.failure import ClaudeError, ClaudeFailure
from core.claude.prices import Tokens
from core.claude.prompts import prompt
from core.claude.schema import (
    AUTHORED_SCHEMA,
    REVIEWED_SCHEMA,
    Authored,
    Reviewed,
    read_answer,
)
from core.project.settings import Settings


@dataclass(frozen=True)
class Finding:
    """One line of the doctor: ``state`` is ``ok``, ``warn``, ``bad`` or ``skipped``."""

    step: str
    state: str
    sentence: str


class LastCall:
    """A watcher that remembers what the last call used."""

    def __init__(self) -> None:
        self.tokens = Tokens()

    def waiting(self, seconds: float, reason: str, item_id: str) -> None:
        """Pauses are not reported."""

    def called(self, record: object) -> None:
        """Remember the tokens of an attempt."""
        tokens = getattr(record, "tokens", None)
        if isinstance(tokens, Tokens):
            self.tokens = tokens


async def examine(claude: Claude, settings: Settings, last: LastCall) -> AsyncIterator[Finding]:
    """Go through the steps in order; those that need a failed one are skipped.

    ``last`` is the client's watcher. Two tiny calls per role are made; they cost a cent or two
    and send nothing of the project.
    """
    try:
        connection = await claude.connection()
    except ClaudeError as error:
        yield Finding("client", "bad", error.failure.sentence)
        return
    yield Finding("address", "ok", f"requests go to {connection.host}")
    found = connection.credentials
    yield Finding(
        "credentials",
        "ok" if found else "bad",
        f"{found} will be used"
        if found
        else "none were found: set ANTHROPIC_API_KEY or sign in with `ant auth login`",
    )
    if not found:
        return
    for finding in await _models(claude, settings):
        yield finding
    yield _prices(claude, settings)
    roles = settings.claude
    for ask, shape in (
        (_tiny("author", roles.author.model, AUTHORED_SCHEMA), Authored),
        (_tiny("reviewer", roles.reviewer.model, REVIEWED_SCHEMA), Reviewed),
    ):
        async for finding in _calls(claude, ask, shape, last):
            yield finding


async def _models(claude: Claude, settings: Settings) -> list[Finding]:
    wanted = settings.claude.models
    try:
        known = {model.name: model for model in await claude.models()}
    except ClaudeError as error:
        return [Finding("models", "warn", error.failure.sentence)]
    findings = []
    for name in wanted:
        model = known.get(name)
        if model is None:
            findings.append(
                Finding(
                    "models",
                    "bad",
                    f"{name} is not among the {len(known)} models of this account; set another "
                    "one in proc2dbt.toml",
                )
            )
        elif model.structured_outputs is False:
            sentence = f"{name} does not support structured output; set another model"
            findings.append(Finding("models", "bad", sentence))
        else:
            findings.append(Finding("models", "ok", f"{name} is there"))
    return findings


def _prices(claude: Claude, settings: Settings) -> Finding:
    missing = [name for name in settings.claude.models if claude.prices.of(name) is None]
    if missing:
        return Finding(
            "prices",
            "warn",
            f"the price of {' and '.join(missing)} is not known, so --max-cost cannot be kept; "
            "put it into claude-prices.toml",
        )
    return Finding("prices", "ok", f"known, as of {claude.prices.as_of}")


async def _calls(
    claude: Claude, ask: Ask, shape: type[BaseModel], last: LastCall
) -> AsyncIterator[Finding]:
    """A tiny call, which also has the grammar of the schema compiled, and the same one again."""
    for number in (1, 2):
        answered = await claude.ask(ask, lambda line: None)
        if isinstance(answered, ClaudeFailure):
            yield Finding("call", "bad", answered.sentence)
            return
        read_back = read_answer(shape, answered.text)
        if isinstance(read_back, ClaudeFailure):
            sentence = f"{ask.model}: {read_back.sentence} Set another model."
            yield Finding("call", "bad", sentence)
            return
        if number == 1:
            yield Finding(
                "call", "ok", f"{answered.model} answered in the shape that was asked for"
            )
    read = last.tokens.read
    yield Finding(
        "cache",
        "ok" if read else "warn",
        f"{ask.model}: the second call read {read:,} tokens from the cache"
        if read
        else f"{ask.model}: the second call read nothing from the prompt cache; every call will "
        "pay for its whole prompt (a proxy may change requests, or the provider does not cache)",
    )


def _tiny(role: str, model: str, schema: dict[str, Any]) -> Ask:
    system: Block = {
        "type": "text",
        "text": prompt(role),
        "cache_control": {"type": "ephemeral"},
    }
    task: Block = {
        "type": "text",
        "text": "This is a check of the connection. Answer with empty texts and empty lists.",
    }
    return Ask(
        purpose="doctor",
        item_id="",
        model=model,
        max_tokens=4_096,
        system=(system,),
        content=(task,),
        schema=schema,
        effort="low",
    )
