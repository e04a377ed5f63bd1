"""From whatever the SDK raises to a :class:`ClaudeFailure`; nothing else looks at its errors.

Errors are told apart by status and ``type``, not by class: an error event inside a stream is an
``APIStatusError`` with status 200, and failures in the middle of a stream are bare ``httpx2``
exceptions (the SDK's own behaviour, checked against 2.13). Sentences never quote a request.
"""

from __future__ import annotations

import email.utils
import re
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from core.claude.failure import ClaudeError, ClaudeFailure, Kind
from core.project.names import printable

_SPEND_CODES = ("spend_limit", "credit_balance", "billing")
_SPEND_WORDS = ("api usage limits", "credit balance", "spend limit", "billing")
_TOO_LONG = ("prompt is too long", "too many tokens", "exceeds the maximum", "context window")
_KEY = re.compile(r"sk-ant-[\w-]+|Bearer\s+\S+", re.IGNORECASE)

_BY_TYPE: Mapping[str, Kind] = {
    "overloaded_error": Kind.OVERLOADED,
    "rate_limit_error": Kind.RATE_LIMITED,
    "api_error": Kind.SERVER,
    "timeout_error": Kind.SERVER,
    "authentication_error": Kind.AUTH,
    "permission_error": Kind.FORBIDDEN,
    "billing_error": Kind.SPEND_LIMIT,
    "not_found_error": Kind.NOT_FOUND,
    "request_too_large": Kind.TOO_LARGE,
    "invalid_request_error": Kind.BAD_REQUEST,
}
_BY_STATUS: Mapping[int, Kind] = {
    401: Kind.AUTH,
    402: Kind.SPEND_LIMIT,
    403: Kind.FORBIDDEN,
    404: Kind.NOT_FOUND,
    408: Kind.SERVER,
    409: Kind.SERVER,
    413: Kind.TOO_LARGE,
    429: Kind.RATE_LIMITED,
    529: Kind.OVERLOADED,
}


@dataclass(frozen=True)
class Place:
    """Where a request went: for the sentences."""

    host: str
    model: str
    provider: str = "api"


_EXTRAS = {
    "aws": "aws",
    "google": "google_cloud",
    "bedrock": "bedrock",
    "vertex": "vertex",
}


def packages_missing(provider: str) -> ClaudeFailure:
    """The SDK lacks what a partner cloud's way of signing in needs."""
    return ClaudeFailure(
        Kind.PROVIDER_MISSING,
        f"The provider {provider} needs packages that are not installed; install them with "
        f"`pip install 'anthropic[{_EXTRAS.get(provider, provider)}]'`.",
    )


def failure_of(error: BaseException, place: Place) -> ClaudeFailure:
    """What an exception of a call means."""
    carried = next((e for e in _chain(error) if isinstance(e, ClaudeError)), None)
    if carried is not None:
        return carried.failure
    status = getattr(error, "status_code", None)
    if isinstance(status, int):
        return _status_failure(error, status, place)
    names = {cls.__name__ for e in _chain(error) for cls in type(e).__mro__}
    if names & {"MissingDependencyError", "ImportError"}:
        return packages_missing(place.provider)
    if names & {"CredentialsError", "IdentityTokenFileError"} or _no_credentials(error):
        return _no_key(place)
    if names & {"APITimeoutError", "ReadTimeout", "WriteTimeout", "PoolTimeout"}:
        return ClaudeFailure(Kind.STALLED, f"{place.host} stopped answering.")
    if "ConnectTimeout" in names or "APIConnectionError" in names or "ConnectError" in names:
        return ClaudeFailure(
            Kind.CONNECTION,
            f"{place.host} cannot be reached; check the network, the proxy and claude.base_url.",
        )
    module = type(error).__module__.partition(".")[0]
    if module in ("httpx2", "httpcore2") or isinstance(error, ValueError | OSError):
        return ClaudeFailure(
            Kind.INTERRUPTED, f"The answer of {place.host} broke off in the middle."
        )
    return ClaudeFailure(
        Kind.UNEXPECTED,
        f"The call to {place.host} failed in a way this version does not know "
        f"({type(error).__name__}); run `proc2dbt claude doctor`.",
    )


def _chain(error: BaseException) -> Iterator[BaseException]:
    seen: list[BaseException] = []
    current: BaseException | None = error
    while current is not None and current not in seen:
        seen.append(current)
        yield current
        current = current.__cause__ or current.__context__


def _no_credentials(error: BaseException) -> bool:
    return isinstance(error, TypeError) and "authentication" in str(error).lower()


def _no_key(place: Place) -> ClaudeFailure:
    return ClaudeFailure(
        Kind.NO_CREDENTIALS,
        f"There are no credentials for {place.host}: set ANTHROPIC_API_KEY, or sign in with "
        "`ant auth login`; `proc2dbt claude doctor` says what it finds.",
    )


