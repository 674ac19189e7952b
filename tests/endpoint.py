"""What does an OpenAI-compatible endpoint do, on a good day and on a bad one?

`say(body)` decides: a text is an answer, a dict the choice that an answer holds, a number an HTTP error, and a fault of
this module is a way to misbehave. What was asked is in `asked`, and how many requests were under way at once in `most`.
"""

from __future__ import annotations

import json
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.asked: list[dict[str, Any]] = []
        self.say: Callable[[dict[str, Any]], Any] = lambda body: body["messages"][-1]["content"].upper()
        self.finish = "stop"
        self.lock, self.now, self.most = threading.Lock(), 0, 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/v1"

    @contextmanager
    def counted(self) -> Iterator[None]:
        with self.lock:
            self.now += 1
            self.most = max(self.most, self.now)
        try:
            yield
        finally:
            with self.lock:
                self.now -= 1

    def handle_error(self, *_: Any) -> None:
        """A client that left is no news."""


class Handler(BaseHTTPRequestHandler):
    server: Server
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self.send(200, {"object": "list", "data": [{"id": name, "object": "model"} for name in ("one", "other")]})

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        with self.server.counted():
            self.server.asked.append(body)
            said = self.server.say(body)
            if callable(said):
                said(self)
            elif isinstance(said, int):
                self.send(said, {"error": {"message": "no"}})
            elif isinstance(said, dict):
                self.send(200, self.answer(said))
            elif body.get("stream"):
                self.stream(said)
            else:
                self.send(200, self.answer({"message": {"role": "assistant", "content": said}}))

    def answer(self, choice: dict[str, Any]) -> dict[str, Any]:
        choice = {"index": 0, "finish_reason": self.server.finish, **choice}
        usage = {"prompt_tokens": 7, "completion_tokens": 2, "total_tokens": 9}
        return {"id": "1", "object": "chat.completion", "created": 0, "model": "m", "choices": [choice], "usage": usage}

    def send(self, status: int, content: Any, *, headers: dict[str, str] | None = None) -> None:
        data = content if isinstance(content, bytes) else json.dumps(content).encode()
        self.send_response(status)
        for name, value in {"Content-Type": "application/json", "Content-Length": len(data), **(headers or {})}.items():
            self.send_header(name, str(value))
        self.end_headers()
        self.wfile.write(data)

    def stream(self, said: str, *, whole: bool = True) -> None:
        """The text three letters at a time; one that is not whole ends without a word."""
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Connection", "close")
        self.end_headers()
        head = {"id": "1", "object": "chat.completion.chunk", "created": 0, "model": "m"}
        pieces = [said[i : i + 3] for i in range(0, len(said), 3)]
        choices = [{"index": 0, "finish_reason": None, "delta": {"content": piece}} for piece in pieces]
        if whole:
            choices.append({"index": 0, "finish_reason": self.server.finish, "delta": {}})
        for choice in choices:
            self.event({**head, "choices": [choice]})
        if whole:
            self.event({**head, "choices": [], "usage": {"prompt_tokens": 7, "completion_tokens": 2}})
            self.wfile.write(b"data: [DONE]\n\n")
        self.close_connection = True

    def event(self, content: dict[str, Any]) -> None:
        self.wfile.write(b"data: " + json.dumps(content).encode() + b"\n\n")
        self.wfile.flush()

    def log_message(self, *_: Any) -> None:
        pass


Fault = Callable[[Handler], None]


def busy(retry_after: float) -> Fault:
    """429, come back in so many seconds."""
    return lambda handler: handler.send(429, {"error": {"message": "busy"}}, headers={"Retry-After": str(retry_after)})


def hang(seconds: float) -> Fault:
    """Says nothing for so long, then hangs up."""

    def fault(handler: Handler) -> None:
        time.sleep(seconds)
        handler.close_connection = True

    return fault


def reset(handler: Handler) -> None:
    """The connection is torn down."""
    handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    handler.connection.close()
    handler.close_connection = True


def half(text: str) -> Fault:
    """A stream that ends after `text`."""
    return lambda handler: handler.stream(text, whole=False)


def cut(handler: Handler) -> None:
    """Half of the bytes that were announced."""
    data = json.dumps(handler.answer({"message": {"role": "assistant", "content": "x" * 99}})).encode()
    handler.send(200, data[: len(data) // 2], headers={"Content-Length": str(len(data))})
    handler.close_connection = True


def garbage(content: Any) -> Fault:
    """200, and then something that is no completion."""
    return lambda handler: handler.send(200, content)


@contextmanager
def serving() -> Iterator[Server]:
    server = Server()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
