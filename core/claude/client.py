"""Calls to Claude that end in an answer or a typed failure: retries, pauses, money, concurrency.

The retry loop is our own, because the SDK would sleep out any ``retry-after`` unseen and does not
retry what breaks off in the middle. Everything it waits with is injected.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from contextlib import AbstractContextManager, AsyncExitStack, asynccontextmanager, nullcontext
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import TYPE_CHECKING

from core.claude.budget import Budget, OverBudgetError, Reservation
from core.claude.call import Answered, Ask, CallRecord, Meter, Reply, Watcher, digest
from core.claude.connection import Connection, KnownModel, Progress, Route
from core.claude.failure import TRANSIENT, ClaudeError, ClaudeFailure, Kind
from core.claude.pauses import Now, Pauses, Sleep
from core.claude.prices import ModelPrice, Prices, Tokens

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

TRIES = 7
"""Attempts at one call before a failure that passes by itself is given up on."""
FIRST_PAUSE, LONGEST_PAUSE = 1.0, 30.0
MOST_TOKENS = 128_000
"""What every current model can answer with at most."""
UNSEEN_TOKENS = 4_096
"""What a server may add to a prompt (framing, instructions for the schema), at worst."""

Say = Callable[[str], None]
Consent = Callable[[], Awaitable[ClaudeFailure | None]]
"""Whether anything may be sent: ``None``, or why not. Asked before every call; answers at once
when it has been settled."""


async def nothing_is_asked() -> ClaudeFailure | None:
    """The consent of somebody who makes a call on purpose (the doctor), or of a replay."""
    return None


@dataclass(frozen=True)
class Waits:
    """How the client waits; replaced in tests. ``jitter`` gives a factor around 1."""

    now: Now = time.monotonic
    sleep: Sleep = asyncio.sleep
    jitter: Callable[[], float] = lambda: random.uniform(0.75, 1.25)


class Claude:
    """One client for a whole run; used on one event loop."""

    def __init__(
        self,
        route: Route,
        prices: Prices,
        budget: Budget,
        watcher: Watcher,
        *,
        parallel: int = 4,
        longest_wait: float = 300.0,
        consent: Consent = nothing_is_asked,
        waits: Waits | None = None,
        aside: Callable[[], AbstractContextManager[None]] = nullcontext,
    ) -> None:
        """``longest_wait`` is how many seconds of rate limits one call waits out in all.

        ``aside`` is entered while a call can only wait: for consent, its turn, a pause, money.
        """
        self.budget = budget
        self.prices = prices
        self.route = route
        self._watcher = watcher
        self._waits = waits or Waits()
        self._longest_wait = longest_wait
        self._consent = consent
        self._aside = aside
        self._pauses = Pauses(watcher, self._waits.now, self._waits.sleep)
        self._slots = asyncio.Semaphore(parallel)
        self._opening = asyncio.Lock()
        self._connection: Connection | None = None
        self._leaders: dict[str, asyncio.Event] = {}
        self._overcharged: ClaudeFailure | None = None

    # --- asking -----------------------------------------------------------------------------

    async def ask(self, ask: Ask, say: Say) -> Answered:
        """A complete answer that the server ended of its own accord, or why there is none.

        An answer that was cut off at ``max_tokens`` is asked for again with twice as many, as
        long as the model can: cut-off JSON may look complete. A model that declines is not asked
        again: its fallback is, once.
        """
        while True:
            answered = await self._persistently(ask, say)
            if isinstance(answered, ClaudeFailure):
                return answered
            ended = _ending(answered, ask)
            if ended is None:
                return answered
            if ended.kind is Kind.REFUSED and ask.fallback not in ("", ask.model):
                say(f"{ask.model} declined; asking {ask.fallback}")
                ask = replace(ask, model=ask.fallback, fallback="")
                continue
            if ended.kind is not Kind.TRUNCATED or ask.max_tokens >= MOST_TOKENS:
                return ended
            ask = replace(ask, max_tokens=min(2 * ask.max_tokens, MOST_TOKENS))
            say(f"the answer was cut off; asking again for up to {ask.max_tokens:,} tokens")

    async def _persistently(self, ask: Ask, say: Say) -> Answered:
        tries, waited = 0, 0.0
        while True:
            try:
                return await self._once(ask, say)
            except ClaudeError as error:
                failure = error.failure
            if failure.kind is Kind.RATE_LIMITED and failure.retry:
                # A server that always says "in a moment" is not asked a thousand times.
                seconds = max(failure.wait, self._backoff(tries))
                if waited + seconds > self._longest_wait:
                    return _too_long(failure, seconds)
                waited += seconds
                tries += 1
                say(f"waiting {seconds:.0f} s: rate limit")
                self._pauses.hold_all(seconds, "rate limit", ask.item_id)
            elif failure.kind in TRANSIENT and failure.retry:
                tries += 1
                if tries >= TRIES:
                    return replace(
                        failure,
                        sentence=f"{failure.sentence} It was tried {tries} times; try again later.",
                    )
                seconds = max(failure.wait, self._backoff(tries - 1))
                if seconds > self._longest_wait:
                    return _too_long(failure, seconds)
                say(f"trying again in {seconds:.0f} s: {failure.kind.value}")
                with self._aside():
                    await self._pauses.alone(seconds, failure.kind.value, ask.item_id)
            else:
                return failure

    def _backoff(self, tries: int) -> float:
        return min(LONGEST_PAUSE, FIRST_PAUSE * float(2**tries)) * self._waits.jitter()

    async def _once(self, ask: Ask, say: Say) -> Reply:
        """One attempt, when its turn has come.

        Raises:
            ClaudeError: it failed.
        """
        async with AsyncExitStack() as stack:
            with self._aside():
                refused = await self._consent()
                if refused is not None:
                    raise ClaudeError(refused)
                started = await stack.enter_async_context(self._turn(ask))
                await stack.enter_async_context(self._slots)
                await self._pauses.over()
                held = await stack.enter_async_context(self._paid(ask))
            connection = await self.connection()
            return await self._attempt(connection, ask, held, started, say)

    @asynccontextmanager
    async def _turn(self, ask: Ask) -> AsyncIterator[Callable[[], None]]:
        """Let the first request with a new prefix go alone until the server begins to answer.

        Only then is its cache entry there; all at once would each pay for writing it.
        """
        key = ask.shared_prefix
        while (leader := self._leaders.get(key)) is not None and not leader.is_set():
            await leader.wait()
        if leader is not None:
            yield lambda: None
            return
        mine = self._leaders[key] = asyncio.Event()
        try:
            yield mine.set
        finally:
            if not mine.is_set():
                # It never began: the next one is the first.
                del self._leaders[key]
                mine.set()

    @asynccontextmanager
    async def _paid(self, ask: Ask) -> AsyncIterator[Reservation]:
        price = self.prices.of(ask.model)
        if price is None and self.budget.limit is not None:
            raise ClaudeError(price_unknown(ask.model, self.route.provider))
        most = (
            price.most(ask.size + UNSEEN_TOKENS, ask.max_tokens)
            if price is not None
            else Decimal(0)
        )
        try:
            async with self.budget.reserve(most) as held:
                if self._overcharged is not None:
                    raise ClaudeError(self._overcharged)
                yield held
        except OverBudgetError as error:
            raise ClaudeError(_over_budget(error)) from error

    async def _attempt(
        self,
        connection: Connection,
        ask: Ask,
        held: Reservation,
        started: Callable[[], None],
        say: Say,
    ) -> Reply:
        meter = Meter()
        begun = self._waits.now()
        outcome, stop_reason, model = "cancelled", "", ask.model
        speaker = _Speaker(say)
        try:
            reply = await connection.stream(
                ask, meter, Progress(started, speaker.thinking, speaker.writing)
            )
            outcome, stop_reason, model = "ok", reply.stop_reason, reply.model or ask.model
            return reply
        except ClaudeError as error:
            outcome = error.failure.kind.value
            raise
        finally:
            tokens = meter.tokens
            if tokens.estimated:
                # Text of long tokens looks like more of them than the request allows.
                tokens = replace(tokens, output=min(tokens.output, ask.max_tokens))
            # The price is that of the model that answered, where that is known.
            cost = self._cost(tokens, self.prices.of(model) or self.prices.of(ask.model))
            reported = None
            if self.budget.limit is not None and cost is not None and cost > held.amount:
                reported, cost = cost, held.amount
                self._overcharged = _overcharged(connection.host, reported, held.amount)
                say(self._overcharged.sentence)
            held.cost = cost or Decimal(0)
            self._watcher.called(
                CallRecord(
                    purpose=ask.purpose,
                    item_id=ask.item_id,
                    model=model,
                    effort=ask.effort,
                    tokens=tokens,
                    cost=cost,
                    seconds=self._waits.now() - begun,
                    outcome=outcome,
                    stop_reason=stop_reason,
                    request_id=meter.request_id,
                    prompt_hash=ask.prompt_hash,
                    schema_hash=digest(ask.schema),
                    reserved=held.amount,
                    reported=reported,
                )
            )

    def _cost(self, tokens: Tokens, price: ModelPrice | None) -> Decimal | None:
        """What an attempt costs; the most it can cost where a part of it has no price."""
        if price is None:
            return None
        cost = price.cost(tokens)
        return price.most(tokens.prompt, tokens.output) if cost is None else cost

    # --- around it --------------------------------------------------------------------------

    async def connection(self) -> Connection:
        """The connection, opened when it is first needed; opening sends nothing.

        Raises:
            ClaudeError: it cannot be opened.
        """
        async with self._opening:
            if self._connection is None:
                self._connection = await Connection.open(self.route)
            return self._connection

    async def count(self, ask: Ask) -> int:
        """Tokens of the prompt as the server counts them; it is sent for that.

        Raises:
            ClaudeError: nobody agreed, or it cannot be counted.
        """
        refused = await self._consent()
        if refused is not None:
            raise ClaudeError(refused)
        async with self._slots:
            return await (await self.connection()).count(ask)

    async def models(self) -> tuple[KnownModel, ...]:
        """The models the provider lists.

        Raises:
            ClaudeError: it cannot be asked.
        """
        return await (await self.connection()).models()

    async def aclose(self) -> None:
        """Close the connection; harmless when there is none."""
        self._pauses.close()
        if self._connection is not None:
            await self._connection.aclose()
            self._connection = None


class _Speaker:
    """Says how far an answer is, rarely enough for a screen and a journal."""

    def __init__(self, say: Say) -> None:
        self._say = say
        self._said = -1
        self._thinks = False

    def thinking(self) -> None:
        if not self._thinks:
            self._thinks = True
            self._say("thinking")

    def writing(self, characters: int) -> None:
        if self._said < 0 or characters - self._said >= 1_000:
            self._said = characters
            self._say(f"writing {characters:,} characters")


def price_unknown(model: str, provider: str) -> ClaudeFailure:
    """Why a dollar limit cannot be kept."""
    where = "" if provider == "api" else f" at the provider {provider}"
    return ClaudeFailure(
        Kind.PRICE_UNKNOWN,
        f"The price of {model}{where} is not known, so no limit in dollars can be kept: run "
        "without --max-cost, or put its price into claude-prices.toml.",
    )


def _over_budget(error: OverBudgetError) -> ClaudeFailure:
    return ClaudeFailure(
        Kind.BUDGET_REACHED,
        f"The limit of ${error.limit:.2f} leaves no room for another call: "
        f"${error.spent:.4f} is spent and the next one could cost up to ${error.wanted:.4f}; "
        "raise --max-cost and continue with --resume.",
    )


def _overcharged(host: str, reported: Decimal, most: Decimal) -> ClaudeFailure:
    """Why no limit can be kept with this server."""
    return ClaudeFailure(
        Kind.BUDGET_REACHED,
        f"{host} reports tokens for ${reported:.4f} after a call that allows at most ${most:.4f}: "
        "with it no limit in dollars can be kept, so no further call is made; check "
        "claude.base_url, or continue without --max-cost.",
    )


def _too_long(failure: ClaudeFailure, seconds: float) -> ClaudeFailure:
    return replace(
        failure,
        sentence=f"{failure.sentence} It asks to wait {seconds:.0f} seconds, more than "
        "claude.longest_wait allows; continue later with --resume.",
        wait=seconds,
    )


def _ending(reply: Reply, ask: Ask) -> ClaudeFailure | None:
    """What the reason for which an answer ended means; ``None``: it is complete."""
    if reply.stop_reason in ("end_turn", "stop_sequence"):
        return None
    kind, sentence = _ENDINGS.get(
        reply.stop_reason,
        (
            Kind.UNEXPECTED,
            "{model} stopped for a reason this version does not know "
            f"('{reply.stop_reason[:40]}').",
        ),
    )
    about = f" (category: {reply.refusal[:40]})" if reply.refusal else ""
    return ClaudeFailure(
        kind, sentence.format(model=ask.model, about=about), request_id=reply.request_id
    )


_ENDINGS = {
    "max_tokens": (
        Kind.TRUNCATED,
        "{model} did not finish its answer within the tokens it may use; raise max_tokens, lower "
        "effort, or split the procedure.",
    ),
    "refusal": (
        Kind.REFUSED,
        "{model} declined to work on this procedure{about}; set another model, use the compiler, "
        "or write the model by hand.",
    ),
    "model_context_window_exceeded": (
        Kind.CONTEXT_FULL,
        "The procedure and its context do not fit into what {model} can read; split it.",
    ),
}