def _status_failure(error: BaseException, status: int, place: Place) -> ClaudeFailure:
    headers = _headers(error)
    if 300 <= status < 400:
        return _redirected(str(headers.get("location", "")), place)
    kind = _kind(error, status)
    return ClaudeFailure(
        kind,
        _sentence(kind, status, _said(error), place),
        wait=retry_after(headers) if kind in (Kind.RATE_LIMITED, Kind.OVERLOADED) else 0.0,
        retry=str(headers.get("x-should-retry", "")).lower() != "false",
        request_id=str(getattr(error, "request_id", None) or ""),
    )


def _kind(error: BaseException, status: int) -> Kind:
    code = str(getattr(error, "error_code", None) or "").lower()
    said = str(getattr(error, "api_message", None) or "").lower()
    named = _BY_TYPE.get(str(getattr(error, "type", None) or ""))
    if any(part in code for part in _SPEND_CODES):
        return Kind.SPEND_LIMIT
    if status in (400, 429) and any(words in said for words in _SPEND_WORDS):
        return Kind.SPEND_LIMIT
    if status == 400 and any(words in said for words in _TOO_LONG):
        return Kind.TOO_LARGE
    if status in _BY_STATUS:
        return _BY_STATUS[status]
    if status >= 500:
        return named if named in (Kind.OVERLOADED, Kind.RATE_LIMITED) else Kind.SERVER
    if named is not None:
        return named
    return Kind.INTERRUPTED if status == 200 else Kind.BAD_REQUEST


def _sentence(kind: Kind, status: int, said: str, place: Place) -> str:
    host, model = place.host, place.model
    quoted = f' It says: "{said}".' if said else ""
    sentences: Mapping[Kind, str] = {
        Kind.RATE_LIMITED: f"{host} limits how many requests it takes.",
        Kind.SPEND_LIMIT: f"The account at {host} has reached a spending limit or has no credit "
        f"left; raise it in the console and continue with --resume.{quoted}",
        Kind.OVERLOADED: f"{host} is overloaded.",
        Kind.SERVER: f"{host} answers with an error of its own (status {status}).",
        Kind.AUTH: f"{host} does not accept the credentials; check ANTHROPIC_API_KEY or sign in "
        "again with `ant auth login`.",
        Kind.FORBIDDEN: f"{host} does not let this account use {model}; ask who administers it, "
        f"or set another model under [claude.author] or [claude.reviewer].{quoted}",
        Kind.NOT_FOUND: f"{host} does not know the model {model}; set another one under "
        "[claude.author] or [claude.reviewer], or check claude.base_url.",
        Kind.TOO_LARGE: f"The procedure and its context are too long for {model}; split the "
        "procedure, or use the compiler for this table.",
        Kind.BAD_REQUEST: f"{host} refused the request (status {status}); the model {model} may "
        f"not support what proc2dbt asks for.{quoted}",
    }
    return sentences.get(kind, f"The answer of {host} broke off with an error.{quoted}")


def _said(error: BaseException) -> str:
    said = printable(str(getattr(error, "api_message", None) or ""))
    return _KEY.sub("***", said)[:200].rstrip(". ")


def _headers(error: BaseException) -> Mapping[str, Any]:
    response = getattr(error, "response", None)
    headers = getattr(response, "headers", None)
    return headers if headers is not None else {}


def retry_after(headers: Mapping[str, Any]) -> float:
    """Seconds a server asks to wait: ``retry-after-ms``, ``retry-after`` as number or date."""
    for name, scale in (("retry-after-ms", 1000.0), ("retry-after", 1.0)):
        try:
            seconds = float(headers[name]) / scale
        except (KeyError, ValueError):
            continue
        return seconds if 0 <= seconds < 10**9 else 0.0
    parsed = email.utils.parsedate_tz(str(headers.get("retry-after", "")))
    if parsed is None:
        return 0.0
    return max(0.0, email.utils.mktime_tz(parsed) - time.time())


def _redirected(location: str, place: Place) -> ClaudeFailure:
    """A redirect is not followed: nobody agreed that texts are sent to where it points."""
    host = printable(urlsplit(location).netloc)[:100] or "another path"
    return ClaudeFailure(
        Kind.NOT_THE_API,
        f"{place.host} sends requests on to {host}, which was not agreed to; nothing was sent "
        "there. Check claude.base_url and the proxy.",
    )


def not_the_api(content_type: str, place: Place) -> ClaudeFailure:
    """A good status with something else than a stream of events: a proxy's page."""
    what = "a web page" if "html" in content_type else f"'{printable(content_type)[:60]}'"
    return ClaudeFailure(
        Kind.NOT_THE_API,
        f"{place.host} answered with {what} instead of the Messages API: a proxy or a sign-in "
        "page is in between, or claude.base_url is wrong.",
    )
