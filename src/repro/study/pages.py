"""Which pages does a participant see, and what do their forms do?

Every form is answered with a redirect to `/study`, which shows whatever comes next for this person; so reloading is
always safe. Labels A and B are all that a page says of an assistant.
"""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Form, Query, Request
from fastapi.responses import HTMLResponse, JSONResponse, RedirectResponse, Response, StreamingResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from ..rollouts.dialogue import system_prompt
from ..seeds import derive
from . import guard
from .chat import Desks, Job
from .store import Refused, Store
from .tables import Participant
from .talk import CHOICES, LABELS, MAX_REASON, Chat, Talk, Where, turns_of

HERE = Path(__file__).parent
PROLIFIC = re.compile(r"[0-9a-fA-F]{24}")
Text = Annotated[str, Form(max_length=guard.MAX_BODY)]
Short = Annotated[str, Form(max_length=200)]
Number = Annotated[int, Form(ge=0, lt=2**31)]


@cache
def _templates() -> Environment:
    return Environment(
        loader=FileSystemLoader(HERE / "templates"), autoescape=True, auto_reload=False, undefined=StrictUndefined,
        trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip


@dataclass
class App:
    """What the routes of one study share."""

    store: Store
    talk: Talk
    desks: Desks
    admin_token: str
    secure: bool = False  # behind https, whatever the request says
    rates: guard.Rates = field(default_factory=guard.Rates)

    def page(self, name: str, token: str = "", *, status: int = 200, **values: Any) -> HTMLResponse:
        shared = {"design": self.store.design, "csrf": guard.csrf(self.store, token) if token else ""}
        return HTMLResponse(_templates().get_template(name).render(**shared, **values), status)

    def is_secure(self, request: Request) -> bool:
        return self.secure or request.url.scheme == "https"


def _next() -> RedirectResponse:
    return RedirectResponse("/study", 303)


class Pages:
    """The participant's side."""

    def __init__(self, app: App) -> None:
        self.app, self.store, self.talk, self.design = app, app.store, app.talk, app.store.design

    def routes(self) -> APIRouter:
        router = APIRouter()
        shown: dict[str, Callable[..., Response]] = {
            "/": self.welcome, "/study": self.study, "/withdraw": self.leaving,
            "/reply/{comparison}/{label}": self.reply,
        }  # fmt: skip
        done: dict[str, Callable[..., Response]] = {
            "/join": self.join, "/ready": self.ready, "/task": self.task, "/say/{label}": self.say, "/next": self.go_on,
            "/vote": self.vote, "/check": self.check, "/withdraw": self.withdraw,
        }  # fmt: skip
        for method, acts in (("GET", shown), ("POST", done)):
            for path, act in acts.items():
                router.add_api_route(path, act, methods=[method], response_model=None)
        return router

    def welcome(
        self, request: Request,
        prolific: Annotated[str, Query(alias="PROLIFIC_PID", max_length=200)] = "",
        invite: Annotated[str, Query(max_length=200)] = "",
    ) -> Response:  # fmt: skip
        """The consent page. Nothing is stored before somebody agrees."""
        token = guard.token_of(request)
        if self.store.participant(token):
            return _next()
        self._external(prolific, invite)
        token = token or guard.fresh_token()
        response = self.app.page("welcome.html", token, prolific=prolific, invite=invite)
        guard.set_cookie(response, guard.COOKIE, token, secure=self.app.is_secure(request), days=30)
        return response

    def _external(self, prolific: str, invite: str) -> str | None:
        """What is kept of the link somebody came by; refused where the study asks for another kind."""
        access = self.design.access
        if access == "prolific" and not PROLIFIC.fullmatch(prolific):
            raise Refused(403, "Please open the study from its page on Prolific.")
        if access == "invitation" and not self.store.is_invitation(invite):
            raise Refused(403, "Please open the study with the link in your invitation.")
        if invite and self.store.is_invitation(invite):
            return self.store.external("invitation", invite)
        return self.store.external("prolific", prolific) if PROLIFIC.fullmatch(prolific) else None

    def join(
        self, request: Request, csrf: Short = "", agree: Short = "", prolific: Short = "", invite: Short = ""
    ) -> Response:
        token = guard.token_of(request)
        guard.check_csrf(self.store, token, csrf)
        self.app.rates.use(f"join {guard.address(request)}", self.design.joins_per_minute)
        if agree != "yes":
            raise Refused(422, "You can take part only if you agree to the text on the first page.")
        self.store.join(token, self._external(prolific, invite))
        return _next()

    def _me(self, request: Request, csrf: str | None = None) -> tuple[Participant, str]:
        """Who asks. With `csrf`: who sends a form, which is counted and has to be ours."""
        token = guard.token_of(request)
        person = self.store.participant(token)
        if csrf is not None:
            guard.check_csrf(self.store, token, csrf)
        if person is None:
            raise Refused(401, "Please open the study with the link that you were given.")
        if csrf is not None:
            self.app.rates.use(f"post {person.id}", self.design.posts_per_minute)
        return person, token

    def study(self, request: Request) -> Response:
        """Whatever comes next."""
        token = guard.token_of(request)
        person = self.store.participant(token)
        if person is None:
            return RedirectResponse("/", 303)
        where = self.talk.where(person)
        shared: dict[str, Any] = {"where": where, "minutes_left": self._minutes_left(person)}
        match where.stage:
            case "task":
                return self.app.page("task.html", token, cards=self.talk.free_tasks(person), **shared)
            case "check":
                return self.app.page("check.html", token, number=where.check, **shared)
            case "chat" | "vote":
                return self._comparison(token, person, where, shared)
            case stage:
                return self.app.page(f"{stage}.html", token, **shared)

    def _minutes_left(self, person: Participant) -> int:
        return max(0, round(self.design.minutes - (self.store.now() - person.joined_at) / 60))

    def _comparison(self, token: str, person: Participant, where: Where, shared: dict[str, Any]) -> Response:
        """The chats or the vote. Replies that are still due are asked for here, since a page may be without scripts."""
        comparison = self.talk.opened(where.at(where.stage))
        chats = self.talk.messages(comparison)
        both = where.stage == "vote" or comparison.step == "both"
        shown = LABELS if both else (comparison.step,)
        for label in shown if where.stage == "chat" else ():
            self._job(Chat(comparison, label, chats[label]), person)
        return self.app.page(
            f"{where.stage}.html", token, comparison=comparison, chats=chats, max_reason=MAX_REASON,
            card=self.store.cards[comparison.task or ""], shown=shown,
            may_go_on=self.talk.may_go_on(comparison, chats), over=self.talk.chat_is_over(comparison), **shared,
        )  # fmt: skip

    def ready(self, request: Request, csrf: Short = "") -> Response:
        self.store.instructed(self._me(request, csrf)[0])
        return _next()

    def task(self, request: Request, csrf: Short = "", task: Short = "") -> Response:
        self.talk.pick(self._me(request, csrf)[0], task)
        return _next()

    def say(self, request: Request, label: str, comparison: Number, csrf: Short = "", text: Text = "") -> Response:
        """Take a message; the reply comes from `/reply`, and its making starts at once."""
        person, _ = self._me(request, csrf)
        self._job(self.talk.say(person, comparison, label, text), person)
        if "application/json" in request.headers.get("accept", ""):
            return JSONResponse({"reply": f"/reply/{comparison}/{label}"}, 202)
        return _next()

    def _job(self, chat: Chat, person: Participant) -> Job | str | None:
        """The reply that is due: under way, or its text where it is finished, or None where nothing was asked."""
        if not chat.said:
            return None
        if chat.said[-1].role == "assistant":
            return chat.said[-1].text
        comparison, label, turn = chat.comparison, chat.label, len(chat.said)
        seed = derive(self.design.seed, person.id, comparison.number, label, turn)
        asked = self.app.desks[comparison.arm(label)]
        return asked.ask((comparison.id or 0, label, turn), [system_prompt(), *turns_of(chat.said)], seed)

    def reply(self, request: Request, comparison: int, label: str) -> Response:
        """The reply to the last message as server-sent events: `so_far`, `piece`s, then `end` or `failed`."""
        person, _ = self._me(request)
        self.app.rates.use(f"reply {person.id}", 6 * self.design.posts_per_minute)
        found = self.talk.where(person).at("chat", comparison)
        if label not in LABELS:
            raise Refused(404, "There is no such chat.")
        events = _events(self._job(Chat(found, label, self.talk.messages(found)[label]), person))
        return StreamingResponse(events, media_type="text/event-stream", headers={"X-Accel-Buffering": "no"})

    def go_on(self, request: Request, comparison: Number, csrf: Short = "") -> Response:
        self.talk.go_on(self._me(request, csrf)[0], comparison)
        return _next()

    def vote(
        self, request: Request, comparison: Number, csrf: Short = "", choice: Short = "", strength: Short = "",
        reason: Text = "",
    ) -> Response:  # fmt: skip
        if choice not in CHOICES:
            raise Refused(422, "Please choose A, B, no difference, or neither.")
        how_much = int(strength) if strength in ("1", "2", "3") else None
        self.talk.vote(self._me(request, csrf)[0], comparison, choice, how_much, reason)
        return _next()

    def check(self, request: Request, number: Number, csrf: Short = "", answer: Text = "") -> Response:
        self.talk.answer(self._me(request, csrf)[0], number, answer)
        return _next()

    def leaving(self, request: Request) -> Response:
        return self.app.page("withdraw.html", self._me(request)[1])

    def withdraw(self, request: Request, csrf: Short = "") -> Response:
        self.store.withdraw(self._me(request, csrf)[0])
        response = self.app.page("withdrawn.html")
        response.delete_cookie(guard.COOKIE)
        return response


async def _events(job: Job | str | None) -> AsyncIterator[str]:
    if not isinstance(job, Job):
        yield _event("so_far", job or "")
        yield _event("end", "")
        return
    yield _event("so_far", "")
    async for piece in job.follow():
        yield _event("piece", piece) if piece else ": still here\n\n"
    yield _event("failed" if job.error else "end", "")


def _event(name: str, text: str) -> str:
    return f"event: {name}\ndata: {json.dumps(text)}\n\n"
