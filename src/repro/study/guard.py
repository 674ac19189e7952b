"""What stands between a study and the internet?

Headers that let a page run only our own script and style, a limit on the size of what is sent, rates per participant
and per address, cookies that scripts cannot read, and a signature in every form (CSRF). Rates live in memory: a study
is served by one process.
"""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from fastapi import Request, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from .store import Refused, Store, same

MAX_BODY = 64 * 1024  # bytes
COOKIE, ADMIN_COOKIE = "study", "study_admin"
CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": CSP,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Cross-Origin-Opener-Policy": "same-origin",
}


class Shield:
    """Adds the headers to every answer and refuses what is too large, whether or not its length was said."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        stated = dict(scope["headers"]).get(b"content-length", b"0")
        if not stated.isdigit() or int(stated) > MAX_BODY:
            await _headed(Response("too large", 413, media_type="text/plain"), scope, receive, send)
            return
        counted = _Counted(receive)
        await self.app(scope, counted, _heading(scope, send))


class _Counted:
    """A body that ends where it gets too long; its form is then incomplete and refused.

    That the browser has left is passed on all the same: a stream that did not hear of it would ask for ever.
    """

    def __init__(self, receive: Receive) -> None:
        self.receive, self.n = receive, 0

    async def __call__(self) -> Message:
        message = await self.receive()
        self.n += len(message.get("body", b""))
        if message["type"] == "http.request" and self.n > MAX_BODY:
            return {"type": "http.request", "body": b"", "more_body": False}
        return message


def _heading(scope: Scope, send: Send) -> Send:
    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            extra = dict(HEADERS)
            extra["Cache-Control"] = "max-age=3600" if scope["path"].startswith("/static/") else "no-store"
            if scope["scheme"] == "https":
                extra["Strict-Transport-Security"] = "max-age=31536000"
            message["headers"] = [*message["headers"], *((k.lower().encode(), v.encode()) for k, v in extra.items())]
        await send(message)

    return sending


async def _headed(response: Response, scope: Scope, receive: Receive, send: Send) -> None:
    await response(scope, receive, _heading(scope, send))


@dataclass
class Rates:
    """A stock of `per_minute` uses of each key, refilled steadily at that rate; what is refused uses up nothing.

    In any minute's stretch that is at most twice `per_minute`: a full stock, and what came in meanwhile.
    """

    now: Callable[[], float] = time.monotonic
    left: dict[str, tuple[float, float]] = field(default_factory=dict)  # key -> (uses left, when counted)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def use(self, key: str, per_minute: int) -> None:
        """Count one use, or refuse it."""
        with self.lock:
            now = self.now()
            if len(self.left) > 20_000:  # forget who has not been here for two minutes
                self.left = {k: v for k, v in self.left.items() if now - v[1] < 120}
            left, at = self.left.get(key, (float(per_minute), now))
            left = min(float(per_minute), left + (now - at) * per_minute / 60)
            self.left[key] = (left - 1 if left >= 1 else left, now)
        if left < 1:
            raise Refused(429, "That was a lot at once. Please wait a few seconds and try again.")


def token_of(request: Request) -> str:
    """What the browser's cookie says; an empty string without one."""
    token = request.cookies.get(COOKIE, "")
    return token if 20 <= len(token) <= 100 and token.isascii() else ""


def fresh_token() -> str:
    return secrets.token_urlsafe(32)


def set_cookie(response: Response, name: str, value: str, *, secure: bool, days: int, strict: bool = False) -> None:
    response.set_cookie(
        name, value, max_age=days * 86400, httponly=True, secure=secure, samesite="strict" if strict else "lax",
        path="/admin" if strict else "/",
    )  # fmt: skip


def csrf(store: Store, token: str) -> str:
    """What a form of this browser carries."""
    return store.sign("csrf", token)


def check_csrf(store: Store, token: str, given: str) -> None:
    if not token or not same(given, csrf(store, token)):
        raise Refused(403, "This form has expired. Please go back to the study and try again.")


def address(request: Request) -> str:
    return request.client.host if request.client else "unknown"
