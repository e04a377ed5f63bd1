"""The only module that imports ``anthropic``: one client of one provider, and one streamed call.

The SDK resolves the credentials. Its own retries, logs and traces are off: it would sleep out any
``retry-after`` unseen, print whole prompts under ``ANTHROPIC_LOG=debug``, and take a stream that
ends without ``message_stop`` for a complete answer.
"""

from __future__ import annotations

import asyncio
import logging
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from core.claude.call import Ask, Meter, Reply
from core.claude.cassette import recording_transport, replay_transport
from core.claude.errors import Place, failure_of, not_the_api, packages_missing
from core.claude.failure import ClaudeError, ClaudeFailure, Kind
from core.claude.prices import Tokens

READ_SECONDS = 150.0
"""The longest gap between two bytes; a server that thinks sends pings."""
CONNECT_SECONDS = 10.0
ANSWER_SECONDS = 1_800.0
"""The longest one answer may take in all: pings alone would keep a call alive for ever."""
MOST_CHARACTERS = 4_000_000
"""More than any model can write in one answer (128,000 tokens); beyond it, nothing is kept."""
CHARACTERS_PER_TOKEN = 3
"""A guess for answers that were cut off; what it gives is marked as estimated."""

_CLASSES = {
    "api": "AsyncAnthropic",
    "aws": "AsyncAnthropicAWS",
    "google": "AsyncAnthropicGoogleCloud",
    "bedrock": "AsyncAnthropicBedrockMantle",
    "vertex": "AsyncAnthropicVertex",
    "foundry": "AsyncAnthropicFoundry",
}
_TALKATIVE = ("anthropic", "httpx2", "httpcore2")


@dataclass(frozen=True)
class Route:
    """How Claude is reached. At most one of ``record`` and ``replay`` is set."""

    provider: str = "api"
    base_url: str | None = None
    record: Path | None = None
    replay: Path | None = None
    read_seconds: float = READ_SECONDS
    answer_seconds: float = ANSWER_SECONDS


@dataclass(frozen=True)
class Progress:
    """Told while an answer arrives: ``started`` once, the others as often as something comes."""

    started: Callable[[], None]
    thinking: Callable[[], None]
    writing: Callable[[int], None]


@dataclass(frozen=True)
class KnownModel:
    """A model as the provider lists it."""

    name: str
    structured_outputs: bool | None = None


