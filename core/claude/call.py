"""One call to Claude as values: what is asked, what came back, and who is told about it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Protocol

from core.claude.failure import ClaudeFailure
from core.claude.prices import Tokens

Block = Mapping[str, Any]
"""One text block of a prompt as the Messages API takes it."""


@dataclass(frozen=True)
class Ask:
    """What is asked of Claude. ``purpose`` is ``draft``, ``correct``, ``review`` or ``doctor``.

    ``max_tokens`` limits thinking and text together. ``schema`` is the JSON schema of the answer.
    ``stable`` is how many blocks of ``content`` belong to the cached prefix. ``fallback`` is the
    model that is asked when ``model`` declines; empty: none.
    """

    purpose: str
    item_id: str
    model: str
    max_tokens: int
    system: tuple[Block, ...]
    content: tuple[Block, ...]
    schema: Mapping[str, Any]
    effort: str = ""
    stable: int = 0
    fallback: str = ""

    def body(self) -> dict[str, Any]:
        """The request as the Messages API takes it, without streaming."""
        config: dict[str, Any] = {"format": {"type": "json_schema", "schema": dict(self.schema)}}
        if self.effort:
            config = {"effort": self.effort, **config}
        return {
            "model": self.model,
            "max_tokens": self.max_tokens,
            "system": [dict(block) for block in self.system],
            "messages": [{"role": "user", "content": [dict(block) for block in self.content]}],
            "output_config": config,
        }

    @property
    def size(self) -> int:
        """Bytes of the request: no tokenizer makes more tokens than bytes."""
        return len(canonical(self.body()).encode())

    @property
    def shared_prefix(self) -> str:
        """A hash of what requests of several items have in common, and of what invalidates it."""
        return digest([self.model, self.effort, self.schema, [dict(b) for b in self.system]])

    @property
    def prompt_hash(self) -> str:
        """A hash of the text that is sent, for the ledger."""
        return digest(self.body())


def canonical(value: object) -> str:
    """JSON with sorted keys: the same value gives the same text."""
    return json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"))


def digest(value: object) -> str:
    """Sixteen hex digits that name a value."""
    return hashlib.sha256(canonical(value).encode()).hexdigest()[:16]


@dataclass(frozen=True)
class Reply:
    """A complete answer: its text and how the server ended it."""

    text: str
    stop_reason: str
    model: str = ""
    request_id: str = ""
    refusal: str = ""
    """The category of a refusal, as the server names it."""


@dataclass
class Meter:
    """What one attempt used so far; read when it ends, however it ends."""

    tokens: Tokens = field(default_factory=Tokens)
    started: bool = False
    """Whether the server began to answer: then the prompt is paid for."""
    characters: int = 0
    request_id: str = ""


@dataclass(frozen=True)
class CallRecord:
    """One attempt at a call, for the ledger. ``outcome`` is ``ok``, a failure kind, or
    ``cancelled``; ``cost`` is ``None`` when the price is not known. ``reported`` is what a server's
    counts come to where that is more than the request could cost; ``cost`` is then ``reserved``.
    """

    purpose: str
    item_id: str
    model: str
    effort: str
    tokens: Tokens
    cost: Decimal | None
    seconds: float
    outcome: str
    stop_reason: str = ""
    request_id: str = ""
    prompt_hash: str = ""
    schema_hash: str = ""
    reserved: Decimal | None = None
    reported: Decimal | None = None


class Watcher(Protocol):
    """Hears what happens around calls. Methods return at once."""

    def waiting(self, seconds: float, reason: str, item_id: str) -> None:
        """Calls pause for so many more seconds; 0 ends the pause."""
        ...

    def called(self, record: CallRecord) -> None:
        """An attempt ended."""
        ...


class NobodyWatches:
    """A watcher that is not interested."""

    def waiting(self, seconds: float, reason: str, item_id: str) -> None:
        """Ignore it."""

    def called(self, record: CallRecord) -> None:
        """Ignore it."""


Answered = Reply | ClaudeFailure
