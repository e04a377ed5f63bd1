"""How a call to Claude can fail: a kind, a sentence for people, and whether to try again."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from core.project.codes import Code


class Kind(StrEnum):
    """Every way in which a call ends without an answer."""

    RATE_LIMITED = "rate_limited"
    SPEND_LIMIT = "spend_limit"
    OVERLOADED = "overloaded"
    SERVER = "server"
    CONNECTION = "connection"
    STALLED = "stalled"
    INTERRUPTED = "interrupted"
    NO_CREDENTIALS = "no_credentials"
    AUTH = "auth"
    FORBIDDEN = "forbidden"
    NOT_FOUND = "not_found"
    TOO_LARGE = "too_large"
    BAD_REQUEST = "bad_request"
    REFUSED = "refused"
    TRUNCATED = "truncated"
    CONTEXT_FULL = "context_full"
    UNREADABLE = "unreadable"
    NOT_THE_API = "not_the_api"
    PROVIDER_MISSING = "provider_missing"
    CASSETTE_MISS = "cassette_miss"
    PRICE_UNKNOWN = "price_unknown"
    BUDGET_REACHED = "budget_reached"
    CONSENT_MISSING = "consent_missing"
    UNEXPECTED = "unexpected"


TRANSIENT = frozenset(
    {Kind.OVERLOADED, Kind.SERVER, Kind.CONNECTION, Kind.STALLED, Kind.INTERRUPTED}
)
"""Kinds that pass by themselves: tried again after a pause."""

_CODES = {
    Kind.BUDGET_REACHED: Code.BUDGET_REACHED,
    Kind.SPEND_LIMIT: Code.BUDGET_REACHED,
    Kind.CONSENT_MISSING: Code.CONSENT_MISSING,
}


@dataclass(frozen=True)
class ClaudeFailure:
    """Why there is no answer. ``sentence`` says what happened and what to do.

    ``wait`` is how many seconds the server asks to wait (0: it does not say). ``retry`` is False
    when the server said that trying again is of no use.
    """

    kind: Kind
    sentence: str
    wait: float = 0.0
    retry: bool = True
    request_id: str = ""

    @property
    def code(self) -> str:
        """The diagnostic code for it; empty where ``GENERATION_FAILED`` fits."""
        code = _CODES.get(self.kind)
        return code.value if code is not None else ""


class ClaudeError(Exception):
    """Carries a :class:`ClaudeFailure` out of a call; caught inside this package."""

    def __init__(self, failure: ClaudeFailure) -> None:
        super().__init__(failure.sentence)
        self.failure = failure