class Connection:
    """A client with its connection pool; all calls of a run share one."""

    def __init__(self, client: Any, route: Route) -> None:
        self._client = client
        self._route = route

    @classmethod
    async def open(cls, route: Route) -> Connection:
        """Import the SDK and make a client, in a thread: it takes seconds.

        Raises:
            ClaudeError: the provider's extra is missing, credentials or settings do not do.
        """
        return cls(await asyncio.to_thread(_client, route), route)

    @property
    def host(self) -> str:
        """Where requests really go, whatever the environment says."""
        if self._route.replay is not None:
            return f"recordings in {self._route.replay}"
        return urlsplit(str(self._client.base_url)).netloc

    @property
    def credentials(self) -> str:
        """Where the credentials come from, for people; empty when there are none."""
        if getattr(self._client, "api_key", None):
            return "an API key"
        if getattr(self._client, "auth_token", None):
            return "an auth token"
        if getattr(self._client, "credentials", None) is not None:
            return "a profile or identity token"
        return "" if self._route.provider == "api" else f"the {self._route.provider} SDK"

    def _place(self, model: str) -> Place:
        return Place(self.host or self._route.provider, model, self._route.provider)

    async def stream(self, ask: Ask, meter: Meter, progress: Progress) -> Reply:
        """One attempt: a complete answer, however it was ended.

        Raises:
            ClaudeError: for everything that can go wrong; cancellation passes through.
        """
        place = self._place(ask.model)
        try:
            async with asyncio.timeout(self._route.answer_seconds):
                return await self._stream(ask, meter, progress, place)
        except TimeoutError as error:
            raise ClaudeError(
                ClaudeFailure(
                    Kind.STALLED,
                    f"{place.host} did not finish its answer within "
                    f"{self._route.answer_seconds:g} seconds.",
                )
            ) from error
        except Exception as error:
            raise ClaudeError(failure_of(error, place)) from error

    async def _stream(self, ask: Ask, meter: Meter, progress: Progress, place: Place) -> Reply:
        stream = await self._client.messages.create(**ask.body(), stream=True)
        answer = _Answer(meter, progress)
        async with stream:
            headers = stream.response.headers
            meter.request_id = headers.get("request-id", "")
            content_type = headers.get("content-type", "")
            if not content_type.startswith(("text/event-stream", "application/vnd.amazon")):
                raise ClaudeError(not_the_api(content_type, place))
            async for event in stream:
                answer.take(event)
                if meter.characters > MOST_CHARACTERS:
                    raise ClaudeError(_endless(place))
        if not answer.complete:
            raise ClaudeError(
                ClaudeFailure(
                    Kind.INTERRUPTED, f"The answer of {place.host} ended before it was complete."
                )
            )
        return answer.reply()

    async def count(self, ask: Ask) -> int:
        """How many tokens the prompt has; free of charge, but it sends the prompt.

        Raises:
            ClaudeError: it cannot be counted.
        """
        body = ask.body()
        del body["max_tokens"]
        try:
            counted = await self._client.messages.count_tokens(**body)
            return int(counted.input_tokens)
        except Exception as error:
            raise ClaudeError(failure_of(error, self._place(ask.model))) from error

    async def models(self) -> tuple[KnownModel, ...]:
        """The models the provider lists.

        Raises:
            ClaudeError: it does not list any, or cannot be asked.
        """
        listing = getattr(self._client, "models", None)
        if listing is None or self._route.provider in ("bedrock", "vertex"):
            raise ClaudeError(
                ClaudeFailure(
                    Kind.BAD_REQUEST, f"{self._route.provider} has no list of models to ask."
                )
            )
        try:
            found = []
            async for model in listing.list():
                capabilities = getattr(model, "capabilities", None)
                able = getattr(capabilities, "structured_outputs", None)
                supported = getattr(able, "supported", able)
                known = supported if isinstance(supported, bool) else None
                found.append(KnownModel(str(model.id), known))
                if len(found) >= 200:
                    break
            return tuple(found)
        except Exception as error:
            raise ClaudeError(failure_of(error, self._place(""))) from error

    async def aclose(self) -> None:
        """Close every socket."""
        await self._client.close()


