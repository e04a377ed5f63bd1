"""A stand-in for the Messages API on loopback: real sockets, scripted reactions, no dependency.

A reaction gets the handler of one request and does to it whatever a server, a proxy or a network
can do. The stub keeps every body it was sent, and counts what of a prompt it would have cached.
"""

from __future__ import annotations

import hashlib
import json
import random
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Body = dict[str, Any]
Reaction = Callable[["Call"], None]
Script = Callable[["Call"], Reaction]


class Call:
    """One request on its way: what was asked, and the means to answer."""

    def __init__(self, handler: Handler, stub: Stub, body: Body, number: int) -> None:
        self.handler = handler
        self.stub = stub
        self.body = body
        self.number = number

    def head(self, status: int, content_type: str, headers: Mapping[str, str] = {}) -> None:
        self.handler.send_response(status)
        self.handler.send_header("content-type", content_type)
        self.handler.send_header("request-id", f"req_{self.number}")
        for name, value in headers.items():
            self.handler.send_header(name, value)

    def whole(
        self, status: int, content_type: str, text: str, headers: Mapping[str, str] = {}
    ) -> None:
        data = text.encode()
        self.head(status, content_type, headers)
        self.handler.send_header("content-length", str(len(data)))
        self.handler.end_headers()
        self.handler.wfile.write(data)

    def begin_stream(self) -> None:
        self.head(200, "text/event-stream; charset=utf-8")
        self.handler.send_header("transfer-encoding", "chunked")
        self.handler.end_headers()

    def event(self, name: str, data: Mapping[str, Any]) -> None:
        self.chunk(f"event: {name}\ndata: {json.dumps({'type': name, **data})}\n\n")

    def chunk(self, text: str) -> None:
        data = text.encode()
        self.handler.wfile.write(f"{len(data):x}\r\n".encode() + data + b"\r\n")
        self.handler.wfile.flush()

    def end_stream(self) -> None:
        self.handler.wfile.write(b"0\r\n\r\n")
        self.handler.wfile.flush()

    def reset(self) -> None:
        """Hang up with RST."""
        connection = self.handler.connection
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.close()  # takes effect when the handler lets go of it
        self.handler.close_connection = True


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    stub: Stub

    def do_POST(self) -> None:
        length = int(self.headers.get("content-length", 0))
        body = json.loads(self.rfile.read(length) or b"{}")
        self.stub.serve(self, body)

    def do_GET(self) -> None:
        self.stub.serve(self, {})

    def log_message(self, format: str, *args: Any) -> None:
        return


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, request: Any, client_address: Any) -> None:
        return  # clients that hang up are part of the script


