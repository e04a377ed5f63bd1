"""One JSON request to a hosting service: bounded, without redirects, its failures as sentences.

A redirect is never followed: it would carry the token to whatever host it names. No message
holds a token or a header.
"""

from __future__ import annotations

import json
import socket
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from http.client import HTTPException, HTTPMessage
from typing import IO, Any
from urllib.parse import urlsplit

from core.git.hosting.contract import HostingError
from core.version import VERSION

TIMEOUT = 30.0
"""Seconds until a service that does not answer is given up."""

_MOST_BYTES = 8_000_000


@dataclass(frozen=True)
class Answer:
    """What the service answered: status, headers (lower-case names) and the parsed JSON."""

    status: int
    headers: Mapping[str, str]
    data: Any
    """``None`` when the body is empty or is no JSON."""
    is_json: bool

    @property
    def ok(self) -> bool:
        """Whether the service did it. 203 is Azure DevOps' sign-in page, not a success."""
        return 200 <= self.status < 300 and self.status != 203 and self.is_json


class Client:
    """Talks to one API root with one set of headers; ``name`` is what messages call it."""

    def __init__(
        self, name: str, root: str, headers: Mapping[str, str], timeout: float = TIMEOUT
    ) -> None:
        """``headers`` may hold the token; they go to ``root``'s host and nowhere else."""
        self.name = name
        self.root = root
        self._headers = dict(headers)
        self._timeout = timeout
        self._open: Callable[..., Any] = urllib.request.build_opener(_NoRedirect).open

    def send(self, method: str, path: str, body: object | None = None) -> Answer:
        """Send one request and return the answer, whatever its status.

        Raises:
            HostingError: no answer came.
        """
        data = None if body is None else json.dumps(body).encode("utf-8")
        request = urllib.request.Request(self.root + path, data=data, method=method)
        for key, value in self._headers.items():
            request.add_unredirected_header(key, value)
        request.add_header("User-Agent", f"proc2dbt/{VERSION}")
        request.add_header("Accept", "application/json")
        if data is not None:
            request.add_header("Content-Type", "application/json")
        try:
            with self._open(request, timeout=self._timeout) as response:
                return _answer(response.status, dict(response.headers.items()), response)
        except urllib.error.HTTPError as error:
            with error:
                return _answer(error.code, dict(error.headers.items()), error)
        except (TimeoutError, socket.timeout) as error:  # noqa: UP041
            raise HostingError(self._silent()) from error
        except urllib.error.URLError as error:
            if isinstance(error.reason, TimeoutError):
                raise HostingError(self._silent()) from error
            raise HostingError(
                f"{self.name} at {self._host} could not be reached ({error.reason}); check the "
                "network, the proxy and the remote's URL"
            ) from error
        except (OSError, HTTPException, ValueError) as error:
            raise HostingError(
                f"{self.name} at {self._host} broke off the connection "
                f"({type(error).__name__}); try again"
            ) from error

    def get(self, path: str, doing: str) -> Any:
        """The JSON of a resource.

        Raises:
            HostingError: the service refused; the sentence names ``doing``.
        """
        return self.expect(self.send("GET", path), doing)

    def expect(self, answer: Answer, doing: str) -> Any:
        """The JSON of a successful answer.

        Raises:
            HostingError: any other answer, as a sentence that names ``doing``.
        """
        if answer.ok:
            return answer.data
        raise HostingError(self.sentence(answer, doing))

    def sentence(self, answer: Answer, doing: str) -> str:
        """Why an answer is a refusal, and what to do about it."""
        what = f"{self.name} at {self._host} would not {doing}"
        limit = _rate_limit(answer)
        if limit is not None:
            return f"{what}: the rate limit is used up{limit}"
        told = _told(answer)
        if answer.status == 401 or answer.status == 203 or _is_sign_in(answer):
            return f"{what}: it does not accept the token (HTTP {answer.status}); renew the token"
        if answer.status == 403:
            return f"{what}: the token may not do that (HTTP 403{told}); give it the right to"
        if answer.status == 404:
            return (
                f"{what}: it does not show this repository to the token (HTTP 404); check the "
                "remote's URL and the token's rights"
            )
        if 300 <= answer.status < 400:
            return (
                f"{what}: it redirects to another address (HTTP {answer.status}), which is not "
                "followed with a token; set the remote's URL to the repository's present address"
            )
        if answer.status >= 500:
            return (
                f"{what}: it has a fault of its own (HTTP {answer.status}{told}); try again later"
            )
        if not answer.is_json:
            return (
                f"{what}: it answered with something that is not JSON (HTTP {answer.status}); a "
                "proxy or a sign-in page may be in between"
            )
        return f"{what} (HTTP {answer.status}{told})"

    @property
    def _host(self) -> str:
        return urlsplit(self.root).netloc

    def _silent(self) -> str:
        return (
            f"{self.name} at {self._host} did not answer within {self._timeout:g} seconds; check "
            "the network and try again"
        )


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """Lets a redirect be an answer like any other."""

    def redirect_request(
        self,
        req: urllib.request.Request,
        fp: IO[bytes],
        code: int,
        msg: str,
        headers: HTTPMessage,
        newurl: str,
    ) -> None:
        return None


def _answer(status: int, headers: Mapping[str, str], body: Any) -> Answer:
    raw = body.read(_MOST_BYTES)
    lowered = {key.lower(): value for key, value in headers.items()}
    if not raw.strip():
        return Answer(status, lowered, None, is_json=True)
    try:
        return Answer(status, lowered, json.loads(raw), is_json=True)
    except ValueError:
        return Answer(status, lowered, None, is_json=False)


def _rate_limit(answer: Answer) -> str | None:
    """When to try again, if the answer is a used-up rate limit.

    https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api
    """
    used_up = answer.headers.get("x-ratelimit-remaining") == "0"
    wait = answer.headers.get("retry-after", "")
    if answer.status != 429 and not (answer.status == 403 and (used_up or wait)):
        return None
    if wait.isdigit():
        return f"; try again in {wait} seconds"
    reset = answer.headers.get("x-ratelimit-reset") or answer.headers.get("ratelimit-reset", "")
    if reset.isdigit() and len(reset) < 12:
        moment = datetime.fromtimestamp(int(reset), UTC)
        return f"; try again after {moment:%Y-%m-%d %H:%M} UTC"
    return "; try again later"


def _is_sign_in(answer: Answer) -> bool:
    return answer.status == 302 and "signin" in answer.headers.get("location", "").lower()


def _told(answer: Answer) -> str:
    """What the service itself says, in one short line."""
    data = answer.data
    if not isinstance(data, dict):
        return ""
    parts: list[str] = []
    for value in (data.get("message"), data.get("error"), data.get("errors")):
        parts += _texts(value)
    text = " ".join("; ".join(dict.fromkeys(parts)).split())
    return f", it says: {text[:200]}" if text else ""


def _texts(value: object) -> list[str]:
    if isinstance(value, str):
        return [value]
    if isinstance(value, list):
        return [text for item in value for text in _texts(item)]
    if isinstance(value, dict):
        if isinstance(value.get("message"), str):
            return [value["message"]]
        named = [f"{key}: {text}" for key, item in value.items() for text in _texts(item)]
        return [", ".join(named)] if named else []
    return []