class _Answer:
    """An answer as it arrives, block by block; thinking comes first and is not kept."""

    def __init__(self, meter: Meter, progress: Progress) -> None:
        self._meter = meter
        self._progress = progress
        self._texts: dict[int, list[str]] = {}
        self._model = ""
        self._stop_reason = ""
        self._refusal = ""
        self._stopped = False
        self._written = 0

    @property
    def complete(self) -> bool:
        """Whether the server said why and that it stopped: only then is it an answer."""
        return self._stopped and bool(self._stop_reason)

    def take(self, event: Any) -> None:
        """One event of the stream; kinds that are not known are passed over."""
        match event.type:
            case "message_start":
                self._model = str(event.message.model or "")
                self._usage(event.message.usage)
                self._meter.started = True
                self._progress.started()
            case "content_block_start" if getattr(event.content_block, "type", "") == "text":
                self._text(event.index, event.content_block.text or "")
            case "content_block_delta":
                self._delta(event)
            case "message_delta":
                self._stop_reason = str(event.delta.stop_reason or "")
                details = getattr(event.delta, "stop_details", None)
                self._refusal = str(getattr(details, "category", None) or "")
                self._usage(event.usage)
            case "message_stop":
                self._stopped = True

    def reply(self) -> Reply:
        """The finished answer."""
        text = "".join("".join(parts) for _, parts in sorted(self._texts.items()))
        return Reply(text, self._stop_reason, self._model, self._meter.request_id, self._refusal)

    def _delta(self, event: Any) -> None:
        kind = getattr(event.delta, "type", "")
        if kind == "text_delta":
            self._text(event.index, event.delta.text or "")
        elif kind in ("thinking_delta", "signature_delta"):
            self._meter.characters += len(getattr(event.delta, "thinking", "") or "")
            self._estimate()
            self._progress.thinking()

    def _text(self, index: int, text: str) -> None:
        self._texts.setdefault(index, []).append(text)
        self._meter.characters += len(text)
        self._written += len(text)
        self._estimate()
        if text:
            self._progress.writing(self._written)

    def _usage(self, usage: Any) -> None:
        """Counts as the server gives them; the last word is the one in ``message_delta``."""
        before = self._meter.tokens

        def count(name: str, default: int, source: Any = usage) -> int:
            value = getattr(source, name, None)
            return value if isinstance(value, int) and value >= 0 else default

        written = getattr(usage, "cache_creation", None)
        total = count("cache_creation_input_tokens", before.written_5m + before.written_1h)
        hour = count("ephemeral_1h_input_tokens", min(before.written_1h, total), written)
        self._meter.tokens = Tokens(
            uncached=count("input_tokens", before.uncached),
            written_5m=max(0, total - hour),
            written_1h=hour,
            read=count("cache_read_input_tokens", before.read),
            output=count("output_tokens", before.output),
        )

    def _estimate(self) -> None:
        """What was received so far must have been made: the count in case it breaks off here."""
        tokens = self._meter.tokens
        made = -(-self._meter.characters // CHARACTERS_PER_TOKEN)
        if made > tokens.output:
            self._meter.tokens = Tokens(
                tokens.uncached, tokens.written_5m, tokens.written_1h, tokens.read, made, True
            )


def _endless(place: Place) -> ClaudeFailure:
    return ClaudeFailure(
        Kind.NOT_THE_API,
        f"{place.host} sends more than {place.model} can write: what answers there is not the "
        "Messages API; check claude.base_url and the proxy.",
    )


def _client(route: Route) -> Any:
    """Make the provider's client; runs in a thread."""
    try:
        import anthropic
        import httpx2
    except ImportError as error:
        raise ClaudeError(
            ClaudeFailure(
                Kind.PROVIDER_MISSING,
                "The package anthropic is not installed; install it with `pip install anthropic`.",
            )
        ) from error
    _hush()
    options: dict[str, Any] = {
        "max_retries": 0,
        "open_telemetry": False,
        "timeout": httpx2.Timeout(
            connect=CONNECT_SECONDS, read=route.read_seconds, write=60.0, pool=600.0
        ),
    }
    transport: dict[str, Any] = {}
    provider = route.provider
    if route.replay is not None:
        # Recordings are of one shape whoever served them, and need no credentials.
        provider = "api"
        options |= {"api_key": "replay", "base_url": "http://replay.invalid"}
        transport["transport"] = replay_transport(route.replay)
    elif route.base_url:
        options["base_url"] = route.base_url
    if route.record is not None:
        inner = httpx2.AsyncHTTPTransport(proxy=_proxy(route.base_url))
        transport["transport"] = recording_transport(route.record, inner)
    # The SDK follows redirects, and repeats the prompt to whatever host they name: one that
    # nobody agreed to.
    options["http_client"] = anthropic.DefaultAsyncHttpxClient(follow_redirects=False, **transport)
    try:
        client = getattr(anthropic, _CLASSES[provider])(**options)
    except ClaudeError:
        raise
    except Exception as error:
        raise ClaudeError(_unmakeable(provider, error)) from error
    _hush()
    return client


def _unmakeable(provider: str, error: Exception) -> ClaudeFailure:
    missing = isinstance(error, ImportError | AttributeError)
    if missing or type(error).__name__.startswith("MissingDependency"):
        return packages_missing(provider)
    said = str(error).partition("\n")[0].rstrip(".")[:300]
    return ClaudeFailure(
        Kind.NO_CREDENTIALS, f"The provider {provider} cannot be used as it is set up: {said}."
    )


def _proxy(base_url: str | None) -> str | None:
    """The environment's proxy: a transport of our own does not look for it by itself."""
    parts = urlsplit(base_url or "https://api.anthropic.com")
    if urllib.request.proxy_bypass(parts.hostname or ""):
        return None
    return urllib.request.getproxies().get(parts.scheme)


class _Nothing(logging.Filter):
    """Lets no record through below a warning."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Debug records of the SDK hold whole requests."""
        return record.levelno >= logging.WARNING


def _hush() -> None:
    """Keep prompts and keys out of logs, whatever ``ANTHROPIC_LOG`` or a log set-up says.

    Loggers made later by these packages hand their records up to the ones that end here.
    """
    quiet = _Nothing()
    for name in _TALKATIVE:
        logger = logging.getLogger(name)
        logger.propagate = False
        logger.handlers = [logging.NullHandler()]
        below = [n for n in logging.root.manager.loggerDict if n.startswith(f"{name}.")]
        for each in (name, *below):
            found = logging.getLogger(each)
            if not any(isinstance(f, _Nothing) for f in found.filters):
                found.addFilter(quiet)
