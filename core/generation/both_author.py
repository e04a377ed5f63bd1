"""Compiler first, then Claude: what the compiler refuses or cannot make green goes to Claude.

Claude gets the compiler's refusal (reason, construct, line), or its draft and the failure, so it
starts from what is known: the rest of the procedure is ordinary, the rest of the draft is right.
"""

from __future__ import annotations

from dataclasses import replace

from core.generation.author import Author, Draft, Failure, Job, Refusal, Say, configuration_of
from core.generation.compiler_author import NAME as COMPILER


class BothAuthor:
    """Two authors in a row; ``second`` is ``None`` where Claude is not available."""

    def __init__(self, first: Author, second: Author | None, missing: str = "") -> None:
        """``missing`` says why there is no second author."""
        self._first = first
        self._second = second
        self._missing = missing or "no second author is available"

    @property
    def name(self) -> str:
        """``both``."""
        return "both"

    @property
    def configuration(self) -> str:
        """That of both."""
        return configuration_of(self._first) + configuration_of(self._second)

    async def draft(self, job: Job, say: Say) -> Draft | Refusal:
        """The compiler's draft; the second author's where the compiler refuses."""
        drafted = await self._first.draft(job, say)
        if isinstance(drafted, Draft):
            return drafted
        if self._second is None:
            return self._alone(drafted)
        say(f"the compiler refused: {drafted.reason}")
        written = await self._second.draft(replace(job, refused=drafted), say)
        return _both(drafted, written) if isinstance(written, Refusal) else written

    async def correct(self, job: Job, draft: Draft, failure: Failure, say: Say) -> Draft | Refusal:
        """The compiler corrects its own drafts as long as it can; then the second author does."""
        refused: Refusal | None = None
        if draft.author == COMPILER:
            corrected = await self._first.correct(job, draft, failure, say)
            if isinstance(corrected, Draft):
                return corrected
            refused = corrected
        if self._second is None:
            return self._alone(refused or Refusal("it cannot be corrected", author=draft.author))
        return await self._second.correct(replace(job, refused=refused), draft, failure, say)

    def _alone(self, refusal: Refusal) -> Refusal:
        return Refusal(
            f"{refusal.reason.rstrip('.')}; {self._missing}",
            refusal.line,
            refusal.construct,
            refusal.author,
            refusal.code,
        )


def _both(first: Refusal, second: Refusal) -> Refusal:
    """The second author's refusal, with what the first one said before it."""
    place = f" (line {first.line})" if first.line else ""
    reason = f"{second.reason.rstrip('.')}. Before, the {first.author} refused{place}: "
    return replace(second, reason=reason + first.reason, line=second.line or first.line)
