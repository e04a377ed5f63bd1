"""Recording and replaying exchanges with the API: one JSON line each, without secrets.

An exchange is known by method, path and the canonical body of its request, so a prompt may hold no
clock, no random value and no temporary path. Request headers are not kept at all, and of the
response only four. What is in a body was masked before it came here (``core.claude.masking``).
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.claude.call import canonical, digest
from core.claude.failure import ClaudeError, ClaudeFailure, Kind

if TYPE_CHECKING:
    import httpx2

FILE = "exchanges.jsonl"
KEPT_HEADERS = ("content-type", "request-id", "retry-after", "x-should-retry")


@dataclass(frozen=True)
class Exchange:
    """One request and its response."""

    method: str
    path: str
    body: Any
    status: int
    headers: Mapping[str, str]
    response: str

    @property
    def key(self) -> str:
        """By which a replay finds it."""
        return exchange_key(self.method, self.path, self.body)

    def line(self) -> str:
        """As it stands in the file."""
        return canonical(
            {
                "method": self.method,
                "path": self.path,
                "body": self.body,
                "status": self.status,
                "headers": dict(self.headers),
                "response": self.response,
            }
        )


def exchange_key(method: str, path: str, body: Any) -> str:
    """The name of a request, whatever provider's path it goes under."""
    _, found, rest = path.partition("/v1/")
    return digest([method.upper(), rest if found else path, body])


def read_exchanges(folder: Path) -> list[Exchange]:
    """The exchanges of a folder, in the order in which they were recorded.

    Raises:
        ClaudeError: the file is not there or a line of it cannot be read.
    """
    file = folder / FILE
    try:
        lines = file.read_text("utf-8").splitlines()
    except OSError as error:
        raise ClaudeError(
            ClaudeFailure(
                Kind.CASSETTE_MISS,
                f"There is nothing to replay in {folder}: {FILE} cannot be read "
                f"({error.strerror or error}).",
            )
        ) from error
    exchanges = []
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            entry = json.loads(line)
            exchanges.append(Exchange(**entry))
        except (ValueError, TypeError) as error:
            raise ClaudeError(
                ClaudeFailure(
                    Kind.CASSETTE_MISS,
                    f"{file} line {number} is not a recorded exchange; record it again.",
                )
            ) from error
    return exchanges


def replay_transport(folder: Path) -> httpx2.AsyncBaseTransport:
    """A transport that answers from a folder and never opens a socket.

    Raises:
        ClaudeError: there is nothing to replay.
    """
    import httpx2

    recorded: dict[str, list[Exchange]] = defaultdict(list)
    every = read_exchanges(folder)
    for exchange in every:
        recorded[exchange.key].append(exchange)

    def answer(request: httpx2.Request) -> httpx2.Response:
        body = _body(request)
        left = recorded.get(exchange_key(request.method, request.url.path, body))
        if not left:
            raise ClaudeError(
                ClaudeFailure(Kind.CASSETTE_MISS, _miss(folder, request.url.path, body, every))
            )
        exchange = left.pop(0) if len(left) > 1 else left[0]
        return httpx2.Response(
            exchange.status, headers=dict(exchange.headers), content=exchange.response.encode()
        )

    return httpx2.MockTransport(answer)


def recording_transport(
    folder: Path, inner: httpx2.AsyncBaseTransport
) -> httpx2.AsyncBaseTransport:
    """A transport that passes everything on and appends each complete exchange to a folder."""
    import httpx2

    folder.mkdir(parents=True, exist_ok=True)

    class Tee(httpx2.AsyncByteStream):
        def __init__(self, response: httpx2.Response, request: httpx2.Request) -> None:
            self._response = response
            self._request = request
            self._chunks: list[bytes] = []

        async def __aiter__(self) -> AsyncIterator[bytes]:
            # Decoded, so that the file can be read; the copy that is passed on says so.
            async for chunk in self._response.aiter_bytes():
                self._chunks.append(chunk)
                yield chunk
            self._keep()

        def _keep(self) -> None:
            exchange = Exchange(
                self._request.method,
                self._request.url.path,
                _body(self._request),
                self._response.status_code,
                _kept(self._response.headers),
                b"".join(self._chunks).decode("utf-8", errors="replace"),
            )
            with (folder / FILE).open("a", encoding="utf-8", newline="\n") as stream:
                stream.write(exchange.line() + "\n")

        async def aclose(self) -> None:
            await self._response.aclose()

    class Recorder(httpx2.AsyncBaseTransport):
        async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
            response = await inner.handle_async_request(request)
            response.request = request
            headers = {
                name: value
                for name, value in response.headers.items()
                if name.lower() not in ("content-encoding", "content-length", "transfer-encoding")
            }
            return httpx2.Response(
                response.status_code, headers=headers, stream=Tee(response, request)
            )

        async def aclose(self) -> None:
            await inner.aclose()

    return Recorder()


def _body(request: httpx2.Request) -> Any:
    try:
        return json.loads(request.content or b"null")
    except ValueError:
        return None


def _kept(headers: Any) -> dict[str, str]:
    return {name: headers[name] for name in KEPT_HEADERS if name in headers}


def _miss(folder: Path, path: str, body: Any, every: list[Exchange]) -> str:
    """What differs from the recorded request that is closest: the first part that changed."""
    if not isinstance(body, dict):
        return f"No exchange in {folder} answers {path}."
    differences = [
        [part for part in _parts(body) if _parts(body).get(part) != _parts(e.body).get(part)]
        for e in every
        if isinstance(e.body, dict) and e.path.rpartition("/")[2] == path.rpartition("/")[2]
    ]
    closest = min(differences, key=len, default=None)
    if not closest:
        return f"No exchange in {folder} answers {path}; record it again with --record."
    return (
        f"No exchange in {folder} answers this request: {', '.join(closest[:3])} "
        f"{'differs' if len(closest) == 1 else 'differ'} from what was recorded; record it again "
        "with --record."
    )


def _parts(body: Mapping[str, Any]) -> dict[str, str]:
    """A request cut into the parts that are worth naming when they differ."""
    parts = {k: canonical(v) for k, v in body.items() if k not in ("system", "messages")}
    for number, block in enumerate(body.get("system") or ()):
        parts[f"system block {number + 1}"] = canonical(block)
    for message in body.get("messages") or ():
        content = message.get("content") if isinstance(message, dict) else None
        for number, block in enumerate(content if isinstance(content, list) else ()):
            parts[f"prompt block {number + 1}"] = canonical(block)
    return parts
