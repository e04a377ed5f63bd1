"""What a run may cost, said before it begins: a range, and how it was come by.

Counting tokens sends the prompt, so it is done only where sending was agreed to; otherwise the
length of the text is divided by a guess.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from core.claude.call import Ask
from core.claude.client import Claude
from core.claude.failure import ClaudeError
from core.claude.prices import Prices, Tokens
from core.project.settings import Settings

BYTES_PER_TOKEN = 3
"""A guess for T-SQL and English; nobody has measured it against the service."""
LEAST_OUTPUT = 2_000
"""Tokens an author thinks and writes at least."""
MOST_AUTHOR_CALLS, MOST_REVIEWS = 4, 2
"""A draft and three corrections; two reviews."""


@dataclass(frozen=True)
class Estimate:
    """Dollars for some items together; ``None`` where a price is not known.

    ``low``: every first draft is right. ``high``: every correction and review is needed.
    """

    items: int
    prompt_tokens: int
    low: Decimal | None
    high: Decimal | None
    counted: bool
    as_of: str

    def sentence(self, *, at_most: bool = False) -> str:
        """The estimate for people; ``at_most``: for some of the tables nothing may be needed."""
        how = "counted" if self.counted else "estimated"
        tokens = f"about {self.prompt_tokens:,} tokens of prompt ({how})"
        what = f"{'at most ' if at_most else ''}{self.items} table{'' if self.items == 1 else 's'}"
        if self.low is None or self.high is None:
            return f"For {what}: {tokens}; the price is not known."
        return (
            f"For {what}: {tokens}, ${self.low:.2f} to ${self.high:.2f} at list prices of "
            f"{self.as_of}."
        )


async def estimate(
    asks: Sequence[Ask], claude: Claude, settings: Settings, *, count: bool
) -> Estimate:
    """The range for first drafts of some items and what may follow them."""
    total, counted = 0, count
    low: Decimal | None = Decimal(0)
    high: Decimal | None = Decimal(0)
    for ask in asks:
        tokens = -(-ask.size // BYTES_PER_TOKEN)
        if count:
            try:
                tokens = await claude.count(ask)
            except ClaudeError:
                counted = False
        total += tokens
        least, most = _range(ask, tokens, claude.prices, settings)
        low = None if low is None or least is None else low + least
        high = None if high is None or most is None else high + most
    return Estimate(len(asks), total, low, high, counted and bool(asks), claude.prices.as_of)


def _range(
    ask: Ask, tokens: int, prices: Prices, settings: Settings
) -> tuple[Decimal | None, Decimal | None]:
    reviewer = settings.claude.reviewer
    author_price, reviewer_price = prices.of(ask.model), prices.of(reviewer.model)
    if author_price is None or reviewer_price is None:
        return None, None
    output = min(ask.max_tokens, max(LEAST_OUTPUT, tokens // 2))
    review = Tokens(uncached=tokens, output=min(reviewer.max_tokens, LEAST_OUTPUT))
    low_author = author_price.cost(Tokens(uncached=tokens, output=output))
    low_review = reviewer_price.cost(review)
    most = min(ask.max_tokens, 4 * output)
    high_author = author_price.most(tokens, most)
    high_review = reviewer_price.most(tokens, min(reviewer.max_tokens, 2 * LEAST_OUTPUT))
    if low_author is None or low_review is None:
        return None, None
    return (
        low_author + low_review,
        MOST_AUTHOR_CALLS * high_author + MOST_REVIEWS * high_review,
    )