class Stub:
    """``with Stub(script) as stub``; ``stub.url`` is the base URL."""

    def __init__(self, script: Script | Sequence[Reaction]) -> None:
        """``script`` picks a reaction for each message, or is the list of them; the last stays."""
        self._script = script
        self._lock = threading.Lock()
        self._cached: set[str] = set()
        self.calls: list[Body] = []
        self.asked = 0
        """Requests of any kind: messages, counts, lists of models."""
        self.headers: list[dict[str, str]] = []
        self.counted: list[Body] = []
        self.models = ["claude-opus-5-5", "claude-sonnet-5-5", "claude-haiku-5-5"]
        self.running = 0
        self.most_running = 0
        self.hung_up = threading.Event()
        """Set when a client closed a connection that the stub held open."""
        self.closing = threading.Event()

    def __enter__(self) -> Stub:
        handler = type("BoundHandler", (Handler,), {"stub": self})
        self._server = _Server(("127.0.0.1", 0), handler)
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True
        )
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.closing.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    @property
    def host(self) -> str:
        return self.url.removeprefix("http://")

    def serve(self, handler: Handler, body: Body) -> None:
        path = handler.path.partition("?")[0]
        with self._lock:
            self.asked += 1
        if path.endswith("/count_tokens"):
            with self._lock:
                self.counted.append(body)
            call = Call(handler, self, body, 0)
            call.whole(200, "application/json", json.dumps({"input_tokens": prompt_tokens(body)}))
            return
        if path.endswith("/models"):
            self._list_models(handler)
            return
        with self._lock:
            self.calls.append(body)
            self.headers.append({k.lower(): v for k, v in handler.headers.items()})
            number = len(self.calls)
            self.running += 1
            self.most_running = max(self.most_running, self.running)
            call = Call(handler, self, body, number)
            reaction = self._pick(call, number)
        try:
            reaction(call)
        finally:
            with self._lock:
                self.running -= 1

    def _pick(self, call: Call, number: int) -> Reaction:
        if callable(self._script):
            return self._script(call)
        return self._script[min(number, len(self._script)) - 1]

    def _list_models(self, handler: Handler) -> None:
        data = [
            {
                "type": "model",
                "id": name,
                "display_name": name,
                "created_at": "2026-01-01T00:00:00Z",
            }
            for name in self.models
        ]
        document = {"data": data, "has_more": False, "first_id": None, "last_id": None}
        Call(handler, self, {}, 0).whole(200, "application/json", json.dumps(document))

    def usage(self, body: Body) -> dict[str, Any]:
        """What of the prompt is read from the cache, written to it, and neither."""
        read = written = rest = 0
        written_1h = 0
        prefix = hashlib.sha256(
            json.dumps([body["model"], body.get("output_config")], sort_keys=True).encode()
        )
        pending = 0
        for block in blocks_of(body):
            prefix.update(block["text"].encode())
            pending += tokens_of(block["text"])
            control = block.get("cache_control")
            if control is None:
                continue
            key = prefix.hexdigest()
            with self._lock:
                known = key in self._cached
                self._cached.add(key)
            if known:
                read += pending
            else:
                written += pending
                written_1h += pending if control.get("ttl") == "1h" else 0
            pending = 0
        rest = pending
        return {
            "input_tokens": rest,
            "cache_creation_input_tokens": written,
            "cache_read_input_tokens": read,
            "cache_creation": {
                "ephemeral_5m_input_tokens": written - written_1h,
                "ephemeral_1h_input_tokens": written_1h,
            },
            "output_tokens": 1,
        }


def blocks_of(body: Body) -> list[dict[str, Any]]:
    """The blocks of a prompt in the order in which they are cached."""
    return [*body.get("system", ()), *body["messages"][0]["content"]]


def tokens_of(text: str) -> int:
    return -(-len(text.encode()) // 4)


def prompt_tokens(body: Body) -> int:
    return sum(tokens_of(block["text"]) for block in blocks_of(body))


# --- reactions ----------------------------------------------------------------------------


def good(
    answer: object,
    *,
    thinking: bool = False,
    stop_reason: str | None = "end_turn",
    output_tokens: int | None = None,
    ends: str = "properly",
    pings: int = 0,
    cut_after: int | None = None,
    details: Mapping[str, Any] | None = None,
    gate: threading.Event | None = None,
) -> Reaction:
    """A streamed answer. ``ends``: properly, without_stop, fin, rst, clean, stall, error:TYPE."""
    text = answer if isinstance(answer, str) else json.dumps(answer)

    def react(call: Call) -> None:
        call.begin_stream()
        call.event("message_start", start_of(call))
        if gate is not None:
            gate.wait(10)
        for _ in range(pings):
            call.event("ping", {})
            time.sleep(0.01)
        index = 0
        if thinking:
            _block(call, index, {"type": "thinking", "thinking": "", "signature": ""})
            delta = {"type": "thinking_delta", "thinking": "let me see"}
            call.event("content_block_delta", {"index": index, "delta": delta})
            call.event("content_block_stop", {"index": index})
            index += 1
        shown = text if cut_after is None else text[:cut_after]
        if shown or ends == "properly":
            _block(call, index, {"type": "text", "text": ""})
        for start in range(0, len(shown), 700):
            delta = {"type": "text_delta", "text": shown[start : start + 700]}
            call.event("content_block_delta", {"index": index, "delta": delta})
        if _broken_off(call, ends):
            return
        call.event("content_block_stop", {"index": index})
        made = output_tokens if output_tokens is not None else tokens_of(text) + 20
        delta = {"stop_reason": stop_reason, "stop_sequence": None}
        if details is not None:
            delta["stop_details"] = dict(details)
        call.event("message_delta", {"delta": delta, "usage": {"output_tokens": made}})
        if ends != "without_stop":
            call.event("message_stop", {})
        call.end_stream()

    return react


def start_of(call: Call) -> dict[str, Any]:
    """The first event of an answer."""
    return {
        "message": {
            "id": f"msg_{call.number}",
            "type": "message",
            "role": "assistant",
            "model": call.body["model"],
            "content": [],
            "stop_reason": None,
            "stop_sequence": None,
            "usage": call.stub.usage(call.body),
        }
    }


def _block(call: Call, index: int, block: Mapping[str, Any]) -> None:
    call.event("content_block_start", {"index": index, "content_block": block})


def _broken_off(call: Call, ends: str) -> bool:
    if ends == "clean":
        call.end_stream()
    elif ends == "fin":
        call.handler.close_connection = True
        call.handler.connection.shutdown(socket.SHUT_RDWR)
    elif ends == "rst":
        call.reset()
    elif ends == "stall":
        hold(call)
    elif ends.startswith("error:"):
        kind = ends.partition(":")[2]
        call.event("error", {"error": {"type": kind, "message": "something happened"}})
        call.end_stream()
    else:
        return False
    return True


def hold(call: Call) -> None:
    """Say nothing until the client hangs up or the stub closes."""
    connection = call.handler.connection
    connection.settimeout(0.05)
    while not call.stub.closing.is_set():
        try:
            if connection.recv(1) == b"":
                break
        except TimeoutError:
            continue
        except OSError:
            break
    call.stub.hung_up.set()
    call.handler.close_connection = True


def silence() -> Reaction:
    """Take the request and never answer."""
    return hold


def status(
    code: int,
    kind: str = "api_error",
    message: str = "it did not work",
    *,
    error_code: str | None = None,
    **headers: str,
) -> Reaction:
    """An error of the API as JSON; ``retry_after="3"`` becomes a header."""
    error: dict[str, Any] = {"type": kind, "message": message}
    if error_code:
        error["details"] = {"error_code": error_code}
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    document = json.dumps({"type": "error", "error": error})
    return lambda call: call.whole(code, "application/json", document, named)


def page(code: int) -> Reaction:
    """A web page of a proxy."""
    html = "<html><body><h1>Sign in to the network</h1></body></html>"
    return lambda call: call.whole(code, "text/html", html)


def redirect(code: int, location: str) -> Reaction:
    """Point somewhere else."""
    return lambda call: call.whole(code, "text/plain", "moved", {"location": location})


def noise(data: bytes, content_type: str = "text/event-stream") -> Reaction:
    """Bytes that are no stream of events, with a good status."""

    def react(call: Call) -> None:
        call.head(200, content_type)
        call.handler.send_header("content-length", str(len(data)))
        call.handler.end_headers()
        call.handler.wfile.write(data)

    return react


def dripping(text: str, seconds: float) -> Reaction:
    """One character at a time, with pauses in between, until the client has enough."""

    def react(call: Call) -> None:
        call.begin_stream()
        call.event("message_start", start_of(call))
        _block(call, 0, {"type": "text", "text": ""})
        for character in text:
            if call.stub.closing.wait(seconds):
                return
            delta = {"type": "text_delta", "text": character}
            call.event("content_block_delta", {"index": 0, "delta": delta})

    return react


def reset() -> Reaction:
    """Hang up before a single byte of an answer."""
    return lambda call: call.reset()


def truncated(text: str) -> Reaction:
    """Cut off at ``max_tokens``, after ``text``."""

    def react(call: Call) -> None:
        good(text, stop_reason="max_tokens", output_tokens=call.body["max_tokens"])(call)

    return react


def refusal(text: str = "", category: str = "cyber") -> Reaction:
    """The model declines, before or in the middle of its text."""
    details = {"type": "refusal", "category": category, "explanation": None}
    return good(text, stop_reason="refusal", details=details)


def flaky(steady: Script, share: float, seed: int = 7) -> Script:
    """Fails that share of calls at random in every way that passes by itself."""
    dice = random.Random(seed)
    ways: Iterable[Reaction] = (
        status(529, "overloaded_error"),
        status(500),
        status(429, "rate_limit_error", retry_after="1"),
        good("{", ends="fin"),
        good("{", ends="rst"),
        good("{", ends="clean"),
        good("{}", ends="without_stop"),
        good("{", ends="error:overloaded_error"),
        page(502),
        reset(),
    )
    choices = tuple(ways)

    def script(call: Call) -> Reaction:
        if dice.random() < share:
            return dice.choice(choices)
        return steady(call)

    return script
